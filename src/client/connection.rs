//! One Network Connection: from bytes to packets and back, and what silence means.

use super::{Action, Cause, Client, authenticate::Authentication, limits::Limits};
use crate::{
    codec::{Framer, Packet, ProtocolVersion},
    session::{AliasAssigner, KeepAlive, TopicAliases, Violation},
    time::Timestamp,
};
use bytes::{Bytes, BytesMut};

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) version: ProtocolVersion,
    pub(super) framer: Framer,
    /// Those that the server sets.
    pub(super) aliases: TopicAliases,
    /// Those that we set.
    pub(super) assigner: AliasAssigner,
    pub(super) authentication: Authentication,
    /// When the server, which owes an answer, has been silent for too long.
    pub(super) silence_at: Option<Timestamp>,
    /// Whether the host was late to notice a silence, and the server got more time.
    pub(super) is_spared: bool,
    /// Whether the CONNECT asked for a session without a past.
    pub(super) starts_clean: bool,
    /// Present once the server has accepted the connection.
    pub(super) link: Option<Link>,
}

/// What a successful CONNACK settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) limits: Limits,
    pub(super) keep_alive: KeepAlive,
}

impl Connection {
    /// Whether a packet of this size may be sent, as it is then.
    pub(super) fn touch(&mut self, size: usize, now: Timestamp) -> bool {
        let Some(link) = &mut self.link else { return true };
        // [MQTT-3.2.2-15]
        let fits = size <= link.limits.maximum_packet_size;
        if fits {
            link.keep_alive.touch(now);
        }
        fits
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let ping_at = self.link.and_then(|link| link.keep_alive.ping_is_due_at());
        self.silence_at.into_iter().chain(ping_at).min()
    }
}

impl Client {
    /// Bytes came. Whatever they say, the server is not silent.
    pub(super) fn heard(&mut self) {
        let later = self.now.plus_millis(self.options.response_timeout_millis);
        if let Some(connection) = &mut self.connection {
            connection.silence_at = connection.silence_at.map(|_| later);
            connection.is_spared = false;
        }
    }

    pub(super) fn received(&mut self, bytes: Bytes) {
        let Some(connection) = &mut self.connection else { return };
        connection.framer.push(bytes);
        while let Some(connection) = &mut self.connection {
            let packet = match connection.framer.next() {
                Ok(None) => return,
                Ok(Some(frame)) => Packet::decode(frame.clone(), self.version_of(&frame)),
                Err(error) => Err(error),
            };
            match packet.map_err(Violation::from).and_then(|packet| self.process(packet)) {
                Ok(()) => self.advance(),
                Err(violation) => self.violated(violation),
            }
        }
    }

    /// A server that knows 3.1.1 alone refuses MQTT 5 in its own words: the return code 1, which MQTT 5 does not have.
    fn version_of(&self, frame: &[u8]) -> ProtocolVersion {
        match frame {
            [0x20, 2, 0, 1] => ProtocolVersion::V3_1_1,
            _ => self.options.connect.version,
        }
    }

    fn process(&mut self, packet: Packet) -> Result<(), Violation> {
        match (packet, self.link().is_some()) {
            (Packet::ConnAck(connack), false) => self.connack(*connack),
            (Packet::Auth(auth), _) => self.challenged(auth),
            (Packet::Disconnect(disconnect), _) => self.disconnected(disconnect),
            (_, false) => Err(Violation::protocol_error("the first packet of a server is CONNACK [MQTT-3.2.0-1]")),
            (Packet::Publish(publish), true) => self.published(publish),
            (Packet::PubAck(ack), true) => self.puback(ack),
            (Packet::PubRec(ack), true) => self.pubrec(ack),
            (Packet::PubRel(ack), true) => self.pubrel(ack),
            (Packet::PubComp(ack), true) => self.pubcomp(ack),
            (Packet::SubAck(suback), true) => self.suback(suback),
            (Packet::UnsubAck(unsuback), true) => self.unsuback(unsuback),
            (Packet::PingResp, true) => self.pinged(),
            (Packet::ConnAck(_), true) => {
                Err(Violation::protocol_error("a server sends one CONNACK for each connection [MQTT-3.2.0-2]"))
            }
            (Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::PingReq, true) => {
                Err(Violation::protocol_error("only a client sends this packet (2.1.2)"))
            }
        }
    }

