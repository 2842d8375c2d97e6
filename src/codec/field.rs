//! The data types of section 1.5: strings, binary data, integers, and the two identifiers made of them.
use alloc::{string::String, vec::Vec};
use bytes::{Bytes, BytesMut};
use core::{fmt, num::NonZeroU16};

/// A UTF-8 Encoded String: well formed, without U+0000, at most 65,535 bytes. [MQTT-1.5.4-1] [MQTT-1.5.4-2]
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Bytes);

/// Binary Data: at most 65,535 bytes.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Binary(Bytes);

/// The value cannot be a field of a packet: longer than 65,535 bytes, not UTF-8, or with U+0000 in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidField;

/// A Packet Identifier, never 0. [MQTT-2.2.1-3]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(NonZeroU16);

/// How hard the sender tries to deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// At most once delivery.
    #[default]
    AtMostOnce = 0,
    /// At least once delivery.
    AtLeastOnce = 1,
    /// Exactly once delivery.
    ExactlyOnce = 2,
}

impl Text {
    /// Takes `bytes` as text without copying them.
    ///
    /// # Errors
    /// When they are no UTF-8 Encoded String.
    pub fn new(bytes: Bytes) -> Result<Self, InvalidField> {
        let is_text = bytes.len() <= usize::from(u16::MAX)
            && (is_plain(&bytes) || core::str::from_utf8(&bytes).is_ok() && !bytes.contains(&0));
        if is_text { Ok(Self(bytes)) } else { Err(InvalidField) }
    }

    /// Text known at compile time.
    ///
    /// # Panics
    /// When it is no UTF-8 Encoded String.
    pub fn from_static(text: &'static str) -> Self {
        Self::new(Bytes::from_static(text.as_bytes())).expect("a literal is valid text")
    }

    /// The text as a string slice.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The text's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// A copy of the text and of what belongs to it, which share a buffer of their own.
    #[must_use]
    pub fn detached_with(&self, other: &[u8]) -> (Self, Bytes) {
        let mut copy = BytesMut::with_capacity(self.len() + other.len());
        copy.extend_from_slice(&self.0);
        copy.extend_from_slice(other);
        let text = copy.split_to(self.len()).freeze();
        (Self(text), copy.freeze())
    }

    /// The part from byte `start` on; empty when `start` is no character boundary.
    #[must_use]
    pub fn suffix(&self, start: usize) -> Self {
        if self.as_str().is_char_boundary(start) { Self(self.0.slice(start..)) } else { Self::default() }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no characters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether it is ASCII without U+0000, as most text is: seen many bytes at a time.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |seen, &byte| seen | byte | byte.wrapping_sub(1)) < 0x80
}

impl TryFrom<&str> for Text {
    type Error = InvalidField;

    fn try_from(text: &str) -> Result<Self, InvalidField> {
        Self::new(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl TryFrom<String> for Text {
    type Error = InvalidField;

    fn try_from(text: String) -> Result<Self, InvalidField> {
        Self::new(Bytes::from(text))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Binary {
    /// Takes `bytes` without copying them.
    ///
    /// # Errors
    /// When they are more than 65,535.
    pub fn new(bytes: Bytes) -> Result<Self, InvalidField> {
        if bytes.len() <= usize::from(u16::MAX) { Ok(Self(bytes)) } else { Err(InvalidField) }
    }

    /// The bytes, shared.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl TryFrom<Vec<u8>> for Binary {
    type Error = InvalidField;

    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidField> {
        Self::new(Bytes::from(bytes))
    }
}

impl fmt::Debug for Binary {
    /// Shows the length alone: binary fields carry passwords.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Binary({} bytes)", self.0.len())
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field holds at most 65,535 bytes, and text must be UTF-8 without U+0000")
    }
}

impl core::error::Error for InvalidField {}

impl PacketId {
    /// The first identifier.
    pub const FIRST: Self = Self(NonZeroU16::MIN);

    /// The last identifier.
    pub const LAST: Self = Self(NonZeroU16::MAX);

    /// The identifier `value`, unless it is 0.
    pub const fn new(value: u16) -> Option<Self> {
        match NonZeroU16::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The number on the wire.
    pub const fn value(self) -> u16 {
        self.0.get()
    }

    /// The identifier after this one; 1 follows 65,535.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.0.checked_add(1) {
            Some(value) => Self(value),
            None => Self::FIRST,
        }
    }
}

impl QoS {
    /// The level `value` names, if there is one: 3 is malformed. [MQTT-3.3.1-4]
    pub const fn from_u8(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_but_u_0000_is_text_wherever_it_stands() {
        for character in ['\0', '\u{1}', 'a', '\u{7F}', '\u{80}', 'ü', '\u{FEFF}', '\u{10FFFF}'] {
            for place in [0, 1, 15, 16, 40] {
                let text = ["x".repeat(place), character.into(), "y".repeat(40 - place)].concat();
                assert_eq!(Text::try_from(text.as_str()).is_ok(), character != '\0', "{character:?} at {place}");
                let mut bytes = text.into_bytes();
                bytes[place] = 0xFF;
                assert_eq!(Text::new(Bytes::from(bytes)), Err(InvalidField), "0xFF at {place}");
            }
        }
    }
}
