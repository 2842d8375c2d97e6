//! A client that hears anything from its server and its host: it keeps its promises, and how bytes were cut makes no
//! difference to what it does.

use super::{Log, Source, encode, one_of, packets, peer::Peer};
use arbitrary::{Result, Unstructured};
use bytes::{Bytes, BytesMut};
use mqlite::{
    client::{Action, Client, Delivery, Input, Options, OutboxLimits, OutboxPolicy, Token},
    codec::{Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId, ProtocolVersion, QoS},
    time::Timestamp,
    topic::TopicName,
};
use std::{collections::BTreeSet, num::NonZeroU32};

/// Takes options and steps from the bytes; shows every step and action.
pub fn client(data: &[u8], log: Log<'_>) {
    let mut source = Unstructured::new(data);
    let Ok(options) = options(&mut source) else { return };
    let Some(mut world) = World::new(options, log) else { return };
    for token in 0..MOST_STEPS {
        if source.is_empty() {
            break;
        }
        let Ok(step) = step(&mut source, Token(token)) else { break };
        (world.log)(&step);
        world.take(step);
    }
    world.take(Step::Host(Box::new(Input::Closed)));
    assert_eq!(world.client.deadline(), None);
}

#[derive(Debug)]
enum Step {
    Open,
    /// The server sends packets in one chunk.
    Send(Vec<Packet>),
    Bytes(Vec<u8>),
    /// The server acknowledges all that is in flight.
    AcknowledgeAll,
    Host(Box<Input>),
    /// The host takes over one of the deliveries that it has.
    Acknowledge(usize),
    Wait(u64),
}

const MOST_STEPS: u64 = 150;

fn step(source: &mut Source<'_>, token: Token) -> Result<Step> {
    Ok(match source.int_in_range(0..=34_u8)? {
        0 | 1 => Step::Open,
        2..=5 => Step::Send(vec![Packet::ConnAck(Box::new(packets::connack(source)?))]),
        6..=9 => Step::Send(vec![Packet::Publish(packets::publish(source)?)]),
        10..=13 => Step::Send(vec![packets::packet(source)?]),
        14 | 15 => Step::Send(vec![packets::packet(source)?, packets::packet(source)?]),
        16 => {
            let length = source.int_in_range(0..=40_u8)?.into();
            Step::Bytes(source.bytes(source.len().min(length))?.to_vec())
        }
        17 | 18 => Step::AcknowledgeAll,
        19 => Step::Send(vec![Packet::Auth(packets::auth(source)?)]),
        20..=23 => Step::Host(Box::new(Input::Publish { token, publish: packets::publish(source)? })),
        24 => {
            let subscribe = packets::subscribe(source)?;
            Step::Host(Box::new(Input::Subscribe {
                token,
                filters: subscribe.filters,
                properties: subscribe.properties,
                number: NonZeroU32::new(7),
            }))
        }
        25 => {
            let packet = packets::unsubscribe(source)?;
            let (filters, user_properties) = (packet.filters, packet.user_properties);
            Step::Host(Box::new(Input::Unsubscribe { token, filters, user_properties }))
        }
        26 | 27 => Step::Acknowledge(source.int_in_range(0..=3_u8)?.into()),
        28 => Step::Host(Box::new(Input::Authenticate { properties: packets::auth(source)?.properties })),
        29 => {
            let packet = packets::disconnect(source)?;
            Step::Host(Box::new(Input::Disconnect { reason: packet.reason, properties: packet.properties }))
        }
        30 => Step::Wait(one_of(source, &[1, 999, 1_500, 10_000, 120_000])?),
        31 => Step::Host(Box::new(Input::Cancel { token: Token(source.int_in_range(0..=MOST_STEPS)?) })),
        32 => {
            let filters = packets::unsubscribe(source)?.filters;
            let filter = filters.into_iter().next().unwrap_or_default();
            Step::Host(Box::new(Input::Forget { filter }))
        }
        33 => Step::Host(Box::new(Input::Probe)),
        _ => Step::Host(Box::new(Input::Closed)),
    })
}

fn options(source: &mut Source<'_>) -> Result<Options> {
    Ok(Options {
        connect: packets::connect(source)?,
        assigned_topic_aliases: source.int_in_range(0..=3)?,
        outbox: OutboxLimits {
            maximum_messages: one_of(source, &[4, 0, 1])?,
            maximum_bytes: one_of(source, &[1 << 20, 50])?,
            policy: one_of(source, &[OutboxPolicy::Reject, OutboxPolicy::DropOldest, OutboxPolicy::DropNewest])?,
        },
        response_timeout_millis: one_of(source, &[1_000, 1])?,
    })
}

struct World<'log> {
    version: ProtocolVersion,
    client: Client,
    /// Hears the same in smaller pieces.
    twin: Client,
    /// Bytes of such a piece, another one each time.
    piece: usize,
    now: Timestamp,
    /// The server of the current connection.
    server: Option<Peer>,
    /// What the server sends, as the client reads it.
    sent: Framer,
    is_accepted: bool,
    pending: BTreeSet<Token>,
    deliveries: Vec<Delivery>,
    last_delivery: Option<Delivery>,
    log: Log<'log>,
}

