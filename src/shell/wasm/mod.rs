//! The core for JavaScript: engines that take numbers, text and bytes, and hand them to a host object. Which engines
//! there are the features `broker` and `client` say.
//! Knows no promise, timer or transport: those are the host's, in `js/`.

#[cfg(feature = "broker")]
mod broker;
#[cfg(feature = "broker")]
mod by_serde;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod client_host;
mod convert;
#[cfg(feature = "broker")]
mod dropped;
mod from_js;
#[cfg(feature = "client")]
mod gathered;
#[cfg(feature = "client")]
mod packets;
mod records;
mod to_js;
#[cfg(feature = "broker")]
mod writes;

#[cfg(feature = "broker")]
pub use broker::{BrokerEngine, BrokerHost};
#[cfg(feature = "client")]
pub use client::ClientEngine;
#[cfg(feature = "client")]
pub use client_host::ClientHost;
pub use records::Records;

use crate::codec::ReasonCode;
use wasm_bindgen::prelude::*;

/// A sixth of the code of the allocator that std brings along; that one is a little faster, which a broker is better off with.
#[cfg(all(target_arch = "wasm32", not(feature = "broker")))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Says on the console why the instance is about to trap: the trap itself has no words.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
}

/// The standard's name for a Reason Code, such as `Not authorized`; `undefined` where the standard has none.
#[wasm_bindgen(js_name = reasonName)]
pub fn reason_name(reason: u8) -> Option<String> {
    ReasonCode::from_u8(reason).map(|reason| reason.name().into())
}
