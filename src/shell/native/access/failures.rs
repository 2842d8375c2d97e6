//! Who has failed to authenticate too often of late. In memory, and bounded: whoever is forgotten may only try a few times more.

use super::recent::Recent;
use std::{
    net::{IpAddr, Ipv6Addr},
    time::Instant,
};

/// Counts failures: by user name, by peer address, and all together.
#[derive(Debug)]
pub(super) struct Failures {
    per_minute: f64,
    counts: Recent<Key, Count>,
}

/// Whose failures are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Peer(IpAddr),
    Name(String),
    /// A user was let in from here: this place is theirs even while somebody else tries their name.
    Place(IpAddr, String),
    /// Whoever they are.
    All,
}

#[derive(Debug)]
struct Count {
    level: f64,
    at: Instant,
}

impl Failures {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.into(), counts: Recent::new(MOST) }
    }

    /// Whether to refuse at once.
    pub(super) fn is_refused(&self, user_name: Option<&str>, peer: IpAddr, now: Instant) -> bool {
        let is_full = |key: &Key| self.is_full(key, now);
        match user_name.map(|name| self.key_of(name, peer)) {
            // Others behind the same address, such as a proxy's, do not keep out who was let in from there.
            Some(place @ Key::Place(..)) => is_full(&place),
            key => is_full(&Key::Peer(group(peer))) || key.is_some_and(|key| is_full(&key)),
        }
    }

    /// Whether so many have failed, whoever they are, that there is no more work for those who were not here before.
    pub(super) fn are_too_many(&self, now: Instant) -> bool {
        self.is_full(&Key::All, now)
    }

    pub(super) fn failed(&mut self, user_name: Option<&str>, peer: IpAddr, now: Instant) {
        // A token costs less work than there is to bound.
        let of_all = user_name.map(|_| Key::All);
        let keys = [Some(Key::Peer(group(peer))), user_name.map(|name| self.key_of(name, peer)), of_all];
        for key in keys.into_iter().flatten() {
            // However many fail at once: that is over in a minute.
            let level = (self.level(&key, now) + 1.0).min(self.most(&key));
            self.counts.set(key, Count { level, at: now });
        }
    }

    pub(super) fn succeeded(&mut self, user_name: &str, peer: IpAddr, now: Instant) {
        let place = Key::Place(group(peer), short(user_name));
        if self.counts.get(&place).is_none() {
            self.counts.set(place, Count { level: 0.0, at: now });
        }
    }

    fn key_of(&self, user_name: &str, peer: IpAddr) -> Key {
        let place = Key::Place(group(peer), short(user_name));
        if self.counts.get(&place).is_some() { place } else { Key::Name(short(user_name)) }
    }

    fn is_full(&self, key: &Key, now: Instant) -> bool {
        self.level(key, now) > self.most(key) - 1.0
    }

    /// What is left of the failures: they leak away by so many a minute as there may be.
    fn level(&self, key: &Key, now: Instant) -> f64 {
        let Some(Count { level, at }) = self.counts.get(key) else { return 0.0 };
        (level - now.saturating_duration_since(*at).as_secs_f64() * self.most(key) / 60.0).max(0.0)
    }

    fn most(&self, key: &Key) -> f64 {
        if *key == Key::All { self.per_minute * OF_ALL } else { self.per_minute }
    }
}

/// What one subscriber of a network has: a whole /64 in IPv6.
pub(super) fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

/// What is longer is nobody's name.
fn short(name: &str) -> String {
    name.chars().take(super::names::LONGEST_NAME).collect()
}

const MOST: usize = 12_288;
/// How many more may fail together than of one name.
const OF_ALL: f64 = 30.0;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_peer_and_a_name_are_refused_after_so_many_failures_and_for_a_while() {
        let (mut failures, now) = (Failures::new(3), Instant::now());
        for _ in 0..3 {
            assert!(!failures.is_refused(Some("ada"), HERE, now));
            failures.failed(Some("ada"), HERE, now);
        }
        assert!(failures.is_refused(None, HERE, now));
        assert!(failures.is_refused(Some("ada"), THERE, now));
        assert!(!failures.is_refused(Some("eve"), THERE, now));
        let later = now + Duration::from_secs(21);
        assert!(!failures.is_refused(Some("ada"), HERE, later));
        failures.failed(Some("ada"), HERE, later);
        assert!(failures.is_refused(Some("ada"), HERE, later));
    }

    #[test]
    fn somebody_who_tries_the_name_elsewhere_does_not_keep_its_user_out() {
        let (mut failures, now) = (Failures::new(3), Instant::now());
        failures.succeeded("ada", HERE, now);
        (0..9).for_each(|_| failures.failed(Some("ada"), THERE, now));
        assert!(!failures.is_refused(Some("ada"), HERE, now));
        (0..3).for_each(|_| failures.failed(Some("ada"), HERE, now));
        assert!(failures.is_refused(Some("ada"), HERE, now));
    }

    #[test]
    fn others_behind_the_same_address_do_not_keep_out_who_was_let_in_from_there() {
        let (mut failures, now) = (Failures::new(3), Instant::now());
        failures.succeeded("ada", HERE, now);
        (0..9).for_each(|number| failures.failed(Some(&format!("guess {number}")), HERE, now));
        assert!(!failures.is_refused(Some("ada"), HERE, now));
        assert!(failures.is_refused(Some("eve"), HERE, now) && failures.is_refused(None, HERE, now));
    }

    #[test]
    fn however_many_fail_at_once_it_is_over_in_a_minute() {
        let (mut failures, now) = (Failures::new(3), Instant::now());
        (0..1_000).for_each(|_| failures.failed(Some("ada"), HERE, now));
        assert!(failures.is_refused(Some("ada"), HERE, now));
        assert!(!failures.is_refused(Some("ada"), HERE, now + Duration::from_secs(60)));
    }

    #[test]
    fn many_names_from_many_addresses_are_too_many_together_for_a_while() {
        let (mut failures, now) = (Failures::new(2), Instant::now());
        for number in 0..60 {
            assert!(!failures.are_too_many(now));
            failures.failed(Some(&format!("guess {number}")), IpAddr::V4([192, 0, 2, number].into()), now);
        }
        assert!(failures.are_too_many(now) && !failures.is_refused(Some("ada"), HERE, now));
        (0..1_000).for_each(|_| failures.failed(Some("ada"), HERE, now));
        assert!(!failures.are_too_many(now + Duration::from_secs(2)));
        (0..1_000).for_each(|_| failures.failed(None, THERE, now + Duration::from_secs(60)));
        assert!(!failures.are_too_many(now + Duration::from_secs(60)));
    }

    #[test]
    fn one_network_of_ipv6_is_one_peer() {
        let (mut failures, now) = (Failures::new(1), Instant::now());
        failures.failed(None, "2001:db8::1".parse().unwrap(), now);
        assert!(failures.is_refused(None, "2001:db8::ffff:2".parse().unwrap(), now));
        assert!(!failures.is_refused(None, "2001:db8:0:1::1".parse().unwrap(), now));
    }
}
