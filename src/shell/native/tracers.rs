//! Who watches which clients. A watcher that is slow misses packets, and is told how many; nobody waits for it.
//! Knows nothing of what is done with them.

use crate::{broker::TracedPacket, codec::Text, time::Timestamp};
use tokio::sync::mpsc::{self, error::TrySendError};

/// What a watcher is told.
#[derive(Debug)]
pub(super) enum Traced {
    Packet {
        at: Timestamp,
        packet: Box<TracedPacket>,
    },
    /// So many packets it was not told of.
    Dropped(u64),
}

#[derive(Debug, Default)]
pub(super) struct Tracers(Vec<Tracer>);

#[derive(Debug)]
struct Tracer {
    client_id: Text,
    until: Timestamp,
    packets: mpsc::Sender<Traced>,
    dropped: u64,
}

impl Tracers {
    /// One watcher more; `None` when there are as many as there may be.
    pub(super) fn add(&mut self, client_id: Text, until: Timestamp, now: Timestamp) -> Option<mpsc::Receiver<Traced>> {
        self.0.retain(|tracer| tracer.until > now && !tracer.packets.is_closed());
        if self.0.len() >= MOST {
            return None;
        }
        let (packets, told) = mpsc::channel(WAITING);
        self.0.push(Tracer { client_id, until, packets, dropped: 0 });
        Some(told)
    }

    /// Tells those who watch its client of a packet. False when nobody does any more.
    pub(super) fn tell(&mut self, at: Timestamp, packet: &TracedPacket) -> bool {
        self.0.retain_mut(|tracer| tracer.client_id != packet.client_id || tracer.tell(at, packet));
        self.0.iter().any(|tracer| tracer.client_id == packet.client_id)
    }

    /// Whom somebody watches, and until when.
    pub(super) fn watched(&self) -> impl Iterator<Item = (Text, Timestamp)> {
        self.0.iter().map(|tracer| (tracer.client_id.clone(), self.until(&tracer.client_id)))
    }

    /// Until when somebody watches a client.
    pub(super) fn until(&self, client_id: &Text) -> Timestamp {
        let of_client = self.0.iter().filter(|tracer| tracer.client_id == *client_id);
        of_client.map(|tracer| tracer.until).max().unwrap_or(Timestamp(0))
    }
}

impl Tracer {
    /// False when nobody listens.
    fn tell(&mut self, at: Timestamp, packet: &TracedPacket) -> bool {
        if self.dropped > 0 && self.packets.capacity() > 1 {
            _ = self.packets.try_send(Traced::Dropped(std::mem::take(&mut self.dropped)));
        }
        if self.dropped > 0 {
            self.dropped += 1;
            return !self.packets.is_closed();
        }
        match self.packets.try_send(Traced::Packet { at, packet: Box::new(packet.clone()) }) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.dropped = 1;
                true
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }
}

/// Watchers at a time; the broker watches as many clients.
const MOST: usize = 64;
/// Packets that wait for one watcher.
const WAITING: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{ConnectionId, Direction};

    fn packet(bytes: usize) -> TracedPacket {
        TracedPacket {
            connection: ConnectionId(1),
            client_id: Text::from_static("a"),
            direction: Direction::Sent,
            packet: "PINGRESP",
            packet_id: None,
            topic: None,
            qos: None,
            retain: None,
            dup: None,
            reason_code: None,
            bytes,
        }
    }

    #[test]
    fn a_slow_watcher_is_told_how_many_packets_it_missed() {
        let mut tracers = Tracers::default();
        let mut told = tracers.add(Text::from_static("a"), Timestamp(9), Timestamp(0)).unwrap();
        (0..WAITING + 5).for_each(|bytes| assert!(tracers.tell(Timestamp(1), &packet(bytes))));
        for expected in 0..WAITING {
            assert!(matches!(told.try_recv(), Ok(Traced::Packet { packet, .. }) if packet.bytes == expected));
        }
        assert!(told.try_recv().is_err());
        assert!(tracers.tell(Timestamp(2), &packet(1_000)));
        assert!(matches!(told.try_recv(), Ok(Traced::Dropped(5))));
        assert!(matches!(told.try_recv(), Ok(Traced::Packet { packet, .. }) if packet.bytes == 1_000));
    }

    #[test]
    fn a_watcher_that_has_gone_is_forgotten_and_there_is_room_for_another() {
        let mut tracers = Tracers::default();
        let client_id = Text::from_static("a");
        let mut all: Vec<_> =
            (0..MOST).map(|_| tracers.add(client_id.clone(), Timestamp(9), Timestamp(0)).unwrap()).collect();
        assert!(tracers.add(client_id.clone(), Timestamp(9), Timestamp(0)).is_none());
        all.pop();
        assert!(tracers.add(client_id.clone(), Timestamp(20), Timestamp(0)).is_some());
        assert_eq!(tracers.until(&client_id), Timestamp(20));
        all.clear();
        assert!(!tracers.tell(Timestamp(1), &packet(1)));
        assert_eq!(tracers.watched().count(), 0);
    }
}