    /// Sends a packet, unless there is no connection or it is larger than the server accepts. Returns whether it did.
    pub(super) fn send(&mut self, packet: &Packet) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let mut bytes = BytesMut::new();
        let is_sent =
            packet.encode(self.options.connect.version, &mut bytes).is_ok() && connection.touch(bytes.len(), self.now);
        if !is_sent {
            return false;
        }
        self.actions.push_back(Action::Send { bytes: bytes.freeze() });
        true
    }

    /// Does what is due.
    pub(super) fn look_at_deadline(&mut self) {
        let now = self.now;
        let later = now.plus_millis(self.options.response_timeout_millis);
        let has_passed = |deadline: Option<Timestamp>| deadline.is_some_and(|at| at <= now);
        let Some(connection) = &mut self.connection else { return };
        if let Some(silence_at) = connection.silence_at.filter(|at| *at <= now) {
            // A host that slept may not have read what came meanwhile.
            if connection.is_spared || now <= silence_at.plus_millis(TIMELY_MILLIS) {
                return self.close(Cause::Silence);
            }
            connection.is_spared = true;
            connection.silence_at = Some(later);
        }
        if connection.link.is_some_and(|link| has_passed(link.keep_alive.ping_is_due_at())) {
            self.ping();
        }
    }

    /// Asks the server whether it is there, unless it owes an answer already.
    pub(super) fn probe(&mut self) {
        if self.connection.as_ref().is_some_and(|connection| connection.silence_at.is_none()) {
            self.ping();
        }
    }

    /// [MQTT-3.1.2-20]
    fn ping(&mut self) {
        let later = self.now.plus_millis(self.options.response_timeout_millis);
        let Some(connection) = &mut self.connection else { return };
        let Some(link) = &mut connection.link else { return };
        // Due once, even if this server accepts no packet as large.
        link.keep_alive.touch(self.now);
        connection.silence_at.get_or_insert(later);
        self.send(&Packet::PingReq);
    }

    pub(super) fn link(&self) -> Option<&Link> {
        self.connection.as_ref()?.link.as_ref()
    }

    fn pinged(&mut self) -> Result<(), Violation> {
        if let Some(connection) = &mut self.connection {
            connection.silence_at = None;
        }
        Ok(())
    }
}

