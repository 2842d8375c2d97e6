//! Which path is whose, and what holds for all of them.

use super::{backup, caller::Gate, clients, failure::Failure, metrics, publish, query::Query, subscribe, trace, users};
use crate::shell::native::{ServerConfig, access::Access, listener::Door};
use axum::{
    Router,
    extract::Path,
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use std::{num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use tower_http::{
    cors::{AllowOrigin, CorsLayer},
    services::ServeDir,
};

/// What is the same as long as a server runs.
pub(in super::super) struct Site {
    pub(super) gate: Gate,
    cors: Vec<String>,
    console: Option<PathBuf>,
    /// How long a client may take to send the head of a request, or say nothing between two.
    pub(super) header_timeout: Duration,
    /// How long a client may take to send what follows, or take nothing of what is sent to it.
    pub(super) patience: Duration,
    pub(super) maximum_packet_size: u32,
    pub(super) maximum_in_flight: u16,
    pub(super) password_iterations: NonZeroU32,
    /// Whose turn it is to change users.
    pub(super) user_changes: Mutex<()>,
}

impl Site {
    pub(in super::super) fn new(config: &ServerConfig, access: Arc<Access>) -> Self {
        let ServerConfig { cors, console, broker, authentication, .. } = config;
        let iterations = authentication.clone().unwrap_or_default().password_iterations;
        let password_iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        let header_timeout = Duration::from_millis(broker.connect_timeout_millis);
        Self {
            gate: Gate(access),
            cors: cors.clone(),
            console: console.clone(),
            header_timeout,
            patience: header_timeout * PATIENCE,
            maximum_packet_size: broker.maximum_packet_size,
            maximum_in_flight: broker.maximum_in_flight,
            password_iterations,
            user_changes: Mutex::default(),
        }
    }
}

/// What the routes need.
#[derive(Clone)]
pub(super) struct Rooms {
    pub site: Arc<Site>,
    pub door: Door,
}

pub(super) fn router(site: Site, door: Door) -> Router {
    let (cors, console) = (cors(&site.cors), site.console.clone());
    let rooms = Rooms { site: Arc::new(site), door };
    let api = Router::new()
        .route("/publish", post(publish::publish))
        .route("/retained", get(publish::retained))
        .route("/subscribe", get(subscribe::subscribe))
        .route("/clients", get(clients::list))
        .route("/clients/{id}", delete(clients::disconnect))
        .route("/clients/{id}/trace", get(trace::trace))
        .route("/users", get(users::list))
        .route("/users/{name}", get(users::one).put(users::put).delete(users::remove))
        .route("/metrics", get(metrics::metrics))
        .route("/backup", get(backup::export).put(backup::import));
    let routes = Router::new()
        .merge(api.clone())
        .nest("/rooms/default", api)
        .route("/rooms/{room}/{*rest}", get(another_room).fallback(another_room))
        .route("/health", get(health))
        .route("/openapi.json", get(openapi))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(rooms);
    let routes = match console {
        Some(folder) => {
            let files = Router::new().fallback_service(ServeDir::new(folder).fallback(get(nothing).fallback(nothing)));
            routes.fallback_service(files)
        }
        None => routes.fallback(nothing),
    };
    match cors {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

async fn health(uri: Uri) -> Result<Response, Failure> {
    Query::parse(&uri, &[], &[])?;
    Ok(json(r#"{"status":"ok"}"#.to_owned()))
}

async fn openapi(uri: Uri) -> Result<Response, Failure> {
    Query::parse(&uri, &[], &[])?;
    Ok(json(OPENAPI.to_owned()))
}

async fn another_room(Path((room, _)): Path<(String, String)>) -> Failure {
    if room == "default" { Failure::not_found() } else { Failure::no_room() }
}

async fn nothing() -> Failure {
    Failure::not_found()
}

async fn method_not_allowed(method: Method) -> Failure {
    Failure::method(&method, None)
}

/// An answer in JSON.
pub(super) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn cors(origins: &[String]) -> Option<CorsLayer> {
    let allowed: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    let origin = match allowed.as_slice() {
        [] => return None,
        origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        _ => AllowOrigin::list(allowed),
    };
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let headers = [header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("last-event-id")];
    Some(CorsLayer::new().allow_origin(origin).allow_methods(methods).allow_headers(headers).max_age(PREFLIGHT))
}

/// What holds for every answer: it is not kept anywhere, not taken for what it is not, nor shown within another page.
pub(super) fn finish(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let is_preflight = headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS);
    // As lists are written.
    let allow = headers.get(header::ALLOW).and_then(|allow| allow.to_str().ok()).map(|allow| allow.replace(',', ", "));
    if let Some(allow) = allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
        headers.insert(header::ALLOW, allow);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if is_preflight {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

const OPENAPI: &str = include_str!("openapi.json");
/// By how much more time than a CONNECT may take.
const PATIENCE: u32 = 6;
/// How long a browser may remember what it is allowed.
const PREFLIGHT: Duration = Duration::from_secs(600);
