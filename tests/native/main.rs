//! The native host over real sockets on loopback: what TCP and WebSocket clients can do to it, and the command.
#![cfg(all(feature = "native", not(target_arch = "wasm32")))]

mod access;
#[expect(clippy::disallowed_types, reason = "a turn comes no sooner than it may")]
mod arrivals;
mod bad_input;
mod command;
mod harness;
mod http;
mod jwks;
mod kill;
mod lifetime;
mod memory;
mod messages;
mod proxies;
mod settings;
#[expect(clippy::disallowed_types, reason = "a token ends at a time of day")]
mod signed;
mod state;
mod tls;
mod transfer;
mod upgrade;
mod users;
mod websocket;
