//! Whatever a server sends, the client keeps its promises.

use crate::{
    arbitrary,
    requests::{encode, message, options, qos, subscribe},
};
use mqlite::{
    client::{Action, Client, Delivery, Input, Token},
    codec::{
        AckProperties, ConnAck, ConnAckProperties, DisconnectProperties, Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId,
        ProtocolVersion, Publish, QoS, ReasonCode, SubAck,
    },
    time::Timestamp,
};
use proptest::{collection::vec, option, prelude::*};
use std::{
    collections::{BTreeSet, VecDeque},
    num::{NonZeroU16, NonZeroU32},
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// [MQTT-2.2.1-3] [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15] [MQTT-3.3.4-7]
    #[test]
    fn a_client_keeps_its_promises_to_any_server(v5: bool, steps in vec(server_step(), 1..100)) {
        let mut script = AgainstAnyServer::new(v5);
        for step in steps {
            script.take(step);
        }
    }
}

#[derive(Clone, Debug)]
enum ServerStep {
    Open,
    Accept(bool, Option<u16>, Limits),
    Send(Box<Packet>),
    Bytes(Vec<u8>),
    Publish(QoS, bool),
    Subscribe(&'static str, Option<u32>),
    /// The server grants all that was asked for.
    Grant,
    AcknowledgeNext,
    Authenticate,
    Disconnect,
    Close,
    Wait(u16),
}

/// What a server does not have.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    maximum_qos: Option<QoS>,
    lacks_retain: bool,
    lacks_wildcards: bool,
    lacks_shares: bool,
    lacks_identifiers: bool,
}

fn limits() -> impl Strategy<Value = Limits> {
    let maximum_qos = prop_oneof![3 => Just(None), 1 => Just(Some(QoS::AtMostOnce)), 1 => Just(Some(QoS::AtLeastOnce))];
    (maximum_qos, any::<[bool; 4]>()).prop_map(|(maximum_qos, lacks)| {
        let [lacks_retain, lacks_wildcards, lacks_shares, lacks_identifiers] = lacks;
        Limits { maximum_qos, lacks_retain, lacks_wildcards, lacks_shares, lacks_identifiers }
    })
}

fn server_step() -> impl Strategy<Value = ServerStep> {
    let ack = (0..6_u8, 1..6_u16).prop_map(|(kind, id)| {
        let id = PacketId::new(id).unwrap();
        ServerStep::Send(Box::new(match kind {
            0 => Packet::PubAck(id.into()),
            1 => Packet::PubRec(id.into()),
            2 => Packet::PubRel(id.into()),
            3 => Packet::PubComp(id.into()),
            kind => {
                let qos = if kind == 4 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
                Packet::Publish(Publish { packet_id: Some(id), ..message(qos, 0) })
            }
        }))
    });
    prop_oneof![
        3 => Just(ServerStep::Open),
        4 => (any::<bool>(), option::of(1..4_u16), limits())
            .prop_map(|(present, maximum, limits)| ServerStep::Accept(present, maximum, limits)),
        20 => ack,
        2 => arbitrary::packet().prop_map(|packet| ServerStep::Send(Box::new(packet))),
        1 => vec(any::<u8>(), 0..20).prop_map(ServerStep::Bytes),
        12 => (qos(), any::<bool>()).prop_map(|(qos, retain)| ServerStep::Publish(qos, retain)),
        4 => (prop_oneof![Just("a"), Just("a/+"), Just("$share/g/a")], option::of(1..3_u32))
            .prop_map(|(filter, identifier)| ServerStep::Subscribe(filter, identifier)),
        4 => Just(ServerStep::Grant),
        6 => Just(ServerStep::AcknowledgeNext),
        1 => Just(ServerStep::Authenticate),
        1 => Just(ServerStep::Disconnect),
        1 => Just(ServerStep::Close),
        2 => any::<u16>().prop_map(ServerStep::Wait),
    ]
}

