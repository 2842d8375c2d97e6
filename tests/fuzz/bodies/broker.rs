//! A broker that hears anything from anybody: it keeps its limits and its promises, and how bytes were cut makes no
//! difference to what it does.

use super::{
    Log, Source,
    disk::{Change, Side},
    encode,
    host::{self, Notes, Order},
    one_of, packets,
    peer::Peer,
};
use arbitrary::{Result, Unstructured};
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{
        Action, Authentication, Caller, Config, ConnectionId, Durability, Event, Frame, Grant, Grants, Input, Verdict,
    },
    codec::{Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId, Publish, QoS, ReasonCode, Text},
    time::Timestamp,
};
use std::{collections::BTreeMap, mem};

/// Takes limits and steps from the bytes; `change` has the last word on the limits. Shows every step and action.
pub fn broker(data: &[u8], change: impl FnOnce(&mut Config), log: Log<'_>) {
    run(data, change, Restarts::Sound, log);
}

/// The same with a broker that ends now and then, and comes back from records of which some are not what it left.
pub fn restore(data: &[u8], log: Log<'_>) {
    run(data, |_| (), Restarts::Broken, log);
}

/// How a broker comes back: seldom and from its own records, or often and from whatever is there.
#[derive(Clone, Copy, PartialEq)]
enum Restarts {
    Sound,
    Broken,
}

fn run(data: &[u8], change: impl FnOnce(&mut Config), restarts: Restarts, log: Log<'_>) {
    let mut source = Unstructured::new(data);
    let Ok(mut config) = config(&mut source) else { return };
    if restarts == Restarts::Broken && config.durability == Durability::None {
        config.durability = Durability::Sessions;
    }
    // Not drawn: that would change what all inputs of the corpus say.
    if config.maximum_connections == 3 {
        config.publish_messages_per_second = 1;
        config.requests_per_second = 1;
    }
    let has_rules = config.maximum_connections == 4;
    if has_rules {
        host::set_rules(&mut config);
    }
    change(&mut config);
    let mut world = World::new(config, log);
    for _ in 0..MOST_STEPS {
        if source.is_empty() {
            break;
        }
        let Ok(step) = step(&mut source, restarts, has_rules) else { break };
        (world.log)(&step);
        world.take(step);
    }
    world.end();
}

#[derive(Debug)]
enum Step {
    Open(usize, Option<Packet>),
    /// Packets in one chunk.
    Send(usize, Vec<Packet>),
    /// A packet so often that one input cannot process it all.
    Flood(usize, Packet),
    Bytes(usize, Vec<u8>),
    AcknowledgeAll(usize),
    Close(usize),
    Writable(usize),
    Verdict(Verdict),
    Wait(u64),
    Publish(Publish),
    Order(Order),
    ShutDown,
    /// The broker comes back, with these of its clients' connections.
    Restart(Vec<Change>, [bool; CLIENTS]),
}

const CLIENTS: usize = 4;
const MOST_STEPS: usize = 150;
/// A little more than one input may cause.
const FLOOD: usize = 2_500;

fn step(source: &mut Source<'_>, restarts: Restarts, has_rules: bool) -> Result<Step> {
    let kind = source.int_in_range(0..=31_u8)?;
    let client = source.int_in_range(0..=CLIENTS as u8 - 1)?.into();
    Ok(match kind {
        0..=3 => Step::Open(client, Some(Packet::Connect(Box::new(packets::connect(source)?)))),
        4 => Step::Open(client, None),
        5..=10 => Step::Send(client, vec![Packet::Publish(packets::publish(source)?)]),
        11..=13 => Step::Send(client, vec![Packet::Subscribe(packets::subscribe(source)?)]),
        14..=16 => Step::Send(client, vec![packets::packet(source)?]),
        19 if source.ratio(1, 4)? => Step::Flood(client, packets::packet(source)?),
        17..=19 => Step::Send(client, vec![packets::packet(source)?, packets::packet(source)?]),
        20 => {
            let length = source.int_in_range(0..=40_u8)?.into();
            Step::Bytes(client, source.bytes(source.len().min(length))?.to_vec())
        }
        21 | 22 => Step::AcknowledgeAll(client),
        23 => Step::Close(client),
        24 if has_rules => Step::Order(host::order(source)?),
        24 | 25 => Step::Writable(client),
        26 | 27 => Step::Verdict(verdict(source)?),
        28 | 29 => Step::Wait(one_of(source, &[1, 999, 1_500, 10_000, 120_000])?),
        30 if restarts == Restarts::Broken => Step::Restart(Change::some(source)?, source.arbitrary()?),
        30 if source.arbitrary()? => Step::Restart(Vec::new(), source.arbitrary()?),
        30 => Step::Publish(packets::publish(source)?),
        _ if source.ratio(1, 16)? => Step::ShutDown,
        _ => Step::Send(client, vec![Packet::Disconnect(packets::disconnect(source)?)]),
    })
}

