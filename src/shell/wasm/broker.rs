//! The broker behind a host object. All frames of one connection that an input causes become one write, unless they are much.

use super::{
    Records,
    by_serde::{read, write},
    convert::{self, invalid, invalid_topic, milliseconds, not_kept, text, timestamp},
    dropped::Dropped,
    to_js::{ToJs, writable, write_member},
    writes::Writes,
};
use crate::{
    broker::{
        Action, Authentication, Broker, Caller, ClientDetails, Config, ConnectionId, Decision, Durability, Event,
        Export, Grant, Grants, Input, Page, Restored, ReviewId, ReviewRequest, Verdict,
    },
    codec::{Binary, ProtocolVersion, Publish, QoS, ReasonCode, Text},
    time::Timestamp,
    topic::TopicFilter,
};
use js_sys::{Error, Map, Object, Uint8Array};
use serde::Deserialize;
use std::mem;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const BROKER_HOST: &str = "
/** What a broker wants done. No method may throw, or call the engine. */
export interface BrokerHost {
  /**
   * Write these bytes. Of each write there are two numbers: its connection, and how many of the bytes are its own. All is valid during
   * the call alone. Returns the connections that have not written all that they were given so far, in the same order.
   */
  send(writes: Uint32Array, bytes: Uint8Array): Uint32Array | undefined;
  /** Close the connection once everything sent before was written. */
  close(connection: number): void;
  /** Decide whether a client is let in, then call `authenticated`. */
  authenticate(connection: number, request: unknown): void;
  /** Decide what becomes of a message, then call `reviewed`. The payload is valid during the call alone. */
  review(
    review: number, clientId: string, userName: string | undefined,
    topic: string, payload: Uint8Array, qos: number, retain: boolean, properties: unknown,
  ): void;
  /** Something worth knowing happened. */
  report(event: unknown): void;
  /** A record is put in place of what was there, or removed where `value` is absent. Both are valid during the call alone. */
  write(key: Uint8Array, value: Uint8Array | undefined): void;
  /**
   * What was written since the last time belongs together; what is sent from now on waits until it is durable. If it `mayWait`, it is for
   * connections that outlive the broker alone: nobody waits for it, and it is durable before the broker is given up without them.
   */
  commit(mayWait: boolean): void;
  /** Keep this beside the connection, once what was committed is durable. Valid during the call alone. */
  remember(connection: number, state: Uint8Array): void;
  /** A record cannot be used. */
  reject(key: Uint8Array, reason: string): void;
}";

#[wasm_bindgen]
extern "C" {
    /// What the broker wants done.
    #[wasm_bindgen(typescript_type = "BrokerHost")]
    pub type BrokerHost;

    #[wasm_bindgen(method)]
    pub(super) fn send(this: &BrokerHost, writes: &[u32], bytes: &[u8]) -> Option<Vec<u32>>;

    #[wasm_bindgen(method)]
    fn close(this: &BrokerHost, connection: u32);

    #[wasm_bindgen(method)]
    fn authenticate(this: &BrokerHost, connection: u32, request: JsValue);

    #[wasm_bindgen(method)]
    #[allow(clippy::too_many_arguments, reason = "an object would be made member by member")]
    fn review(
        this: &BrokerHost,
        review: f64,
        client_id: &str,
        user_name: Option<&str>,
        topic: &str,
        payload: &[u8],
        qos: u8,
        retain: bool,
        properties: JsValue,
    );

    #[wasm_bindgen(method)]
    fn report(this: &BrokerHost, event: JsValue);

    #[wasm_bindgen(method)]
    fn write(this: &BrokerHost, key: &[u8], value: Option<&[u8]>);

    #[wasm_bindgen(method)]
    fn commit(this: &BrokerHost, may_wait: bool);

    #[wasm_bindgen(method)]
    fn remember(this: &BrokerHost, connection: u32, state: &[u8]);

    #[wasm_bindgen(method)]
    fn reject(this: &BrokerHost, key: &[u8], reason: &str);
}

/// A broker. Connections are numbered by the host, never twice the same; times are milliseconds since 1970.
#[wasm_bindgen]
pub struct BrokerEngine {
    broker: Broker,
    host: BrokerHost,
    reports: bool,
    writes: Writes,
    /// What became of the message that the host published last.
    published: ReasonCode,
    dropped: Dropped,
}

