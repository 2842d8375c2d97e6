//! What is due: silence, wills, sessions, retained messages, `$SYS`.

use super::{Broker, Deadline, deadlines::Due};

impl Broker {
    /// When [`super::Input::Timeout`] is due next, if ever.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadlines.first()
    }

    pub(super) fn process_due(&mut self) {
        while let Some(due) = self.deadlines.take_due(self.now) {
            match due {
                Due::Silence(connection) => self.silence_is_due(connection),
                Due::Will(session) => self.publish_will(session),
                Due::SessionExpiry(session) => self.end_session(session),
                Due::RetainedExpiry(topic) => self.remove_retained(&topic),
                Due::Sys => self.publish_sys(),
            }
        }
    }
}
