//! The host of a broker: feeds it packet by packet beside the model and a twin that gets the same bytes cut anywhere, and
//! performs its actions in order, behind a disk.

use super::{
    check::{Check, violated},
    disk::{Disk, Records, apply},
    random::Random,
    rules::grants,
    state::{Model, Session},
    trace::Setup,
};
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{
        Action, Authentication, Broker, Config, ConnectionId, Durability, Event, Grants, Input, Statistics, Verdict,
    },
    codec::{Framer, MAXIMUM_PACKET_SIZE, Packet, Publish, ReasonCode, Text},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

pub struct Host {
    setup: Rc<Setup>,
    broker: Broker,
    /// Is told the same, its bytes cut anywhere.
    twin: Broker,
    pub model: Model,
    check: Check,
    pub disk: Disk<Output>,
    mirror: Kept,
    twins: Kept,
    /// The last input of which a client heard, of those that changed what must outlive a crash.
    heard: u64,
    /// The next bytes make the broker panic.
    pub panics: bool,
    /// The number of the last input.
    input: u64,
    /// What the sockets that are open brought so far of a packet.
    sockets: BTreeMap<ConnectionId, Framer>,
    /// Connections of which nobody has heard that they are closed.
    open: BTreeSet<ConnectionId>,
    questions: BTreeMap<ConnectionId, Text>,
    /// What may go out.
    pub outputs: Vec<Output>,
    /// Whether inputs and actions are printed: `LOG=1`.
    is_logged: bool,
    /// All actions so far, as one number.
    pub log: u64,
}

/// What leaves the host.
pub enum Output {
    Send { connection: ConnectionId, bytes: Bytes, is_touched_by: Option<u64> },
    Close { connection: ConnectionId },
    Ask { connection: ConnectionId },
}

/// What a host keeps for the next broker.
#[derive(PartialEq, Debug, Default)]
struct Kept {
    /// Durable or not.
    records: Records,
    states: BTreeMap<ConnectionId, Bytes>,
}

/// What two brokers that were told the same must have done alike.
#[derive(PartialEq, Debug, Default)]
struct Deeds {
    actions: Vec<(ConnectionId, Deed)>,
    dropped: BTreeMap<(Text, &'static str), u64>,
}

#[derive(PartialEq, Debug)]
enum Deed {
    Send(Bytes),
    Close(u8),
    Ask,
}

impl Host {
    pub fn new(setup: Rc<Setup>) -> Self {
        let model = Model::new(setup.clone());
        Self {
            broker: Broker::new(config(&setup), [1; 32]),
            twin: Broker::new(config(&setup), [1; 32]),
            check: Check::default(),
            disk: Disk::new(model.clone()),
            model,
            setup,
            mirror: Kept::default(),
            twins: Kept::default(),
            heard: 0,
            panics: false,
            input: 0,
            sockets: BTreeMap::new(),
            open: BTreeSet::new(),
            questions: BTreeMap::new(),
            outputs: Vec::new(),
            is_logged: std::env::var_os("LOG").is_some(),
            log: 0xCBF2_9CE4_8422_2325,
        }
    }

    pub fn opened(&mut self, now: u64, connection: ConnectionId) {
        self.check.opened(connection);
        self.open.insert(connection);
        self.sockets.insert(connection, Framer::new(MAXIMUM_PACKET_SIZE));
        self.both(now, Input::Opened { connection }, |model| model.opened(connection));
    }

    /// Bytes came. The broker gets them packet by packet, the last perhaps in part.
    pub fn received(&mut self, now: u64, connection: ConnectionId, bytes: Bytes, random: &mut Random) {
        let Some(framer) = self.sockets.get_mut(&connection) else { return };
        if std::mem::take(&mut self.panics) {
            return self.sleep(now, Some(connection));
        }
        let (mut rest, mut known) = (bytes.clone(), framer.unread());
        framer.push(bytes.clone());
        let mut pieces = Vec::new();
        while let Some(packet) = framer.next().expect("clients keep to the rules") {
            pieces.push((rest.split_to(packet.len() - std::mem::take(&mut known)), Some(packet)));
        }
        pieces.push((rest, None));
        let mut deeds = Deeds::default();
        for (bytes, packet) in pieces.into_iter().filter(|(bytes, _)| !bytes.is_empty()) {
            let packet = packet.map(|packet| Packet::decode(packet, self.check.version(connection)));
            let packet = packet.map(|packet| packet.expect("clients keep to the rules"));
            if let Some(Packet::Connect(connect)) = &packet {
                self.check.connect(connection, connect);
                self.questions.insert(connection, connect.client_id.clone());
            }
            let actions = self.input(now, Input::Received { connection, bytes }, |model| {
                if let Some(packet) = packet {
                    model.packet(connection, packet);
                }
            });
            deeds.add(actions);
        }
        let mut alike = Deeds::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let bytes = rest.split_to(1 + random.below(rest.len() as u64) as usize);
            let actions = self.twin.handle(Timestamp(now), Input::Received { connection, bytes }).collect();
            alike.add(self.twins.keep(actions));
        }
        self.compare(deeds, alike);
    }

