//! What broker and client share of a session: identifiers, windows, handshakes, aliases, the beat of keep-alive.
//! Does not know which of the two it serves, nor what a message is.

mod alias;
mod inbound;
mod keep_alive;
mod outbound;
mod packet_id;
mod sorted;
mod violation;

pub use alias::{AliasAssigner, AliasRoom, AliasUse, TopicAliases};
pub use inbound::{Inbound, Novelty};
pub use keep_alive::KeepAlive;
pub use outbound::{InFlight, Origin, Outbound, Received, Resend};
pub use packet_id::PacketIds;
pub use sorted::SortedMap;
pub use violation::Violation;
