//! What is answered when something is wrong: a status and one sentence, for people and never with a secret in it.

use super::super::{access::Refusal, line::Stopping};
use crate::codec::ReasonCode;
use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::borrow::Cow;

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    sentence: Cow<'static, str>,
    reason: Option<ReasonCode>,
    allowed: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { status, sentence: sentence.into(), reason: None, allowed: None }
    }

    pub(super) fn bad_request(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// The broker refused it.
    pub(super) fn refused(reason: ReasonCode) -> Self {
        let (status, sentence) = match reason {
            ReasonCode::NotAuthorized => (StatusCode::FORBIDDEN, "The grants of this token do not allow it."),
            ReasonCode::TopicNameInvalid => (StatusCode::BAD_REQUEST, "The topic is not valid."),
            ReasonCode::TopicFilterInvalid => (StatusCode::BAD_REQUEST, "A filter is not valid."),
            ReasonCode::PacketTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
            ReasonCode::PayloadFormatInvalid => (StatusCode::BAD_REQUEST, "The payload is not in the format it says."),
            ReasonCode::RetainNotSupported => (StatusCode::BAD_REQUEST, "Messages cannot be retained here."),
            ReasonCode::QoSNotSupported => (StatusCode::BAD_REQUEST, "This QoS is not available here."),
            ReasonCode::SharedSubscriptionsNotSupported => {
                (StatusCode::BAD_REQUEST, "Shared subscriptions are not available here.")
            }
            ReasonCode::WildcardSubscriptionsNotSupported => {
                (StatusCode::BAD_REQUEST, "Filters with wildcards are not available here.")
            }
            ReasonCode::QuotaExceeded | ReasonCode::MessageRateTooHigh | ReasonCode::ConnectionRateExceeded => {
                (StatusCode::TOO_MANY_REQUESTS, "A quota is exceeded: try later.")
            }
            ReasonCode::ServerBusy | ReasonCode::ServerUnavailable | ReasonCode::ServerShuttingDown => {
                (StatusCode::SERVICE_UNAVAILABLE, "The broker cannot do it now: try later.")
            }
            _ => (StatusCode::BAD_REQUEST, "The broker refused it."),
        };
        Self { reason: Some(reason), ..Self::new(status, sentence) }
    }

    /// There is no valid token.
    pub(super) fn of_bearer(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        Self::new(status, refusal.sentence())
    }

    pub(super) fn no_room() -> Self {
        Self::new(StatusCode::NOT_FOUND, "This server has the room default alone.")
    }

    /// A path that is there has not this method; `allowed` unless the router knows.
    pub(super) fn method(method: &Method, allowed: Option<&'static str>) -> Self {
        let sentence = format!("There is no {method} here.");
        Self { allowed, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, sentence) }
    }

    /// The token is valid, and not for this.
    pub(super) fn scope(scope: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("The token needs the scope \"{scope}\"."))
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE)
    }

    /// The same for the body of a message.
    pub(super) fn of_packet(self) -> Self {
        let is_too_large = self.status == StatusCode::PAYLOAD_TOO_LARGE;
        Self { reason: is_too_large.then_some(ReasonCode::PacketTooLarge), ..self }
    }

    pub(super) fn none_of_this_name() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is none of this name.")
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here.")
    }
}

impl From<Stopping> for Failure {
    fn from(_: Stopping) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is stopping.")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = match self.reason {
            Some(reason) => json!({ "error": self.sentence, "reasonCode": reason as u8 }),
            None => json!({ "error": self.sentence }),
        };
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(allowed) = self.allowed {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

/// A clause as a sentence.
pub(super) fn sentence(clause: &str) -> String {
    let mut letters = clause.trim_end_matches('.').chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

const TOO_LARGE: &str = "The body has more bytes than are allowed here.";