    /// All that was sent so far was written.
    pub fn written(&mut self, now: u64, connection: ConnectionId) {
        self.check.written(connection);
        self.both(now, Input::Writable { connection }, |_| ());
    }

    pub fn closed(&mut self, now: u64, connection: ConnectionId) {
        self.open.remove(&connection);
        if self.sockets.remove(&connection).is_some() {
            self.both(now, Input::Closed { connection }, |model| model.closed(connection));
            self.check.closed(connection);
            self.mirror.states.remove(&connection);
            self.twins.states.remove(&connection);
        }
    }

    pub fn answer(&mut self, now: u64, connection: ConnectionId) {
        let Some(client_id) = self.questions.remove(&connection) else { return };
        let verdict = Verdict::allow(grants(self.setup.asks, &client_id));
        self.both(now, Input::Authenticated { connection, verdict }, |model| model.admit(connection));
    }

    pub fn publish(&mut self, now: u64, publish: Publish) {
        let taken = publish.clone();
        let mut outcome = None;
        let input = Input::Publish { publish, caller: None };
        let actions = self.both(now, input, |model| outcome = Some(model.take(taken, None)));
        let told = actions.iter().find_map(|action| match action {
            Action::Published { reason } => Some(*reason),
            _ => None,
        });
        if told != outcome {
            violated("the host hears what became of its message", format!("{told:?}, not {outcome:?}"));
        }
    }

    pub fn keep(&mut self, now: u64, name: u64, value: Option<u64>) {
        let name = Text::try_from(name.to_string()).expect("a name");
        let value = value.map(|value| Bytes::from(value.to_string()));
        let kept = (name.clone(), value.clone());
        self.both(now, Input::Keep { name, value }, |model| model.keep(kept));
    }

    pub fn dismiss(&mut self, now: u64, client_id: Text, end_session: bool) {
        let whose = client_id.clone();
        let input = Input::Disconnect { client_id, reason: ReasonCode::AdministrativeAction, end_session };
        self.both(now, input, |model| model.dismiss(&whose, end_session));
    }

    /// When the broker wants to be called, and why.
    pub fn deadline(&self) -> Option<(u64, &'static str)> {
        self.broker.deadline().map(|deadline| (deadline.at.0, deadline.why))
    }

    pub fn timeout(&mut self, now: u64) {
        self.both(now, Input::Timeout, |_| ());
    }

    pub fn statistics(&self) -> Statistics {
        self.broker.statistics()
    }

    pub fn inputs(&self) -> u64 {
        self.input
    }

    /// What an input that came before this much was heard of by a client.
    pub fn is_heard(&mut self, input: u64) {
        self.heard = self.heard.max(input);
    }

    pub fn has_storage(&self) -> bool {
        self.setup.durability > 0
    }

    /// All is durable, the broker is dropped and restored; its connections go on, where they are remembered, but `without`.
    pub fn sleep(&mut self, now: u64, without: Option<ConnectionId>) {
        let released = self.disk.flush();
        self.outputs.extend(released);
        let before = self.broker.statistics();
        let is_silent = self.model.is_silent(now);
        let outlive = |id: &ConnectionId| self.setup.durability > 1 && Some(*id) != without;
        let resumed: Vec<_> = self.sockets.keys().copied().filter(outlive).collect();
        self.restart(now, &resumed);
        if without.is_none() && self.setup.durability > 1 && !is_silent {
            compare(before, self.broker.statistics());
        }
    }

    /// The broker is gone, with all but this many of the batches that were not durable; so are its connections.
    pub fn crash(&mut self, now: u64, survives: usize) {
        let (survivor, model) = self.disk.crash(survives);
        if self.heard > survivor {
            violated("what was heard outlives a crash", format!("input {}, but {survivor} is the last", self.heard));
        }
        self.model = model;
        self.mirror.records = self.disk.records();
        self.twins.records = self.mirror.records.clone();
        self.restart(now, &[]);
    }

