//! What a program that has a server inside may take into its own hands: the clock, the questions, and the broker's own inputs.

use crate::{
    broker::{Action, Broker, Input},
    time::Timestamp,
};
use tokio::sync::mpsc;

/// Sits beside the broker of a [`super::Server`]. Its methods are called between two inputs, and hold up every client.
pub trait Pilot: Send {
    /// The time, instead of the system's. A server does not notice by itself that it was changed: any input tells it.
    fn now(&mut self) -> Timestamp;

    /// The broker is about to hear of this.
    fn before(&mut self, input: &Input);

    /// The broker wants this. The server does it, except that [`Action::Authenticate`] and [`Action::Review`] are for the pilot to
    /// answer.
    fn action(&mut self, action: &Action);

    /// That was all.
    fn after(&mut self, broker: &Broker);
}

/// A pilot, and what it has to tell the broker.
pub(super) struct Steering {
    pub pilot: Box<dyn Pilot>,
    pub inputs: mpsc::UnboundedReceiver<Input>,
}
