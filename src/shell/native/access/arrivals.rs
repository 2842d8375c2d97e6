//! How fast connections are opened from one network: more than that wait, each its turn, and whoever broke a rule waits longer.
//! In memory, and bounded. Knows of MQTT only which reasons are broken rules.

use super::{
    super::settings::{ConnectionRate, SettingError},
    failures::group,
    recent::Recent,
};
use crate::codec::ReasonCode;
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

#[derive(Debug)]
pub(in super::super) struct Arrivals {
    per_second: f64,
    burst: f64,
    counts: Mutex<Counts>,
    /// Free places of those who wait, from wherever.
    places: Arc<Semaphore>,
}

type Counts = Recent<IpAddr, Count>;

/// How many came from a network, less those whose time is over.
#[derive(Debug)]
struct Count {
    level: f64,
    at: Instant,
}

/// When a connection may come in.
#[derive(Debug)]
pub(in super::super) struct Turn {
    wait: Duration,
    _place: Option<OwnedSemaphorePermit>,
}

impl Arrivals {
    /// # Errors
    /// When the rate is none.
    pub(super) fn new(rate: &ConnectionRate) -> Result<Self, SettingError> {
        rate.faults().pop().map_or(Ok(()), Err)?;
        let (counts, places) = (Mutex::new(Recent::new(MOST)), Arc::new(Semaphore::new(MOST_WAITING)));
        Ok(Self { per_second: rate.per_second, burst: rate.burst.into(), counts, places })
    }

    /// The turn of a connection that comes now; `None` when it would have to wait for too long, or too many wait.
    pub(in super::super) fn admit(&self, peer: IpAddr, now: Instant) -> Option<Turn> {
        let network = group(peer);
        let mut counts = self.counts();
        let level = self.level(&counts, network, now) + 1.0;
        let wait = ((level - self.burst) / self.per_second).max(0.0);
        if wait > LONGEST_WAIT {
            return None;
        }
        let place = if wait > 0.0 { Some(self.places.clone().try_acquire_owned().ok()?) } else { None };
        counts.set(network, Count { level, at: now });
        Some(Turn { wait: Duration::from_secs_f64(wait), _place: place })
    }

    /// A connection from there was closed after so long. If it broke a rule it counts as many, and if it was let in and vanished
    /// at once as some, but nobody is kept out for good.
    pub(in super::super) fn closed(&self, peer: IpAddr, reason: ReasonCode, after: Duration, now: Instant) {
        let connections = match reason {
            _ if is_breach(reason) => BREACH,
            // Of guesses there is a limit of its own, which answers with the second.
            ReasonCode::BadUserNameOrPassword | ReasonCode::ConnectionRateExceeded => GUESS,
            // Also that of a connection which was lost.
            ReasonCode::UnspecifiedError if after < BRIEFLY => VISIT,
            _ => return,
        };
        let network = group(peer);
        let mut counts = self.counts();
        let before = self.level(&counts, network, now);
        // The next one can just wait for its turn.
        let most = self.burst + LONGEST_WAIT * self.per_second - 1.0;
        let level = (before + connections).min(most).max(before);
        counts.set(network, Count { level, at: now });
    }

    fn level(&self, counts: &Counts, network: IpAddr, now: Instant) -> f64 {
        let Some(Count { level, at }) = counts.get(&network) else { return 0.0 };
        (level - now.saturating_duration_since(*at).as_secs_f64() * self.per_second).max(0.0)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    pub(in super::super) const NOW: Self = Self { wait: Duration::ZERO, _place: None };

    pub(in super::super) fn is_now(&self) -> bool {
        self.wait.is_zero()
    }

    /// Resolves when it is there. Whoever gives up leaves the place to others.
    pub(in super::super) async fn comes(self) {
        sleep(self.wait).await;
    }
}

/// Malformed, too large or too fast: whatever no honest client does again and again.
fn is_breach(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::MalformedPacket
            | ReasonCode::ProtocolError
            | ReasonCode::ReceiveMaximumExceeded
            | ReasonCode::TopicAliasInvalid
            | ReasonCode::PacketTooLarge
            | ReasonCode::MessageRateTooHigh
    )
}

