//! The codec's values as JavaScript is told them, an object by a table of its members.

use crate::codec::{Binary, QoS, Text};
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

/// What JavaScript can be told.
pub(super) trait ToJs {
    /// `undefined` where there is nothing.
    fn to_js(&self) -> JsValue;
}

#[wasm_bindgen]
extern "C" {
    /// An object whose members have names.
    type Members;

    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set_member(this: &Members, name: &str, value: JsValue);
}

/// Makes [`ToJs`] of a table of members; what is nothing is left out.
macro_rules! writable {
    ($type:ty { $($member:ident),+ $(,)? }) => {
        impl $crate::shell::wasm::to_js::ToJs for $type {
            fn to_js(&self) -> wasm_bindgen::JsValue {
                let object = js_sys::Object::new().into();
                $($crate::shell::wasm::to_js::write_member(
                    &object, $crate::shell::wasm::from_js::camel!($member), self.$member.to_js(),
                );)+
                object
            }
        }
    };
}
pub(super) use writable;

/// Makes both [`ToJs`] and `FromJs` of one table of members.
macro_rules! exchanged {
    ($type:ty { $($member:ident),+ $(,)? }) => {
        $crate::shell::wasm::from_js::readable!($type { $($member),+ });
        $crate::shell::wasm::to_js::writable!($type { $($member),+ });
    };
}
pub(super) use exchanged;

pub(super) fn write_member(object: &JsValue, name: &str, value: JsValue) {
    if !value.is_undefined() {
        object.unchecked_ref::<Members>().set_member(name, value);
    }
}

impl<T: ToJs> ToJs for Option<T> {
    fn to_js(&self) -> JsValue {
        self.as_ref().map_or(JsValue::UNDEFINED, ToJs::to_js)
    }
}

impl<T: ToJs> ToJs for Vec<T> {
    fn to_js(&self) -> JsValue {
        self.iter().map(ToJs::to_js).collect::<Array>().into()
    }
}

impl ToJs for (Text, Text) {
    fn to_js(&self) -> JsValue {
        Array::of2(&self.0.to_js(), &self.1.to_js()).into()
    }
}

impl ToJs for Text {
    fn to_js(&self) -> JsValue {
        self.as_str().into()
    }
}

impl ToJs for Binary {
    fn to_js(&self) -> JsValue {
        self.bytes().to_js()
    }
}

impl ToJs for Bytes {
    fn to_js(&self) -> JsValue {
        Uint8Array::from(&**self).into()
    }
}

impl ToJs for bool {
    fn to_js(&self) -> JsValue {
        (*self).into()
    }
}

impl ToJs for QoS {
    fn to_js(&self) -> JsValue {
        (*self as u8).into()
    }
}

/// Makes [`ToJs`] for types that JavaScript has as numbers.
macro_rules! numbers {
    ($($type:ty: $value:expr;)+) => {
        $(impl ToJs for $type {
            fn to_js(&self) -> JsValue {
                let value: fn(Self) -> u32 = $value;
                value(*self).into()
            }
        })+
    };
}

impl ToJs for usize {
    fn to_js(&self) -> JsValue {
        (*self).into()
    }
}

numbers! {
    u16: u32::from;
    u32: |number| number;
    NonZeroU16: |number| number.get().into();
    NonZeroU32: NonZeroU32::get;
}
