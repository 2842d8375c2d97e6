//! Who may publish and subscribe to what. Decided once, by the host, at CONNECT; checked here at every packet.

use super::{
    Broker,
    delay::split_delay,
    message::Origin,
    session::{SessionId, Waiting},
    sys::is_sys,
};
use crate::{
    codec::{QoS, Text},
    store,
    topic::{TopicFilter, TopicName},
};
use alloc::{string::String, vec::Vec};

/// The rights of one client: what no rule allows is refused. New rights, on a connection that authenticates again or that
/// resumes a session, also end the subscriptions that they do not allow, lower the QoS of others, and discard what waits
/// under them; a message that was begun is finished, as after an UNSUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    rules: Option<Vec<Grant>>,
}

/// One rule: what may be done with the topics that a filter matches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default, deny_unknown_fields))]
pub struct Grant {
    /// A Topic Filter in which `%c` stands for the Client Identifier and `%u` for the User Name. A rule whose name is
    /// missing, or could change the filter's meaning (it holds `/`, `+`, `#` or `%`, begins with `$`, or makes the filter
    /// one of `$share` or `$SYS`), allows nothing.
    pub filter: Text,
    /// Whether messages may be published there.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_granted"))]
    pub publish: bool,
    /// Whether filters that lie within this one may be subscribed to.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_granted"))]
    pub subscribe: bool,
    /// Highest QoS to publish with, and to be granted.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_highest"))]
    pub maximum_qos: QoS,
    /// Whether published messages may be retained.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_granted"))]
    pub retain: bool,
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_granted(right: &bool) -> bool {
    *right
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_highest(qos: &QoS) -> bool {
    *qos == QoS::ExactlyOnce
}

impl Default for Grant {
    /// Everything, but nowhere: the filter is empty.
    fn default() -> Self {
        Self { filter: Text::default(), publish: true, subscribe: true, maximum_qos: QoS::ExactlyOnce, retain: true }
    }
}

impl Default for Grants {
    fn default() -> Self {
        Self::all()
    }
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

    /// The rules; none at all where everything is allowed.
    pub fn rules(&self) -> Option<&[Grant]> {
        self.rules.as_deref()
    }
}

/// The grants of one client, with its names filled in.
#[derive(Clone, Debug)]
pub(super) struct Rights(Option<Vec<Right>>);

#[derive(Clone, Debug)]
struct Right {
    filter: TopicFilter,
    grant: Grant,
}

impl Rights {
    pub(super) fn new(grants: &Grants, client_id: &Text, user_name: Option<&Text>) -> Self {
        let resolve = |grant: &Grant| {
            let filter = fill_in(grant.filter.as_str(), "%c", Some(client_id.as_str()))?;
            let filter = fill_in(&filter, "%u", user_name.map(Text::as_str))?;
            let filter = TopicFilter::parse(Text::try_from(filter.as_str()).ok()?).ok()?;
            let pattern = TopicFilter::parse(grant.filter.clone()).ok()?;
            (kind(&filter) == kind(&pattern)).then(|| Right { filter, grant: grant.clone() })
        };
        Self(grants.rules.as_ref().map(|rules| rules.iter().filter_map(resolve).collect()))
    }

    /// The rights that a store knows; a rule whose filter is none allows nothing.
    pub(super) fn restored(records: Option<Vec<store::Right>>) -> Self {
        let restore = |record: store::Right| {
            let store::Right { filter, publish, subscribe, maximum_qos, retain } = record;
            let grant = Grant { filter: filter.detached(), publish, subscribe, maximum_qos, retain };
            Some(Right { filter: TopicFilter::parse(grant.filter.clone()).ok()?, grant })
        };
        Self(records.map(|records| records.into_iter().filter_map(restore).collect()))
    }

    pub(super) fn to_records(&self) -> Option<Vec<store::Right>> {
        let record = |Right { filter, grant }: &Right| {
            let Grant { publish, subscribe, maximum_qos, retain, .. } = *grant;
            store::Right { filter: filter.text().clone(), publish, subscribe, maximum_qos, retain }
        };
        self.0.as_ref().map(|rights| rights.iter().map(record).collect())
    }

    /// What is delayed counts as what it is when it is published.
    pub(super) fn may_publish(&self, topic: &TopicName, qos: QoS, retain: bool) -> bool {
        let delayed;
        let topic = if topic.is_reserved() {
            let Some((_, meant)) = split_delay(topic.clone()) else { return false };
            if meant.levels().next() == Some(b"$SYS") {
                return false;
            }
            delayed = meant;
            &delayed
        } else {
            topic
        };
        let allows = |Right { filter, grant }: &Right| {
            grant.publish && qos <= grant.maximum_qos && (grant.retain || !retain) && filter.matches(topic)
        };
        self.0.as_ref().is_none_or(|rights| rights.iter().any(allows))
    }

    /// The highest QoS to grant; `None` refuses.
    pub(super) fn may_subscribe(&self, requested: &TopicFilter) -> Option<QoS> {
        let Some(rights) = &self.0 else { return Some(QoS::ExactlyOnce) };
        let allowed = rights.iter().filter(|right| right.grant.subscribe && right.filter.covers(requested));
        allowed.map(|right| right.grant.maximum_qos).max()
    }

    fn may_receive(&self, topic: &TopicName) -> bool {
        let allows = |right: &Right| right.grant.subscribe && right.filter.matches(topic);
        self.0.as_ref().is_none_or(|rights| rights.iter().any(allows))
    }
}

impl Broker {
    /// Takes from a session what older rights gave it and these do not.
    pub(super) fn enforce(&mut self, session_id: SessionId, rights: &Rights) {
        let Some(session) = self.sessions.get_mut(&session_id).filter(|_| rights.0.is_some()) else { return };
        let is_will_refused =
            session.will.as_ref().is_some_and(|will| !rights.may_publish(will.topic(), will.qos(), will.retain()));
        let refused: Vec<_> =
            session.subscriptions.extract_if(.., |filter| rights.may_subscribe(filter).is_none()).collect();
        let kept: Vec<_> = session.subscriptions.iter().cloned().collect();
        let is_refused =
            |waiting: &Waiting| matches!(waiting, Waiting::Message(next) if !rights.may_receive(&next.message.topic));
        let discarded = session.queue.take_if(is_refused);
        session.sys_subscriptions -= refused.iter().filter(|filter| is_sys(filter)).count();
        if is_will_refused {
            self.forget_will(session_id);
        }
        self.watch_sys(session_id);
        for filter in refused {
            self.end_replay(session_id, &filter);
            self.remove_route(&filter, session_id);
            self.write_subscription(session_id, &filter);
        }
        for filter in kept {
            if let (Some(allowed), Some(subscription)) =
                (rights.may_subscribe(&filter), self.subscription_mut(&filter, session_id))
                && subscription.qos > allowed
            {
                subscription.qos = allowed;
                self.write_subscription(session_id, &filter);
            }
        }
        for (place, waiting) in discarded {
            self.erase_waiting(session_id, place, &waiting);
            if let Some(delivery) = waiting.message()
                && let Origin::Shared(filter) = &delivery.origin
                && !delivery.message.is_expired(self.now)
            {
                self.route_to_share(filter, &delivery.message);
            }
        }
    }
}

/// `pattern` with the placeholder replaced; `None` when it is there but the name cannot stand for one level.
fn fill_in(pattern: &str, placeholder: &str, name: Option<&str>) -> Option<String> {
    if !pattern.contains(placeholder) {
        return Some(pattern.into());
    }
    Some(pattern.replace(placeholder, name.filter(|name| is_harmless(name))?))
}

/// Whether a name can stand for one level, and makes no topic another kind of topic.
pub(super) fn is_harmless(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('$') && !name.contains(['/', '+', '#', '%'])
}

/// What a name must not change: whether a filter is shared (its share is ignored here), and whether it is one of `$SYS`.
fn kind(filter: &TopicFilter) -> (bool, bool) {
    (filter.share_name().is_some(), filter.levels().next() == Some(b"$SYS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(client_id: &str, user_name: Option<&str>) -> Rights {
        let grant = |filter: &'static str| Grant {
            filter: Text::from_static(filter),
            publish: true,
            subscribe: true,
            maximum_qos: QoS::AtLeastOnce,
            retain: false,
        };
        let user_name = user_name.map(|name| Text::try_from(name).unwrap());
        let grants = Grants::of([grant("c/%c/#"), grant("u/%u")].into());
        Rights::new(&grants, &Text::try_from(client_id).unwrap(), user_name.as_ref())
    }

    fn publishes(rights: &Rights, topic: &'static str) -> bool {
        rights.may_publish(&TopicName::parse(Text::from_static(topic)).unwrap(), QoS::AtLeastOnce, false)
    }

    fn subscribes(rights: &Rights, filter: &'static str) -> Option<QoS> {
        rights.may_subscribe(&TopicFilter::parse(Text::from_static(filter)).unwrap())
    }

    #[test]
    fn a_rule_holds_for_the_names_of_this_client_alone() {
        let rights = rights("ada", Some("lovelace"));
        assert!(publishes(&rights, "c/ada/x") && publishes(&rights, "u/lovelace"));
        assert!(!publishes(&rights, "c/bob/x") && !publishes(&rights, "u/ada"));
        assert_eq!(subscribes(&rights, "c/ada/+/x"), Some(QoS::AtLeastOnce));
        assert_eq!(subscribes(&rights, "$share/g/c/ada/#"), Some(QoS::AtLeastOnce));
        assert_eq!(subscribes(&rights, "c/+/x"), None);
        assert_eq!(subscribes(&rights, "#"), None);
    }

    #[test]
    fn a_name_cannot_widen_its_rule() {
        for name in ["+", "#", "a/b", "", "%u"] {
            let rights = rights(name, Some("+"));
            assert!(!publishes(&rights, "c/anything") && !publishes(&rights, "u/anything"), "{name}");
            assert_eq!(subscribes(&rights, "c/a/b"), None);
        }
        assert!(!publishes(&rights("ada", None), "u/ada"));
    }

    #[test]
    fn a_name_cannot_make_its_rule_one_of_share_or_sys() {
        for (pattern, name) in [
            ("%c/in/#", "$share"),
            ("%c/#", "$SYS"),
            ("$%c/in/#", "share"),
            ("$%c/#", "SYS"),
            ("%c%u/in/#", "$"),
            ("$%c%u/in/#", "sha"),
        ] {
            let grants = Grants::of([Grant { filter: Text::from_static(pattern), ..Default::default() }].into());
            let rights = Rights::new(&grants, &Text::from_static(name), Some(&Text::from_static("re")));
            assert!(!publishes(&rights, "somebody/elses"), "{pattern} {name}");
            assert_eq!(subscribes(&rights, "#"), None, "{pattern} {name}");
            assert_eq!(subscribes(&rights, "$SYS/#"), None, "{pattern} {name}");
        }
        let shared = Grants::of([Grant { filter: Text::from_static("$share/g/%c/#"), ..Default::default() }].into());
        let rights = Rights::new(&shared, &Text::from_static("ada"), None);
        assert_eq!(subscribes(&rights, "$share/g/ada/#"), Some(QoS::ExactlyOnce));
    }

    #[test]
    fn qos_and_retain_are_part_of_a_grant() {
        let rights = rights("ada", None);
        let topic = TopicName::parse(Text::from_static("c/ada")).unwrap();
        assert!(rights.may_publish(&topic, QoS::AtMostOnce, false));
        assert!(!rights.may_publish(&topic, QoS::ExactlyOnce, false));
        assert!(!rights.may_publish(&topic, QoS::AtMostOnce, true));
    }

    #[test]
    fn nobody_publishes_to_sys() {
        let all = Rights::new(&Grants::all(), &Text::from_static("ada"), None);
        assert!(publishes(&all, "a") && publishes(&all, "$other"));
        assert!(!publishes(&all, "$SYS/broker/version"));
        assert_eq!(subscribes(&all, "$SYS/#"), Some(QoS::ExactlyOnce));
    }
}
