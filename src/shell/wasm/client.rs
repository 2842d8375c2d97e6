//! The client behind a host object.

use super::{
    ClientHost, Records,
    convert::{code, invalid, invalid_topic, milliseconds, misused, read, text, timestamp},
    from_js::readable,
    gathered::{Gathered, OURS, Route},
    to_js::ToJs,
};
use crate::{
    client::{Action, Cause, Client, Delivery, Input, Options, OutboxPolicy, Outcome, Restored, Token},
    codec::{
        AckProperties, Binary, ConnectProperties, Disconnect, InvalidField, ProtocolVersion, Publish, QoS, ReasonCode,
        SubscribeFilter, SubscribeProperties, Text, Will,
    },
    topic::{FilterTree, InvalidTopic, TopicFilter},
};
use bytes::Bytes;
use js_sys::{Array, Error};
use std::{
    borrow::Cow,
    num::{NonZeroU32, NonZeroU64},
};
use wasm_bindgen::prelude::*;

/// A client. Requests are numbered by the host with tokens, its subscriptions with numbers; times are milliseconds since
/// 1970.
#[wasm_bindgen]
pub struct ClientEngine {
    client: Client,
    host: ClientHost,
    /// The host's subscriptions at their filters, shares left aside.
    routes: FilterTree<Vec<Route>>,
    gathered: Gathered,
}

/// What to say in one CONNECT.
#[derive(Debug, Default)]
struct Credentials {
    user_name: Option<Text>,
    password: Option<Binary>,
    authentication_data: Option<Binary>,
}

readable!(Credentials { user_name, password, authentication_data });

/// What may wait; what is absent has the value of [`crate::client::OutboxLimits::default`].
#[derive(Debug, Default)]
struct Outbox {
    maximum_messages: Option<usize>,
    maximum_bytes: Option<usize>,
    policy: Option<Text>,
}

readable!(Outbox { maximum_messages, maximum_bytes, policy });

/// How to connect, as JavaScript says it; what is absent has the value of [`Options::default`].
#[derive(Debug, Default)]
struct ConnectOptions {
    client_id: Option<Text>,
    protocol_version: Option<ProtocolVersion>,
    clean_start: Option<bool>,
    keep_alive: Option<u16>,
    user_name: Option<Text>,
    password: Option<Binary>,
    will: Option<Will>,
    properties: ConnectProperties,
    assigned_topic_aliases: Option<u16>,
    outbox: Outbox,
    response_timeout_millis: Option<NonZeroU64>,
}

readable!(ConnectOptions {
    client_id,
    protocol_version,
    clean_start,
    keep_alive,
    user_name,
    password,
    will,
    properties,
    assigned_topic_aliases,
    outbox,
    response_timeout_millis,
});

#[wasm_bindgen]
impl ClientEngine {
    /// A client without a connection. With `records`, those that an earlier client had its host write or none, it goes on with
    /// that client's session and has the host write its own; without it stores nothing.
    ///
    /// # Errors
    /// When an option has the wrong type, or no server could accept such a CONNECT.
    #[wasm_bindgen(constructor)]
    pub fn new(host: ClientHost, options: JsValue, records: Option<Records>) -> Result<Self, Error> {
        let options = read::<ConnectOptions>(&options)?.options()?;
        let client = match records {
            None => Client::new(options),
            Some(records) => Client::restore(options, records.into_inner()).map(|Restored { client, rejected }| {
                rejected.iter().for_each(|record| host.reject(&record.key, record.reason));
                client
            }),
        };
        let client = client.map_err(|misuse| misused(&misuse))?;
        Ok(Self { client, host, routes: FilterTree::new(), gathered: Gathered::default() })
    }

