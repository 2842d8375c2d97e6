//! What a host keeps for an engine, as the engine takes it back.

use bytes::Bytes;
use wasm_bindgen::prelude::*;

/// What an earlier engine had its host write.
#[wasm_bindgen]
#[derive(Default)]
pub struct Records(Vec<(Bytes, Bytes)>);

#[wasm_bindgen]
impl Records {
    /// None.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more, in any order.
    pub fn push(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.0.push((key.into(), value.into()));
    }
}

#[cfg(feature = "broker")]
#[wasm_bindgen]
impl Records {
    /// Those of a file that a broker's `export` made.
    ///
    /// # Errors
    /// When it is none, or not whole.
    pub fn parse(file: Vec<u8>) -> Result<Self, js_sys::Error> {
        crate::broker::Export::parse(file.into()).map(Self).map_err(super::convert::invalid)
    }

    /// The length of the longest value, in bytes.
    pub fn longest(&self) -> usize {
        self.0.iter().map(|(_, value)| value.len()).max().unwrap_or_default()
    }
}

impl Records {
    pub(super) fn into_inner(self) -> Vec<(Bytes, Bytes)> {
        self.0
    }
}
