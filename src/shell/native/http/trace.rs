//! The packets of one client as Server-Sent Events, without what is in them.

use super::{
    Visitor,
    events::{self, WAITING},
    failure::Failure,
    query::Query,
    router::Rooms,
};
use crate::{
    broker::{Direction, TracedPacket},
    codec::{ReasonCode, Text},
    shell::native::{engine::Engine, tracers::Traced},
    time::Timestamp,
};
use axum::{
    extract::{Extension, Path, State},
    http::{HeaderMap, Method, Uri},
    response::{Response, sse::Event},
};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::{
    select,
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// `GET /clients/ID/trace`
pub(super) async fn trace(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    Path(client_id): Path<String>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    if method == Method::HEAD {
        return Err(Failure::method(&method, Some("GET")));
    }
    let caller = site.gate.caller(&headers, None, visitor, "trace").await?;
    let seconds = Query::parse(&uri, &["seconds"], &[])?.number("seconds", 1..=LONGEST)?.unwrap_or(DEFAULT);
    let client_id = Text::try_from(client_id).map_err(|_| Failure::refused(ReasonCode::ClientIdentifierNotValid))?;
    let begin = move |engine: &mut Engine| {
        let now = engine.now();
        let until = now.plus_secs(seconds);
        let until = caller.expires_at.map_or(until, |expires_at| expires_at.min(until));
        let millis = until.millis_since(now);
        engine.trace(client_id, until).map(|told| (told, millis))
    };
    let begun = door.line().look(begin).await?;
    let (told, millis) = begun.ok_or_else(|| Failure::refused(ReasonCode::QuotaExceeded))?;
    let (events, answered) = mpsc::channel(WAITING);
    tokio::spawn(tell(told, Instant::now() + Duration::from_millis(millis), events));
    Ok(events::answer(answered))
}

/// Until the time is over, or the server or the reader has gone.
async fn tell(mut told: mpsc::Receiver<Traced>, end: Instant, events: mpsc::Sender<Event>) {
    loop {
        let traced = select! {
            biased;
            () = sleep_until(end) => break,
            () = events.closed() => return,
            traced = told.recv() => traced,
        };
        let event = match traced {
            Some(Traced::Packet { at, packet }) => {
                Event::default().event("packet").data(described(at, &packet).to_string())
            }
            Some(Traced::Dropped(count)) => Event::default().event("dropped").data(count.to_string()),
            None => return,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
    _ = events.send(Event::default().event("end").data("{}")).await; // it fails when the reader has gone
}

fn described(at: Timestamp, packet: &TracedPacket) -> Value {
    let direction = match packet.direction {
        Direction::Received => "received",
        Direction::Sent => "sent",
    };
    let known: [(&str, Option<Value>); 10] = [
        ("time", Some(json!(at.0))),
        ("direction", Some(json!(direction))),
        ("packet", Some(json!(packet.packet))),
        ("packetId", packet.packet_id.map(|id| json!(id))),
        ("topic", packet.topic.as_ref().map(|topic| json!(topic))),
        ("qos", packet.qos.map(|qos| json!(qos as u8))),
        ("retain", packet.retain.map(|retain| json!(retain))),
        ("dup", packet.dup.map(|dup| json!(dup))),
        ("reasonCode", packet.reason_code.map(|reason| json!(reason))),
        ("bytes", Some(json!(packet.bytes))),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(Map::from_iter(known))
}

/// Seconds.
const LONGEST: u64 = 600;
const DEFAULT: u64 = 60;
