//! CONNECT (3.1).
use super::{
    Binary, DecodeError, QoS, ReasonCode, Text, UserProperties,
    property::{Properties, ResponseTopic, properties},
    wire::{Reader, Sink},
};
use core::num::{NonZeroU16, NonZeroU32};

/// The Protocol Level of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ProtocolVersion {
    /// MQTT 3.1.1.
    V3_1_1 = 4,
    /// MQTT 5.0.
    #[default]
    V5 = 5,
}

/// The first packet of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// Protocol Version.
    pub version: ProtocolVersion,
    /// Clean Start; in 3.1.1 Clean Session.
    pub clean_start: bool,
    /// Keep Alive in seconds; 0 switches it off.
    pub keep_alive: u16,
    /// CONNECT Properties.
    pub properties: ConnectProperties,
    /// Client Identifier; empty asks the server for one.
    pub client_id: Text,
    /// Will Message.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password.
    pub password: Option<Binary>,
}

/// CONNECT Properties (3.1.2.11); absent ones are `None` and take the standard's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectProperties {
    /// Session Expiry Interval in seconds; absent is 0, `u32::MAX` is never.
    pub session_expiry_interval: Option<u32>,
    /// Receive Maximum; absent is 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// Maximum Packet Size in bytes; absent is no limit.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// Topic Alias Maximum; absent is 0.
    pub topic_alias_maximum: Option<u16>,
    /// Request Response Information; absent is false.
    pub request_response_information: Option<bool>,
    /// Request Problem Information; absent is true.
    pub request_problem_information: Option<bool>,
    /// User Properties.
    pub user_properties: UserProperties,
    /// Authentication Method.
    pub authentication_method: Option<Text>,
    /// Authentication Data; only beside a method.
    pub authentication_data: Option<Binary>,
}

/// The message that the server publishes when the connection ends badly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Will {
    /// Will QoS.
    pub qos: QoS,
    /// Will Retain.
    pub retain: bool,
    /// Will Properties.
    pub properties: WillProperties,
    /// Will Topic.
    pub topic: Text,
    /// Will Payload.
    pub payload: Binary,
}

/// Will Properties (3.1.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WillProperties {
    /// Will Delay Interval in seconds; absent is 0.
    pub will_delay_interval: Option<u32>,
    /// Payload Format Indicator: true is UTF-8.
    pub payload_format_indicator: Option<bool>,
    /// Message Expiry Interval in seconds; absent is never.
    pub message_expiry_interval: Option<u32>,
    /// Content Type.
    pub content_type: Option<Text>,
    /// Response Topic.
    pub response_topic: Option<Text>,
    /// Correlation Data.
    pub correlation_data: Option<Binary>,
    /// User Properties.
    pub user_properties: UserProperties,
}

properties!(ConnectProperties {
    0x11 session_expiry_interval: u32,
    0x21 receive_maximum: NonZeroU16,
    0x27 maximum_packet_size: NonZeroU32,
    0x22 topic_alias_maximum: u16,
    0x19 request_response_information: bool,
    0x17 request_problem_information: bool,
    0x26 user_properties: (Text, Text),
    0x15 authentication_method: Text,
    0x16 authentication_data: Binary,
});

properties!(WillProperties {
    0x18 will_delay_interval: u32,
    0x01 payload_format_indicator: bool,
    0x02 message_expiry_interval: u32,
    0x03 content_type: Text,
    0x08 response_topic: ResponseTopic,
    0x09 correlation_data: Binary,
    0x26 user_properties: (Text, Text),
});

