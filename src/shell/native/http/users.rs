//! Who is let in with a password: seen, added, changed and removed. Never tells what a password is checked with.

use super::{
    Visitor, body,
    failure::{Failure, sentence},
    query::Query,
    router::{Rooms, json},
};
use crate::{
    broker::{Broker, Input},
    codec::{ReasonCode, Text},
    shell::native::{
        access::{SALT, USERS, UserChange, UserSummary, change_user, user_key, user_summary},
        engine::Engine,
    },
};
use axum::{
    extract::{Extension, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::json;
use tokio::task::spawn_blocking;

/// `GET /users`
pub(super) async fn list(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    site.gate.caller(&headers, None, visitor, "users").await?;
    Query::parse(&uri, &[], &[])?;
    let find = |engine: &mut Engine| {
        let prefix = Text::from_static(USERS);
        let kept = engine.broker().kept(&prefix);
        kept.filter_map(|(key, value)| user_summary(key.as_str(), value)).collect::<Vec<_>>()
    };
    let users = door.line().look(find).await?;
    Ok(json(json!({ "users": users }).to_string()))
}

/// `GET /users/NAME`
pub(super) async fn one(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    site.gate.caller(&headers, None, visitor, "users").await?;
    Query::parse(&uri, &[], &[])?;
    let key = key(&name)?;
    let find = move |engine: &mut Engine| Some((key.clone(), kept(engine.broker(), &key)?));
    let (key, value) = door.line().look(find).await?.ok_or_else(Failure::none_of_this_name)?;
    let user: UserSummary = user_summary(key.as_str(), &value).ok_or_else(Failure::none_of_this_name)?;
    Ok(json(json!(user).to_string()))
}

/// `PUT /users/NAME`
pub(super) async fn put(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    site.gate.caller(&parts.headers, None, visitor, "users").await?;
    Query::parse(&parts.uri, &[], &[])?;
    if !parts.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(Failure::bad_request("The Content-Type must be application/json."));
    }
    let body = body::read(body, LARGEST_USER, site.patience).await?;
    let change: UserChange = parsed(&body)?;
    let key = key(&name)?;
    // One at a time: a password takes work, and nobody is to change the user meanwhile.
    let _turn = site.user_changes.lock().await;
    let find = key.clone();
    let known = door.line().look(move |engine| engine.asks().then(|| kept(engine.broker(), &find))).await?;
    let known = known.ok_or_else(|| Failure::bad_request(OPEN))?;
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|_| Failure::refused(ReasonCode::ServerUnavailable))?;
    let iterations = site.password_iterations;
    let made = spawn_blocking(move || change_user(&name, change, known.as_deref(), iterations, salt));
    let value = made.await.map_err(|_| Failure::refused(ReasonCode::ServerUnavailable))?;
    let value = value.map_err(|error| Failure::bad_request(sentence(&error.to_string())))?;
    let keep = move |engine: &mut Engine| {
        let outcome = engine.broker().may_keep(&key, Some(&value));
        engine.order(Input::Keep { name: key, value: Some(value) });
        outcome
    };
    match door.line().change(keep).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(_) => Err(Failure::refused(ReasonCode::QuotaExceeded)),
    }
}

/// `DELETE /users/NAME`
pub(super) async fn remove(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    site.gate.caller(&headers, None, visitor, "users").await?;
    Query::parse(&uri, &[], &[])?;
    let key = key(&name)?;
    let _turn = site.user_changes.lock().await;
    let change = move |engine: &mut Engine| {
        let was_there = kept(engine.broker(), &key).is_some();
        if was_there {
            engine.order(Input::Keep { name: key, value: None });
            for client_id in clients_of(engine.broker(), &name) {
                let reason = ReasonCode::AdministrativeAction;
                engine.order(Input::Disconnect { client_id, reason, end_session: false });
            }
        }
        was_there
    };
    let was_there = door.line().change(change).await?;
    if was_there { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Failure::none_of_this_name()) }
}

/// Those who are connected.
fn clients_of(broker: &Broker, user_name: &str) -> Vec<Text> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = broker.clients(after.as_ref(), PAGE);
        let is_theirs = |name: &Text| name.as_str() == user_name;
        let of_user = page.items.into_iter().filter(|it| it.connected && it.user_name.as_ref().is_some_and(is_theirs));
        found.extend(of_user.map(|client| client.client_id));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

fn kept(broker: &Broker, key: &Text) -> Option<Bytes> {
    broker.kept(key).next().filter(|(first, _)| *first == key).map(|(_, value)| value.clone())
}

fn key(name: &str) -> Result<Text, Failure> {
    Text::try_from(user_key(name)).map_err(|_| Failure::none_of_this_name())
}

fn is_json(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else { return false };
    value.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// What is wrong is told by its place alone: a password may be what stands there.
fn parsed(body: &[u8]) -> Result<UserChange, Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| error.path().to_string());
    let parsed = parsed.and_then(|change| deserializer.end().map(|()| change).map_err(|_| ".".to_owned()));
    parsed.map_err(|place| {
        Failure::bad_request(match place.as_str() {
            "." => "The body must be an object with password, grants and clientIds, each if need be.".to_owned(),
            place => format!("In the body, {place} is not what it must be."),
        })
    })
}

/// Bytes of a user, and more.
const LARGEST_USER: usize = 256 << 10;
const PAGE: usize = 1_000;
const OPEN: &str = "Everybody is let in here, users or not: set authentication first.";
