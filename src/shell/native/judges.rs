//! Who answers the broker's questions: some at once, some after work beside which the broker goes on.
//! Knows how to ask, not how to decide.

use super::access::{Access, Basis, Judgement, SECRET, SECRET_BYTES, Visitor};
use crate::{
    broker::{AuthenticationRequest, Broker, ConnectionId, Input, Verdict},
    codec::{ReasonCode, Text},
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};

/// An answer to a question of a connection.
pub(super) type Answer = (ConnectionId, Verdict);

pub(super) struct Judges {
    /// `None` lets nobody in.
    access: Option<Arc<Access>>,
    answers: mpsc::UnboundedSender<Answer>,
    /// At most one for each connection.
    answered: mpsc::UnboundedReceiver<Answer>,
}

/// Work on an answer, which ends when nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Work {
    task: JoinHandle<()>,
    request: Box<AuthenticationRequest>,
    basis: Option<Basis>,
}

impl Judges {
    pub(super) fn new(access: Option<Arc<Access>>) -> Self {
        let (answers, answered) = mpsc::unbounded_channel();
        Self { access, answers, answered }
    }

    /// What has to be kept before anybody is judged, if it is not yet.
    pub(super) fn begin(&self, broker: &Broker) -> Option<Input> {
        let mut secret = [0; SECRET_BYTES];
        let is_needed = self.access.is_some() && kept(broker, SECRET).is_none();
        // Without random numbers no exchange comes so far that it would be asked for.
        if !is_needed || getrandom::fill(&mut secret).is_err() {
            return None;
        }
        Some(Input::Keep { name: Text::from_static(SECRET), value: Some(Bytes::copy_from_slice(&secret)) })
    }

    /// The verdict, or the work that [`Judges::next`] tells the verdict of.
    pub(super) fn ask(
        &self,
        connection: ConnectionId,
        request: Box<AuthenticationRequest>,
        visitor: &mut Visitor,
        broker: &Broker,
    ) -> Result<Verdict, Work> {
        let Some(access) = &self.access else { return Ok(Verdict::deny(ReasonCode::NotAuthorized)) };
        match access.judge(request.clone(), visitor, &|name| kept(broker, name)) {
            Judgement::Now(verdict) => Ok(verdict),
            Judgement::Later(work, basis) => {
                let answers = self.answers.clone();
                let task = tokio::spawn(async move {
                    _ = answers.send((connection, work.await)); // it fails when the server stops
                });
                Err(Work { task, request, basis })
            }
        }
    }

    /// The next answer that took a while.
    pub(super) async fn next(&mut self) -> Option<Answer> {
        self.answered.recv().await
    }
}

impl Work {
    /// The question once more, when what its answer goes by has changed meanwhile: a user was removed, or has another password.
    pub(super) fn again(&self, broker: &Broker) -> Option<Box<AuthenticationRequest>> {
        let is_as_before = self.basis.as_ref().is_none_or(|(name, value)| kept(broker, name) == *value);
        (!is_as_before).then(|| self.request.clone())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn kept(broker: &Broker, name: &str) -> Option<Bytes> {
    let name = Text::try_from(name).ok()?;
    broker.kept(&name).next().filter(|(first, _)| **first == name).map(|(_, value)| value.clone())
}