    /// A connection was opened. `credentials` are an object with `userName`, `password` and `authenticationData`, for this
    /// connection in place of those of the options.
    ///
    /// # Errors
    /// When they have the wrong type.
    pub fn opened(
        &mut self,
        now: f64,
        #[wasm_bindgen(
            unchecked_optional_param_type = "{ userName?: string; password?: Uint8Array; authenticationData?: Uint8Array }"
        )]
        credentials: JsValue,
    ) -> Result<(), Error> {
        if !credentials.is_null() && !credentials.is_undefined() {
            let Credentials { user_name, password, authentication_data } = read(&credentials)?;
            self.client.use_credentials(user_name, password);
            self.client.use_authentication_data(authentication_data);
        }
        self.run(now, Input::Opened);
        Ok(())
    }

    /// Speaks this version from the next connection on, before a server has accepted one. What waits is kept; what 3.1.1 has no
    /// place for is left out of it, but for a Subscription Identifier that the host asked for, which is refused.
    ///
    /// # Errors
    /// When it is not 4 or 5, or too late, or no server could accept such a CONNECT.
    #[wasm_bindgen(js_name = useVersion)]
    pub fn use_version(&mut self, version: u8) -> Result<(), Error> {
        let version = match version {
            4 => ProtocolVersion::V3_1_1,
            5 => ProtocolVersion::V5,
            _ => return Err(invalid("protocolVersion: 4 or 5 is expected")),
        };
        self.client.use_version(version).map_err(|misuse| misused(&misuse))
    }

    /// Bytes came, chunked anyhow.
    pub fn received(&mut self, now: f64, bytes: Vec<u8>) {
        self.run(now, Input::Received { bytes: bytes.into() });
    }

    /// The connection is gone.
    pub fn closed(&mut self, now: f64) {
        self.run(now, Input::Closed);
    }

    /// Publishes messages; of each `published`, `answered` or `failed` follows. Of each there are four numbers: its token, its flags,
    /// the bytes of its topic and those of its payload, which `bytes` have one after the other. The flags are the QoS, 4 for RETAIN,
    /// 8 where the topic is that of the message before, 16 where `properties` have its own.
    pub fn publish(&mut self, now: f64, messages: &[u32], bytes: Vec<u8>, properties: Option<Array>) {
        let mut bytes = Bytes::from(bytes);
        let mut take = |length: u32| bytes.split_to(bytes.len().min(length as usize));
        let mut properties = properties.iter().flat_map(Array::iter);
        let mut topic = Ok(Text::default());
        for message in messages.chunks_exact(4) {
            let [token, flags, topic_length, payload_length] = [0, 1, 2, 3].map(|index| message[index]);
            if flags & 8 == 0 {
                topic = Text::new(take(topic_length));
            }
            let payload = take(payload_length);
            let properties = if flags & 16 == 0 { None } else { properties.next() };
            match message_of(flags, &topic, payload, properties) {
                Ok(publish) => self.perform(now, Input::Publish { token: Token(token.into()), publish }),
                Err(error) => {
                    self.host.failed(token, "invalid-options", &String::from(error.message()));
                    false
                }
            };
        }
        self.gathered.hand_over(&self.host);
    }

    /// Subscribes, and delivers what matches to `subscription` from now on; `answered` or `failed` follow. Each filter has
    /// a number of its own, from 1 to 134,217,727. What the server grants is made again when a later connection has no session,
    /// until it is forgotten or unsubscribed.
    ///
    /// A Subscription Identifier among the properties is sent as it is, and comes with the messages; several filters may have the
    /// same. Where there is none, one that is made of the number helps to tell whom a message is for.
    ///
    /// # Errors
    /// When the filter is not valid or deeper than 256 levels, or an option has the wrong type.
    pub fn subscribe(
        &mut self,
        now: f64,
        token: u32,
        subscription: u32,
        filter: String,
        options: JsValue,
        properties: JsValue,
    ) -> Result<(), Error> {
        let number = OURS.checked_add(subscription).filter(|number| *number < 2 * OURS).and_then(NonZeroU32::new);
        let number = number.ok_or_else(|| invalid("subscription: not a number from 1 on"))?;
        let route = route(filter)?;
        let subscribed = SubscribeFilter { filter: route.text().clone(), options: read(&options)? };
        let properties: SubscribeProperties = read(&properties)?;
        let identifier = properties.subscription_identifier.unwrap_or(number);
        let routes = self.routes.entry(&route);
        routes.retain(|route| route.number != subscription);
        routes.push(Route { filter: route.text().clone(), number: subscription, identifier });
        self.gathered.forget_places();
        let (filters, number) = (vec![subscribed], Some(number));
        self.run(now, Input::Subscribe { token: Token(token.into()), filters, properties, number });
        Ok(())
    }

    /// Delivers nothing to `subscription` any more; when no other has this filter, it is not made again.
    pub fn forget(&mut self, now: f64, subscription: u32, filter: String) {
        let Ok(route) = route(filter) else { return };
        let Some(routes) = self.routes.get_mut(&route) else { return };
        routes.retain(|route| route.number != subscription);
        self.gathered.forget_places();
        let is_last = !routes.iter().any(|other| other.filter == *route.text());
        if routes.is_empty() {
            self.routes.remove(&route);
        }
        if is_last {
            self.run(now, Input::Forget { filter: route.text().clone() });
        }
    }

    /// Unsubscribes, when there is a connection: the server may have kept the session; `answered` or `failed` follow. It is not
    /// subscribed again before.
    ///
    /// # Errors
    /// When the filter is no text that MQTT can carry.
    pub fn unsubscribe(&mut self, now: f64, token: u32, filter: String) -> Result<(), Error> {
        let filters = vec![text("filter", filter)?];
        self.run(now, Input::Unsubscribe { token: Token(token.into()), filters, user_properties: Vec::new() });
        Ok(())
    }

    /// Gives up a request. True when it was not sent and never will be: nothing follows. False when it is too late.
    pub fn cancel(&mut self, now: f64, token: u32) -> bool {
        self.run(now, Input::Cancel { token: Token(token.into()) })
    }

    /// The host has taken delivered messages over.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`deliver` gave the numbers")]
    pub fn acknowledge(&mut self, now: f64, deliveries: &[f64]) {
        for delivery in deliveries {
            self.perform(now, Input::Acknowledge { delivery: Delivery(*delivery as u64) });
        }
        self.gathered.hand_over(&self.host);
    }

    /// Answers a step of enhanced authentication, or begins one anew.
    ///
    /// # Errors
    /// When a property has the wrong type.
    #[wasm_bindgen(js_name = answerAuthentication)]
    pub fn answer_authentication(&mut self, now: f64, properties: JsValue) -> Result<(), Error> {
        self.run(now, Input::Authenticate { properties: read(&properties)? });
        Ok(())
    }

    /// Ends the connection with a DISCONNECT.
    ///
    /// # Errors
    /// When a property has the wrong type, or the reason is none that a client's DISCONNECT may carry. [MQTT-3.14.2-1]
    pub fn disconnect(&mut self, now: f64, reason: u8, properties: JsValue) -> Result<(), Error> {
        let reason = ReasonCode::from_u8(reason)
            .filter(|reason| Disconnect::reason_from_client(*reason) == *reason)
            .ok_or_else(|| invalid("reason: not one that a client may give"))?;
        self.run(now, Input::Disconnect { reason, properties: read(&properties)? });
        Ok(())
    }

    /// Asks the server at once whether it is there: the host has reason to doubt it, as after a sleep.
    pub fn probe(&mut self, now: f64) {
        self.run(now, Input::Probe);
    }

    /// The deadline has passed.
    pub fn timeout(&mut self, now: f64) {
        self.run(now, Input::Timeout);
    }

    /// When `timeout` is due next, if ever.
    pub fn deadline(&self) -> Option<f64> {
        self.client.deadline().map(milliseconds)
    }

    /// Returns whether a request was cancelled.
    fn run(&mut self, now: f64, input: Input) -> bool {
        let is_cancelled = self.perform(now, input);
        self.gathered.hand_over(&self.host);
        is_cancelled
    }

    /// The same, but that what can be gathered is kept for what follows.
    fn perform(&mut self, now: f64, input: Input) -> bool {
        let Self { client, host, routes, gathered } = self;
        let (mut is_cancelled, mut is_committed) = (false, true);
        for action in client.handle(timestamp(now), input) {
            let is_kept = Gathered::keeps(&action);
            if !is_kept {
                gathered.hand_over(host);
            }
            let is_write = matches!(action, Action::Put { .. } | Action::Delete { .. });
            if !is_committed && !is_write {
                host.commit();
            }
            is_committed = !is_write;
            match action {
                Action::Put { key, value } => host.write(&key, Some(&value)),
                Action::Delete { key } => host.write(&key, None),
                Action::Send { bytes } => gathered.send(host, &bytes),
                Action::Deliver { message, delivery } => gathered.deliver(host, routes, *message, delivery),
                Action::Close => host.close(),
                Action::Connected { session_present, client_id, properties } => {
                    host.connected(session_present, client_id.as_str(), properties.to_js());
                }
                Action::Refused { reason, properties } => host.refused(reason.value(), properties.to_js()),
                Action::Completed { outcome: Outcome::Cancelled, .. } => is_cancelled = true,
                Action::Completed { token, .. } if is_kept => gathered.published(number(token)),
                Action::Completed { token, outcome } => complete(host, token, outcome),
                Action::SubscriptionLost { filter, reason, properties } => {
                    gathered.forget_places();
                    lose(host, routes, filter, reason, &properties);
                }
                Action::Authenticate { reason, properties } => {
                    host.authenticate(reason.value(), properties.to_js());
                }
                Action::Disconnected { cause } => {
                    let (word, reason, message, properties) = describe(cause);
                    host.disconnected(word, reason.map(ReasonCode::value), &message, properties);
                }
            }
        }
        if !is_committed {
            host.commit();
        }
        is_cancelled
    }
}

