//! The clients around a row: an offender whose session holds a message in every step, one who talks, one who watches.

use super::{
    Expected, Row,
    notation::{bytes, is_whole_packet},
};
use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Grants, Verdict},
    codec::{Auth, AuthProperties, ConnAck, Connect, ConnectProperties, Packet, ProtocolVersion, Publish, ReasonCode},
};

/// Where the offender is when it sends the row.
#[derive(Clone)]
pub struct Scene {
    offender: Offender,
    config: Config,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offender {
    /// On an open connection.
    Open,
    /// The same, let in with the Authentication Method `m`.
    Authenticated,
    /// On a connection that is new, beside the one that has the session.
    New,
    /// The same, after its CONNECT with the Authentication Method `m`, asked to go on.
    Authenticating,
}

impl Scene {
    pub fn open() -> Self {
        Self { offender: Offender::Open, config: Config::default() }
    }

    pub fn new_connection() -> Self {
        Self { offender: Offender::New, ..Self::open() }
    }

    pub fn authenticated() -> Self {
        Self { offender: Offender::Authenticated, ..Self::asking() }
    }

    pub fn authenticating() -> Self {
        Self { offender: Offender::Authenticating, ..Self::asking() }
    }

    /// With such a Receive Maximum of the server.
    pub fn receiving(receive_maximum: u16) -> Self {
        Self { config: Config { receive_maximum, ..Config::default() }, ..Self::open() }
    }

    fn asking() -> Self {
        Self { config: Config { authentication: Authentication::Ask, ..Config::default() }, ..Self::open() }
    }
}

pub struct World {
    trace: Trace,
    version: ProtocolVersion,
    offender: Offender,
    asks: bool,
}

impl World {
    pub fn new(version: ProtocolVersion, scene: Scene) -> Self {
        let asks = matches!(scene.config.authentication, Authentication::Ask);
        let trace = Trace::with(version, scene.config);
        let mut world = Self { trace, version, offender: scene.offender, asks };
        world.enter("talker", connect("talker"));
        world.enter("watcher", connect("watcher"));
        world.trace.subscribe("watcher", "watch", AtMostOnce);
        world
    }

    pub fn run(&mut self, row: &Row) {
        self.begin();
        let name = match self.offender {
            Offender::Open | Offender::Authenticated => "bad",
            Offender::New | Offender::Authenticating => "newcomer",
        };
        let mut sent = bytes(self.version, &row.text);
        if is_whole_packet(&sent) && row.expected.ends() {
            // [MQTT-3.1.4-6] nothing that follows is processed
            sent.extend(bytes(self.version, "30: <watch> {} 'after the end'"));
        }
        self.trace.send_bytes(name, sent);
        self.check(name, row.expected);
        self.others_are_unharmed();
        if name == "newcomer" {
            self.trace.send("bad", Packet::PingReq);
            self.trace.expect("bad", Packet::PingResp);
        }
        if name == "newcomer" || !row.expected.ends() {
            self.trace.cut("bad");
        }
        self.session_is_unharmed();
    }

    /// The offender has a new session, in which 1 waits for its PUBACK, 2 for its PUBREC, 3 for its PUBCOMP, and the
    /// broker has 9 from it and no PUBREL yet.
    fn begin(&mut self) {
        self.enter("bad", connect("bad"));
        self.trace.leave("bad");
        assert!(!self.enter_again());
        self.trace.subscribe("bad", "mine", ExactlyOnce);
        for (packet_id, payload) in [(1, "one"), (2, "two"), (3, "three")] {
            let qos = if packet_id == 1 { AtLeastOnce } else { ExactlyOnce };
            self.talk("mine", payload, qos);
            self.trace.expect("bad", publish("mine", payload, qos, packet_id));
        }
        self.trace.send("bad", pubrec(3, ReasonCode::Success));
        self.trace.expect("bad", pubrel(3, ReasonCode::Success));
        self.trace.send("bad", publish("watch", "held", ExactlyOnce, 9));
        self.trace.expect("bad", pubrec(9, ReasonCode::Success));
        self.trace.expect("watcher", publish("watch", "held", AtMostOnce, 0));
        match self.offender {
            Offender::Open | Offender::Authenticated => {}
            Offender::New => self.trace.open("newcomer"),
            Offender::Authenticating => {
                self.trace.open("newcomer");
                let connect = Connect { properties: self.properties(), clean_start: false, ..connect("bad") };
                self.trace.send("newcomer", Packet::Connect(Box::new(connect)));
                self.trace.answer(Verdict::Continue { data: None });
                let authentication_method = Some(text("m"));
                let properties = AuthProperties { authentication_method, ..Default::default() };
                let reason = ReasonCode::ContinueAuthentication;
                self.trace.expect("newcomer", Packet::Auth(Auth { reason, properties }));
            }
        }
    }

