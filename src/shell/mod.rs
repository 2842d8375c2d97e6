//! The shells: all IO of the crate, one module for each kind of host. They know the core; nothing knows them.

#[cfg(feature = "native")]
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the core alone has to do the same in each run")]
pub mod native;
#[cfg(feature = "wasm")]
pub mod wasm;