    fn restart(&mut self, now: u64, resumed: &[ConnectionId]) {
        (self.broker, self.twin) = (self.restored(), self.restored());
        self.check_records();
        if self.is_logged {
            eprintln!("{now} restored, with {resumed:?}");
        }
        self.model.restarted(resumed);
        self.check.restarted(resumed);
        self.sockets.retain(|id, _| resumed.contains(id));
        self.questions.clear();
        let lost = self.open.iter().filter(|id| !resumed.contains(id));
        self.outputs.extend(lost.map(|id| Output::Close { connection: *id }));
        self.open.retain(|id| resumed.contains(id));
        for kept in [&mut self.mirror, &mut self.twins] {
            kept.states.retain(|id, _| resumed.contains(id));
        }
        for connection in resumed.iter().copied() {
            let state = self.mirror.states.get(&connection).cloned().unwrap_or_default();
            self.both(now, Input::Resumed { connection, state }, |model| model.resumed(connection));
        }
        self.timeout(now);
    }

    /// A broker of what was put, durable or not.
    fn restored(&self) -> Broker {
        let restored = Broker::restore(config(&self.setup), [1; 32], self.mirror.records.clone());
        if let Some(error) = restored.rejected.first() {
            violated("what was put can be restored", format!("{error:?}"));
        }
        restored.broker
    }

    /// What the broker says of its records is what was put.
    fn check_records(&self) {
        let all = Text::default();
        let kept: BTreeMap<_, _> = self.broker.kept(&all).map(|(name, value)| (name.clone(), value.clone())).collect();
        if kept != self.model.kept {
            violated("what was kept is there", format!("{kept:?} is not {:?}", self.model.kept));
        }
        if self.broker.statistics().messages_delayed != self.model.delayed.len() as u64 {
            violated("what is delayed is there", format!("{:?}", self.model.delayed));
        }
        if self.setup.durability == 0 {
            return;
        }
        let said: Records = self.broker.records().into_iter().collect();
        let put = self.mirror.records.iter().filter(|(key, _)| !CONNECTIONS.contains(&key[0]));
        let put: Records = put.map(|(key, value)| (key.clone(), value.clone())).collect();
        if said != put {
            violated("what was put is what is there", format!("{said:#?}\nis not\n{put:#?}"));
        }
    }

    /// What was put and remembered is the broker that there is.
    fn check_mirror(&self, now: u64) {
        let mut mirror = self.restored();
        if self.setup.durability < 2 {
            return;
        }
        for connection in self.sockets.keys().copied() {
            let state = self.mirror.states.get(&connection).cloned().unwrap_or_default();
            _ = mirror.handle(Timestamp(now), Input::Resumed { connection, state });
        }
        let (before, after) = (self.broker.statistics(), mirror.statistics());
        compare(before, after);
        let sure = self.model.sessions.iter().map(Session::sure_messages).sum::<usize>() as u64;
        let (before, after) = (before.messages_stored, after.messages_stored);
        if !(sure..=before).contains(&after) {
            violated("what was put is what is there", format!("{after} messages instead of {before}, {sure} at least"));
        }
    }

    /// One input for the broker and its twin.
    fn both(&mut self, now: u64, input: Input, tell: impl FnOnce(&mut Model)) -> Vec<Action> {
        let (mut deeds, mut alike) = (Deeds::default(), Deeds::default());
        let actions = self.twin.handle(Timestamp(now), input.clone()).collect();
        alike.add(self.twins.keep(actions));
        let actions = self.input(now, input, tell);
        deeds.add(actions.clone());
        self.compare(deeds, alike);
        actions
    }

    fn compare(&self, deeds: Deeds, alike: Deeds) {
        if deeds != alike {
            violated("any split of the same bytes", format!("{deeds:#?}\nis not\n{alike:#?}"));
        }
        if self.mirror != self.twins {
            violated("any split of the same bytes", format!("{:#?}\nis not\n{:#?}", self.mirror, self.twins));
        }
        let (deadline, other) = (self.broker.deadline(), self.twin.deadline());
        if deadline != other {
            violated("any split of the same bytes", format!("{deadline:?} is not {other:?}"));
        }
    }

    fn input(&mut self, now: u64, input: Input, tell: impl FnOnce(&mut Model)) -> Vec<Action> {
        self.input += 1;
        if self.is_logged {
            eprintln!("{now} {input:?}");
        }
        let is_resumed = matches!(input, Input::Resumed { .. });
        self.model.begin(now, is_resumed);
        tell(&mut self.model);
        let actions = self.broker.handle(Timestamp(now), input);
        let may_wait = actions.writes_may_wait();
        let actions: Vec<_> = actions.collect();
        if self.is_logged {
            actions.iter().for_each(|action| eprintln!("    {action:?}"));
        }
        self.check.actions(&mut self.model, &self.setup, &actions);
        if !is_resumed {
            self.check.nobody_waits(&mut self.model, &self.setup);
        }
        actions.iter().for_each(|action| self.perform(action, may_wait));
        self.disk.seal(self.input, &self.model);
        let actions = self.mirror.keep(actions);
        self.check_records();
        if self.setup.durability > 0 && self.input.is_multiple_of(MIRRORED) && !is_resumed {
            self.check_mirror(now);
        }
        actions
    }

