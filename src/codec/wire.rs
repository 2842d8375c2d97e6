//! How each data type of section 1.5 is read and written. Knows nothing of packets.
//!
//! What is written goes to a [`Sink`]: into the buffer to send, or nowhere, to be counted alone. One function for
//! both is why a predicted size cannot differ from the real one.
use super::{Binary, DecodeError, PacketId, Text};
use bytes::{Buf, Bytes, BytesMut};
use core::num::{NonZeroU16, NonZeroU32};

/// A data type on the wire. `Value` is what it means; a type that says it all is its own value.
pub(crate) trait Field {
    type Value;

    fn read(reader: &mut Reader) -> Result<Self::Value, DecodeError>;

    fn write(value: &Self::Value, sink: &mut Sink<'_>);
}

/// Where bytes go. One type for both ways, not a trait: everything written would be compiled for each.
pub(crate) struct Sink<'a> {
    out: Option<&'a mut BytesMut>,
    length: usize,
}

/// The bytes that are left of a packet or of a part of it.
pub(crate) struct Reader(Bytes);

/// A Variable Byte Integer.
pub(crate) struct Variable;

impl Reader {
    pub fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn read<F: Field>(&mut self) -> Result<F::Value, DecodeError> {
        F::read(self)
    }

    /// The next `length` bytes, as a slice of the packet.
    pub fn take(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length <= self.0.len() { Ok(self.0.split_to(length)) } else { Err(TRUNCATED) }
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> Bytes {
        core::mem::take(&mut self.0)
    }

    /// Nothing may be left over.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::malformed("bytes follow the end of the packet")) }
    }
}

impl<'a> Sink<'a> {
    /// Appends to `out`.
    pub fn to(out: &'a mut BytesMut) -> Self {
        Self { out: Some(out), length: 0 }
    }

    /// How many bytes `write` puts.
    pub fn count(write: impl FnOnce(&mut Sink<'_>)) -> usize {
        let mut sink = Sink { out: None, length: 0 };
        write(&mut sink);
        sink.length
    }

    pub fn put(&mut self, bytes: &[u8]) {
        match &mut self.out {
            Some(out) => out.extend_from_slice(bytes),
            // Many fields may share one buffer, so the sum can pass what memory could ever hold.
            None => self.length = self.length.saturating_add(bytes.len()),
        }
    }

    pub fn write<F: Field>(&mut self, value: &F::Value) {
        F::write(value, self);
    }
}

impl Variable {
    /// The integer at the start of `bytes` and its length, or `None` while it is not whole.
    pub fn parse(bytes: &[u8]) -> Result<Option<(usize, usize)>, DecodeError> {
        if let [byte @ ..0x80, ..] = bytes {
            return Ok(Some((usize::from(*byte), 1))); // as most are
        }
        let mut value = 0;
        for (index, &byte) in bytes.iter().take(4).enumerate() {
            value |= usize::from(byte & 0x7F) << (7 * index);
            match byte {
                // [MQTT-1.5.5-1] the shortest form is the only one
                0 if index > 0 => {
                    return Err(DecodeError::malformed("a Variable Byte Integer is not in its shortest form"));
                }
                0x80.. => {}
                _ => return Ok(Some((value, index + 1))),
            }
        }
        if bytes.len() < 4 {
            Ok(None)
        } else {
            Err(DecodeError::malformed("a Variable Byte Integer is longer than four bytes"))
        }
    }
}

impl Field for Variable {
    type Value = usize;

    fn read(reader: &mut Reader) -> Result<usize, DecodeError> {
        let (value, length) = Self::parse(&reader.0)?.ok_or(TRUNCATED)?;
        reader.0.advance(length);
        Ok(value)
    }

    fn write(value: &usize, sink: &mut Sink<'_>) {
        let mut rest = *value;
        while rest > 0x7F {
            sink.put(&[(rest & 0x7F) as u8 | 0x80]);
            rest >>= 7;
        }
        sink.put(&[rest as u8]);
    }
}

impl Field for u8 {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.0.try_get_u8().map_err(|_| TRUNCATED)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.put(&[*value]);
    }
}

impl Field for u16 {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.0.try_get_u16().map_err(|_| TRUNCATED)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.put(&value.to_be_bytes());
    }
}

impl Field for u32 {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.0.try_get_u32().map_err(|_| TRUNCATED)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.put(&value.to_be_bytes());
    }
}

impl Field for bool {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.read::<u8>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::protocol("a yes-or-no property is neither 0 nor 1")),
        }
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.put(&[u8::from(*value)]);
    }
}

impl Field for NonZeroU16 {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::new(reader.read::<u16>()?).ok_or(ZERO)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<u16>(&value.get());
    }
}

impl Field for NonZeroU32 {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::new(reader.read::<u32>()?).ok_or(ZERO)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<u32>(&value.get());
    }
}

impl Field for PacketId {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        // [MQTT-2.2.1-3] [MQTT-2.2.1-4]
        Self::new(reader.read::<u16>()?).ok_or(DecodeError::protocol("Packet Identifier is 0"))
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<u16>(&value.value());
    }
}

impl Field for Binary {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let length = reader.read::<u16>()?;
        Self::new(reader.take(length.into())?).map_err(|_| TRUNCATED)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<u16>(&(value.bytes().len() as u16));
        sink.put(value.bytes());
    }
}

impl Field for Text {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let length = reader.read::<u16>()?;
        // [MQTT-1.5.4-1] [MQTT-1.5.4-2]
        Self::new(reader.take(length.into())?).map_err(|_| DecodeError::malformed("text is not UTF-8 or has U+0000"))
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<u16>(&(value.len() as u16));
        sink.put(value.as_bytes());
    }
}

/// One after the other: the name and value of a User Property. [MQTT-1.5.7-1]
impl<A: Field<Value = A>, B: Field<Value = B>> Field for (A, B) {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok((reader.read::<A>()?, reader.read::<B>()?))
    }

    fn write((first, second): &Self, sink: &mut Sink<'_>) {
        sink.write::<A>(first);
        sink.write::<B>(second);
    }
}

const TRUNCATED: DecodeError = DecodeError::malformed("the packet ends inside a field");
const ZERO: DecodeError = DecodeError::protocol("a property that cannot be 0 is 0");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_the_bytes_of_its_magnitude() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xFF, 0xFF, 0x7F]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ] {
            let mut written = BytesMut::new();
            Sink::to(&mut written).write::<Variable>(&value);
            assert_eq!(written, bytes);
            assert_eq!(Variable::parse(bytes), Ok(Some((value, bytes.len()))));
            assert_eq!(Variable::parse(&bytes[..bytes.len() - 1]), Ok(None));
        }
    }

    #[test]
    fn a_length_with_idle_bytes_is_malformed() {
        for bytes in [&[0x80, 0x00][..], &[0xFF, 0x80, 0x00], &[0x80, 0x80, 0x80, 0x80]] {
            assert!(Variable::parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn text_keeps_a_leading_zero_width_no_break_space() {
        let text = Reader::new(Bytes::from_static(b"\x00\x04\xEF\xBB\xBFa")).read::<Text>().unwrap();
        assert_eq!(text.as_str(), "\u{FEFF}a");
    }

    #[test]
    fn text_with_a_surrogate_or_a_null_or_an_overlong_form_is_malformed() {
        for bytes in [&b"\x00\x03\xED\xA0\x80"[..], b"\x00\x01\x00", b"\x00\x02\xC0\xAF", b"\x00\x02a"] {
            assert!(Reader::new(Bytes::from_static(bytes)).read::<Text>().is_err(), "{bytes:?}");
        }
    }
}
