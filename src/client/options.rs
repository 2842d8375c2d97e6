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
    /// to (of a 3.1.1 server, Maximum Packet Size alone). Only of unacknowledged messages 8,192 are taken at least before the
    /// connection is closed with 0x93: a server in wide use sends more than it may. Clean Start is for the first
    /// connection: later ones resume a session whose Session Expiry Interval is not 0.
    ///
    /// Without Clean Start, a session that the server has at the first connection is adopted: its subscriptions and the
    /// messages that wait in it are the host's. (A client without state would have to close instead [MQTT-3.2.2-4]; what
    /// that guards against is guarded here.) An earlier process may have left QoS 2 messages in it, and the server would
    /// take a new one with such a Packet Identifier for a duplicate. So before the first QoS 2 message, and only then, 256
    /// identifiers are released by PUBREL, and messages have those alone. Every server answers that with PUBCOMP
    /// [MQTT-4.3.3-11] [3.1.1 MQTT-4.3.3-2]; one that knows no QoS 2 is asked nothing.
    ///
    /// A PINGREQ is sent when nothing was sent for half of the Keep Alive. Browsers wake a hidden page once a minute: with a
    /// Keep Alive of 120 s or more (and 0, which switches it off) such a page still speaks in time [MQTT-3.1.2-20], with 60 s a
    /// server that is strict may close the connection [MQTT-3.1.2-22].
    ///
    /// In 3.1.1 a Password needs a User Name: where there is none, an empty one is sent. [3.1.1 MQTT-3.1.2-22]
    pub connect: Connect,
    /// Topic Aliases to set for the topics of messages, at most; the server's Topic Alias Maximum may allow fewer.
    pub assigned_topic_aliases: u16,
    /// What may wait for a connection or for the server's Receive Maximum.
    pub outbox: OutboxLimits,
    /// How long the server may take to answer a CONNECT or PINGREQ. If the host was so much later that it must have slept, the
    /// server gets that long once more.
    pub response_timeout_millis: u64,
}

/// How much the outbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// PUBLISHes, at most.
    pub maximum_messages: usize,
    /// Bytes of their packets, at most.
    pub maximum_bytes: usize,
    /// What is done with one more.
    pub policy: OutboxPolicy,
}

/// What is done with a message for which the outbox has no room. SUBSCRIBE and UNSUBSCRIBE are not counted, and never dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutboxPolicy {
    /// It is [`Misuse::QueueFull`].
    #[default]
    Reject,
    /// The messages that have waited longest are dropped, as many as it needs; so is one that needs more than there is.
    DropOldest,
    /// It is dropped.
    DropNewest,
}

impl Default for OutboxLimits {
    /// 1,000 messages of together 16 MiB; one more is refused.
    fn default() -> Self {
        Self { maximum_messages: 1_000, maximum_bytes: 16 << 20, policy: OutboxPolicy::Reject }
    }
}

impl Options {
    /// MQTT 5 with Clean Start, Keep Alive of 120 s and finite limits. An empty `client_id` asks the server for one.
    pub fn new(client_id: Text) -> Self {
        Self {
            connect: Connect {
                version: ProtocolVersion::V5,
                clean_start: true,
                keep_alive: 120,
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
            outbox: OutboxLimits::default(),
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
    }
}
