//! How a client connects, and what it allows itself and the server.

use super::Misuse;
use crate::{
    codec::{Connect, ConnectProperties, ProtocolVersion, Text},
    topic::TopicName,
};
use core::num::{NonZeroU16, NonZeroU32};

/// A client's settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The CONNECT. Its Receive Maximum, Maximum Packet Size and Topic Alias Maximum are also what the server is held
    /// to (of a 3.1.1 server, Maximum Packet Size alone). Clean Start is for the first connection: later ones resume a
    /// session whose Session Expiry Interval is not 0.
    ///
    /// Without Clean Start, a session that the server has at the first connection is adopted: its subscriptions and the
    /// messages that wait in it are the host's. (A client without state would have to close instead [MQTT-3.2.2-4]; what
    /// that guards against is guarded here.) An earlier process may have left QoS 2 messages in it, and the server would
    /// take a new one with such a Packet Identifier for a duplicate. So before the first QoS 2 message, and only then, 256
    /// identifiers are released by PUBREL, and messages have those alone. Every server answers that with PUBCOMP
    /// [MQTT-4.3.3-11] [3.1.1 MQTT-4.3.3-2]; one that knows no QoS 2 is asked nothing.
    pub connect: Connect,
    /// Topic Aliases to set for the topics of messages, at most; the server's Topic Alias Maximum may allow fewer.
    pub assigned_topic_aliases: u16,
    /// Requests that may wait for a connection or for the server's Receive Maximum; one more is [`Misuse::QueueFull`].
    pub maximum_queued: usize,
    /// How long the server may take to answer a CONNECT or PINGREQ.
    pub response_timeout_millis: u64,
}

impl Options {
    /// MQTT 5 with Clean Start, Keep Alive of 60 s and finite limits. An empty `client_id` asks the server for one.
    pub fn new(client_id: Text) -> Self {
        Self {
            connect: Connect {
                version: ProtocolVersion::V5,
                clean_start: true,
                keep_alive: 60,
                properties: ConnectProperties {
                    receive_maximum: NonZeroU16::new(256),
                    maximum_packet_size: NonZeroU32::new(1 << 20),
                    topic_alias_maximum: Some(64),
                    ..ConnectProperties::default()
                },
                client_id,
                ..Connect::default()
            },
            assigned_topic_aliases: 64,
            maximum_queued: 1_000,
            response_timeout_millis: 10_000,
        }
    }

    pub(super) fn check(&self) -> Result<(), Misuse> {
        let connect = &self.connect;
        if let Some(will) = &connect.will {
            TopicName::parse(will.topic.clone())?;
            will.properties.response_topic.clone().map(TopicName::parse).transpose()?;
        }
        match connect.version {
            ProtocolVersion::V5 => {
                let properties = &connect.properties;
                if properties.authentication_data.is_some() && properties.authentication_method.is_none() {
                    return Err(Misuse::InvalidConnect("Authentication Data needs a method (3.1.2.11.10)"));
                }
            }
            ProtocolVersion::V3_1_1 => {
                if connect.client_id.is_empty() && !connect.clean_start {
                    return Err(Misuse::InvalidConnect(
                        "a session to keep needs a Client Identifier [3.1.1 MQTT-3.1.3-7]",
                    ));
                }
                if connect.password.is_some() && connect.user_name.is_none() {
                    return Err(Misuse::InvalidConnect("a Password needs a User Name [3.1.1 MQTT-3.1.2-22]"));
                }
            }
        }
        Ok(())
    }
}

impl Default for Options {
    /// Those of a client that asks the server for a Client Identifier.
    fn default() -> Self {
        Self::new(Text::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Binary, Will};

    fn check(change: impl FnOnce(&mut Connect)) -> Result<(), Misuse> {
        let mut options = Options::default();
        change(&mut options.connect);
        options.check()
    }

    #[test]
    fn a_connect_that_no_server_could_accept_is_a_misuse() {
        assert_eq!(check(|_| ()), Ok(()));
        let will = Will { topic: Text::from_static("a/#"), ..Will::default() };
        assert!(matches!(check(|connect| connect.will = Some(will)), Err(Misuse::InvalidTopic(_))));
        let data = Some(Binary::default());
        assert!(check(|connect| connect.properties.authentication_data = data).is_err());
        let v3 = |connect: &mut Connect| connect.version = ProtocolVersion::V3_1_1;
        assert_eq!(check(v3), Ok(()));
        assert!(check(|connect| (v3(connect), connect.clean_start = false).1).is_err());
        assert!(check(|connect| (v3(connect), connect.password = Some(Binary::default())).1).is_err());
    }
}
