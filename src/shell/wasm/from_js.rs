//! JavaScript's values read into those of the codec, an object by a table of its members.
//! Serde, which has what only a broker reads and writes, would make the client a third larger.

use crate::codec::{Binary, ProtocolVersion, QoS, RetainHandling, Text};
use core::num::{NonZeroU16, NonZeroU32, NonZeroU64};
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;

/// What JavaScript can say.
pub(super) trait FromJs: Sized {
    fn from_js(value: &JsValue) -> Result<Self, Unfit>;
}

/// A value is not what is expected.
pub(super) struct Unfit {
    /// Where it is, from the object that was given.
    pub path: String,
    /// One sentence for people.
    pub expected: &'static str,
}

impl Unfit {
    const fn new(expected: &'static str) -> Self {
        Self { path: String::new(), expected }
    }

    /// The same, seen from the object or list that has the value at `step`.
    fn within(mut self, step: &str) -> Self {
        if !self.path.is_empty() && !self.path.starts_with('[') {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, step);
        self
    }
}

#[wasm_bindgen]
extern "C" {
    /// An object whose members have names.
    pub(super) type Members;

    #[wasm_bindgen(method, structural, indexing_getter)]
    fn member(this: &Members, name: &str) -> JsValue;
}

/// Makes [`FromJs`] of a table of members, which JavaScript spells in camel case; one that is absent keeps its default.
macro_rules! readable {
    ($type:ty { $($member:ident),+ $(,)? }) => {
        impl $crate::shell::wasm::from_js::FromJs for $type {
            fn from_js(value: &wasm_bindgen::JsValue) -> Result<Self, $crate::shell::wasm::from_js::Unfit> {
                let members = $crate::shell::wasm::from_js::members(value)?;
                let mut this = Self::default();
                $($crate::shell::wasm::from_js::read_member(
                    members, $crate::shell::wasm::from_js::camel!($member), &mut this.$member,
                )?;)+
                Ok(this)
            }
        }
    };
}
pub(super) use readable;

/// The name of a field in camel case.
macro_rules! camel {
    ($name:ident) => {{
        const SNAKE: &str = stringify!($name);
        const CAMEL: [u8; $crate::shell::wasm::from_js::camel_length(SNAKE)] =
            $crate::shell::wasm::from_js::camel_case(SNAKE);
        const {
            match core::str::from_utf8(&CAMEL) {
                Ok(name) => name,
                Err(_) => panic!("a field's name is text"),
            }
        }
    }};
}
pub(super) use camel;

pub(super) fn members(value: &JsValue) -> Result<&Members, Unfit> {
    if value.is_object() { Ok(value.unchecked_ref()) } else { Err(Unfit::new("an object is expected")) }
}

pub(super) fn read_member<T: FromJs>(members: &Members, name: &str, place: &mut T) -> Result<(), Unfit> {
    let value = members.member(name);
    if !value.is_undefined() && !value.is_null() {
        *place = T::from_js(&value).map_err(|unfit| unfit.within(name))?;
    }
    Ok(())
}

impl<T: FromJs> FromJs for Option<T> {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        T::from_js(value).map(Some)
    }
}

impl<T: FromJs> FromJs for Vec<T> {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        let list = list(value).ok_or(Unfit::new("a list is expected"))?;
        let item = |(index, value)| T::from_js(&value).map_err(|unfit| unfit.within(&format!("[{index}]")));
        list.iter().enumerate().map(item).collect()
    }
}

/// A User Property.
impl FromJs for (Text, Text) {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        let pair =
            list(value).filter(|pair| pair.length() == 2).ok_or(Unfit::new("a name and a value are expected"))?;
        let part = |index| Text::from_js(&pair.get(index)).map_err(|unfit| unfit.within(&format!("[{index}]")));
        Ok((part(0)?, part(1)?))
    }
}

fn list(value: &JsValue) -> Option<&Array> {
    Array::is_array(value).then(|| value.unchecked_ref())
}

