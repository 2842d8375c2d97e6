//! `mqlite::client` as a client of the simulation.

use super::{
    check::violated,
    client::{Outbox, disconnect, filters_of, message, name_of, packet, text},
    trace::{self, Operation},
};
use bytes::Bytes;
use mqlite::{
    client::{Action, Cause, Client, Delivery, Input, Options, Token},
    codec::{ProtocolVersion, QoS, SubscribeProperties},
    time::Timestamp,
};
use std::{collections::BTreeSet, num::NonZeroU32};

pub struct Real {
    name: u64,
    client: Client,
    /// Of the CONNECT that it was made for.
    connect: trace::Connect,
    last_token: u64,
    /// Requests that have not come to their end.
    open: BTreeSet<Token>,
    owed: Vec<Delivery>,
}

impl Real {
    pub fn new(name: u64) -> Self {
        let connect = trace::Connect::default();
        Self { name, client: client(name, &connect), connect, last_token: 0, open: BTreeSet::new(), owed: Vec::new() }
    }

    /// A connection was opened. Only a clean start takes new options: without it the client's state goes on.
    pub fn connect(&mut self, now: u64, connect: &trace::Connect, out: &mut Outbox) {
        if connect.clean || self.last_token == 0 && self.connect == trace::Connect::default() {
            let mut connect = connect.clone();
            // Whatever is smaller, this client would close the connection.
            connect.maximum_packet_size = None;
            self.client = client(self.name, &connect);
            self.open.clear();
            self.connect = connect;
        }
        (self.connect.lazy, self.connect.refuses) = (connect.lazy, false);
        self.input(now, Input::Opened, out);
    }

    pub fn operate(&mut self, now: u64, operation: &Operation, out: &mut Outbox) {
        self.last_token += 1;
        let token = Token(self.last_token);
        let v5 = self.connect.v5;
        let version = if v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 };
        let input = match operation {
            Operation::Publish { .. } => Input::Publish { token, publish: message(operation, version) },
            Operation::Subscribe { identifier, filters, .. } => {
                let subscription_identifier = NonZeroU32::new(*identifier).filter(|_| v5);
                let properties = SubscribeProperties { subscription_identifier, ..Default::default() };
                Input::Subscribe { token, filters: filters_of(filters), properties, number: None }
            }
            Operation::Unsubscribe { filter, .. } => {
                Input::Unsubscribe { token, filters: vec![text(filter)], user_properties: Vec::new() }
            }
            Operation::Acknowledge { .. } => return self.acknowledge(now, out),
            Operation::Disconnect { reason, expiry, .. } => {
                let disconnect = disconnect(*reason, *expiry, &self.connect);
                Input::Disconnect { reason: disconnect.reason, properties: disconnect.properties }
            }
            _ => return,
        };
        if !matches!(input, Input::Disconnect { .. }) {
            self.open.insert(token);
        }
        self.input(now, input, out);
    }

    pub fn received(&mut self, now: u64, bytes: Bytes, out: &mut Outbox) {
        self.input(now, Input::Received { bytes }, out);
        if !self.connect.lazy {
            self.acknowledge(now, out);
        }
    }

    pub fn closed(&mut self, now: u64, out: &mut Outbox) {
        self.input(now, Input::Closed, out);
    }

    pub fn timeout(&mut self, now: u64, out: &mut Outbox) {
        self.input(now, Input::Timeout, out);
    }

    pub fn deadline(&self) -> Option<u64> {
        self.client.deadline().map(|at| at.0)
    }

    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    fn acknowledge(&mut self, now: u64, out: &mut Outbox) {
        for delivery in std::mem::take(&mut self.owed) {
            self.input(now, Input::Acknowledge { delivery }, out);
        }
    }

    fn input(&mut self, now: u64, input: Input, out: &mut Outbox) {
        for action in self.client.handle(Timestamp(now), input) {
            match action {
                Action::Send { bytes } => out.bytes.extend_from_slice(&bytes),
                Action::Close => out.closes = true,
                Action::Connected { session_present, .. } => out.begins_anew |= !session_present,
                Action::Deliver { message, delivery } => {
                    self.owed.extend(delivery);
                    if message.qos == QoS::ExactlyOnce && !message.retain {
                        out.delivered.push(message.payload);
                    }
                }
                Action::Completed { token, outcome } if !self.open.remove(&token) => {
                    violated("a request ends once", format!("{token:?} {outcome:?}"));
                }
                Action::Disconnected { cause: Cause::Violated(violation) } => {
                    violated("client and broker agree on the rules", format!("{violation:?}"));
                }
                _ => {}
            }
        }
    }
}

fn client(name: u64, connect: &trace::Connect) -> Client {
    let mut options = Options::new(name_of(name));
    options.connect = packet(&name_of(name), connect);
    options.assigned_topic_aliases = connect.aliases;
    options.outbox.maximum_messages = 20;
    Client::new(options).expect("a CONNECT that a server can accept")
}
