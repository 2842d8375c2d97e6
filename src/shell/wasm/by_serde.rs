//! What only a broker reads and writes, by serde: its options and reports.

use super::convert::invalid;
use js_sys::Error;
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;

/// Reads an object of options. `undefined` and `null` mean that there are none.
pub(super) fn read<T: DeserializeOwned + Default>(value: JsValue) -> Result<T, Error> {
    if value.is_undefined() || value.is_null() {
        return Ok(T::default());
    }
    serde_path_to_error::deserialize(serde_wasm_bindgen::Deserializer::from(value)).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        let reason = in_words(reason.strip_prefix("Error: ").unwrap_or(&reason));
        if path == "." { invalid(reason) } else { invalid(&format!("{path}: {reason}")) }
    })
}

/// What was expected, where the reason names a type that JavaScript does not have.
fn in_words(reason: &str) -> &str {
    const NUMBERS: [(&str, &str); 5] = [
        ("u8", "a whole number from 0 to 255 is expected"),
        ("u16", "a whole number from 0 to 65,535 is expected"),
        ("u32", "a whole number from 0 to 4,294,967,295 is expected"),
        ("usize", "a whole number from 0 to 4,294,967,295 is expected"),
        ("u64", "a whole number from 0 on is expected"),
    ];
    let expected = reason.rsplit_once("expected ").map_or("", |(_, expected)| expected);
    NUMBERS.iter().find(|(name, _)| *name == expected).map_or(reason, |(_, words)| words)
}

/// An object for JavaScript to read. What the crate reports is made of text, numbers and bytes, which always work.
pub(super) fn write(value: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or_else(Into::into)
}