fn verdict(source: &mut Source<'_>) -> Result<Verdict> {
    Ok(match source.int_in_range(0..=7_u8)? {
        0 => Verdict::deny(packets::reason(source)?),
        1 => Verdict::Redirect { server: packets::text(source)?, permanent: source.arbitrary()? },
        2 => Verdict::Continue { data: Some(packets::binary(source)?) },
        3 => Verdict::Continue { data: None },
        4 => Verdict::Allow {
            grants: grants(source)?,
            data: Some(packets::binary(source)?),
            user_name: source.arbitrary::<bool>()?.then(|| packets::text(source)).transpose()?,
            expires_at: source.arbitrary::<Option<u16>>()?.map(|at| Timestamp(at.into())),
        },
        _ => Verdict::allow(Grants::all()),
    })
}

fn grants(source: &mut Source<'_>) -> Result<Grants> {
    const FILTERS: [&str; 6] = ["a/#", "#", "$SYS/#", "%c/#", "%u", "b"];
    let rules: Result<Vec<_>> = (0..source.int_in_range(0..=3)?)
        .map(|_| {
            Ok(Grant {
                filter: one_of(source, &FILTERS).map(Text::from_static)?,
                publish: source.arbitrary()?,
                subscribe: source.arbitrary()?,
                maximum_qos: packets::qos(source)?,
                retain: source.arbitrary()?,
            })
        })
        .collect();
    Ok(Grants::of(rules?))
}

fn config(source: &mut Source<'_>) -> Result<Config> {
    let authentication = match source.int_in_range(0..=3_u8)? {
        0 => Authentication::Ask,
        1 => Authentication::Open(grants(source)?),
        _ => Authentication::Open(Grants::all()),
    };
    Ok(Config {
        authentication,
        durability: one_of(source, &[Durability::None, Durability::Sessions, Durability::Connections])?,
        maximum_connections: source.int_in_range(2..=8)?,
        maximum_sessions: source.int_in_range(1..=8)?,
        maximum_packet_size: one_of(source, &[1_000, 300, 60])?,
        maximum_connect_size: one_of(source, &[1_000, 200, 30])?,
        receive_maximum: source.int_in_range(0..=4)?,
        topic_alias_maximum: source.int_in_range(0..=3)?,
        assigned_topic_aliases: source.int_in_range(0..=3)?,
        maximum_qos: one_of(source, &[QoS::ExactlyOnce, QoS::ExactlyOnce, QoS::AtLeastOnce, QoS::AtMostOnce])?,
        retain_available: source.ratio(7, 8)?,
        wildcard_subscription_available: source.ratio(7, 8)?,
        subscription_identifiers_available: source.ratio(7, 8)?,
        shared_subscription_available: source.ratio(7, 8)?,
        server_keep_alive_seconds: one_of(source, &[None, None, Some(0), Some(5)])?,
        maximum_session_expiry_seconds: one_of(source, &[100, 0, u32::MAX])?,
        maximum_subscriptions: source.int_in_range(0..=5)?,
        maximum_topic_levels: one_of(source, &[128, 3, 2])?,
        maximum_in_flight: source.int_in_range(0..=4)?,
        maximum_queued_messages: source.int_in_range(0..=6)?,
        send_buffer: one_of(source, &[500, 100, 1, 1 << 20])?,
        maximum_retained_messages: source.int_in_range(0..=4)?,
        sys_interval_seconds: one_of(source, &[10, 0, 1])?,
        response_information: one_of(source, &[None, Some("r/")])?.map(Text::from_static),
        maximum_subscription_bytes: one_of(source, &[1 << 20, 2_000])?,
        maximum_queued_bytes: one_of(source, &[1 << 20, 1_000])?,
        maximum_retained_bytes: one_of(source, &[1 << 20, 1_000])?,
        maximum_message_bytes: one_of(source, &[1 << 20, 3_000])?,
        ..Config::default()
    })
}

