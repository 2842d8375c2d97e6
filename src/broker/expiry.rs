//! What is due: silence, wills, sessions, retained messages, `$SYS`.

use super::{Broker, Deadline, deadlines::Due, effort::PACKET};

impl Broker {
    /// When [`super::Input::Timeout`] is due next, if ever. It is due at once while a connection is behind: one input does
    /// no more than a bounded part of what its bytes ask for, and each timeout goes on with the rest, for all in turn. What
    /// is due is put off in the same way.
    pub fn deadline(&self) -> Option<Deadline> {
        let since = if self.orphans.is_empty() { self.behind.since() } else { Some(self.now) };
        let behind = since.map(|at| Deadline { at, why: "more to do" });
        behind.or_else(|| self.deadlines.first())
    }

    pub(super) fn process_due(&mut self) {
        while !self.effort.is_enough()
            && let Some(due) = self.deadlines.take_due(self.now)
        {
            self.effort.add(PACKET);
            match due {
                Due::Silence(connection) => self.silence_is_due(connection),
                Due::Verdict(connection) => self.verdict_is_due(connection),
                Due::Review(review) => self.reviewed(review, None),
                Due::Pause(connection) => self.pause_is_over(connection),
                Due::Will(session) => self.publish_will(session),
                Due::Delayed(number) => self.delayed_is_due(number),
                Due::SessionExpiry(session) => self.end_session(session),
                Due::RetainedExpiry(topic) => self.remove_retained(&topic),
                Due::Sys => self.publish_sys(),
            }
        }
    }
}
