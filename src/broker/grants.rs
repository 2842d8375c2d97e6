//! Who may publish and subscribe to what. Decided once, by the host, at CONNECT; checked here at every packet.

use crate::codec::{QoS, Text};
use alloc::vec::Vec;

/// The rights of one client: what no rule allows is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    rules: Option<Vec<Grant>>,
}

/// One rule: what may be done with the topics that a filter matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// A Topic Filter in which `%c` stands for the Client Identifier and `%u` for the User Name.
    pub filter: Text,
    /// Whether messages may be published there.
    pub publish: bool,
    /// Whether filters that lie within this one may be subscribed to.
    pub subscribe: bool,
    /// Highest QoS to publish with, and to be granted.
    pub maximum_qos: QoS,
    /// Whether published messages may be retained.
    pub retain: bool,
}

impl Grants {
    /// Everything but publishing to `$SYS`.
    pub const fn all() -> Self {
        Self { rules: None }
    }

    /// What `rules` allow; nothing if there are none.
    pub const fn of(rules: Vec<Grant>) -> Self {
        Self { rules: Some(rules) }
    }
}
