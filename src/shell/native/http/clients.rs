//! Looking at clients, and disconnecting them.

use super::{
    Visitor,
    failure::Failure,
    pages::{listed, page},
    query::Query,
    router::{Rooms, json},
};
use crate::{
    broker::{ClientDetails, Input, Page},
    codec::{ReasonCode, Text},
    shell::native::engine::Engine,
};
use axum::{
    extract::{Extension, Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// `GET /clients`
pub(super) async fn list(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    site.gate.caller(&headers, None, visitor, "clients").await?;
    let (limit, after) = page(&Query::parse(&uri, &["limit", "after"], &[])?)?;
    let Page { items, next } = door.line().look(move |engine| engine.broker().clients(after.as_ref(), limit)).await?;
    Ok(json(listed("clients", items.iter().map(described).collect(), next)))
}

/// `DELETE /clients/ID`
pub(super) async fn disconnect(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    site.gate.caller(&headers, None, visitor, "clients").await?;
    let query = Query::parse(&uri, &["session"], &[])?;
    let end_session = match query.get("session") {
        None | Some("keep") => false,
        Some("end") => true,
        Some(_) => return Err(Failure::bad_request("The parameter session must be keep or end.")),
    };
    let client_id = Text::try_from(client_id).map_err(|_| Failure::none_of_this_name())?;
    let change = move |engine: &mut Engine| {
        let is_there = engine.broker().client(&client_id).is_some_and(|client| client.connected || end_session);
        if is_there {
            engine.order(Input::Disconnect { client_id, reason: ReasonCode::AdministrativeAction, end_session });
        }
        is_there
    };
    let was_there = door.line().change(change).await?;
    if was_there { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Failure::none_of_this_name()) }
}

fn described(client: &ClientDetails) -> Value {
    let known: [(&str, Option<Value>); 10] = [
        ("clientId", Some(json!(client.client_id))),
        ("userName", client.user_name.as_ref().map(|name| json!(name))),
        ("connected", Some(json!(client.connected))),
        ("protocolVersion", client.protocol_version.map(|version| json!(version as u8))),
        ("connectedAt", client.connected_at.map(|at| json!(at.0))),
        ("keepAlive", client.keep_alive.map(|seconds| json!(seconds))),
        ("sessionExpiryInterval", Some(json!(client.session_expiry_interval))),
        ("subscriptions", Some(json!(client.subscriptions))),
        ("queued", Some(json!(client.queued))),
        ("inFlight", Some(json!(client.in_flight))),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(Map::from_iter(known))
}
