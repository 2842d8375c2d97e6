//! Server-Sent Events out of a channel, with a comment now and then so that nobody takes silence for an end.

use axum::response::{
    IntoResponse, Response, Sse,
    sse::{Event, KeepAlive},
};
use futures::stream;
use std::{convert::Infallible, time::Duration};
use tokio::sync::mpsc;

/// Events that a reader has not taken yet; whoever sends one more waits.
pub(super) const WAITING: usize = 16;

/// An answer of whatever comes from `events`, until that ends.
pub(super) fn answer(events: mpsc::Receiver<Event>) -> Response {
    let events = stream::unfold(events, |mut events| async {
        let event = events.recv().await?;
        Some((Ok::<_, Infallible>(event), events))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

const KEEP_ALIVE: Duration = Duration::from_secs(15);
