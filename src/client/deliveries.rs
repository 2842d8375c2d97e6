//! The QoS 1 and 2 messages that the host has to acknowledge, and the order in which the server hears of it.
//! Knows nothing of what is in them.

use super::Delivery;
use crate::codec::{PacketId, QoS};
use alloc::{collections::VecDeque, vec::Vec};

#[derive(Debug, Default)]
pub(super) struct Deliveries {
    last: u64,
    /// The answers that this connection owes, in the order of receipt.
    due: VecDeque<Due>,
    /// QoS 2 messages that the host has from an earlier connection and has not acknowledged. The server repeats them.
    earlier: Vec<(PacketId, Delivery)>,
}

#[derive(Debug)]
struct Due {
    qos: QoS,
    packet_id: PacketId,
    /// The delivery that the host has not acknowledged yet.
    awaits: Option<Delivery>,
}

impl Deliveries {
    /// A message is given to the host.
    pub(super) fn delivered(&mut self, qos: QoS, packet_id: PacketId) -> Delivery {
        self.take_earlier(packet_id);
        self.last += 1;
        let delivery = Delivery(self.last);
        self.due.push_back(Due { qos, packet_id, awaits: Some(delivery) });
        delivery
    }

    /// The server repeated a QoS 2 message that was delivered before.
    pub(super) fn repeated(&mut self, packet_id: PacketId) {
        if !self.is_due(packet_id) {
            let awaits = self.take_earlier(packet_id);
            self.due.push_back(Due { qos: QoS::ExactlyOnce, packet_id, awaits });
        }
    }

    /// The host took a message over. Returns its identifier at QoS 2.
    pub(super) fn acknowledged(&mut self, delivery: Delivery) -> Option<PacketId> {
        if let Some(due) = self.due.iter_mut().find(|due| due.awaits == Some(delivery)) {
            due.awaits = None;
            return Some(due.packet_id).filter(|_| due.qos == QoS::ExactlyOnce);
        }
        let place = self.earlier.iter().position(|(_, earlier)| *earlier == delivery)?;
        Some(self.earlier.swap_remove(place).0)
    }

    /// The next message to answer for, if the host has acknowledged it.
    pub(super) fn next_answer(&mut self) -> Option<(QoS, PacketId)> {
        if self.due.front()?.awaits.is_some() {
            return None;
        }
        self.due.pop_front().map(|due| (due.qos, due.packet_id))
    }

    /// Whether a QoS 2 message was delivered and no PUBREC sent for it.
    pub(super) fn is_unanswered(&self, packet_id: PacketId) -> bool {
        self.is_due(packet_id) || self.earlier.iter().any(|(id, _)| *id == packet_id)
    }

    /// The connection is gone. QoS 1 messages will come anew.
    pub(super) fn disconnected(&mut self) {
        for due in self.due.drain(..).filter(|due| due.qos == QoS::ExactlyOnce) {
            if let Some(delivery) = due.awaits {
                self.earlier.push((due.packet_id, delivery));
            }
        }
    }

    /// The session is gone.
    pub(super) fn clear(&mut self) {
        self.due.clear();
        self.earlier.clear();
    }

    fn take_earlier(&mut self, packet_id: PacketId) -> Option<Delivery> {
        let place = self.earlier.iter().position(|(id, _)| *id == packet_id)?;
        Some(self.earlier.swap_remove(place).1)
    }

    fn is_due(&self, packet_id: PacketId) -> bool {
        self.due.iter().any(|due| due.qos == QoS::ExactlyOnce && due.packet_id == packet_id)
    }
}