/// Checks what a client does, whatever a server sends it.
struct AgainstAnyServer {
    client: Client,
    version: ProtocolVersion,
    now: Timestamp,
    is_open: bool,
    receive_maximum: usize,
    maximum_packet_size: usize,
    limits: Limits,
    /// The SUBSCRIBEs of this connection that have no answer.
    asked: Vec<PacketId>,
    /// What the client has begun on this connection and the server not finished acknowledging.
    exchanges: BTreeSet<PacketId>,
    tokens: u64,
    pending: BTreeSet<Token>,
    deliveries: VecDeque<Delivery>,
    last_delivery: Option<Delivery>,
}

impl AgainstAnyServer {
    fn new(v5: bool) -> Self {
        let options = options(v5, "c");
        Self {
            version: options.connect.version,
            client: Client::new(options).unwrap(),
            now: Timestamp(0),
            is_open: false,
            receive_maximum: 0,
            maximum_packet_size: usize::MAX,
            limits: Limits::default(),
            asked: Vec::new(),
            exchanges: BTreeSet::new(),
            tokens: 0,
            pending: BTreeSet::new(),
            deliveries: VecDeque::new(),
            last_delivery: None,
        }
    }

    fn take(&mut self, step: ServerStep) {
        match step {
            ServerStep::Open => {
                self.exchanges.clear();
                self.input(Input::Closed);
                self.is_open = true;
                self.maximum_packet_size = usize::MAX;
                self.input(Input::Opened);
            }
            ServerStep::Accept(session_present, maximum, limits) => {
                let mut properties = ConnAckProperties::default();
                if self.version == ProtocolVersion::V5 {
                    properties.receive_maximum = maximum.and_then(NonZeroU16::new);
                    properties.maximum_qos = limits.maximum_qos;
                    properties.retain_available = Some(!limits.lacks_retain);
                    properties.wildcard_subscription_available = Some(!limits.lacks_wildcards);
                    properties.shared_subscription_available = Some(!limits.lacks_shares);
                    properties.subscription_identifiers_available = Some(!limits.lacks_identifiers);
                }
                let reason = ReasonCode::Success;
                self.send(&Packet::ConnAck(Box::new(ConnAck { session_present, reason, properties })));
            }
            ServerStep::Send(packet) => self.send(&packet),
            ServerStep::Bytes(bytes) => self.input(Input::Received { bytes: bytes.into() }),
            ServerStep::Publish(qos, retain) => {
                let token = self.token();
                self.input(Input::Publish { token, publish: Publish { retain, ..message(qos, token.0) } });
            }
            ServerStep::Subscribe(filter, identifier) => {
                let token = self.token();
                let mut input = subscribe(token, filter);
                if let Input::Subscribe { properties, number, .. } = &mut input {
                    properties.subscription_identifier = identifier.and_then(NonZeroU32::new);
                    *number = NonZeroU32::new(9);
                }
                self.input(input);
            }
            ServerStep::Grant => {
                for packet_id in std::mem::take(&mut self.asked) {
                    let (properties, reasons) = (AckProperties::default(), vec![ReasonCode::GrantedQoS1]);
                    self.send(&Packet::SubAck(SubAck { packet_id, properties, reasons }));
                }
            }
            ServerStep::AcknowledgeNext => {
                if let Some(delivery) = self.deliveries.pop_front() {
                    self.input(Input::Acknowledge { delivery });
                }
            }
            ServerStep::Authenticate => self.input(Input::Authenticate { properties: Default::default() }),
            ServerStep::Disconnect => {
                let properties = DisconnectProperties::default();
                self.input(Input::Disconnect { reason: ReasonCode::Success, properties });
            }
            ServerStep::Close => self.input(Input::Closed),
            ServerStep::Wait(millis) => {
                self.now = self.now.plus_millis(millis.into());
                self.input(Input::Timeout);
                assert!(self.client.deadline().is_none_or(|at| at > self.now), "a deadline that has passed is served");
            }
        }
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        self.pending.insert(Token(self.tokens));
        Token(self.tokens)
    }

    fn send(&mut self, packet: &Packet) {
        match packet {
            Packet::PubAck(ack) | Packet::PubComp(ack) => _ = self.exchanges.remove(&ack.packet_id),
            Packet::PubRec(ack) if ack.reason.is_failure() => _ = self.exchanges.remove(&ack.packet_id),
            _ => {}
        }
        self.input(Input::Received { bytes: encode(packet, self.version) });
    }

