//! Scripts that read as an MQTT trace from the client's side: the test is the server and the host.

use bytes::{Bytes, BytesMut};
use mqlite::{
    client::{Action, Client, Delivery, Input, Options, Outcome, Token},
    codec::{
        Ack, ConnAck, ConnAckProperties, Connect, Disconnect, DisconnectProperties, Packet, PacketId, ProtocolVersion,
        Publish, QoS, ReasonCode, SubscribeFilter, SubscribeProperties, SubscriptionOptions, Text,
    },
    time::Timestamp,
};
use std::collections::VecDeque;

pub use ProtocolVersion::{V3_1_1, V5};
pub use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// Runs a script for both versions.
pub fn both(script: impl Fn(ProtocolVersion)) {
    script(V3_1_1);
    script(V5);
}

/// A client, its clock, what it sent and what its host was told.
pub struct Trace {
    client: Client,
    now: Timestamp,
    version: ProtocolVersion,
    is_open: bool,
    sent: VecDeque<Packet>,
    told: VecDeque<Action>,
}

impl Trace {
    /// A client without a connection, whose session lasts for an hour.
    pub fn new(version: ProtocolVersion) -> Self {
        Self::with(version, |_| ())
    }

    pub fn with(version: ProtocolVersion, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(text("c"));
        options.connect.version = version;
        options.connect.clean_start = false;
        options.connect.properties.session_expiry_interval = Some(3_600);
        change(&mut options);
        let (client, now) = (Client::new(options).unwrap(), Timestamp(1_000_000));
        Self { client, now, version, is_open: false, sent: VecDeque::new(), told: VecDeque::new() }
    }

    /// A client that a server without limits has accepted.
    pub fn connected(version: ProtocolVersion) -> Self {
        let mut trace = Self::new(version);
        trace.connect(false);
        trace
    }

    /// A client that an MQTT 5 server with these limits has accepted.
    pub fn connected_to(properties: ConnAckProperties) -> Self {
        let mut trace = Self::new(V5);
        trace.open();
        trace.accept(false, properties);
        trace
    }

    /// A new connection, which a server without limits accepts.
    pub fn connect(&mut self, session_present: bool) {
        self.open();
        self.accept(session_present, ConnAckProperties::default());
    }

    /// A new connection; returns the CONNECT.
    pub fn open(&mut self) -> Connect {
        self.cut();
        self.is_open = true;
        self.input(Input::Opened);
        match self.sent.pop_front() {
            Some(Packet::Connect(connect)) => *connect,
            other => panic!("expected CONNECT, heard {other:?}"),
        }
    }

    /// The server accepts, and the host is told.
    pub fn accept(&mut self, session_present: bool, properties: ConnAckProperties) {
        self.told.clear();
        self.receive(connack(session_present, properties));
        let connected = self.told.iter().position(|action| matches!(action, Action::Connected { .. }));
        self.told.remove(connected.expect("the client is connected"));
    }

    /// The network fails.
    pub fn cut(&mut self) {
        self.input(Input::Closed);
        self.is_open = false;
    }

    /// The server sends a packet.
    pub fn receive(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.receive_bytes(bytes.freeze());
    }

    pub fn receive_bytes(&mut self, bytes: impl Into<Bytes>) {
        self.input(Input::Received { bytes: bytes.into() });
    }

    /// The host publishes.
    pub fn publish(&mut self, token: u64, topic: &str, qos: QoS) {
        self.publish_with(token, Publish { qos, ..message(topic) });
    }

    pub fn publish_with(&mut self, token: u64, publish: Publish) {
        self.input(Input::Publish { token: Token(token), publish });
    }

    /// The host subscribes.
    pub fn subscribe(&mut self, token: u64, filters: &[&str]) {
        self.subscribe_with(token, filters, SubscriptionOptions { qos: ExactlyOnce, ..Default::default() });
    }

    pub fn subscribe_with(&mut self, token: u64, filters: &[&str], options: SubscriptionOptions) {
        let filters = filters.iter().map(|filter| SubscribeFilter { filter: text(filter), options }).collect();
        let properties = SubscribeProperties::default();
        self.input(Input::Subscribe { token: Token(token), filters, properties, number: None });
    }

    /// The host unsubscribes.
    pub fn unsubscribe(&mut self, token: u64, filters: &[&str]) {
        let filters = filters.iter().map(|filter| text(filter)).collect();
        self.input(Input::Unsubscribe { token: Token(token), filters, user_properties: Vec::new() });
    }

    /// The host has taken this delivery over.
    pub fn acknowledge(&mut self, delivery: Delivery) {
        self.input(Input::Acknowledge { delivery });
    }

