//! The HTTP request that opens a WebSocket: one path, one subprotocol. Requests for other paths are for others to answer.

use super::{
    WEBSOCKET_PATH,
    access::{Access, Address, Refusal, Token, Turn},
    stream::Stream,
};
use std::{
    borrow::Cow,
    io,
    net::{IpAddr, SocketAddr},
    time::Instant,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    Error,
    error::ProtocolError,
    handshake::{
        machine::TryParse,
        server::{Request, create_response, write_response},
    },
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
};

/// What a connection turned out to be.
pub(super) enum Opening {
    /// A WebSocket that was accepted.
    WebSocket {
        /// What came behind the request.
        early: Vec<u8>,
        /// Where the request is from.
        address: Address,
        /// What the request says of who opens it.
        token: Option<Token>,
    },
    /// A request for another path. Nothing was answered; this came.
    Http(Vec<u8>),
}

/// Reads a request and, if it is for MQTT, answers it, after `wait` when it is not its turn yet.
///
/// # Errors
/// Why it was refused, for the log.
pub(super) async fn accept(
    stream: &mut Stream,
    access: &Access,
    socket: SocketAddr,
    wait: impl AsyncFnOnce(Turn),
) -> Result<Opening, Cow<'static, str>> {
    let mut received = Vec::new();
    let answer = loop {
        if is_for_others(&received) {
            return Ok(Opening::Http(received));
        }
        match Request::try_parse(&received) {
            Ok(Some((length, request))) => {
                let response = match answer(&request, access) {
                    Ok(response) => response,
                    Err(refusal) => break Err(refusal),
                };
                let address = access.proxies.locate(socket, request.headers());
                match access.arrivals.admit(address.ip(), Instant::now()) {
                    None => break Err((StatusCode::TOO_MANY_REQUESTS, TOO_MANY_CONNECTIONS)),
                    Some(turn) if turn.is_now() => {}
                    Some(turn) => wait(turn).await,
                }
                let welcomed = welcome(&request, access, address.ip()).await;
                break welcomed.map(|token| (length, response, address, token));
            }
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
        Ok((_, response, ..)) => stream.write_all(response).await,
        Err((status, sentence)) => stream.write_all(&refusal(*status, sentence)).await,
    };
    match (answer, written) {
        (Ok((length, _, address, token)), Ok(())) => {
            Ok(Opening::WebSocket { early: received.split_off(length), address, token })
        }
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

/// The status and the sentence that refuse a request.
type Refused = (StatusCode, &'static str);

/// The response that accepts the request.
fn answer(request: &Request, access: &Access) -> Result<Vec<u8>, Refused> {
    if !access.origins.allow(text_of(request, header::ORIGIN), text_of(request, header::HOST)) {
        return Err((StatusCode::FORBIDDEN, "Pages of this origin may not connect here."));
    }
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

/// What the token says that came with the request, if one did.
async fn welcome(request: &Request, access: &Access, peer: IpAddr) -> Result<Option<Token>, Refused> {
    let Some(token) = token_of(request) else { return Ok(None) };
    access.check_upgrade(token, peer).await.map_err(|refusal| {
        let status = match refusal {
            Refusal::TooManyFailures => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        };
        (status, refusal.sentence())
    })
}

/// The bearer token of a request: of its header `Authorization`, or else its parameter `access_token`.
fn token_of(request: &Request) -> Option<&str> {
    let bearer = text_of(request, header::AUTHORIZATION).and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer")).map(|(_, token)| token.trim());
    let parameters = || request.uri().query().into_iter().flat_map(|query| query.split('&'));
    bearer.or_else(|| parameters().find_map(|parameter| parameter.strip_prefix("access_token=")))
}

/// A header; empty when it is no text.
fn text_of(request: &Request, name: HeaderName) -> Option<&str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
}

fn refusal(status: StatusCode, sentence: &str) -> Vec<u8> {
    let more = match status {
        StatusCode::UPGRADE_REQUIRED => "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        StatusCode::TOO_MANY_REQUESTS => "Retry-After: 10\r\n",
        StatusCode::UNAUTHORIZED => "WWW-Authenticate: Bearer\r\n",
        _ => "",
    };
    let length = sentence.len() + 1;
    format!(
        "HTTP/1.1 {status}\r\n{more}Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {length}\r\n\r\n{sentence}\n"
    )
    .into_bytes()
}

const SUBPROTOCOL: &str = "mqtt";
const LARGEST_REQUEST: usize = 8 << 10;
const TOO_MANY_CONNECTIONS: &str = "Too many connections were opened from this address: wait a few seconds.";
