//! The core for JavaScript: engines that take numbers, text and bytes, and hand them to a host object.
//! Knows no promise, timer or transport: those are the host's, in `js/`.

mod broker;
mod client;
mod convert;

pub use broker::{BrokerEngine, BrokerHost, Records};
pub use client::{ClientEngine, ClientHost};

use crate::codec::ReasonCode;
use wasm_bindgen::prelude::*;

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