/// How the broker treats its host.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Policy {
    /// Whether the host decides who is let in.
    asks: bool,
    /// Whether the host wants to hear of events.
    reports: bool,
    /// Whether the host keeps records.
    stores: bool,
    /// Whether its connections may outlive the broker.
    hibernates: bool,
    /// The rights of everybody, where the host is not asked; all where absent.
    grants: Option<Vec<Grant>>,
}

/// A verdict as JavaScript says it: `type` says which of the others count. Not an enum, whose code would be ten times larger.
/// So would a struct of its own be for a caller, who has `grants` and a `userName`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    r#type: Text,
    grants: Option<Vec<Grant>>,
    data: Option<Binary>,
    user_name: Option<Text>,
    expires_at: Option<u64>,
    reason: u8,
    message: Option<Text>,
    server: Text,
    permanent: bool,
}

impl Answer {
    fn verdict(self) -> Result<Verdict, Error> {
        Ok(match self.r#type.as_str() {
            "allow" => Verdict::Allow {
                grants: grants(self.grants)?,
                data: self.data,
                user_name: self.user_name,
                expires_at: self.expires_at.map(Timestamp),
            },
            "deny" => Verdict::Deny { reason: failure(self.reason)?, message: self.message },
            "continue" => Verdict::Continue { data: self.data },
            "redirect" => Verdict::Redirect { server: self.server, permanent: self.permanent },
            _ => return Err(invalid("type: a verdict is allow, deny, continue or redirect")),
        })
    }
}

#[wasm_bindgen]
impl BrokerEngine {
    /// A broker with what `records` have, if there are any. `seed` decides all that looks random; give each broker its own.
    ///
    /// # Errors
    /// When an option has the wrong type, or the seed is not 32 bytes long.
    #[wasm_bindgen(constructor)]
    pub fn new(
        host: BrokerHost,
        config: JsValue,
        policy: JsValue,
        seed: &[u8],
        records: Option<Records>,
    ) -> Result<Self, Error> {
        let seed = seed.try_into().map_err(|_| invalid("seed: not 32 bytes"))?;
        let policy: Policy = read(policy)?;
        let authentication =
            if policy.asks { Authentication::Ask } else { Authentication::Open(grants(policy.grants)?) };
        let durability = match (policy.stores, policy.hibernates) {
            (false, _) => Durability::None,
            (true, false) => Durability::Sessions,
            (true, true) => Durability::Connections,
        };
        let config = Config { authentication, durability, ..read(config)? };
        let (writes, dropped) = (Writes::new(config.send_buffer), Dropped::default());
        let Restored { broker, rejected } = Broker::restore(config, seed, records.unwrap_or_default().into_inner());
        rejected.iter().for_each(|record| host.reject(&record.key, record.reason));
        Ok(Self { broker, host, reports: policy.reports, writes, published: ReasonCode::Success, dropped })
    }

    /// A connection outlived the broker before. Comes before any other input.
    pub fn resumed(&mut self, now: f64, connection: u32, state: Vec<u8>) {
        self.run(now, Input::Resumed { connection: id(connection), state: state.into() });
    }

    /// A connection was opened.
    pub fn opened(&mut self, now: f64, connection: u32) {
        self.run(now, Input::Opened { connection: id(connection) });
    }

    /// Bytes came, chunked anyhow.
    pub fn received(&mut self, now: f64, connection: u32, bytes: Vec<u8>) {
        self.run(now, Input::Received { connection: id(connection), bytes: bytes.into() });
    }

    /// Everything is written that the connection was given, after `send` said that it was not.
    pub fn writable(&mut self, now: f64, connection: u32) {
        let (now, left) = (timestamp(now), self.writes.held(connection));
        let has_more = self.broker.written(id(connection), left);
        self.writes.release(connection);
        if has_more {
            self.perform(now, Input::Writable { connection: id(connection) });
        } else {
            self.writes.hand_over(&self.host);
        }
        self.settle(now);
    }

    /// The connection is gone.
    pub fn closed(&mut self, now: f64, connection: u32) {
        self.writes.forget(connection);
        self.run(now, Input::Closed { connection: id(connection) });
    }

