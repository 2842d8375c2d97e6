//! The wasm host.
