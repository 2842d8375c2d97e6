//! The HTTP request that opens a WebSocket: one path, one subprotocol. Requests for other paths are for others to answer.

use super::{WEBSOCKET_PATH, stream::Stream};
use std::{borrow::Cow, io};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    Error,
    error::ProtocolError,
    handshake::{
        machine::TryParse,
        server::{Request, create_response, write_response},
    },
    http::{HeaderValue, StatusCode, Uri, header},
};

/// What a connection turned out to be.
#[derive(Debug)]
pub(super) enum Opening {
    /// A WebSocket that was accepted, and what came behind the request.
    WebSocket(Vec<u8>),
    /// A request for another path. Nothing was answered; this came.
    Http(Vec<u8>),
}

/// Reads a request and, if it is for MQTT, answers it.
///
/// # Errors
/// Why it was refused, for the log.
pub(super) async fn accept(stream: &mut Stream) -> Result<Opening, Cow<'static, str>> {
    let mut received = Vec::new();
    let answer = loop {
        if is_for_others(&received) {
            return Ok(Opening::Http(received));
        }
        match Request::try_parse(&received) {
            Ok(Some((length, request))) => break answer(&request).map(|accepted| (length, accepted)),
            Ok(None) if received.len() >= LARGEST_REQUEST => {
                break Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The request is too large."));
            }
            Ok(None) => match stream.read_buf(&mut received).await {
                Ok(0) => return Err("the client closed the connection during the WebSocket handshake".into()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string().into()),
            },
            Err(Error::Protocol(ProtocolError::WrongHttpMethod)) => {
                break Err((StatusCode::METHOD_NOT_ALLOWED, "A WebSocket is opened with GET."));
            }
            Err(_) => break Err((StatusCode::BAD_REQUEST, "This is no request of HTTP/1.1.")),
        }
    };
    let written = match &answer {
        Ok((_, accepted)) => stream.write_all(accepted).await,
        Err((status, sentence)) => stream.write_all(&refusal(*status, sentence)).await,
    };
    match (answer, written) {
        (Ok((length, _)), Ok(())) => Ok(Opening::WebSocket(received.split_off(length))),
        (Err((status, sentence)), _) => Err(format!("HTTP {}: {sentence}", status.as_u16()).into()),
        (_, Err(error)) => Err(io::Error::to_string(&error).into()),
    }
}

/// Whether a request line came, and names a path that is not the one of MQTT.
fn is_for_others(received: &[u8]) -> bool {
    let Some(end) = received.iter().position(|byte| *byte == b'\n') else { return false };
    let Ok(line) = str::from_utf8(&received[..end]) else { return false };
    let mut words = line.trim_end_matches('\r').split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(_), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) => {
            target.parse::<Uri>().is_ok_and(|uri| uri.path() != WEBSOCKET_PATH)
        }
        _ => false,
    }
}

/// The response that accepts the request, or the status and sentence that refuse it.
fn answer(request: &Request) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    let mut response = create_response(request).map_err(|error| match error {
        Error::Protocol(ProtocolError::MissingSecWebSocketKey | ProtocolError::InvalidSecWebSocketKey) => {
            (StatusCode::BAD_REQUEST, "The request has no valid Sec-WebSocket-Key.")
        }
        _ => (StatusCode::UPGRADE_REQUIRED, "Open a WebSocket here, with the subprotocol mqtt."),
    })?;
    // [MQTT-6.0.0-3]
    let offered =
        request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|list| list.to_str().ok());
    if !offered.flat_map(|list| list.split(',')).any(|protocol| protocol.trim() == SUBPROTOCOL) {
        return Err((StatusCode::BAD_REQUEST, "The WebSocket subprotocol must be mqtt."));
    }
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL)); // [MQTT-6.0.0-4]
    let mut written = Vec::new();
    match write_response(&mut written, &response) {
        Ok(()) => Ok(written),
        Err(_) => Err((StatusCode::INTERNAL_SERVER_ERROR, "The response cannot be written.")),
    }
}

fn refusal(status: StatusCode, sentence: &str) -> Vec<u8> {
    let upgrade =
        if status == StatusCode::UPGRADE_REQUIRED { "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" } else { "" };
    let length = sentence.len() + 1;
    format!(
        "HTTP/1.1 {status}\r\n{upgrade}Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {length}\r\n\r\n{sentence}\n"
    )
    .into_bytes()
}

const SUBPROTOCOL: &str = "mqtt";
const LARGEST_REQUEST: usize = 8 << 10;
