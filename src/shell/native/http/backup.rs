//! All that is kept, as one file, and back.

use super::{
    Visitor, body,
    failure::{Failure, sentence},
    query::Query,
    router::{Rooms, json},
};
use crate::{broker::Export, codec::ReasonCode};
use axum::{
    extract::{Extension, Request, State},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::time::Duration;

/// `GET /backup`
pub(super) async fn export(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    site.gate.caller(&headers, None, visitor, "backup").await?;
    Query::parse(&uri, &[], &[])?;
    let records = door.line().look(|engine| engine.broker().records()).await?;
    let mut export = Export::new();
    records.iter().for_each(|(key, value)| export.push(key, value));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], export.finish()).into_response())
}

/// `PUT /backup`
pub(super) async fn import(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    site.gate.caller(&parts.headers, None, visitor, "backup").await?;
    Query::parse(&parts.uri, &[], &[])?;
    let file = body::read(body, LARGEST_BACKUP, BACKUP_TIMEOUT).await?;
    let records = Export::parse(file).map_err(|fault| Failure::bad_request(sentence(fault)))?;
    let outcome = door.line().change(move |engine| engine.replace(records)).await?;
    let rejected = outcome.map_err(|_| Failure::refused(ReasonCode::ServerUnavailable))?;
    Ok(json(json!({ "rejected": rejected }).to_string()))
}

/// More than the default limits of a broker let it keep.
const LARGEST_BACKUP: usize = 512 << 20;
const BACKUP_TIMEOUT: Duration = Duration::from_secs(600);