    /// The answer to `authenticate`: an object with a `type` of `allow`, `deny`, `continue` or `redirect`.
    ///
    /// # Errors
    /// When the answer is none of these; the connection waits on.
    pub fn authenticated(&mut self, now: f64, connection: u32, verdict: JsValue) -> Result<(), Error> {
        let verdict = read::<Answer>(verdict)?.verdict()?;
        self.run(now, Input::Authenticated { connection: id(connection), verdict });
        Ok(())
    }

    /// The answer to `review`: `accept`, `drop`, `rewrite` with a topic, a payload or both, or `refuse` with a Reason Code; or
    /// nothing when there is no answer.
    ///
    /// # Errors
    /// When the answer is none of these; the message waits on.
    pub fn reviewed(
        &mut self,
        now: f64,
        review: f64,
        decision: Option<String>,
        topic: Option<String>,
        payload: Option<Vec<u8>>,
        reason: Option<u8>,
    ) -> Result<(), Error> {
        let decision = match decision.as_deref() {
            None => None,
            Some("accept") => Some(Decision::Accept),
            Some("drop") => Some(Decision::Drop),
            Some("rewrite") => {
                let topic = topic.map(|topic| text("topic", topic)).transpose()?;
                Some(Decision::Rewrite { topic, payload: payload.map(Into::into) })
            }
            Some("refuse") => Some(Decision::Refuse { reason: failure(reason.unwrap_or(NOT_AUTHORIZED))? }),
            Some(_) => return Err(invalid("type: a decision is accept, drop, rewrite or refuse")),
        };
        self.run(now, Input::Reviewed { review: ReviewId(timestamp(review).0), decision });
        Ok(())
    }

    /// The host itself publishes a message, on behalf of `caller` if there is one, who has `grants` and a `userName`. Returns the
    /// Reason Code.
    ///
    /// # Errors
    /// When the topic is no text that MQTT can carry, or a property or grant has the wrong type.
    #[allow(clippy::too_many_arguments, reason = "an object would be built for each message")]
    pub fn publish(
        &mut self,
        now: f64,
        topic: String,
        payload: Vec<u8>,
        qos: f64,
        retain: bool,
        properties: JsValue,
        caller: JsValue,
    ) -> Result<u8, Error> {
        let publish = message(topic, payload, qos, retain, properties)?;
        self.run(now, Input::Publish { publish, caller: behalf(caller)? });
        Ok(self.published.value())
    }

    /// Whether `disconnect` would do anything.
    ///
    /// # Errors
    /// When the reason is not a Reason Code of 0x80 or above, or the identifier is none that a client can have.
    #[wasm_bindgen(js_name = canDisconnect)]
    pub fn can_disconnect(&self, client_id: String, reason: u8, end_session: bool) -> Result<bool, Error> {
        failure(reason)?;
        let client = self.broker.client(&text("clientId", client_id)?);
        Ok(client.is_some_and(|client| client.connected || end_session))
    }

    /// The host closes a client's connection, and ends its session if it says so.
    ///
    /// # Errors
    /// As those of `canDisconnect`.
    pub fn disconnect(&mut self, now: f64, client_id: String, reason: u8, end_session: bool) -> Result<(), Error> {
        let (client_id, reason) = (text("clientId", client_id)?, failure(reason)?);
        self.run(now, Input::Disconnect { client_id, reason, end_session });
        Ok(())
    }

    /// The clients whose identifiers come after this one: `items`, and `next` to go on after.
    ///
    /// # Errors
    /// When `after` is no text that an identifier can have.
    pub fn clients(&self, after: Option<String>, limit: u32) -> Result<JsValue, Error> {
        let after = after.map(|after| text("after", after)).transpose()?;
        Ok(page(&self.broker.clients(after.as_ref(), limit as usize)))
    }

    /// The retained messages that the filter matches and whose topics come after this one: `items`, and `next` to go on after.
    /// A Reason Code instead where that is refused.
    ///
    /// # Errors
    /// When the filter or `after` is no text that MQTT can carry, or a grant has the wrong type.
    pub fn retained(
        &self,
        now: f64,
        filter: String,
        after: Option<String>,
        limit: u32,
        caller: JsValue,
    ) -> Result<JsValue, Error> {
        let (filter, caller) = (text("filter", filter)?, behalf(caller)?);
        let after = after.map(|after| text("after", after)).transpose()?;
        let found = self.broker.retained(timestamp(now), &filter, after.as_ref(), limit as usize, caller.as_deref());
        Ok(found.map_or_else(|reason| reason.value().into(), |found| page(&found)))
    }

