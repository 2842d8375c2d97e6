//! What asks the engine something from outside of MQTT: looks at the broker, or feeds it and hears once that is durable.
//! Knows nothing of what is asked.

use super::engine::{Engine, Notice};
use tokio::sync::{mpsc, oneshot};

/// A line to the engine, as long as it runs.
#[derive(Clone, Debug)]
pub(super) struct Line(mpsc::Sender<Notice>);

/// Work for the engine, which holds up every client.
pub(super) type Task = Box<dyn FnOnce(&mut Engine) + Send>;

/// The server is stopping: there is no answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping;

impl Line {
    pub(super) fn new(notices: mpsc::Sender<Notice>) -> Self {
        Self(notices)
    }

    /// What `look` finds as it is now.
    ///
    /// # Errors
    /// When the server is stopping.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Stopping> {
        let (answer, answered) = oneshot::channel();
        self.send(Box::new(move |engine| _ = answer.send(look(engine)))).await?;
        answered.await.map_err(|_| Stopping)
    }

    /// What `change` gives, once all that it caused is durable.
    ///
    /// # Errors
    /// When the server is stopping. Whether the change was made is not known then.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Stopping> {
        let (answer, answered) = oneshot::channel();
        let task: Task = Box::new(move |engine| {
            let outcome = change(engine);
            engine.when_durable(Box::new(move || _ = answer.send(outcome)));
        });
        self.send(task).await?;
        answered.await.map_err(|_| Stopping)
    }

    async fn send(&self, task: Task) -> Result<(), Stopping> {
        self.0.send(Notice::Asked(task)).await.map_err(|_| Stopping)
    }
}