fn lose(
    host: &ClientHost,
    routes: &mut FilterTree<Vec<Route>>,
    filter: Text,
    reason: ReasonCode,
    properties: &AckProperties,
) {
    let Ok(place) = TopicFilter::parse(filter.clone()) else { return };
    let Some(routes) = routes.get_mut(&place) else { return };
    let message = properties.reason_string.as_ref().map_or("", Text::as_str);
    routes.retain(|route| {
        let is_lost = route.filter == filter;
        if is_lost {
            host.subscription_lost(route.number, reason.value(), message);
        }
        !is_lost
    });
}

/// A message as the host says it.
fn message_of(
    flags: u32,
    topic: &Result<Text, InvalidField>,
    payload: Bytes,
    properties: Option<JsValue>,
) -> Result<Publish, Error> {
    let qos = match flags & 3 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        2 => QoS::ExactlyOnce,
        _ => return Err(invalid("qos: QoS is 0, 1 or 2")),
    };
    let topic = topic.as_ref().map_err(|error| invalid(&format!("topic: {error}")))?.clone();
    let properties = properties.map_or_else(|| Ok(Default::default()), |properties| read(&properties))?;
    Ok(Publish { qos, retain: flags & 4 != 0, topic, payload, properties, ..Publish::default() })
}

#[allow(clippy::cast_possible_truncation, reason = "the host numbers requests with u32")]
const fn number(token: Token) -> u32 {
    token.0 as u32
}

