//! The receiver's side of QoS 1 and 2: which messages were begun, and whether the peer keeps to our Receive Maximum.

use super::{SortedMap, Violation};
use crate::codec::{PacketId, QoS, ReasonCode};

/// The QoS 2 messages received and not yet released, and the QoS 1 messages received and not yet acknowledged.
#[derive(Clone, Debug)]
pub struct Inbound {
    receive_maximum: u16,
    at_least_once: SortedMap<PacketId, ()>,
    /// Each with the number of the connection that carried its PUBLISH last.
    exactly_once: SortedMap<PacketId, u64>,
    /// How many of them the current connection carried: they alone count against Receive Maximum. (4.9)
    carried: usize,
    /// The number of the current connection.
    connection: u64,
}

/// Whether a PUBLISH brought something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// A message to process.
    New,
    /// A QoS 2 message that is owned already: acknowledge it, deliver nothing. [MQTT-4.3.3-10]
    Duplicate,
}

impl Inbound {
    /// Nothing received; the peer may have `receive_maximum` messages unacknowledged.
    pub const fn new(receive_maximum: u16) -> Self {
        Self {
            receive_maximum,
            at_least_once: SortedMap::new(),
            exactly_once: SortedMap::new(),
            carried: 0,
            connection: 0,
        }
    }

    /// A connection begins: QoS 1 messages that were not acknowledged will come again, QoS 2 ones stay known.
    pub fn connected(&mut self, receive_maximum: u16) {
        self.resumed(receive_maximum, self.connection + 1);
    }

    /// The connection of this number goes on; all that [`Inbound::restore`] knows of is known.
    pub fn resumed(&mut self, receive_maximum: u16, connection: u64) {
        self.receive_maximum = receive_maximum;
        self.connection = connection;
        self.at_least_once.clear();
        self.carried = self.exactly_once.values().filter(|carrier| **carrier == connection).count();
    }

    /// The peer's limit, and the number of its connection.
    pub const fn parts(&self) -> (u16, u64) {
        (self.receive_maximum, self.connection)
    }

    /// Whether the current connection brought this QoS 2 message.
    pub fn is_carried(&self, id: PacketId) -> bool {
        self.exactly_once.get(&id) == Some(&self.connection)
    }

    /// Whether a PUBLISH with this identifier brings no message: the one that is known by it is not released. At QoS 1 that is
    /// so for the current connection alone: see [`Inbound::reused`].
    pub fn knows(&self, qos: QoS, id: PacketId) -> bool {
        self.is_carried(id) || (qos == QoS::ExactlyOnce && self.exactly_once.contains_key(&id))
    }

    /// A PUBLISH of QoS 1 came with an identifier that an earlier connection left to a QoS 2 message: the peer has forgotten
    /// that one, and so must we. Tells whether it was so.
    pub fn reused(&mut self, id: PacketId) -> bool {
        !self.is_carried(id) && self.exactly_once.remove(&id).is_some()
    }

    /// A PUBLISH of QoS 1 or 2 came. [MQTT-3.3.4-7]
    ///
    /// # Errors
    /// 0x93 when it is one more than Receive Maximum allows, 0x91 when the identifier is in use at the other QoS.
    pub fn published(&mut self, qos: QoS, id: PacketId) -> Result<Novelty, Violation> {
        const IN_USE: Violation = Violation::new(
            ReasonCode::PacketIdentifierInUse,
            "the Packet Identifier is in use for a message of another QoS [MQTT-2.2.1-3]",
        );
        let is_known = self.exactly_once.contains_key(&id);
        if qos == QoS::ExactlyOnce && self.is_carried(id) {
            return Ok(Novelty::Duplicate);
        }
        if (qos == QoS::AtLeastOnce && is_known) || (qos == QoS::ExactlyOnce && self.at_least_once.contains_key(&id)) {
            return Err(IN_USE);
        }
        if self.at_least_once.len() + self.carried >= usize::from(self.receive_maximum) {
            return Err(Violation::new(
                ReasonCode::ReceiveMaximumExceeded,
                "more unacknowledged QoS 1 and 2 messages than Receive Maximum allows [MQTT-3.3.4-7]",
            ));
        }
        if qos == QoS::AtLeastOnce {
            self.at_least_once.insert(id, ());
            return Ok(Novelty::New);
        }
        self.carried += 1;
        self.exactly_once.insert(id, self.connection);
        Ok(if is_known { Novelty::Duplicate } else { Novelty::New })
    }

    /// PUBACK, or PUBREC with 0x80 or above, was sent: the identifier is free. [MQTT-4.3.2-5] [MQTT-4.3.3-9]
    pub fn acknowledged(&mut self, id: PacketId) {
        self.at_least_once.remove(&id);
        self.released(id);
    }

