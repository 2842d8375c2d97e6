//! How the parts of a record are written, besides the data types of MQTT.

use crate::{
    codec::{
        DecodeError, ProtocolVersion, PublishProperties, QoS,
        property::Properties,
        wire::{Field, Reader, Sink, Variable},
    },
    time::Timestamp,
};
use alloc::vec::Vec;
use bytes::Bytes;

/// A number that something was given, one after the other: there always is a next one.
impl Field for u64 {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let Timestamp(number) = reader.read::<Timestamp>()?;
        if number < 1 << 63 {
            Ok(number)
        } else {
            Err(DecodeError::malformed("a number is larger than any that is given"))
        }
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<Timestamp>(&Timestamp(*value));
    }
}

impl Field for Timestamp {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let (high, low) = (reader.read::<u32>()?, reader.read::<u32>()?);
        Ok(Self(u64::from(high) << 32 | u64::from(low)))
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.put(&value.0.to_be_bytes());
    }
}

impl Field for QoS {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::from_u8(reader.read::<u8>()?).ok_or(DecodeError::malformed("a QoS is none of 0, 1 and 2"))
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.put(&[*value as u8]);
    }
}

impl Field for ProtocolVersion {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.read::<u8>()? {
            4 => Ok(Self::V3_1_1),
            5 => Ok(Self::V5),
            _ => Err(DecodeError::malformed("a version is neither 4 nor 5")),
        }
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.put(&[match value {
            Self::V3_1_1 => 4,
            Self::V5 => 5,
        }]);
    }
}

impl Field for Bytes {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let length = reader.read::<u32>()?;
        reader.take(length as usize)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<u32>(&(value.len() as u32));
        sink.put(value);
    }
}

impl Field for PublishProperties {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::decode(reader, ProtocolVersion::V5)
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        value.encode(ProtocolVersion::V5, sink);
    }
}

impl<F: Field<Value = F>> Field for Option<F> {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        if reader.read::<bool>()? { reader.read::<F>().map(Some) } else { Ok(None) }
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<bool>(&value.is_some());
        if let Some(value) = value {
            sink.write::<F>(value);
        }
    }
}

/// As many as follow; nothing is reserved for what is only announced.
impl<F: Field<Value = F>> Field for Vec<F> {
    type Value = Self;

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        (0..reader.read::<Variable>()?).map(|_| reader.read::<F>()).collect()
    }

    fn write(value: &Self, sink: &mut Sink<'_>) {
        sink.write::<Variable>(&value.len());
        value.iter().for_each(|value| sink.write::<F>(value));
    }
}
