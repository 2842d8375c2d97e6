//! Publishing a message, and reading what is retained.

use super::{
    Visitor, body,
    failure::Failure,
    query::Query,
    router::{Rooms, json},
};
use crate::codec::{Publish, PublishProperties, QoS, ReasonCode, Text};
use axum::{
    extract::{Extension, Request, State},
    http::{HeaderMap, header},
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
        payload: body::read(body, site.maximum_packet_size as usize, body::BODY_TIMEOUT)
            .await
            .map_err(Failure::of_packet)?,
        ..Default::default()
    };
    let outcome = door.line().change(move |engine| engine.publish(publish, &caller)).await?;
    outcome.map_err(Failure::refused)?;
    Ok(json(json!({ "reasonCode": 0 }).to_string()))
}

/// The type of the body, unless it says nothing.
fn content_type(headers: &HeaderMap) -> Result<Option<Text>, Failure> {
    let Some(value) = headers.get(header::CONTENT_TYPE).filter(|value| *value != "application/octet-stream") else {
        return Ok(None);
    };
    let text = value.to_str().ok().and_then(|text| Text::try_from(text).ok());
    text.map(Some).ok_or_else(|| Failure::bad_request("The Content-Type is not ASCII."))
}
