//! The property section of MQTT 5 (2.2.2): identifiers, types, and the rule that each may come once.
//!
//! Each packet's properties are one table of identifier, field and type, from which both directions are made.
use super::{
    DecodeError, ProtocolVersion, Text,
    wire::{Field, Reader, Sink, Variable},
};
use alloc::vec::Vec;
use core::num::NonZeroU32;

/// User Properties: name and value, repeatable, in the order they came. [MQTT-3.3.2-18]
pub type UserProperties = Vec<(Text, Text)>;

/// The properties that one packet may carry.
pub(crate) trait Properties: Default {
    /// Reads the value of the property `identifier`.
    fn read_value(&mut self, identifier: usize, reader: &mut Reader) -> Result<(), DecodeError>;

    /// Writes each property that is there, with its identifier.
    fn write_values(&self, sink: &mut Sink<'_>);

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.length() == 0
    }

    /// Reads the whole section, length first; 3.1.1 has none.
    fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let mut properties = Self::default();
        if version == ProtocolVersion::V5 {
            let length = reader.read::<Variable>()?;
            if length == 0 {
                return Ok(properties);
            }
            let mut section = Reader::new(reader.take(length)?);
            while !section.is_empty() {
                let identifier = section.read::<Variable>()?;
                properties.read_value(identifier, &mut section)?;
            }
        }
        Ok(properties)
    }

    /// Writes the whole section, length first; 3.1.1 has none.
    fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        if version == ProtocolVersion::V5 {
            // [MQTT-2.2.2-1] no properties are a length of 0
            let length = self.length();
            sink.write::<Variable>(&length);
            if length > 0 {
                self.write_values(sink);
            }
        }
    }

    /// The section's length in bytes, without the length itself.
    fn length(&self) -> usize {
        Sink::count(|sink| self.write_values(sink))
    }
}

/// A place for a property's values: an `Option` holds one, a `Vec` any number.
pub(super) trait Property<T> {
    fn add(&mut self, value: T) -> Result<(), DecodeError>;

    fn values(&self) -> &[T];
}

impl<T> Property<T> for Option<T> {
    fn add(&mut self, value: T) -> Result<(), DecodeError> {
        match self.replace(value) {
            None => Ok(()),
            Some(_) => Err(DecodeError::protocol("a property that may come once came twice")),
        }
    }

    fn values(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T> Property<T> for Vec<T> {
    fn add(&mut self, value: T) -> Result<(), DecodeError> {
        self.push(value);
        Ok(())
    }

    fn values(&self) -> &[T] {
        self
    }
}

/// Writes every value that `property` holds, each behind `identifier`.
pub(super) fn write_property<F: Field>(identifier: u8, property: &impl Property<F::Value>, sink: &mut Sink<'_>) {
    for value in property.values() {
        sink.put(&[identifier]);
        sink.write::<F>(value);
    }
}

/// Makes [`Properties`] of a table of identifiers (2.2.2.2), fields and their types on the wire.
macro_rules! properties {
    ($name:ty { $($identifier:literal $field:ident: $type:ty,)+ }) => {
        impl $crate::codec::property::Properties for $name {
            fn read_value(
                &mut self,
                identifier: usize,
                reader: &mut $crate::codec::wire::Reader,
            ) -> Result<(), $crate::codec::DecodeError> {
                use $crate::codec::property::{MISPLACED, Property};
                match identifier {
                    $($identifier => self.$field.add(reader.read::<$type>()?),)+
                    _ => Err(MISPLACED),
                }
            }

            fn write_values(&self, sink: &mut $crate::codec::wire::Sink<'_>) {
                // Most are not there: that is soon seen here.
                $(if !$crate::codec::property::Property::values(&self.$field).is_empty() {
                    $crate::codec::property::write_property::<$type>($identifier, &self.$field, sink);
                })+
            }
        }
    };
}
pub(super) use properties;

/// Response Topic: a Topic Name, so not empty and without wildcards.
pub(super) struct ResponseTopic;

impl Field for ResponseTopic {
    type Value = Text;

    fn read(reader: &mut Reader) -> Result<Text, DecodeError> {
        let topic = reader.read::<Text>()?;
        // [MQTT-3.3.2-14]
        if topic.as_bytes().iter().any(|byte| matches!(byte, b'+' | b'#')) {
            return Err(DecodeError::protocol("Response Topic has a wildcard"));
        }
        // [MQTT-4.7.3-1]
        if topic.is_empty() {
            return Err(DecodeError::protocol("Response Topic is empty"));
        }
        Ok(topic)
    }

    fn write(value: &Text, sink: &mut Sink<'_>) {
        sink.write::<Text>(value);
    }
}

/// Subscription Identifier: a Variable Byte Integer other than 0.
pub(super) struct SubscriptionIdentifier;

impl Field for SubscriptionIdentifier {
    type Value = NonZeroU32;

    fn read(reader: &mut Reader) -> Result<NonZeroU32, DecodeError> {
        let value = reader.read::<Variable>()? as u32;
        NonZeroU32::new(value).ok_or(DecodeError::protocol("Subscription Identifier is 0"))
    }

    fn write(value: &NonZeroU32, sink: &mut Sink<'_>) {
        sink.write::<Variable>(&(value.get() as usize));
    }
}

/// Section 2.2.2.2: an identifier that is unknown, or not of this packet, makes the packet malformed.
pub(super) const MISPLACED: DecodeError = DecodeError::malformed("a property does not belong to this packet");