    /// PUBREL came: whether it released a known QoS 2 message; PUBCOMP follows either way. [MQTT-4.3.3-11]
    pub fn released(&mut self, id: PacketId) -> bool {
        self.carried -= usize::from(self.is_carried(id));
        self.exactly_once.remove(&id).is_some()
    }

    /// A store knows that the connection of this number brought a QoS 2 message which was not released. To be followed by
    /// [`Inbound::connected`], which gives a higher number, or [`Inbound::resumed`].
    pub fn restore(&mut self, id: PacketId, connection: u64) {
        self.connection = self.connection.max(connection);
        self.exactly_once.insert(id, connection);
    }

    /// The QoS 2 messages received and not yet released, each with the number of the connection that brought it last.
    pub fn exactly_once(&self) -> impl Iterator<Item = (PacketId, u64)> {
        self.exactly_once.iter().map(|(id, connection)| (*id, *connection))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: PacketId = PacketId::FIRST;

    #[test]
    fn a_qos_2_message_is_new_once_until_it_is_released() {
        let mut inbound = Inbound::new(9);
        assert_eq!(inbound.published(QoS::ExactlyOnce, ID), Ok(Novelty::New));
        assert_eq!(inbound.published(QoS::ExactlyOnce, ID), Ok(Novelty::Duplicate));
        assert!(inbound.released(ID));
        assert!(!inbound.released(ID));
        assert_eq!(inbound.published(QoS::ExactlyOnce, ID), Ok(Novelty::New));
    }

    #[test]
    fn one_more_than_receive_maximum_is_0x93() {
        let mut inbound = Inbound::new(1);
        inbound.published(QoS::AtLeastOnce, ID).unwrap();
        let violation = inbound.published(QoS::ExactlyOnce, ID.next()).unwrap_err();
        assert_eq!(violation.reason, ReasonCode::ReceiveMaximumExceeded);
        inbound.acknowledged(ID);
        assert_eq!(inbound.published(QoS::ExactlyOnce, ID.next()), Ok(Novelty::New));
        assert_eq!(inbound.published(QoS::ExactlyOnce, ID.next()), Ok(Novelty::Duplicate));
    }

    #[test]
    fn an_identifier_in_use_at_another_qos_is_0x91() {
        let mut inbound = Inbound::new(9);
        inbound.published(QoS::ExactlyOnce, ID).unwrap();
        let violation = inbound.published(QoS::AtLeastOnce, ID).unwrap_err();
        assert_eq!(violation.reason, ReasonCode::PacketIdentifierInUse);
    }

    #[test]
    fn an_identifier_that_the_peer_has_forgotten_is_free_on_its_next_connection_alone() {
        let mut inbound = Inbound::new(9);
        inbound.published(QoS::ExactlyOnce, ID).unwrap();
        assert!(!inbound.reused(ID));
        assert!(inbound.knows(QoS::AtLeastOnce, ID) && inbound.knows(QoS::ExactlyOnce, ID));
        inbound.connected(9);
        assert!(!inbound.knows(QoS::AtLeastOnce, ID) && inbound.knows(QoS::ExactlyOnce, ID));
        assert!(inbound.reused(ID));
        assert!(!inbound.reused(ID));
        assert_eq!(inbound.published(QoS::AtLeastOnce, ID), Ok(Novelty::New));
        assert_eq!(inbound.exactly_once().count(), 0);
    }

    #[test]
    fn a_connection_that_goes_on_has_no_more_room_than_before() {
        let mut inbound = Inbound::new(9);
        inbound.restore(ID, 1);
        inbound.restore(ID.next(), 2);
        inbound.resumed(2, 2);
        assert!(inbound.is_carried(ID.next()) && !inbound.is_carried(ID));
        assert_eq!(inbound.published(QoS::ExactlyOnce, ID), Ok(Novelty::Duplicate));
        assert!(inbound.published(QoS::AtLeastOnce, ID.next().next()).is_err());
        assert!(inbound.released(ID.next()));
        assert!(inbound.published(QoS::AtLeastOnce, ID.next().next()).is_ok());
    }

    #[test]
    fn a_new_connection_forgets_qos_1_and_remembers_qos_2() {
        let mut inbound = Inbound::new(9);
        inbound.published(QoS::AtLeastOnce, ID).unwrap();
        inbound.published(QoS::ExactlyOnce, ID.next()).unwrap();
        inbound.connected(2);
        assert_eq!(inbound.exactly_once().collect::<Vec<_>>(), [(ID.next(), 0)]);
        assert_eq!(inbound.published(QoS::AtLeastOnce, ID), Ok(Novelty::New));
    }
}