    fn perform(&mut self, action: &Action, may_wait: bool) {
        let output = match action {
            Action::Send { connection, frame } => {
                let mut bytes = BytesMut::new();
                frame.write_to(&mut bytes);
                let bytes = bytes.freeze();
                self.note(connection.0, &bytes);
                let is_touched_by = self.model.is_touched.then_some(self.input);
                Output::Send { connection: *connection, bytes, is_touched_by }
            }
            Action::Close { connection, reason } => {
                self.note(connection.0, &[reason.value()]);
                self.sockets.remove(connection);
                self.questions.remove(connection);
                Output::Close { connection: *connection }
            }
            Action::Authenticate { connection, .. } => Output::Ask { connection: *connection },
            Action::Put { key, value } => {
                self.note(0, key);
                self.note(0, value);
                return self.disk.write(self.input, may_wait, (key.clone(), Some(value.clone())));
            }
            Action::Delete { key } => {
                self.note(0, key);
                return self.disk.write(self.input, may_wait, (key.clone(), None));
            }
            Action::Remember { connection, state } => return self.note(connection.0, state),
            Action::Review { .. } => panic!("there are no rules"),
            Action::Report(_) | Action::Published { .. } => return,
        };
        self.outputs.extend(self.disk.hold(output));
    }

    /// Adds to the log. (FNV-1a)
    fn note(&mut self, number: u64, bytes: &[u8]) {
        for byte in number.to_be_bytes().iter().chain(bytes) {
            self.log = (self.log ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        }
    }
}

impl Deeds {
    fn add(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { connection, frame } => {
                    let mut bytes = BytesMut::new();
                    frame.write_to(&mut bytes);
                    self.actions.push((connection, Deed::Send(bytes.freeze())));
                }
                Action::Close { connection, reason } => self.actions.push((connection, Deed::Close(reason.value()))),
                Action::Authenticate { connection, .. } => self.actions.push((connection, Deed::Ask)),
                Action::Report(Event::Dropped { client_id, why, count }) => {
                    *self.dropped.entry((client_id, why)).or_default() += count;
                }
                Action::Put { .. }
                | Action::Delete { .. }
                | Action::Remember { .. }
                | Action::Report(_)
                | Action::Published { .. } => {}
                Action::Review { .. } => panic!("there are no rules"),
            }
        }
    }
}

impl Kept {
    /// Keeps what there is to keep.
    fn keep(&mut self, actions: Vec<Action>) -> Vec<Action> {
        for action in &actions {
            match action {
                Action::Put { key, value } => apply(&mut self.records, &(key.clone(), Some(value.clone()))),
                Action::Delete { key } => apply(&mut self.records, &(key.clone(), None)),
                Action::Remember { connection, state } => _ = self.states.insert(*connection, state.clone()),
                Action::Close { connection, .. } => _ = self.states.remove(connection),
                Action::Send { .. }
                | Action::Authenticate { .. }
                | Action::Review { .. }
                | Action::Report(_)
                | Action::Published { .. } => {}
            }
        }
        actions
    }
}

fn compare(before: Statistics, after: Statistics) {
    let gauges = |it: Statistics| {
        let retained = (it.retained_messages, it.retained_bytes);
        (it.sessions, it.clients_connected, it.subscriptions, it.subscription_bytes, retained)
    };
    if gauges(before) != gauges(after) {
        violated("what was put is what is there", format!("{:?} instead of {:?}", gauges(after), gauges(before)));
    }
}

/// The kinds of records that are about connections.
const CONNECTIONS: &[u8] = b"cu";

/// A restart is tried beside every so manieth input.
const MIRRORED: u64 = 7;

fn config(setup: &Setup) -> Config {
    Config {
        authentication: if setup.asks == 0 { Authentication::Open(Grants::all()) } else { Authentication::Ask },
        receive_maximum: setup.receive_maximum as u16,
        topic_alias_maximum: setup.aliases as u16,
        maximum_in_flight: setup.in_flight as u16,
        maximum_queued_messages: setup.queued as usize,
        send_buffer: setup.send_buffer as usize,
        maximum_retained_messages: setup.retained as usize,
        maximum_subscriptions: setup.subscriptions as usize,
        maximum_session_expiry_seconds: u32::MAX,
        durability: [Durability::None, Durability::Sessions, Durability::Connections][setup.durability as usize],
        ..Config::default()
    }
}
