//! A client under test, and the server that the test plays.

use super::{Action, Cause, Client, Delivery, Input, Misuse, Options, Outcome, Restored, Token};
use crate::{
    codec::{
        AckProperties, ConnAck, ConnAckProperties, Packet, PacketId, ProtocolVersion, Publish, QoS, ReasonCode,
        SubscribeFilter, SubscribeProperties, SubscriptionOptions, Text,
    },
    time::Timestamp,
};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use bytes::{Bytes, BytesMut};
use core::num::NonZeroU32;

pub(super) use ProtocolVersion::{V3_1_1, V5};

pub(super) struct Script {
    pub(super) client: Client,
    pub(super) now: Timestamp,
    version: ProtocolVersion,
    /// What the client has stored, if it stores anything.
    disk: Option<BTreeMap<Bytes, Bytes>>,
}

/// An action, with what is sent decoded.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    Sent(Packet),
    Did(Action),
}

pub(super) use Seen::{Did, Sent};

impl Script {
    /// A client that has no connection yet.
    pub(super) fn new(version: ProtocolVersion, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(Text::from_static("c"));
        options.connect.version = version;
        change(&mut options);
        Self { client: Client::new(options).unwrap(), now: Timestamp(0), version, disk: None }
    }

    /// A client that stores what it does, and has no connection yet.
    pub(super) fn durable(version: ProtocolVersion) -> Self {
        Self::durable_with(version, |options| {
            options.connect.clean_start = false;
            options.connect.properties.session_expiry_interval = Some(100);
        })
    }

    pub(super) fn durable_with(version: ProtocolVersion, change: impl FnOnce(&mut Options)) -> Self {
        let mut script = Self::new(version, change);
        script.disk = Some(BTreeMap::new());
        script.crash()
    }

    /// The options of the next client.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Options)) {
        change(&mut self.client.options);
    }

    /// Another client, with nothing but what this one has stored.
    pub(super) fn crash(self) -> Self {
        let Restored { client, rejected } =
            Client::restore(self.client.options.clone(), self.disk.clone().unwrap()).unwrap();
        assert_eq!(rejected, []);
        Self { client, ..self }
    }

    /// A client that keeps its session and is connected to a server without limits.
    pub(super) fn connected(version: ProtocolVersion) -> Self {
        let mut script = Self::new(version, |options| {
            options.connect.clean_start = false;
            options.connect.properties.session_expiry_interval = Some(100);
        });
        script.connect(false);
        script
    }

    /// A client connected to an MQTT 5 server that says `properties`.
    pub(super) fn connected_to(properties: ConnAckProperties) -> Self {
        let mut script = Self::new(V5, |_| ());
        script.input(Input::Opened);
        script.receive(connack(false, ReasonCode::Success, properties));
        script
    }

    pub(super) fn use_version(&mut self, version: ProtocolVersion) -> Result<(), Misuse> {
        self.client.use_version(version)?;
        self.version = version;
        Ok(())
    }

    /// Opens a connection that the server accepts, and returns what the CONNACK led to behind `Connected`.
    pub(super) fn connect(&mut self, session_present: bool) -> Vec<Seen> {
        self.input(Input::Opened);
        let mut seen = self.receive(connack(session_present, ReasonCode::Success, ConnAckProperties::default()));
        assert!(matches!(seen.remove(0), Did(Action::Connected { .. })));
        seen
    }

    pub(super) fn input(&mut self, input: Input) -> Vec<Seen> {
        let version = self.version;
        let see = |action| match action {
            Action::Send { bytes } => Sent(Packet::decode(bytes, version).unwrap()),
            Action::Deliver { message, delivery } => {
                assert_eq!(message.packet_id.is_some(), message.qos > QoS::AtMostOnce);
                delivered(*message, delivery.map(|delivery| delivery.0))
            }
            action => Did(action),
        };
        let mut actions: Vec<_> = self.client.handle(self.now, input).collect();
        if let Some(disk) = &mut self.disk {
            actions.retain(|action| !is_written(disk, action));
            assert!(self.client.records().into_iter().collect::<BTreeMap<_, _>>() == *disk, "storage is a mirror");
        }
        actions.into_iter().map(see).collect()
    }

    pub(super) fn receive(&mut self, packet: Packet) -> Vec<Seen> {
        let mut bytes = BytesMut::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.input(Input::Received { bytes: bytes.freeze() })
    }

    pub(super) fn publish(&mut self, token: u64, publish: Publish) -> Vec<Seen> {
        self.input(Input::Publish { token: Token(token), publish })
    }

    /// Subscribes at QoS 1.
    pub(super) fn subscribe(&mut self, token: u64, filter: &'static str, identifier: Option<u32>) -> Vec<Seen> {
        let options = SubscriptionOptions { qos: QoS::AtLeastOnce, ..SubscriptionOptions::default() };
        let filters = vec![SubscribeFilter { filter: Text::from_static(filter), options }];
        let subscription_identifier = identifier.and_then(NonZeroU32::new);
        let properties = SubscribeProperties { subscription_identifier, ..SubscribeProperties::default() };
        self.input(Input::Subscribe { token: Token(token), filters, properties, number: None })
    }

    pub(super) fn unsubscribe(&mut self, token: u64, filter: &'static str) -> Vec<Seen> {
        let filters = vec![Text::from_static(filter)];
        self.input(Input::Unsubscribe { token: Token(token), filters, user_properties: Vec::new() })
    }

    pub(super) fn acknowledge(&mut self, delivery: u64) -> Vec<Seen> {
        self.input(Input::Acknowledge { delivery: Delivery(delivery) })
    }

    /// Lets time pass up to the deadline.
    pub(super) fn wait(&mut self) -> Vec<Seen> {
        self.now = self.client.deadline().expect("a deadline");
        self.input(Input::Timeout)
    }
}