fn complete(host: &ClientHost, token: Token, outcome: Outcome) {
    let token = number(token);
    match outcome {
        Outcome::Published { reason, properties } => host.answered(token, &[reason.value()], properties.to_js()),
        Outcome::Subscribed { reasons, properties } | Outcome::Unsubscribed { reasons, properties } => {
            let reasons: Vec<u8> = reasons.into_iter().map(ReasonCode::value).collect();
            host.answered(token, &reasons, properties.to_js());
        }
        Outcome::Interrupted => {
            host.failed(token, "interrupted", "the connection ended before the server's answer came");
        }
        Outcome::Dropped => host.failed(token, "dropped", "the outbox had no room for it"),
        Outcome::Cancelled => {}
        Outcome::Misused(misuse) => host.failed(token, code(&misuse), &misuse.to_string()),
    }
}

fn describe(cause: Cause) -> (&'static str, Option<ReasonCode>, Cow<'static, str>, JsValue) {
    let none = JsValue::UNDEFINED;
    match cause {
        Cause::Requested => ("requested", None, "the client disconnected".into(), none),
        Cause::Server { reason, properties } => {
            ("server", Some(reason), format!("the server closed the connection: {reason}").into(), properties.to_js())
        }
        Cause::Violated(violation) => ("violated", Some(violation.reason), violation.rule.into(), none),
        Cause::Silence => ("silence", None, "the server did not answer in time".into(), none),
        Cause::Lost => ("lost", None, "the connection was closed without a DISCONNECT".into(), none),
    }
}

/// The filter as the routes know it, which keep to the depth that their tree allows.
fn route(filter: String) -> Result<TopicFilter, Error> {
    const DEEPEST: usize = 256;
    let filter = TopicFilter::parse(text("filter", filter)?).map_err(invalid_topic)?;
    if filter.level_count() > DEEPEST {
        return Err(invalid_topic(InvalidTopic { rule: "a Topic Filter has at most 256 levels here" }));
    }
    Ok(filter)
}

impl ConnectOptions {
    fn options(self) -> Result<Options, Error> {
        let said = self;
        let mut options = Options::default();
        let connect = &mut options.connect;
        let limits = connect.properties.clone();
        connect.properties = ConnectProperties {
            receive_maximum: said.properties.receive_maximum.or(limits.receive_maximum),
            maximum_packet_size: said.properties.maximum_packet_size.or(limits.maximum_packet_size),
            topic_alias_maximum: said.properties.topic_alias_maximum.or(limits.topic_alias_maximum),
            ..said.properties
        };
        connect.version = said.protocol_version.unwrap_or(connect.version);
        connect.clean_start = said.clean_start.unwrap_or(connect.clean_start);
        connect.keep_alive = said.keep_alive.unwrap_or(connect.keep_alive);
        connect.client_id = said.client_id.unwrap_or_default();
        connect.user_name = said.user_name;
        connect.password = said.password;
        connect.will = said.will;
        options.assigned_topic_aliases = said.assigned_topic_aliases.unwrap_or(options.assigned_topic_aliases);
        let outbox = &mut options.outbox;
        outbox.maximum_messages = said.outbox.maximum_messages.unwrap_or(outbox.maximum_messages);
        outbox.maximum_bytes = said.outbox.maximum_bytes.unwrap_or(outbox.maximum_bytes);
        if let Some(policy) = said.outbox.policy {
            outbox.policy = match policy.as_str() {
                "reject" => OutboxPolicy::Reject,
                "drop-oldest" => OutboxPolicy::DropOldest,
                "drop-newest" => OutboxPolicy::DropNewest,
                _ => return Err(invalid("outbox.policy: reject, drop-oldest or drop-newest is expected")),
            };
        }
        if let Some(timeout) = said.response_timeout_millis {
            options.response_timeout_millis = timeout.get();
        }
        Ok(options)
    }
}