/// Whether each piece of what is sent counts: then how it is cut makes a difference.
const fn is_slow(config: &Config) -> bool {
    config.requests_per_second == 1
}

struct World<'log> {
    config: Config,
    side: Side,
    /// Hears the same in smaller pieces; gone after a flood, which has no such twin, as when pieces count.
    twin: Option<Side>,
    restarts: u8,
    /// What its host does besides; absent where there are no rules.
    notes: Option<Notes>,
    /// Whether all records ever restored were a broker's own.
    is_sound: bool,
    /// Bytes of such a piece, another one each time.
    piece: usize,
    now: Timestamp,
    last_connection: u64,
    clients: [Option<Client>; CLIENTS],
    questions: Vec<ConnectionId>,
    log: Log<'log>,
}

struct Client {
    connection: ConnectionId,
    peer: Peer,
    /// What the client sends, as the broker reads it.
    sent: Framer,
    /// Whether something was sent that nobody can read: what follows is not looked at.
    is_unreadable: bool,
    is_accepted: bool,
    unsent: usize,
}

impl<'log> World<'log> {
    fn new(config: Config, log: Log<'log>) -> Self {
        Self {
            side: Side::new(&config),
            twin: (!is_slow(&config)).then(|| Side::new(&config)),
            restarts: 0,
            notes: (!config.rules.is_empty()).then(Notes::default),
            is_sound: true,
            piece: 1,
            now: Timestamp(1),
            last_connection: 0,
            clients: [const { None }; CLIENTS],
            questions: Vec::new(),
            log,
            config,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Open(client, connect) => self.open(client, connect),
            Step::Send(client, packets) => self.send(client, &packets),
            Step::Flood(client, packet) => {
                self.twin = None;
                self.send(client, &vec![packet; FLOOD]);
            }
            Step::Bytes(client, bytes) => self.receive(client, bytes.into()),
            Step::AcknowledgeAll(client) => self.acknowledge_all(client),
            Step::Close(client) => {
                if let Some(client) = self.clients[client].take() {
                    self.input(Input::Closed { connection: client.connection });
                }
            }
            Step::Writable(client) => {
                if let Some(client) = &mut self.clients[client] {
                    client.unsent = 0;
                    let connection = client.connection;
                    self.input(Input::Writable { connection });
                }
            }
            Step::Verdict(verdict) => {
                if let Some(connection) = self.questions.pop() {
                    self.input(Input::Authenticated { connection, verdict });
                }
            }
            Step::Wait(millis) => {
                self.now = self.now.plus_millis(millis);
                self.input(Input::Timeout);
            }
            Step::Publish(publish) => {
                // Without a caller no rule counts.
                let caller = self.notes.is_some().then(|| Box::new(Caller::default()));
                self.input(Input::Publish { publish, caller });
            }
            Step::Order(order) => {
                if let Some(input) = self.notes.as_mut().and_then(|notes| notes.input(order, &self.side)) {
                    self.input(input);
                }
            }
            Step::ShutDown => self.input(Input::ShutDown),
            Step::Restart(changes, resumed) => self.restart(&changes, resumed),
        }
        self.check_limits();
    }

    fn open(&mut self, index: usize, connect: Option<Packet>) {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        // An old connection may go before the new one comes, or later, or never.
        if let Some(old) = self.clients[index].take().filter(|_| !self.last_connection.is_multiple_of(3)) {
            self.input(Input::Closed { connection: old.connection });
        }
        let sent = Framer::new(MAXIMUM_PACKET_SIZE);
        self.clients[index] =
            Some(Client { connection, peer: Peer::new(), sent, is_unreadable: false, is_accepted: false, unsent: 0 });
        self.input(Input::Opened { connection });
        if let Some(connect) = connect {
            self.send(index, &[connect]);
        }
    }

    fn send(&mut self, index: usize, packets: &[Packet]) {
        let Some(client) = &self.clients[index] else { return };
        let mut version = client.peer.version.unwrap_or_default();
        let mut bytes = BytesMut::new();
        for packet in packets {
            if let (Packet::Connect(connect), None) = (packet, client.peer.version) {
                version = connect.version;
            }
            bytes.extend_from_slice(&encode(packet, version));
        }
        self.receive(index, bytes.freeze());
    }

