//! Topic Names, Topic Filters, and the trees that match them (4.7, 4.8). Knows nothing of subscribers or messages.
//!
//! A name or filter that was parsed is valid. Both may have up to 65,536 levels; nothing here recurses over the levels
//! of either, only over the depth of a tree, which whoever fills the tree bounds.

mod filter;
mod name;
mod node;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod properties;
mod tree;

pub use filter::TopicFilter;
pub use name::TopicName;
pub use tree::{FilterTree, NameTree, Place};

use core::fmt;

/// The text is no Topic Name, or no Topic Filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTopic {
    /// One sentence for people, with the statement that the text breaks.
    pub rule: &'static str,
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.rule)
    }
}

impl core::error::Error for InvalidTopic {}

const EMPTY: InvalidTopic = InvalidTopic { rule: "a topic is at least one character long [MQTT-4.7.3-1]" };
const MULTI_LEVEL: &[u8] = b"#";
const SINGLE_LEVEL: &[u8] = b"+";

/// The levels of a name or filter; there is always at least one, and any may be empty.
fn levels(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    text.split(|&byte| byte == b'/')
}

fn level_count(text: &[u8]) -> usize {
    1 + text.iter().map(|&byte| usize::from(byte == b'/')).sum::<usize>()
}