impl<'log> World<'log> {
    fn new(options: Options, log: Log<'log>) -> Option<Self> {
        Some(Self {
            version: options.connect.version,
            twin: Client::new(options.clone()).ok()?,
            client: Client::new(options).ok()?,
            piece: 1,
            now: Timestamp(0),
            server: None,
            sent: Framer::new(MAXIMUM_PACKET_SIZE),
            is_accepted: false,
            pending: BTreeSet::new(),
            deliveries: Vec::new(),
            last_delivery: None,
            log,
        })
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Open => {
                self.input(Input::Closed);
                self.server = Some(Peer::new());
                self.sent = Framer::new(MAXIMUM_PACKET_SIZE);
                self.is_accepted = false;
                self.input(Input::Opened);
            }
            Step::Send(packets) => self.send(&packets),
            Step::Bytes(bytes) => self.receive(bytes.into()),
            Step::AcknowledgeAll => {
                let exchanges = self.server.as_ref().map(Peer::exchanges).unwrap_or_default();
                let answer = |id: PacketId| Packet::PubAck(id.into());
                self.send(&exchanges.into_iter().map(answer).collect::<Vec<_>>());
            }
            Step::Host(input) => {
                if let Input::Publish { token, .. }
                | Input::Subscribe { token, .. }
                | Input::Unsubscribe { token, .. } = &*input
                {
                    self.pending.insert(*token);
                }
                self.input(*input);
            }
            Step::Acknowledge(place) => {
                if place < self.deliveries.len() {
                    let delivery = self.deliveries.remove(place);
                    self.input(Input::Acknowledge { delivery });
                }
            }
            Step::Wait(millis) => {
                self.now = self.now.plus_millis(millis);
                self.input(Input::Timeout);
                assert!(self.client.deadline().is_none_or(|at| at > self.now), "what is due was done");
            }
        }
    }

    fn send(&mut self, packets: &[Packet]) {
        let mut bytes = BytesMut::new();
        for packet in packets {
            bytes.extend_from_slice(&encode(packet, self.version));
        }
        self.receive(bytes.freeze());
    }

    fn receive(&mut self, bytes: Bytes) {
        self.sent.push(bytes.clone());
        while let (Some(server), Ok(Some(frame))) = (&mut self.server, self.sent.next()) {
            if let Ok(packet) = Packet::decode(frame, self.version) {
                server.sends(&packet);
            }
        }
        self.input(Input::Received { bytes });
    }

    fn input(&mut self, input: Input) {
        let actions: Vec<_> = self.client.handle(self.now, input.clone()).collect();
        self.piece = self.piece % 7 + 1;
        let mut again = Vec::new();
        match input {
            Input::Received { bytes } if !bytes.is_empty() => {
                for piece in bytes.chunks(self.piece) {
                    let bytes = bytes.slice_ref(piece);
                    again.extend(self.twin.handle(self.now, Input::Received { bytes }));
                }
            }
            input => again.extend(self.twin.handle(self.now, input)),
        }
        assert_eq!(actions, again, "in pieces of {} bytes", self.piece);
        assert_eq!(self.client.deadline(), self.twin.deadline());
        for action in actions {
            (self.log)(&action);
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Send { bytes } => self.hear(&bytes),
            Action::Close => self.server.as_mut().expect("a connection to close").is_closed = true,
            Action::Completed { token, .. } => assert!(self.pending.remove(&token), "a request completes once"),
            Action::Deliver { message, delivery } => {
                assert!(self.is_accepted);
                assert!(TopicName::parse(message.topic).is_ok(), "the topic is whole");
                assert_eq!(delivery.is_some(), message.qos > QoS::AtMostOnce);
                assert!(delivery.is_none() || delivery > self.last_delivery, "no delivery has an old number");
                self.last_delivery = delivery.or(self.last_delivery);
                self.deliveries.extend(delivery);
            }
            Action::Connected { properties, .. } => {
                assert!(!self.is_accepted, "connected once");
                self.is_accepted = true;
                let server = self.server.as_mut().expect("a connection");
                let size = properties.maximum_packet_size.map(u32::from);
                server.limit(properties.receive_maximum, size, properties.topic_alias_maximum);
            }
            Action::Refused { .. } | Action::Disconnected { .. } => {
                assert!(self.server.take().is_some(), "a connection ends once");
                self.is_accepted = false;
            }
            Action::Authenticate { .. } | Action::SubscriptionLost { .. } => {}
            Action::Put { .. } | Action::Delete { .. } => panic!("this client stores nothing"),
        }
    }

    fn hear(&mut self, bytes: &Bytes) {
        let server = self.server.as_mut().expect("nothing is sent without a connection");
        let is_first = server.version.is_none();
        server.version = Some(self.version);
        match server.hears(bytes) {
            Packet::Connect(_) => assert!(is_first, "[MQTT-3.1.0-2]"),
            packet if is_first => panic!("[MQTT-3.1.0-1] {packet:?}"),
            Packet::Auth(_) | Packet::Disconnect(_) => {}
            Packet::Publish(publish) => {
                assert!(publish.properties.subscription_identifiers.is_empty(), "[MQTT-3.3.4-6]")
            }
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                panic!("only a server sends this")
            }
            _ => {}
        }
        assert!(self.server.is_some());
    }
}
