//! A client of the broker's that lives in this process: packets in place of a socket, everything else as for anybody.
//! Knows nothing of what its packets mean.

use super::{engine::Notice, line::Stopping, wire::Wire};
use crate::{
    broker::ConnectionId,
    codec::{Framer, MAXIMUM_PACKET_SIZE, Packet, ProtocolVersion},
};
use bytes::BytesMut;
use std::sync::Arc;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

/// The client's end of its connection; dropping it ends the connection.
pub(super) struct Inner {
    id: ConnectionId,
    notices: mpsc::Sender<Notice>,
    wire: Arc<Wire>,
    framer: Framer,
    /// Whether the framer has what the engine does not know to be taken.
    is_taking: bool,
    /// The server waits until it is gone.
    alive: watch::Receiver<()>,
}

impl Inner {
    pub(super) fn new(
        id: ConnectionId,
        notices: mpsc::Sender<Notice>,
        wire: Arc<Wire>,
        alive: watch::Receiver<()>,
    ) -> Self {
        Self { id, notices, wire, framer: Framer::new(MAXIMUM_PACKET_SIZE), is_taking: false, alive }
    }

    /// Sends a packet, when the one before was processed.
    ///
    /// # Errors
    /// When the server is stopping.
    pub(super) async fn send(&mut self, packet: &Packet) -> Result<(), Stopping> {
        let mut bytes = BytesMut::new();
        packet.encode(ProtocolVersion::V5, &mut bytes).map_err(|_| Stopping)?;
        let turn = self.wire.turn().await;
        let notice = Notice::Received { connection: self.id, bytes: bytes.freeze(), turn };
        self.notices.send(notice).await.map_err(|_| Stopping)
    }

    /// The next packet, when the one before was dealt with; `None` when the broker has closed the connection.
    pub(super) async fn hear(&mut self) -> Option<Packet> {
        loop {
            if let Ok(Some(frame)) = self.framer.next() {
                return Packet::decode(frame, ProtocolVersion::V5).ok();
            }
            if self.is_taking && self.wire.is_empty() {
                _ = self.notices.send(Notice::Written { connection: self.id }).await;
                self.is_taking = false;
            }
            let piece = self.wire.next().await?;
            self.is_taking = true;
            self.framer.push(piece);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let ended = Notice::Ended { connection: self.id, why: "it is no longer read".into() };
        let Err(mpsc::error::TrySendError::Full(ended)) = self.notices.try_send(ended) else { return };
        let (notices, alive) = (self.notices.clone(), self.alive.clone());
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            _ = notices.send(ended).await;
            drop(alive);
        });
    }
}
