//! What the standard says of Topic Filters, and whom the host of the simulation lets do what.

use mqlite::{
    broker::{Grant, Grants},
    codec::{QoS, Text},
};

/// Whether a filter, with or without a share, matches a topic. (4.7)
pub fn matches(filter: &str, topic: &str) -> bool {
    let filter = without_share(filter);
    if topic.starts_with('$') && !filter.starts_with('$') {
        return false; // [MQTT-4.7.2-1]
    }
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match (level, topic.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(other)) if level == other => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

/// The host's rule for a client; `None` allows all.
fn rule(asks: u64, client_id: &Text) -> Option<(&'static str, QoS, bool)> {
    match client_id.as_str() {
        "c1" if asks > 0 => Some(("a/#", QoS::AtLeastOnce, false)),
        "c2" if asks > 0 => Some(("+/b", QoS::ExactlyOnce, true)),
        _ => None,
    }
}

pub fn grants(asks: u64, client_id: &Text) -> Grants {
    let Some((filter, maximum_qos, retain)) = rule(asks, client_id) else { return Grants::all() };
    let filter = Text::from_static(filter);
    Grants::of(vec![Grant { filter, maximum_qos, retain, ..Grant::default() }])
}

pub fn may_publish(asks: u64, client_id: &Text, topic: &Text, qos: QoS, retain: bool) -> bool {
    rule(asks, client_id).is_none_or(|(filter, maximum, may_retain)| {
        matches(filter, topic.as_str()) && qos <= maximum && (may_retain || !retain)
    })
}

/// The highest QoS to grant: the rule must match all that the filter does.
pub fn may_subscribe(asks: u64, client_id: &Text, filter: &str) -> Option<QoS> {
    let Some((rule, maximum, _)) = rule(asks, client_id) else { return Some(QoS::ExactlyOnce) };
    covers(rule, without_share(filter)).then_some(maximum)
}

fn covers(rule: &str, filter: &str) -> bool {
    if filter.starts_with('$') {
        return false;
    }
    let mut filter = filter.split('/');
    for level in rule.split('/') {
        match (level, filter.next()) {
            ("#", _) => return true,
            (_, None | Some("#")) => return false,
            ("+", Some(_)) => {}
            (level, Some(other)) if level == other => {}
            _ => return false,
        }
    }
    filter.next().is_none()
}

fn without_share(filter: &str) -> &str {
    filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/')).map_or(filter, |(_, filter)| filter)
}
