//! The property section of MQTT 5 (2.2.2): identifiers, types, and the rule that each may come once.
use super::Text;
use alloc::vec::Vec;

/// User Properties: name and value, repeatable, in the order they came. [MQTT-3.3.2-18]
pub type UserProperties = Vec<(Text, Text)>;
