//! MQlite: an MQTT 3.1.1 and 5.0 broker and client that run inside what you already have.
//!
//! The core is one pure function: inputs go in, ordered actions come out. It knows no socket, clock, task or platform.
#![cfg_attr(not(any(test, feature = "native", feature = "wasm")), no_std)]

extern crate alloc;

#[cfg(feature = "broker")]
#[forbid(unsafe_code)]
pub mod broker;
#[cfg(feature = "client")]
#[forbid(unsafe_code)]
pub mod client;
#[forbid(unsafe_code)]
pub mod codec;
#[forbid(unsafe_code)]
pub mod session;
#[cfg(any(feature = "native", feature = "wasm"))]
pub mod shell;
#[cfg(feature = "broker")]
#[forbid(unsafe_code)]
mod store;
#[forbid(unsafe_code)]
pub mod time;
#[forbid(unsafe_code)]
pub mod topic;
