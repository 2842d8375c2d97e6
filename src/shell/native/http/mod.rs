//! The HTTP API beside MQTT over WebSocket: connections within limits, and the routes. Knows the broker by its line and by
//! clients of the server's own alone.

mod backup;
mod body;
mod caller;
mod clients;
mod events;
mod failure;
mod message;
mod metrics;
mod pages;
mod publish;
mod query;
mod router;
mod subscribe;
mod subscriber;
mod trace;
mod users;

pub(super) use metrics::Counted;
pub(super) use router::Site;

use super::{
    access::{Address, Proxies},
    listener::Door,
    stream::Stream,
};
use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{future::Future, io::Cursor, net::SocketAddr, pin::pin, time::Duration};
use tokio::{
    io::{AsyncReadExt, join, split},
    select,
};
use tokio_io_timeout::TimeoutWriter;
use tower::Service;
use tracing::debug;

/// Answers requests.
#[derive(Clone, Debug)]
pub(super) struct Web {
    router: Router,
    proxies: Proxies,
    header_timeout: Duration,
    patience: Duration,
}

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
struct Visitor {
    address: Address,
}

impl Web {
    pub(super) fn new(site: Site, door: Door) -> Self {
        let (header_timeout, patience) = (site.header_timeout, site.patience);
        let proxies = site.gate.0.proxies.clone();
        Self { header_timeout, patience, proxies, router: router::router(site, door) }
    }

    /// Answers what comes on a connection, beginning with what has come `early`, until it is closed. Once `is_over`
    /// resolves, the request under way is the last.
    pub(super) async fn serve(
        &self,
        stream: &mut Stream,
        early: Vec<u8>,
        socket: SocketAddr,
        is_over: impl Future<Output = ()>,
    ) {
        let (incoming, outgoing) = split(stream);
        let mut outgoing = TimeoutWriter::new(outgoing);
        outgoing.set_timeout(Some(self.patience));
        let stream = TokioIo::new(join(Cursor::new(early).chain(incoming), Box::pin(outgoing)));
        let answer = |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            let address = self.proxies.locate(socket, request.headers());
            request.extensions_mut().insert(Visitor { address });
            let answer = self.router.clone().call(request);
            async { answer.await.map(router::finish) }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // What comes next could ask for a WebSocket, and that is answered at the beginning of a connection alone.
            .keep_alive(false)
            .header_read_timeout(self.header_timeout)
            .max_buf_size(BUFFER)
            .serve_connection(stream, service_fn(answer));
        let mut connection = pin!(connection);
        let served = select! {
            served = connection.as_mut() => served,
            () = is_over => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            debug!(from = %socket, "an HTTP connection failed: {error}");
        }
    }
}

/// Bytes of a request before its body, and of an answer that wait to be sent.
const BUFFER: usize = 64 << 10;
