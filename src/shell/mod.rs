//! The platforms: the only code with IO.

#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "wasm")]
mod wasm;
