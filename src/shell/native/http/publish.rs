//! Publishing a message, and reading what is retained.

use super::{
    Visitor, body,
    failure::Failure,
    message::Message,
    pages::{listed, page},
    query::Query,
    router::{Rooms, json},
};
use crate::{
    broker::Page,
    codec::{Publish, PublishProperties, QoS, ReasonCode, Text},
    shell::native::engine::Engine,
};
use axum::{
    extract::{Extension, Request, State},
    http::{HeaderMap, HeaderValue, Uri, header},
    response::Response,
};
use serde_json::json;

/// `POST /publish`
pub(super) async fn publish(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let caller = site.gate.caller(&parts.headers, None, visitor, "publish").await?;
    let query = Query::parse(&parts.uri, &["topic", "qos", "retain", "messageExpiryInterval"], &[])?;
    let topic = query.required("topic")?;
    let properties = PublishProperties {
        message_expiry_interval: query.number("messageExpiryInterval", 0..=u32::MAX)?,
        content_type: content_type(&parts.headers)?,
        ..Default::default()
    };
    let publish = Publish {
        topic: Text::try_from(topic).map_err(|_| Failure::refused(ReasonCode::TopicNameInvalid))?,
        qos: query.number("qos", 0..=2)?.and_then(QoS::from_u8).unwrap_or_default(),
        retain: query.flag("retain")?,
        properties,
        payload: body::read(body, site.maximum_packet_size as usize, site.patience)
            .await
            .map_err(Failure::of_packet)?,
        ..Default::default()
    };
    let outcome = door.line().change(move |engine| engine.publish(publish, caller.for_broker())).await?;
    if outcome.is_failure() {
        return Err(Failure::refused(outcome));
    }
    Ok(json(json!({ "reasonCode": outcome.value() }).to_string()))
}

/// `GET /retained`
pub(super) async fn retained(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let caller = site.gate.caller(&headers, None, visitor, "retained").await?;
    let query = Query::parse(&uri, &["filter", "limit", "after"], &[])?;
    let filter = Text::try_from(query.required("filter")?);
    let filter = filter.map_err(|_| Failure::refused(ReasonCode::TopicFilterInvalid))?;
    let (limit, after) = page(&query)?;
    let look = move |engine: &mut Engine| {
        let now = engine.now();
        engine.broker().retained(now, &filter, after.as_ref(), limit, Some(&caller.for_broker()))
    };
    let Page { items, next } = door.line().look(look).await?.map_err(Failure::refused)?;
    let messages: Vec<_> = items.into_iter().map(Message::new).collect();
    Ok(json(listed("messages", json!(messages), next)))
}

/// The type of the body, unless it says nothing.
fn content_type(headers: &HeaderMap) -> Result<Option<Text>, Failure> {
    let says_nothing = |value: &&HeaderValue| SAY_NOTHING.iter().any(|name| *value == name);
    let Some(value) = headers.get(header::CONTENT_TYPE).filter(|value| !says_nothing(value)) else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| Text::try_from(text).ok());
    text.map(Some).ok_or_else(|| Failure::bad_request("The Content-Type is not ASCII."))
}

/// The second is what curl says of everything.
const SAY_NOTHING: [&str; 2] = ["application/octet-stream", "application/x-www-form-urlencoded"];
