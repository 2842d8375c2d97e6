//! What may be said of a user, or in a token, whoever says it: names, grants, Client Identifiers.

use crate::{
    broker::Grant,
    codec::{QoS, Text},
    topic::TopicFilter,
};
use serde::Deserialize;

/// Whether a user may be called so: 1 to 256 bytes without control characters.
pub(crate) fn is_user_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(char::is_control)
}

/// Whether one of `patterns` allows a Client Identifier: `%u` stands for the user name, and `*` at the end for whatever
/// follows. No list allows all.
pub(crate) fn may_be(client_id: &str, user_name: &str, patterns: Option<&[String]>) -> bool {
    let allows = |pattern: &String| match pattern.strip_suffix('*') {
        Some(beginning) => client_id.starts_with(&beginning.replace("%u", user_name)),
        None => client_id == pattern.replace("%u", user_name),
    };
    patterns.is_none_or(|patterns| patterns.iter().any(allows))
}

/// Whether a user or a token may bring so many grants and patterns, and such.
pub(crate) fn are_within_limits(grants: Option<&[ExactGrant]>, client_ids: Option<&[String]>) -> bool {
    grants.is_none_or(|grants| grants.len() <= LONGEST_LIST)
        && client_ids.is_none_or(|patterns| {
            patterns.len() <= LONGEST_LIST
                && patterns.iter().all(|pattern| (1..=LONGEST_PATTERN).contains(&pattern.len()))
        })
}

/// A grant that says nothing that grants cannot say: what is not understood must not widen or narrow a right.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExactGrant {
    filter: Filter,
    #[serde(default = "yes")]
    publish: bool,
    #[serde(default = "yes")]
    subscribe: bool,
    #[serde(default = "highest")]
    maximum_qos: QoS,
    #[serde(default = "yes")]
    retain: bool,
}

impl From<ExactGrant> for Grant {
    fn from(ExactGrant { filter, publish, subscribe, maximum_qos, retain }: ExactGrant) -> Self {
        Self { filter: filter.0, publish, subscribe, maximum_qos, retain }
    }
}

/// A Topic Filter, perhaps with placeholders.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Text")]
struct Filter(Text);

impl TryFrom<Text> for Filter {
    type Error = &'static str;

    fn try_from(text: Text) -> Result<Self, Self::Error> {
        TopicFilter::parse(text.clone()).map(|_| Self(text)).map_err(|_| "a filter is a Topic Filter")
    }
}

const fn yes() -> bool {
    true
}

const fn highest() -> QoS {
    QoS::ExactlyOnce
}

/// Bytes of a user name.
pub(crate) const LONGEST_NAME: usize = 256;
const LONGEST_LIST: usize = 256;
const LONGEST_PATTERN: usize = 1_024;