    /// The host ends the connection.
    pub fn disconnect(&mut self, reason: ReasonCode, properties: DisconnectProperties) {
        self.input(Input::Disconnect { reason, properties });
    }

    /// Lets time pass, as a host does: the client is called at each of its deadlines.
    pub fn wait_secs(&mut self, seconds: u64) {
        let until = self.now.plus_secs(seconds);
        while let Some(deadline) = self.client.deadline().filter(|deadline| *deadline <= until) {
            self.now = deadline;
            self.input(Input::Timeout);
        }
        self.now = until;
    }

    /// The next packet that the server heard.
    #[track_caller]
    pub fn hear(&mut self) -> Packet {
        self.sent.pop_front().expect("a packet was sent")
    }

    #[track_caller]
    pub fn expect(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet.encode(self.version, &mut bytes).unwrap();
        let expected = Packet::decode(bytes.freeze(), self.version).unwrap();
        assert_eq!(self.hear(), expected, "{:?}", self.version);
    }

    /// The server heard nothing more, and the connection is open.
    #[track_caller]
    pub fn expect_nothing(&mut self) {
        assert_eq!(self.sent, []);
        assert!(self.is_open, "closed: {:?}", self.told);
    }

    /// The server heard nothing more, and the client has closed.
    #[track_caller]
    pub fn expect_closed(&mut self) {
        assert_eq!(self.sent, []);
        assert!(!self.is_open, "still open");
    }

    /// The server broke a rule: one of MQTT 5 is told, and the client closes.
    #[track_caller]
    pub fn expect_violated(&mut self, reason: ReasonCode) {
        if self.version == V5 {
            self.expect(Packet::Disconnect(Disconnect::from(reason)));
        }
        self.expect_closed();
    }

    /// The host was given a message next.
    #[track_caller]
    pub fn expect_delivered(&mut self, topic: &str) -> Option<Delivery> {
        match self.told.pop_front() {
            Some(Action::Deliver { message, delivery }) => {
                assert_eq!(message.topic.as_str(), topic);
                delivery
            }
            other => panic!("expected a message of {topic}, was told {other:?}"),
        }
    }

    /// The host was told how this request ended.
    #[track_caller]
    pub fn expect_completed(&mut self, request: u64) -> Outcome {
        match self.told.pop_front() {
            Some(Action::Completed { token, outcome }) if token == Token(request) => outcome,
            other => panic!("expected the end of {request}, was told {other:?}"),
        }
    }

    /// This request was refused, and nothing was sent.
    #[track_caller]
    pub fn expect_misuse(&mut self, request: u64) {
        let outcome = self.expect_completed(request);
        assert!(matches!(outcome, Outcome::Misused(_)), "{outcome:?}");
        self.expect_nothing();
    }

    /// What the host was told next, if anything.
    pub fn told(&mut self) -> Option<Action> {
        self.told.pop_front()
    }

    pub fn input(&mut self, input: Input) {
        for action in self.client.handle(self.now, input) {
            match action {
                Action::Send { bytes } => {
                    assert!(self.is_open, "nothing is sent without a connection");
                    self.sent.push_back(Packet::decode(bytes, self.version).unwrap());
                }
                Action::Close => assert!(std::mem::take(&mut self.is_open), "closed twice"),
                action => self.told.push_back(action),
            }
        }
    }
}

pub fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

pub fn connack(session_present: bool, properties: ConnAckProperties) -> Packet {
    Packet::ConnAck(Box::new(ConnAck { session_present, reason: ReasonCode::Success, properties }))
}

/// A QoS 0 PUBLISH.
pub fn message(topic: &str) -> Publish {
    Publish { topic: text(topic), payload: Bytes::from_static(b"x"), ..Default::default() }
}

/// A PUBLISH; `packet_id` 0 is none.
pub fn publish(topic: &str, qos: QoS, packet_id: u16) -> Packet {
    Packet::Publish(Publish { qos, packet_id: PacketId::new(packet_id), ..message(topic) })
}

/// A PUBLISH that is sent again.
pub fn again(topic: &str, qos: QoS, packet_id: u16) -> Packet {
    Packet::Publish(Publish { dup: true, qos, packet_id: PacketId::new(packet_id), ..message(topic) })
}

pub fn puback(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubAck(ack(packet_id, reason))
}

pub fn pubrec(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubRec(ack(packet_id, reason))
}

pub fn pubrel(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubRel(ack(packet_id, reason))
}

pub fn pubcomp(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubComp(ack(packet_id, reason))
}

fn ack(packet_id: u16, reason: ReasonCode) -> Ack {
    Ack { reason, ..PacketId::new(packet_id).unwrap().into() }
}