/// Connections that one stands for which broke a rule.
const BREACH: f64 = 400.0;
/// Connections that one stands for which guessed a password.
const GUESS: f64 = 100.0;
/// Connections that one stands for which was let in and vanished, and the time within which.
const VISIT: f64 = 50.0;
const BRIEFLY: Duration = Duration::from_secs(1);
/// Seconds.
const LONGEST_WAIT: f64 = 10.0;
/// Of all networks.
const MOST_WAITING: usize = 1_000;
/// Networks.
const MOST: usize = 12_288;

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn arrivals(per_second: f64, burst: u32) -> Arrivals {
        Arrivals::new(&ConnectionRate { per_second, burst }).unwrap()
    }

    /// The milliseconds that a connection has to wait.
    fn wait(arrivals: &Arrivals, peer: IpAddr, now: Instant) -> Option<u128> {
        arrivals.admit(peer, now).map(|turn| turn.wait.as_millis())
    }

    #[test]
    fn more_than_may_come_at_once_wait_each_its_turn() {
        let (arrivals, now) = (arrivals(2.0, 3), Instant::now());
        let waits = [(); 6].map(|()| wait(&arrivals, HERE, now));
        assert_eq!(waits, [0, 0, 0, 500, 1_000, 1_500].map(Some));
        assert_eq!(wait(&arrivals, THERE, now), Some(0));
        assert_eq!(wait(&arrivals, HERE, now + Duration::from_millis(1_500)), Some(500));
        let later = now + Duration::from_secs(60);
        assert_eq!([(); 4].map(|()| wait(&arrivals, HERE, later)), [0, 0, 0, 500].map(Some));
    }

    #[test]
    fn who_would_wait_for_more_than_ten_seconds_is_refused_and_does_not_count() {
        let (arrivals, now) = (arrivals(2.0, 3), Instant::now());
        assert_eq!((0..100).filter(|_| wait(&arrivals, HERE, now).is_some()).count(), 23);
        assert_eq!(wait(&arrivals, HERE, now + Duration::from_millis(500)), Some(10_000));
    }

    #[test]
    fn there_is_a_place_for_so_many_who_wait_and_again_when_one_gives_up() {
        let (arrivals, now) = (arrivals(1_000.0, 1), Instant::now());
        let mut turns: Vec<_> = (0..=MOST_WAITING).map(|_| arrivals.admit(HERE, now).unwrap()).collect();
        assert!(arrivals.admit(HERE, now).is_none());
        assert_eq!(wait(&arrivals, THERE, now), Some(0));
        turns.pop();
        assert!(arrivals.admit(HERE, now).is_some());
    }

    #[test]
    fn who_broke_a_rule_counts_as_four_hundred_and_is_never_kept_out_for_good() {
        let (arrivals, now) = (arrivals(50.0, 10), Instant::now());
        arrivals.closed(HERE, ReasonCode::Success, BRIEFLY, now);
        assert_eq!(wait(&arrivals, HERE, now), Some(0));
        arrivals.closed(HERE, ReasonCode::MalformedPacket, BRIEFLY, now);
        assert_eq!([HERE, THERE].map(|peer| wait(&arrivals, peer, now)), [Some(7_840), Some(0)]);
        arrivals.closed(THERE, ReasonCode::BadUserNameOrPassword, BRIEFLY, now);
        assert_eq!(wait(&arrivals, THERE, now), Some(1_840));
        (0..1_000).for_each(|_| arrivals.closed(HERE, ReasonCode::BadUserNameOrPassword, BRIEFLY, now));
        assert_eq!([(); 2].map(|()| wait(&arrivals, HERE, now)), [Some(10_000), None]);
        assert_eq!(wait(&arrivals, HERE, now + Duration::from_secs(10)), Some(20));
    }

    #[test]
    fn who_vanishes_within_a_second_counts_as_fifty() {
        let (arrivals, now) = (arrivals(50.0, 10), Instant::now());
        arrivals.closed(HERE, ReasonCode::UnspecifiedError, BRIEFLY, now);
        arrivals.closed(HERE, ReasonCode::Success, Duration::ZERO, now);
        assert_eq!(wait(&arrivals, HERE, now), Some(0));
        arrivals.closed(HERE, ReasonCode::UnspecifiedError, Duration::ZERO, now);
        assert_eq!([HERE, THERE].map(|peer| wait(&arrivals, peer, now)), [Some(840), Some(0)]);
    }

    #[test]
    fn who_broke_a_rule_does_not_come_sooner_for_it_where_few_may_come() {
        let (arrivals, now) = (arrivals(0.01, 2), Instant::now());
        assert_eq!([(); 3].map(|()| wait(&arrivals, HERE, now)), [Some(0), Some(0), None]);
        (0..10).for_each(|_| arrivals.closed(HERE, ReasonCode::ProtocolError, BRIEFLY, now));
        assert_eq!(wait(&arrivals, HERE, now), None);
    }

    #[test]
    fn one_network_of_ipv6_is_one_peer() {
        let (arrivals, now) = (arrivals(0.01, 1), Instant::now());
        let waits = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"];
        assert_eq!(waits.map(|peer| wait(&arrivals, peer.parse().unwrap(), now)), [Some(0), None, Some(0)]);
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for (per_second, burst) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (f64::INFINITY, 1), (1e7, 1), (1.0, 0)] {
            assert!(Arrivals::new(&ConnectionRate { per_second, burst }).is_err(), "{per_second} {burst}");
        }
        assert_eq!(wait(&arrivals(f64::MIN_POSITIVE, 1), HERE, Instant::now()), Some(0));
    }
}
