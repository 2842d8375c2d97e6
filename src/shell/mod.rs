//! The shells: all IO of the crate, one module for each kind of host. They know the core; nothing knows them.

#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "wasm")]
pub mod wasm;