    fn input(&mut self, input: Input) {
        for action in self.client.handle(self.now, input).collect::<Vec<_>>() {
            match action {
                Action::Send { bytes } => {
                    assert!(self.is_open, "nothing is sent without a connection");
                    let is_connect = bytes[0] >> 4 == 1;
                    assert!(is_connect || bytes.len() <= self.maximum_packet_size, "[MQTT-3.2.2-15]");
                    let packet = Packet::decode(bytes, self.version).unwrap();
                    self.check_limits(&packet);
                    if let Packet::Publish(Publish { packet_id: Some(id), .. }) = packet {
                        assert!(self.exchanges.insert(id), "[MQTT-2.2.1-3]");
                        assert!(self.exchanges.len() <= self.receive_maximum, "[MQTT-3.3.4-7]");
                    }
                }
                Action::Close => self.is_open = false,
                Action::Completed { token, .. } => assert!(self.pending.remove(&token), "a request completes once"),
                Action::Deliver { message, delivery } => {
                    assert_eq!(delivery.is_some(), message.qos > QoS::AtMostOnce);
                    assert!(delivery.is_none() || delivery > self.last_delivery, "no delivery has an old number");
                    self.last_delivery = delivery.or(self.last_delivery);
                    self.deliveries.extend(delivery);
                }
                Action::Disconnected { .. } => {
                    self.is_open = false;
                    self.exchanges.clear();
                }
                Action::Connected { properties, .. } => {
                    self.limits = Limits {
                        maximum_qos: properties.maximum_qos,
                        lacks_retain: properties.retain_available == Some(false),
                        lacks_wildcards: properties.wildcard_subscription_available == Some(false),
                        lacks_shares: properties.shared_subscription_available == Some(false),
                        lacks_identifiers: properties.subscription_identifiers_available == Some(false),
                    };
                    let maximum = properties.receive_maximum;
                    self.receive_maximum = maximum.map_or(65_535, |maximum| maximum.get().into());
                    let maximum = properties.maximum_packet_size;
                    self.maximum_packet_size = maximum.map_or(usize::MAX, |maximum| maximum.get() as usize);
                }
                Action::Refused { .. } | Action::Authenticate { .. } | Action::SubscriptionLost { .. } => {}
                Action::Put { .. } | Action::Delete { .. } => panic!("this client stores nothing"),
            }
        }
    }
}

impl AgainstAnyServer {
    /// Whether it was asked for now, waited, is made again or sent again.
    fn check_limits(&mut self, packet: &Packet) {
        let limits = self.limits;
        match packet {
            Packet::Connect(_) => {
                self.limits = Limits::default();
                self.asked.clear();
            }
            Packet::Publish(publish) => {
                assert!(limits.maximum_qos.is_none_or(|maximum| publish.qos <= maximum), "[MQTT-3.2.2-11]");
                assert!(!publish.retain || !limits.lacks_retain, "[MQTT-3.2.2-14]");
            }
            Packet::Subscribe(subscribe) => {
                let filter = subscribe.filters[0].filter.as_str();
                assert!(!filter.contains('+') || !limits.lacks_wildcards);
                assert!(!filter.starts_with("$share") || !limits.lacks_shares);
                assert!(subscribe.properties.subscription_identifier.is_none() || !limits.lacks_identifiers);
                self.asked.push(subscribe.packet_id);
            }
            _ => {}
        }
    }
}

#[test]
fn a_frame_of_the_client_is_one_packet() {
    let mut client = Client::new(options(true, "c")).unwrap();
    for action in client.handle(Timestamp(0), Input::Opened) {
        let Action::Send { bytes } = action else { panic!("{action:?}") };
        let mut framer = Framer::new(MAXIMUM_PACKET_SIZE);
        framer.push(bytes.clone());
        assert_eq!(framer.next().unwrap(), Some(bytes));
        assert!(framer.partial().is_empty());
    }
}