    fn receive(&mut self, index: usize, bytes: Bytes) {
        if let Some(client) = &mut self.clients[index] {
            client.sends(bytes.clone());
            let connection = client.connection;
            self.input(Input::Received { connection, bytes });
        }
    }

    /// With PUBACK: a client that has a QoS 2 message to acknowledge breaks a rule.
    fn acknowledge_all(&mut self, index: usize) {
        let Some(client) = &self.clients[index] else { return };
        let answer = |id: PacketId| Packet::PubAck(id.into());
        self.send(index, &client.peer.exchanges().into_iter().map(answer).collect::<Vec<_>>());
    }

    /// The broker is gone, and another one made of what it left. A client whose connection has gone, or of which nothing
    /// can be expected any more, is forgotten.
    fn restart(&mut self, changes: &[Change], resumed: [bool; CLIENTS]) {
        self.restarts += 1;
        self.is_sound &= changes.is_empty();
        self.questions.clear();
        if let Some(notes) = &mut self.notes {
            notes.restarted(self.config.durability != Durability::None);
        }
        let connections = self.side.restart(&self.config, self.restarts, changes, self.is_sound);
        if let Some(twin) = &mut self.twin {
            twin.restart(&self.config, self.restarts, changes, self.is_sound);
        }
        for (client, is_resumed) in self.clients.iter_mut().zip(resumed) {
            let goes_on = |it: &Client| is_resumed && !it.peer.is_closed && connections.contains_key(&it.connection);
            *client = client.take().filter(|it| changes.is_empty() && goes_on(it));
        }
        for (connection, state) in connections {
            if !changes.is_empty() || self.client(connection).is_some() {
                self.input(Input::Resumed { connection, state });
            }
        }
    }

    fn input(&mut self, input: Input) {
        let is_resumed = matches!(input, Input::Resumed { .. });
        let mut actions = self.side.handle(self.now, input.clone());
        self.piece = self.piece % 7 + 1;
        if let Some(twin) = &mut self.twin {
            let mut again = Vec::new();
            match input {
                Input::Received { connection, bytes } if !bytes.is_empty() => {
                    for piece in bytes.chunks(self.piece) {
                        let bytes = bytes.slice_ref(piece);
                        again.extend(twin.handle(self.now, Input::Received { connection, bytes }));
                    }
                }
                input => again.extend(twin.handle(self.now, input)),
            }
            // A later piece comes with a look at what is due by then. Nothing may come before the last that is resumed.
            if !is_resumed {
                actions.extend(self.side.serve(self.now));
                again.extend(twin.serve(self.now));
            }
            assert_eq!(Outcome::of(&actions), Outcome::of(&again), "in pieces of {} bytes", self.piece);
            assert_eq!(self.side.disk, twin.disk, "in pieces of {} bytes", self.piece);
        }
        for action in actions {
            (self.log)(&action);
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Send { connection, frame } => {
                let keeps_silence = self.notes.is_some() && self.is_sound;
                if let Some(client) = self.client(connection)
                    && let Packet::Publish(publish) = client.hears(&frame)
                    && keeps_silence
                {
                    host::check_heard(&publish);
                }
            }
            Action::Close { connection, .. } => {
                if let Some(client) = self.client(connection) {
                    assert!(!mem::replace(&mut client.peer.is_closed, true), "closed twice");
                }
            }
            Action::Authenticate { connection, .. } => self.questions.push(connection),
            Action::Review { review, request } => {
                self.notes.as_mut().expect("only rules ask").asked(review);
                if self.is_sound {
                    host::check_asked(&request.publish);
                }
            }
            Action::Put { .. }
            | Action::Delete { .. }
            | Action::Remember { .. }
            | Action::Report(_)
            | Action::Published { .. } => {}
        }
    }

    fn client(&mut self, connection: ConnectionId) -> Option<&mut Client> {
        self.clients.iter_mut().flatten().find(|client| client.connection == connection)
    }

