//! Only so that the crate is a WebAssembly of its own: what it exports is exported.

pub use mqtt5_wasm::*;