/// A timer that is later than this has slept.
const TIMELY_MILLIS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::super::{Cause, Input, Outcome, Token, testing::*};
    use super::*;
    use crate::codec::{ConnAckProperties, PublishProperties, QoS, ReasonCode, Text};
    use core::num::{NonZeroU16, NonZeroU32};

    #[test]
    fn packets_may_come_in_any_chunks() {
        let mut script = Script::new(V5, |_| ());
        script.input(Input::Opened);
        let mut seen = Vec::new();
        for byte in b"\x20\x03\x00\x00\x00\x30\x05\x00\x01a\x00p\xD0\x00" {
            seen.extend(script.input(Input::Received { bytes: Bytes::copy_from_slice(&[*byte]) }));
            seen.extend(script.input(Input::Received { bytes: Bytes::new() }));
        }
        assert!(matches!(seen.remove(0), Did(Action::Connected { .. })));
        assert_eq!(seen, [delivered(message(QoS::AtMostOnce, "a"), None)]);
    }

    #[test]
    fn a_ping_is_due_when_nothing_was_sent_for_half_of_the_keep_alive() {
        let mut script = Script::connected(V3_1_1);
        assert_eq!(script.client.deadline(), Some(Timestamp(60_000)));
        script.now = Timestamp(5_000);
        script.publish(1, message(QoS::AtMostOnce, "a"));
        assert_eq!(script.wait(), [Sent(Packet::PingReq)]);
        assert_eq!(script.now, Timestamp(65_000));
        assert_eq!(script.receive(Packet::PingResp), []);
        assert_eq!(script.client.deadline(), Some(Timestamp(125_000)));
    }

    /// [MQTT-3.1.2-20] [MQTT-3.1.2-22]
    #[test]
    fn a_host_that_is_woken_once_a_minute_never_breaks_the_keep_alive_of_two() {
        for phase in [0, 1, 29_999, 30_000, 59_999] {
            let mut script = Script::connected(V5);
            let mut spoke = Timestamp(0);
            for minute in 1..60 {
                if minute % 7 == 0 {
                    script.now = script.now.plus_millis(phase);
                    script.publish(minute, message(QoS::AtMostOnce, "a"));
                    spoke = script.now;
                }
                script.now = Timestamp(minute * 60_000);
                if script.client.deadline().is_some_and(|at| at <= script.now) {
                    assert_eq!(script.input(Input::Timeout), [Sent(Packet::PingReq)]);
                    assert_eq!(script.receive(Packet::PingResp), []);
                    spoke = script.now;
                }
                assert!(script.now.0 - spoke.0 <= 60_000, "the next minute is in time");
            }
        }
    }

    #[test]
    fn every_input_notices_that_a_ping_is_due() {
        let late = || {
            let mut script = Script::connected(V5);
            script.now = Timestamp(60_000);
            script
        };
        let filter = || Text::from_static("a");
        for input in [
            Input::Forget { filter: filter() },
            Input::Cancel { token: Token(1) },
            Input::Acknowledge { delivery: super::super::Delivery(1) },
            Input::Received { bytes: Bytes::from_static(b"\xD0\x00") },
            Input::Probe,
            Input::Timeout,
        ] {
            assert_eq!(late().input(input), [Sent(Packet::PingReq)]);
        }
        assert_eq!(late().publish(1, message(QoS::AtLeastOnce, "a"))[0], Sent(Packet::PingReq));
    }

    #[test]
    fn a_probe_asks_at_once_and_once() {
        let mut script = Script::new(V5, |_| ());
        assert_eq!(script.input(Input::Probe), []);
        script.input(Input::Opened);
        assert_eq!(script.input(Input::Probe), [], "the CONNACK is awaited");
        let mut script = Script::connected(V5);
        assert_eq!(script.input(Input::Probe), [Sent(Packet::PingReq)]);
        assert_eq!(script.input(Input::Probe), []);
        assert_eq!(script.client.deadline(), Some(Timestamp(10_000)));
        assert_eq!(script.wait(), [Did(Action::Close), disconnected(Cause::Silence)]);
    }

    #[test]
    fn a_host_that_slept_gives_the_server_as_long_again_once() {
        let mut script = Script::connected(V5);
        script.wait();
        script.now = Timestamp(400_000);
        assert_eq!(script.input(Input::Timeout), [Sent(Packet::PingReq)]);
        assert_eq!(script.client.deadline(), Some(Timestamp(410_000)));
        assert_eq!(script.receive(Packet::PingResp), []);
        assert_eq!(script.client.deadline(), Some(Timestamp(460_000)));

        script.now = Timestamp(500_000);
        assert_eq!(script.input(Input::Timeout), [Sent(Packet::PingReq)]);
        script.now = Timestamp(540_000);
        assert_eq!(script.input(Input::Timeout), []);
        script.now = Timestamp(580_000);
        assert_eq!(script.input(Input::Timeout), [Did(Action::Close), disconnected(Cause::Silence)]);
    }

    #[test]
    fn a_server_that_does_not_answer_a_ping_is_dead() {
        for version in [V3_1_1, V5] {
            let mut script = Script::connected(version);
            script.wait();
            script.now = script.now.plus_secs(9);
            assert_eq!(script.input(Input::Timeout), []);
            assert_eq!(script.client.deadline(), Some(Timestamp(70_000)));
            assert_eq!(script.wait(), [Did(Action::Close), disconnected(Cause::Silence)]);
        }
    }

    #[test]
    fn a_server_that_accepts_no_ping_is_given_up_without_haste() {
        let tiny = NonZeroU32::new(1);
        let mut script = Script::connected_to(ConnAckProperties { maximum_packet_size: tiny, ..Default::default() });
        assert_eq!(script.wait(), []);
        assert_eq!(script.client.deadline(), Some(Timestamp(70_000)));
        assert_eq!(script.wait(), [Did(Action::Close), disconnected(Cause::Silence)]);
    }

    #[test]
    fn a_server_that_sends_anything_is_not_dead() {
        let mut script = Script::connected(V5);
        script.wait();
        script.now = script.now.plus_secs(9);
        script.input(Input::Received { bytes: Bytes::from_static(b"\x30") });
        assert_eq!(script.client.deadline(), Some(Timestamp(79_000)));
    }

    #[test]
    fn the_server_sets_the_keep_alive() {
        let keep_alive = |seconds| ConnAckProperties { server_keep_alive: Some(seconds), ..Default::default() };
        assert_eq!(Script::connected_to(keep_alive(5)).client.deadline(), Some(Timestamp(2_500)));
        assert_eq!(Script::connected_to(keep_alive(0)).client.deadline(), None);
    }

    #[test]
    fn a_clock_that_runs_back_is_held_still() {
        let mut script = Script::connected(V5);
        script.now = Timestamp(5_000);
        script.publish(1, message(QoS::AtMostOnce, "a"));
        script.now = Timestamp(0);
        script.publish(2, message(QoS::AtMostOnce, "a"));
        assert_eq!(script.client.deadline(), Some(Timestamp(65_000)));
    }

    #[test]
    fn a_malformed_packet_is_answered_with_0x81_where_there_is_an_answer() {
        let malformed = Input::Received { bytes: Bytes::from_static(b"\xD1\x00") };
        assert_violated(&Script::connected(V5).input(malformed.clone()), ReasonCode::MalformedPacket);
        let seen = Script::connected(V3_1_1).input(malformed);
        assert!(matches!(seen[..], [Did(Action::Close), Did(Action::Disconnected { cause: Cause::Violated(_) })]));
    }

    #[test]
    fn a_packet_beyond_our_maximum_is_0x95_as_soon_as_its_length_is_known() {
        let mut script = Script::new(V5, |options| {
            options.connect.properties.maximum_packet_size = NonZeroU32::new(20);
        });
        script.connect(false);
        let seen = script.input(Input::Received { bytes: Bytes::from_static(b"\x30\xFF\xFF\xFF\x7F") });
        assert_violated(&seen, ReasonCode::PacketTooLarge);
    }

    #[test]
    fn packets_that_only_a_client_sends_are_a_protocol_error() {
        assert_violated(&Script::connected(V5).receive(Packet::PingReq), ReasonCode::ProtocolError);
        let mut script = Script::connected(V5);
        let connect = Packet::Connect(Box::new(script.client.options.connect.clone()));
        assert_violated(&script.receive(connect), ReasonCode::ProtocolError);
    }

    #[test]
    fn aliases_last_as_long_as_the_connection() {
        let with_alias = |topic, alias| {
            let properties = PublishProperties { topic_alias: NonZeroU16::new(alias), ..Default::default() };
            Packet::Publish(crate::codec::Publish { properties, ..message(QoS::AtMostOnce, topic) })
        };
        let mut script = Script::connected(V5);
        let whole = delivered(message(QoS::AtMostOnce, "a"), None);
        assert_eq!(script.receive(with_alias("a", 64)), [whole]);
        let whole = delivered(message(QoS::AtMostOnce, "a"), None);
        assert_eq!(script.receive(with_alias("", 64)), [whole]);
        script.connect(true);
        assert_violated(&script.receive(with_alias("", 64)), ReasonCode::ProtocolError);
        script.connect(true);
        assert_violated(&script.receive(with_alias("a", 65)), ReasonCode::TopicAliasInvalid);
    }

    #[test]
    fn nothing_happens_without_a_connection() {
        let mut script = Script::new(V5, |_| ());
        assert_eq!(script.input(Input::Received { bytes: Bytes::from_static(b"\xD0\x00") }), []);
        assert_eq!(script.input(Input::Timeout), []);
        assert_eq!(script.input(Input::Closed), []);
        assert_eq!(script.client.deadline(), None);
    }

    #[test]
    fn actions_that_the_host_did_not_take_come_first_next_time() {
        let mut script = Script::connected(V5);
        let publish = message(QoS::AtMostOnce, "a");
        _ = script.client.handle(Timestamp(0), Input::Publish { token: Token(1), publish });
        let seen = script.publish(2, message(QoS::AtMostOnce, "b"));
        let tokens = seen.iter().filter_map(|seen| match seen {
            Did(Action::Completed { token, outcome: Outcome::Published { .. } }) => Some(token.0),
            _ => None,
        });
        assert_eq!(tokens.collect::<Vec<_>>(), [1, 2]);
    }
}