    fn check(&mut self, name: &'static str, expected: Expected) {
        let is_5 = self.version == V5;
        match expected {
            Expected::Out(reason) => self.trace.expect_thrown_out(name, reason),
            Expected::OutAfter(answers, reason) => {
                self.expect_answers(name, answers);
                self.trace.expect_thrown_out(name, reason);
            }
            Expected::Refused(reason) | Expected::Told(reason) => {
                if is_5 || matches!(expected, Expected::Told(_)) {
                    match self.trace.hear(name) {
                        Packet::ConnAck(connack) => {
                            let ConnAck { session_present, reason: heard, .. } = *connack;
                            assert_eq!((session_present, heard), (false, reason));
                        }
                        other => panic!("{name} expected CONNACK, heard {other:?}"),
                    }
                }
                self.trace.expect_closed(name, reason);
            }
            Expected::Shut(reason) => self.trace.expect_closed(name, reason),
            Expected::Answered(answers) => {
                self.expect_answers(name, answers);
                self.trace.expect_nothing(name);
            }
        }
    }

    fn expect_answers(&mut self, name: &'static str, answers: &str) {
        for answer in answers.split("; ").filter(|answer| !answer.is_empty()) {
            let packet = Packet::decode(bytes(self.version, answer).into(), self.version).expect("an answer");
            self.trace.expect(name, packet);
        }
    }

    /// Whoever talks is answered, and whoever watches hears that and nothing else.
    fn others_are_unharmed(&mut self) {
        self.talk("watch", "news", AtLeastOnce);
        self.trace.expect("watcher", publish("watch", "news", AtMostOnce, 0));
        self.trace.expect_nothing("watcher");
        self.trace.expect_nothing("talker");
    }

    /// The session resumes with what was in flight, what came meanwhile, its subscriptions, and what it knows of 9.
    fn session_is_unharmed(&mut self) {
        self.talk("mine", "four", AtLeastOnce);
        assert!(self.enter_again(), "the session is gone");
        let again = |payload, qos, packet_id| {
            Packet::Publish(Publish { dup: true, qos, packet_id: Some(id(packet_id)), ..message("mine", payload) })
        };
        self.trace.expect("bad", again("one", AtLeastOnce, 1));
        self.trace.expect("bad", again("two", ExactlyOnce, 2));
        self.trace.expect("bad", pubrel(3, ReasonCode::Success));
        self.trace.expect("bad", publish("mine", "four", AtLeastOnce, 4));
        let held = Publish { dup: true, qos: ExactlyOnce, packet_id: Some(id(9)), ..message("watch", "held") };
        self.trace.send("bad", Packet::Publish(held));
        self.trace.expect("bad", pubrec(9, ReasonCode::Success));
        self.trace.expect_nothing("watcher");
        self.trace.send("talker", publish("extra", "never asked for", AtMostOnce, 0));
        self.trace.expect_nothing("bad");
        self.trace.leave("bad");
    }

    /// `talker` publishes, with the whole handshake.
    fn talk(&mut self, topic: &str, payload: &'static str, qos: mqlite::codec::QoS) {
        self.trace.send("talker", publish(topic, payload, qos, 7));
        match qos {
            ExactlyOnce => {
                self.trace.expect("talker", pubrec(7, ReasonCode::Success));
                self.trace.send("talker", pubrel(7, ReasonCode::Success));
                self.trace.expect("talker", pubcomp(7, ReasonCode::Success));
            }
            _ => self.trace.expect("talker", puback(7, ReasonCode::Success)),
        }
    }

    fn enter_again(&mut self) -> bool {
        self.enter("bad", Connect { clean_start: false, properties: self.properties(), ..connect("bad") })
    }

    /// A session of an hour, and the method where there is one.
    fn properties(&self) -> ConnectProperties {
        let has_method = matches!(self.offender, Offender::Authenticated | Offender::Authenticating);
        let authentication_method = has_method.then(|| text("m"));
        ConnectProperties { session_expiry_interval: Some(3_600), authentication_method, ..Default::default() }
    }

    /// Sends a CONNECT, which is let in; tells Session Present.
    fn enter(&mut self, name: &'static str, connect: Connect) -> bool {
        if !self.asks {
            return self.trace.connect_with(name, connect);
        }
        self.trace.open(name);
        self.trace.send(name, Packet::Connect(Box::new(connect)));
        self.trace.answer(Verdict::allow(Grants::all()));
        match self.trace.hear(name) {
            Packet::ConnAck(connack) if connack.reason == ReasonCode::Success => connack.session_present,
            other => panic!("{name} was not let in: {other:?}"),
        }
    }
}

impl Expected {
    fn ends(&self) -> bool {
        !matches!(self, Self::Answered(_))
    }
}