pub(super) fn connack(session_present: bool, reason: ReasonCode, properties: ConnAckProperties) -> Packet {
    Packet::ConnAck(Box::new(ConnAck { session_present, reason, properties }))
}

/// A message as a host publishes it.
pub(super) fn message(qos: QoS, topic: &'static str) -> Publish {
    Publish { qos, topic: Text::from_static(topic), payload: Bytes::from_static(b"p"), ..Publish::default() }
}

/// A message as it is on the wire.
pub(super) fn publish(qos: QoS, topic: &'static str, id: u16) -> Publish {
    Publish { packet_id: PacketId::new(id), ..message(qos, topic) }
}

pub(super) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

pub(super) fn delivered(message: Publish, delivery: Option<u64>) -> Seen {
    let message = Publish { packet_id: None, ..message };
    Did(Action::Deliver { message: Box::new(message), delivery: delivery.map(Delivery) })
}

pub(super) fn completed(token: u64, outcome: Outcome) -> Seen {
    Did(Action::Completed { token: Token(token), outcome })
}

pub(super) fn published(token: u64, reason: ReasonCode) -> Seen {
    completed(token, Outcome::Published { reason, properties: AckProperties::default() })
}

pub(super) fn disconnected(cause: Cause) -> Seen {
    Did(Action::Disconnected { cause })
}

/// Checks that an MQTT 5 server was told `reason`, for breaking a rule, before the connection was closed.
#[track_caller]
pub(super) fn assert_violated(seen: &[Seen], reason: ReasonCode) {
    let [Sent(Packet::Disconnect(told)), Did(Action::Close), Did(Action::Disconnected { cause: Cause::Violated(_) })] =
        seen
    else {
        panic!("{seen:?}")
    };
    assert_eq!(told.reason, reason);
}

/// Writes, if the action says so.
fn is_written(disk: &mut BTreeMap<Bytes, Bytes>, action: &Action) -> bool {
    match action {
        Action::Put { key, value } => _ = disk.insert(key.clone(), value.clone()),
        Action::Delete { key } => assert!(disk.remove(key).is_some(), "only what is there is deleted"),
        _ => return false,
    }
    true
}
