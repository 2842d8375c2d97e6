//! Messages as Server-Sent Events: what is asked for, and by whom.

use super::{
    Visitor, events,
    failure::Failure,
    query::Query,
    router::Rooms,
    subscriber::{Place, Subscriber, Wanted},
};
use crate::codec::{QoS, ReasonCode, Text};
use axum::{
    extract::{Extension, State},
    http::{HeaderMap, Method, Uri},
    response::Response,
};

/// `GET /subscribe`
pub(super) async fn subscribe(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    if method == Method::HEAD {
        return Err(Failure::method(&method, Some("GET")));
    }
    let in_query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find_map(|(name, token)| (name == "access_token").then(|| token.into_owned()));
    let caller = site.gate.caller(&headers, in_query.as_deref(), visitor, "subscribe").await?;
    let query = Query::parse(&uri, &["qos", "access_token"], &["filter"])?;
    let filters = query.all("filter").map(filter).collect::<Result<Vec<_>, _>>()?;
    if !(1..=MOST_FILTERS).contains(&filters.len()) {
        return Err(Failure::bad_request(format!("One filter is needed, and {MOST_FILTERS} are the most.")));
    }
    let qos = query.number("qos", 0..=1)?.and_then(QoS::from_u8).unwrap_or(QoS::AtLeastOnce);
    let last = headers.get("last-event-id").filter(|_| qos > QoS::AtMostOnce).map(Place::parse);
    let wanted = Wanted { filters, qos, caller, last, maximum_in_flight: site.maximum_in_flight };
    let subscriber = Subscriber::begin(&door, visitor.address, wanted).await?;
    Ok(events::answer(subscriber.run()))
}

fn filter(text: &str) -> Result<Text, Failure> {
    let text = Text::try_from(text).ok().filter(|text| !text.is_empty());
    text.ok_or_else(|| Failure::refused(ReasonCode::TopicFilterInvalid))
}

const MOST_FILTERS: usize = 32;