    /// The packets of a client are reported until then.
    ///
    /// # Errors
    /// When the identifier is none that a client can have.
    pub fn trace(&mut self, now: f64, client_id: String, until: f64) -> Result<(), Error> {
        let client_id = text("clientId", client_id)?;
        self.run(now, Input::Trace { client_id, until: timestamp(until) });
        Ok(())
    }

    /// The host keeps a value by a name of its own, in place of what was there; without a value there is nothing any more.
    ///
    /// # Errors
    /// When the name or the value cannot be kept, or there is no room.
    pub fn keep(&mut self, now: f64, name: String, value: Option<Vec<u8>>) -> Result<(), Error> {
        let (name, value) = (text("name", name)?, value.map(Into::into));
        self.broker.may_keep(&name, value.as_ref()).map_err(not_kept)?;
        self.run(now, Input::Keep { name, value });
        Ok(())
    }

    /// What is kept by names that begin with `prefix`, in their order.
    ///
    /// # Errors
    /// When the prefix is no text that a name can have.
    pub fn kept(&self, prefix: String) -> Result<Map, Error> {
        let (prefix, map) = (text("prefix", prefix)?, Map::new());
        for (name, value) in self.broker.kept(&prefix) {
            map.set(&name.as_str().into(), &Uint8Array::from(&**value));
        }
        Ok(map)
    }

    /// What is kept by this very name, without a look at others that begin with it.
    ///
    /// # Errors
    /// When the name is no text that a name can have.
    #[wasm_bindgen(js_name = keptValue)]
    pub fn kept_value(&self, name: String) -> Result<Option<Vec<u8>>, Error> {
        let name = text("name", name)?;
        // The name itself comes before all that begin with it.
        let first = self.broker.kept(&name).next();
        Ok(first.filter(|(found, _)| **found == name).map(|(_, value)| value.to_vec()))
    }

    /// The deadline has passed.
    pub fn timeout(&mut self, now: f64) {
        self.run(now, Input::Timeout);
    }

    /// The host has moved: clients are told where to, every connection is closed.
    ///
    /// # Errors
    /// When the reference is no text that MQTT can carry.
    pub fn moved(&mut self, now: f64, server: String, permanent: bool) -> Result<(), Error> {
        let server = text("server", server)?;
        self.run(now, Input::Moved { server, permanent });
        Ok(())
    }

    /// The host is about to end: clients are told, every connection is closed.
    #[wasm_bindgen(js_name = shutDown)]
    pub fn shut_down(&mut self, now: f64) {
        self.run(now, Input::ShutDown);
    }

    /// All that outlives the broker, as a file.
    pub fn export(&self) -> Vec<u8> {
        let mut export = Export::new();
        self.broker.records().iter().for_each(|(key, value)| export.push(key, value));
        export.finish().into()
    }

    /// Has the host write all of that.
    pub fn store(&self) {
        self.broker.records().iter().for_each(|(key, value)| self.host.write(key, Some(value)));
    }

    /// When `timeout` is due next, if ever.
    pub fn deadline(&self) -> Option<f64> {
        self.broker.deadline().map(|deadline| milliseconds(deadline.at))
    }

    /// The counters and gauges.
    pub fn statistics(&self) -> JsValue {
        write(&self.broker.statistics())
    }

    fn run(&mut self, now: f64, input: Input) {
        let now = timestamp(now);
        self.perform(now, input);
        self.settle(now);
    }

    /// Lets the broker go on with those who have written everything.
    fn settle(&mut self, now: Timestamp) {
        loop {
            let written = mem::take(&mut self.writes.written);
            if written.is_empty() {
                return;
            }
            for connection in written {
                if !self.writes.waits(connection) && self.broker.written(id(connection), 0) {
                    self.perform(now, Input::Writable { connection: id(connection) });
                }
            }
        }
    }

