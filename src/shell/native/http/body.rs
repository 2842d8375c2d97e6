//! Reads what comes behind a request: so much, and within so long.

use super::failure::Failure;
use axum::{body::Body, http::StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;
use tokio::time::timeout;

/// All of a body.
///
/// # Errors
/// When it has more than `limit` bytes, comes too slowly or not to its end.
pub(super) async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, Failure> {
    match timeout(within, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::too_large()),
        Ok(Err(_)) => Err(Failure::bad_request("The body ended early.")),
        Err(_) => Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "The body came too slowly.")),
    }
}