impl Connect {
    /// Decodes what follows the fixed header, up to the end of the packet.
    pub(super) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        // [MQTT-3.1.2-1] [MQTT-3.1.2-2]
        let known_name = reader.read::<Text>()?.as_bytes() == PROTOCOL_NAME;
        let level = reader.read::<u8>()?;
        let version = ProtocolVersion::from_level(level).filter(|_| known_name).ok_or(DecodeError {
            // [3.1.1 MQTT-3.1.2-2] an older client, as one of MQTT 3.1, reads no answer of MQTT 5
            version: Some(if level & !BRIDGE < 5 { ProtocolVersion::V3_1_1 } else { ProtocolVersion::V5 }),
            ..DecodeError::new(ReasonCode::UnsupportedProtocolVersion, "only MQTT 3.1.1 and 5.0 are spoken here")
        })?;
        Self::decode_as(version, reader).map_err(|error| DecodeError { version: Some(version), ..error })
    }

    fn decode_as(version: ProtocolVersion, reader: &mut Reader) -> Result<Self, DecodeError> {
        let flags = reader.read::<u8>()?;
        let will_flags = Self::will_flags(flags)?;
        // [MQTT-3.1.2-3]
        if flags & RESERVED != 0 {
            return Err(DecodeError::malformed("the reserved CONNECT flag is set"));
        }
        // [3.1.1 MQTT-3.1.2-22]
        if version == ProtocolVersion::V3_1_1 && flags & PASSWORD != 0 && flags & USER_NAME == 0 {
            return Err(DecodeError::malformed("a password without a user name"));
        }
        let keep_alive = reader.read::<u16>()?;
        let properties = ConnectProperties::decode(reader, version)?;
        if properties.authentication_data.is_some() && properties.authentication_method.is_none() {
            return Err(DecodeError::protocol("Authentication Data without Authentication Method"));
        }
        // [MQTT-3.1.3-1] the payload's order
        let client_id = reader.read::<Text>()?;
        let will = will_flags.map(|(qos, retain)| Will::decode(qos, retain, reader, version)).transpose()?;
        let user_name = (flags & USER_NAME != 0).then(|| reader.read::<Text>()).transpose()?;
        let password = (flags & PASSWORD != 0).then(|| reader.read::<Binary>()).transpose()?;
        reader.end()?;
        let clean_start = flags & CLEAN_START != 0;
        Ok(Self { version, clean_start, keep_alive, properties, client_id, will, user_name, password })
    }

    /// The will's QoS and retain, when there is a will.
    fn will_flags(flags: u8) -> Result<Option<(QoS, bool)>, DecodeError> {
        let retain = flags & WILL_RETAIN != 0;
        // [MQTT-3.1.2-12]
        let qos = QoS::from_u8((flags >> WILL_QOS) & 3).ok_or(DecodeError::malformed("Will QoS is 3"))?;
        if flags & WILL != 0 {
            Ok(Some((qos, retain)))
        } else if qos == QoS::AtMostOnce && !retain {
            Ok(None)
        } else {
            // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
            Err(DecodeError::malformed("Will QoS or Will Retain without a will"))
        }
    }

    /// Writes what follows the fixed header.
    pub(super) fn encode(&self, sink: &mut Sink<'_>) {
        // [3.1.1 MQTT-3.1.2-22] a password needs a user name there
        let password =
            self.password.as_ref().filter(|_| self.version == ProtocolVersion::V5 || self.user_name.is_some());
        let mut flags = if self.clean_start { CLEAN_START } else { 0 };
        if let Some(will) = &self.will {
            flags |= WILL | (will.qos as u8) << WILL_QOS | if will.retain { WILL_RETAIN } else { 0 };
        }
        flags |= if self.user_name.is_some() { USER_NAME } else { 0 };
        flags |= if password.is_some() { PASSWORD } else { 0 };

        sink.write::<u16>(&(PROTOCOL_NAME.len() as u16));
        sink.put(PROTOCOL_NAME);
        sink.write::<u8>(&(self.version as u8));
        sink.write::<u8>(&flags);
        sink.write::<u16>(&self.keep_alive);
        self.properties.encode(self.version, sink);
        sink.write::<Text>(&self.client_id);
        if let Some(will) = &self.will {
            will.encode(self.version, sink);
        }
        if let Some(user_name) = &self.user_name {
            sink.write::<Text>(user_name);
        }
        if let Some(password) = password {
            sink.write::<Binary>(password);
        }
    }
}

impl Will {
    fn decode(qos: QoS, retain: bool, reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        // [MQTT-3.1.2-9]
        let properties = WillProperties::decode(reader, version)?;
        Ok(Self { qos, retain, properties, topic: reader.read::<Text>()?, payload: reader.read::<Binary>()? })
    }

    fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        self.properties.encode(version, sink);
        sink.write::<Text>(&self.topic);
        sink.write::<Binary>(&self.payload);
    }
}

impl ProtocolVersion {
    /// The version whose Protocol Level is `level`.
    pub const fn from_level(level: u8) -> Option<Self> {
        match level {
            4 => Some(Self::V3_1_1),
            5 => Some(Self::V5),
            _ => None,
        }
    }
}

const PROTOCOL_NAME: &[u8] = b"MQTT";
/// Mosquitto's bridges add it to the level of 3.1 or 3.1.1, and try again without it once they hear return code 1.
const BRIDGE: u8 = 0x80;

const USER_NAME: u8 = 0x80;
const PASSWORD: u8 = 0x40;
const WILL_RETAIN: u8 = 0x20;
const WILL_QOS: u8 = 3;
const WILL: u8 = 0x04;
const CLEAN_START: u8 = 0x02;
const RESERVED: u8 = 0x01;

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn version_of_error(bytes: &'static [u8]) -> Option<ProtocolVersion> {
        Connect::decode(&mut Reader::new(Bytes::from_static(bytes))).unwrap_err().version
    }

    #[test]
    fn an_error_behind_the_protocol_level_names_the_version() {
        assert_eq!(version_of_error(b"\x00\x04MQTT\x05\x01"), Some(ProtocolVersion::V5));
        assert_eq!(version_of_error(b"\x00\x04MQTT\x04"), Some(ProtocolVersion::V3_1_1));
        assert_eq!(version_of_error(b"\x00\x04MQTT\x04\x02\x00\x00\x00\x00!"), Some(ProtocolVersion::V3_1_1));
    }

    #[test]
    fn an_error_before_the_protocol_level_names_none() {
        assert_eq!(version_of_error(b"\x00\x04MQT"), None);
        assert_eq!(version_of_error(b"\x00\x04MQTT"), None);
    }

    #[test]
    fn an_unknown_protocol_names_the_version_of_the_answer_that_it_may_read() {
        assert_eq!(version_of_error(b"\x00\x06MQIsdp\x03\x02"), Some(ProtocolVersion::V3_1_1));
        assert_eq!(version_of_error(b"\x00\x04MQTT\x03\x02"), Some(ProtocolVersion::V3_1_1));
        assert_eq!(version_of_error(b"\x00\x04MQTT\x84\x02"), Some(ProtocolVersion::V3_1_1));
        assert_eq!(version_of_error(b"\x00\x04MQTY\x05\x02"), Some(ProtocolVersion::V5));
        assert_eq!(version_of_error(b"\x00\x04MQTT\x06\x02"), Some(ProtocolVersion::V5));
    }
}