    fn perform(&mut self, now: Timestamp, input: Input) {
        let Self { broker, host, reports, writes, published, dropped } = self;
        let mut is_committed = true;
        let actions = broker.handle(now, input);
        let may_wait = actions.writes_may_wait();
        for action in actions {
            let is_write = matches!(action, Action::Put { .. } | Action::Delete { .. });
            if !is_committed && !is_write {
                host.commit(may_wait);
            }
            is_committed = !is_write;
            match action {
                Action::Put { key, value } => host.write(&key, Some(&value)),
                Action::Delete { key } => host.write(&key, None),
                Action::Remember { connection, state } => host.remember(number(connection), &state),
                Action::Send { connection, frame } => writes.push(host, number(connection), &frame),
                Action::Close { connection, .. } => {
                    writes.finish(host, number(connection));
                    host.close(number(connection));
                }
                Action::Authenticate { connection, request } => {
                    host.authenticate(number(connection), write(&*request));
                }
                Action::Review { review, request } => {
                    let ReviewRequest { client_id, user_name, publish } = *request;
                    let Publish { topic, payload, qos, retain, properties, .. } = publish;
                    let user_name = user_name.as_ref().map(Text::as_str);
                    let (number, properties) = (milliseconds(Timestamp(review.0)), properties.to_js());
                    let topic = topic.as_str();
                    host.review(number, client_id.as_str(), user_name, topic, &payload, qos as u8, retain, properties);
                }
                Action::Published { reason } => *published = reason,
                Action::Report(Event::Dropped { client_id, why, count }) if *reports => {
                    dropped.add(client_id, why, count)
                }
                Action::Report(event) if *reports => host.report(write(&event)),
                Action::Report(_) => {}
            }
        }
        if !is_committed {
            host.commit(may_wait);
        }
        for event in dropped.take(now) {
            host.report(write(&event));
        }
        writes.hand_over(host);
    }
}

/// A message that a host publishes. Its QoS comes as JavaScript's number, which an integer type would cut to size.
fn message(topic: String, payload: Vec<u8>, qos: f64, retain: bool, properties: JsValue) -> Result<Publish, Error> {
    let levels = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
    let level = levels.into_iter().find(|level| f64::from(*level as u8) == qos);
    Ok(Publish {
        qos: level.ok_or_else(|| invalid("qos: QoS is 0, 1 or 2"))?,
        retain,
        topic: text("topic", topic)?,
        payload: payload.into(),
        properties: convert::read(&properties)?,
        ..Publish::default()
    })
}

/// On whose behalf the host acts, if on anybody's.
fn behalf(caller: JsValue) -> Result<Option<Box<Caller>>, Error> {
    if caller.is_undefined() {
        return Ok(None);
    }
    let Answer { user_name, grants: rules, .. } = read(caller)?;
    Ok(Some(Box::new(Caller { user_name, grants: grants(rules)? })))
}

fn page<T>(Page { items, next }: &Page<T>) -> JsValue
where
    Vec<T>: ToJs,
{
    let object = Object::new().into();
    write_member(&object, "items", items.to_js());
    write_member(&object, "next", next.to_js());
    object
}

impl ToJs for ProtocolVersion {
    fn to_js(&self) -> JsValue {
        (*self as u8).into()
    }
}

impl ToJs for Timestamp {
    fn to_js(&self) -> JsValue {
        milliseconds(*self).into()
    }
}

writable!(ClientDetails {
    client_id,
    user_name,
    connected,
    protocol_version,
    connected_at,
    keep_alive,
    session_expiry_interval,
    subscriptions,
    queued,
    in_flight,
});

/// All rights where there are no rules. A rule that could never count is refused.
fn grants(rules: Option<Vec<Grant>>) -> Result<Grants, Error> {
    for rule in rules.iter().flatten() {
        let example = rule.filter.as_str().replace("%c", "c").replace("%u", "u");
        TopicFilter::parse(text("filter", example)?).map_err(invalid_topic)?;
    }
    Ok(rules.map_or_else(Grants::all, Grants::of))
}

/// A Reason Code that says what went wrong.
fn failure(value: u8) -> Result<ReasonCode, Error> {
    ReasonCode::from_u8(value)
        .filter(|reason| reason.is_failure())
        .ok_or_else(|| invalid("reason: not a Reason Code of 0x80 or above"))
}

fn id(connection: u32) -> ConnectionId {
    ConnectionId(connection.into())
}

/// What `id` made an identifier of.
#[allow(clippy::cast_possible_truncation, reason = "the host numbers connections with u32")]
const fn number(connection: ConnectionId) -> u32 {
    connection.0 as u32
}

/// Of a message that a review refuses without a reason.
const NOT_AUTHORIZED: u8 = ReasonCode::NotAuthorized.value();