    fn check_limits(&self) {
        let (config, now) = (&self.config, self.side.broker.statistics());
        if let Some(twin) = &self.twin {
            assert_eq!(twin.broker.statistics(), now);
            assert_eq!(twin.broker.deadline(), self.side.broker.deadline());
        }
        if !self.is_sound {
            return; // what records say beyond a limit is kept
        }
        if let Some(notes) = &self.notes {
            notes.check(&self.side, config);
        }
        let most = |value: usize| value as u64;
        assert!(now.clients_connected <= most(config.maximum_connections));
        assert!(now.sessions <= most(config.maximum_sessions));
        assert!(now.subscriptions <= now.sessions * most(config.maximum_subscriptions));
        assert!(now.subscription_bytes <= most(config.maximum_subscription_bytes));
        assert!(now.retained_messages <= most(config.maximum_retained_messages));
        assert!(now.retained_bytes <= most(config.maximum_retained_bytes));
        // The message that reaches the limit, and its way to each session, are let in.
        assert!(now.message_bytes <= most(config.maximum_message_bytes) + 10_000);
        let in_flight = u64::from(config.maximum_in_flight.max(1)) * 2;
        assert!(now.messages_stored <= now.sessions * (most(config.maximum_queued_messages) + 1 + in_flight));
        for client in self.clients.iter().flatten().filter(|client| !client.peer.is_closed) {
            assert!(client.unsent <= 4 * config.send_buffer + 2_000, "{} unsent", client.unsent);
        }
    }

    /// When all clients are gone and all time has passed, nothing is left but what is kept for good.
    fn end(mut self) {
        for client in 0..CLIENTS {
            self.take(Step::Close(client));
        }
        self.take(Step::ShutDown);
        for _ in 0..1_000 {
            let Some(deadline) = self.side.broker.deadline() else { break };
            self.now = self.now.max(deadline.at);
            self.input(Input::Timeout);
        }
        assert_eq!(self.side.broker.deadline(), None);
        let left = self.side.broker.statistics();
        assert_eq!((left.clients_connected, left.messages_in_review), (0, 0));
        if self.is_sound && self.config.maximum_session_expiry_seconds < u32::MAX {
            assert_eq!((left.sessions, left.subscriptions, left.subscription_bytes), (0, 0, 0));
            assert_eq!(left.messages_stored, 0);
            assert!(left.message_bytes <= left.retained_bytes, "only these are left");
        }
        self.check_limits();
    }
}

impl Client {
    /// Notes what is sent, up to what nobody can read.
    fn sends(&mut self, bytes: Bytes) {
        self.sent.push(bytes);
        while !self.is_unreadable
            && let Ok(Some(frame)) = self.sent.next()
        {
            let is_first = self.peer.version.is_none();
            match Packet::decode(frame, self.peer.version.unwrap_or_default()) {
                Ok(Packet::Connect(connect)) if is_first => self.peer.connects(&connect),
                Ok(packet) => self.peer.sends(&packet),
                Err(_) => self.is_unreadable = true,
            }
        }
    }

    fn hears(&mut self, frame: &Frame) -> Packet {
        assert!(!frame.is_empty());
        self.unsent += frame.len();
        let mut bytes = BytesMut::new();
        frame.write_to(&mut bytes);
        let packet = self.peer.hears(&bytes.freeze());
        match &packet {
            Packet::ConnAck(connack) => {
                assert!(!self.is_accepted, "CONNACK comes once");
                self.is_accepted = connack.reason == ReasonCode::Success;
            }
            Packet::Auth(_) => {}
            Packet::Disconnect(_)
            | Packet::Publish(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp => assert!(self.is_accepted, "[MQTT-3.2.0-1]"),
            packet => panic!("no server sends {packet:?}"),
        }
        packet
    }
}

/// What came of an input, besides what the disk has of it. How many reports tell of what was dropped depends on the pieces, how many messages were not.
#[derive(Debug, Default, PartialEq)]
struct Outcome<'actions> {
    actions: Vec<&'actions Action>,
    dropped: BTreeMap<(&'actions str, &'static str), u64>,
}

impl<'actions> Outcome<'actions> {
    fn of(actions: &'actions [Action]) -> Self {
        let mut outcome = Self::default();
        for action in actions {
            match action {
                Action::Report(Event::Dropped { client_id, why, count }) => {
                    *outcome.dropped.entry((client_id.as_str(), why)).or_default() += count;
                }
                Action::Put { .. } | Action::Delete { .. } | Action::Remember { .. } => {}
                action => outcome.actions.push(action),
            }
        }
        outcome
    }
}
