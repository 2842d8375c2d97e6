//! The client against what it may meet: servers as the standard has them, arbitrary ones, and our own broker over connections
//! that break anywhere.
#![cfg(not(target_arch = "wasm32"))]

mod any_server;
#[path = "../codec/arbitrary.rs"]
mod arbitrary;
mod authenticate; // 3.15, 4.12
mod broken_connections;
mod connect; // 3.1, 3.2, 4.1
mod crashes;
mod disconnect; // 3.14, 4.13
mod harness;
mod publish; // 3.3 to 3.7, 4.3, 4.4, 4.6, 4.9, as the sender
mod receive; // the same, as the receiver
mod records;
mod requests;
mod subscribe; // 3.8 to 3.11