impl FromJs for Text {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        let text = value.as_string().ok_or(Unfit::new("text is expected"))?;
        Self::try_from(text).map_err(|_| Unfit::new("at most 65,535 bytes of text without U+0000 are expected"))
    }
}

impl FromJs for Binary {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        const EXPECTED: Unfit = Unfit::new("at most 65,535 bytes are expected");
        if !value.is_instance_of::<Uint8Array>() && !value.is_instance_of::<ArrayBuffer>() {
            return Err(EXPECTED);
        }
        Self::try_from(Uint8Array::new(value).to_vec()).map_err(|_| EXPECTED)
    }
}

impl FromJs for bool {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        value.as_bool().ok_or(Unfit::new("true or false is expected"))
    }
}

impl FromJs for QoS {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        let levels = [Self::AtMostOnce, Self::AtLeastOnce, Self::ExactlyOnce];
        let level = levels.into_iter().find(|level| value.as_f64() == Some((*level as u8).into()));
        level.ok_or(Unfit::new("QoS is 0, 1 or 2"))
    }
}

impl FromJs for ProtocolVersion {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        let version =
            [Self::V3_1_1, Self::V5].into_iter().find(|version| value.as_f64() == Some((*version as u8).into()));
        version.ok_or(Unfit::new("the protocol version is 4 (MQTT 3.1.1) or 5 (MQTT 5.0)"))
    }
}

impl FromJs for RetainHandling {
    fn from_js(value: &JsValue) -> Result<Self, Unfit> {
        match value.as_string().as_deref() {
            Some("send") => Ok(Self::Send),
            Some("sendIfNew") => Ok(Self::SendIfNew),
            Some("doNotSend") => Ok(Self::DoNotSend),
            _ => Err(Unfit::new("send, sendIfNew or doNotSend is expected")),
        }
    }
}

/// Makes [`FromJs`] for whole numbers; `make` says which of them the type has.
macro_rules! whole_numbers {
    ($($type:ty: $make:expr, $expected:literal;)+) => {
        $(impl FromJs for $type {
            fn from_js(value: &JsValue) -> Result<Self, Unfit> {
                whole_number(value).and_then($make).ok_or(Unfit::new($expected))
            }
        })+
    };
}

whole_numbers! {
    u16: |number| Self::try_from(number).ok(), "a whole number from 0 to 65,535 is expected";
    u32: |number| Self::try_from(number).ok(), "a whole number from 0 to 4,294,967,295 is expected";
    usize: |number| Self::try_from(number).ok(), "a whole number from 0 to 4,294,967,295 is expected";
    NonZeroU16: |number| Self::new(number.try_into().ok()?), "a whole number from 1 to 65,535 is expected";
    NonZeroU32: |number| Self::new(number.try_into().ok()?), "a whole number from 1 to 4,294,967,295 is expected";
    NonZeroU64: Self::new, "a whole number from 1 on is expected";
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "that is the test"
)]
fn whole_number(value: &JsValue) -> Option<u64> {
    let number = value.as_f64()?;
    let whole = number as u64;
    (whole as f64 == number && whole <= GREATEST_SAFE).then_some(whole)
}

pub(super) const fn camel_length(snake: &str) -> usize {
    let (mut length, mut index) = (0, 0);
    while index < snake.len() {
        length += (snake.as_bytes()[index] != b'_') as usize;
        index += 1;
    }
    length
}

pub(super) const fn camel_case<const LENGTH: usize>(snake: &str) -> [u8; LENGTH] {
    let mut camel = [0; LENGTH];
    let (mut length, mut index) = (0, 0);
    while index < snake.len() {
        let byte = snake.as_bytes()[index];
        if byte != b'_' {
            let begins_word = index > 0 && snake.as_bytes()[index - 1] == b'_';
            camel[length] = if begins_word { byte.to_ascii_uppercase() } else { byte };
            length += 1;
        }
        index += 1;
    }
    camel
}

/// What JavaScript's numbers count one by one.
const GREATEST_SAFE: u64 = (1 << 53) - 1;
