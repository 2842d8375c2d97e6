//! A scenario as an explicit list of operations, and as text: one operation a line, `+` the milliseconds before it.

use std::{fmt::Write, str::FromStr};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Of all that the lines below do not say: delays, and where bytes are split.
    pub seed: u64,
    pub setup: Setup,
    pub steps: Vec<Step>,
}

/// The broker's limits and the world around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    pub clients: u64,
    /// Bit by bit, which clients are `mqlite::client`; the others are scripted.
    pub real: u64,
    pub receive_maximum: u64,
    pub aliases: u64,
    pub in_flight: u64,
    pub queued: u64,
    pub send_buffer: u64,
    pub retained: u64,
    pub subscriptions: u64,
    /// 1 when the host is asked for each client, and some have few rights.
    pub asks: u64,
    /// 0 nothing, 1 sessions, 2 connections too.
    pub durability: u64,
    /// Longest delay of a chunk of bytes in milliseconds.
    pub network: u64,
    /// Longest time of a commit in milliseconds.
    pub disk: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub gap: u64,
    pub operation: Operation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Connect {
        client: u64,
        connect: Box<Connect>,
    },
    Publish {
        client: u64,
        number: u64,
        topic: String,
        qos: u64,
        retain: bool,
        length: u64,
        expiry: Option<u32>,
        alias: u16,
        /// Seconds by which it is delayed.
        delay: Option<u32>,
    },
    Subscribe {
        client: u64,
        identifier: u32,
        filters: Vec<Filter>,
    },
    Unsubscribe {
        client: u64,
        filter: String,
    },
    /// All acknowledgements that a lazy client owes.
    Acknowledge {
        client: u64,
    },
    Ping {
        client: u64,
    },
    Disconnect {
        client: u64,
        reason: u64,
        expiry: Option<u32>,
    },
    /// The network fails, perhaps in the middle of a packet; both sides hear of it.
    Cut {
        client: u64,
    },
    /// The network fails and the broker does not hear of it.
    Vanish {
        client: u64,
    },
    /// The client reads nothing more.
    Stall {
        client: u64,
    },
    /// The client reads again.
    Read {
        client: u64,
    },
    HostPublish {
        number: u64,
        topic: String,
        qos: u64,
        retain: bool,
        length: u64,
    },
    /// The host keeps a value, or takes it away.
    Keep {
        name: u64,
        value: Option<u64>,
    },
    /// The host closes the client's connection, perhaps with its session.
    Dismiss {
        client: u64,
        ends: bool,
    },
    Wait {
        millis: u64,
    },
    /// The broker's clock jumps.
    Jump {
        millis: i64,
    },
    /// The broker is dropped once all is durable, and restored; its sockets outlive it.
    Hibernate,
    /// The broker is dropped, with a part of what was not durable; its sockets are closed.
    Crash,
    /// The next bytes that come make the broker panic: it is dropped, and all sockets but that one outlive it.
    Panic,
    /// The next commit fails.
    FailStorage,
    /// Until nothing is under way.
    Settle,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    pub v5: bool,
    pub clean: bool,
    pub expiry: u32,
    pub receive_maximum: Option<u16>,
    pub maximum_packet_size: Option<u32>,
    pub aliases: u16,
    pub keep_alive: u16,
    /// Acknowledges only when told to.
    pub lazy: bool,
    /// Acknowledges some messages with an error code.
    pub refuses: bool,
    pub will: Option<Will>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    pub number: u64,
    pub topic: String,
    pub qos: u64,
    pub retain: bool,
    pub delay: u32,
    pub expiry: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub filter: String,
    /// As MQTT 5 packs them.
    pub options: u8,
}

impl Scenario {
    pub fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let words = Words::new(lines.next().expect("a line of the world"));
        let setup = Setup {
            clients: words.number("clients"),
            real: words.number("real"),
            receive_maximum: words.number("receive"),
            aliases: words.number("aliases"),
            in_flight: words.number("in-flight"),
            queued: words.number("queued"),
            send_buffer: words.number("buffer"),
            retained: words.number("retained"),
            subscriptions: words.number("subscriptions"),
            asks: words.number("asks"),
            durability: words.number("durability"),
            network: words.number("network"),
            disk: words.number("disk"),
        };
        Self { seed: words.number("seed"), setup, steps: lines.map(Step::parse).collect() }
    }

    pub fn print(&self) -> String {
        let Setup { clients, real, receive_maximum, aliases, in_flight, queued, .. } = self.setup;
        let Setup { send_buffer, retained, subscriptions, asks, durability, network, disk, .. } = self.setup;
        let mut text = format!(
            "world seed={} clients={clients} real={real} receive={receive_maximum} aliases={aliases} \
             in-flight={in_flight} queued={queued} buffer={send_buffer} retained={retained} \
             subscriptions={subscriptions} asks={asks} durability={durability} network={network} disk={disk}\n",
            self.seed
        );
        for Step { gap, operation } in &self.steps {
            writeln!(text, "+{gap} {}", operation.print()).unwrap();
        }
        text
    }
}

impl Step {
    fn parse(line: &str) -> Self {
        let (gap, rest) = line.split_once(' ').expect("an operation after the time");
        Self { gap: gap[1..].parse().expect("milliseconds"), operation: Operation::parse(rest) }
    }
}

impl Operation {
    fn parse(line: &str) -> Self {
        let words = Words::new(line);
        let client = words.find("client").unwrap_or(0);
        let number = words.find("number").unwrap_or(0);
        let topic = || words.text("topic");
        let (qos, retain) = (words.find("qos").unwrap_or(0), words.has("retain"));
        let length = words.find("length").unwrap_or(0);
        match words.name {
            "connect" => Self::Connect { client, connect: Box::new(Connect::parse(&words)) },
            "publish" => {
                let (expiry, delay) = (words.find("expiry"), words.find("delay"));
                let alias = words.find("alias").unwrap_or(0);
                Self::Publish { client, number, topic: topic(), qos, retain, length, expiry, alias, delay }
            }
            "subscribe" => {
                let filters = words.all("filter").map(|word| {
                    let (options, filter) = word.split_once(':').expect("options before the filter");
                    Filter { filter: filter.into(), options: options.parse().expect("options") }
                });
                Self::Subscribe {
                    client,
                    identifier: words.find("identifier").unwrap_or(0),
                    filters: filters.collect(),
                }
            }
            "unsubscribe" => Self::Unsubscribe { client, filter: words.text("filter") },
            "acknowledge" => Self::Acknowledge { client },
            "ping" => Self::Ping { client },
            "disconnect" => Self::Disconnect { client, reason: words.number("reason"), expiry: words.find("expiry") },
            "cut" => Self::Cut { client },
            "vanish" => Self::Vanish { client },
            "stall" => Self::Stall { client },
            "read" => Self::Read { client },
            "host-publish" => Self::HostPublish { number, topic: topic(), qos, retain, length },
            "keep" => Self::Keep { name: words.number("name"), value: words.find("value") },
            "dismiss" => Self::Dismiss { client, ends: words.has("ends") },
            "wait" => Self::Wait { millis: words.number("millis") },
            "jump" => Self::Jump { millis: words.number("millis") },
            "hibernate" => Self::Hibernate,
            "crash" => Self::Crash,
            "panic" => Self::Panic,
            "fail-storage" => Self::FailStorage,
            "settle" => Self::Settle,
            other => panic!("no operation is called {other}"),
        }
    }

    fn print(&self) -> String {
        let mut line = String::new();
        let out = &mut line;
        match self {
            Self::Connect { client, connect } => {
                *out = format!("connect client={client}");
                connect.print(out);
            }
            Self::Publish { client, number, topic, qos, retain, length, expiry, alias, delay } => {
                *out = format!("publish client={client} number={number} topic={topic} qos={qos} length={length}");
                flag(out, "retain", *retain);
                option(out, "expiry", *expiry);
                option(out, "alias", Some(*alias).filter(|alias| *alias > 0));
                option(out, "delay", *delay);
            }
            Self::Subscribe { client, identifier, filters } => {
                *out = format!("subscribe client={client}");
                option(out, "identifier", Some(*identifier).filter(|identifier| *identifier > 0));
                for Filter { filter, options } in filters {
                    write!(out, " filter={options}:{filter}").unwrap();
                }
            }
            Self::Unsubscribe { client, filter } => *out = format!("unsubscribe client={client} filter={filter}"),
            Self::Acknowledge { client } => *out = format!("acknowledge client={client}"),
            Self::Ping { client } => *out = format!("ping client={client}"),
            Self::Disconnect { client, reason, expiry } => {
                *out = format!("disconnect client={client} reason={reason}");
                option(out, "expiry", *expiry);
            }
            Self::Cut { client } => *out = format!("cut client={client}"),
            Self::Vanish { client } => *out = format!("vanish client={client}"),
            Self::Stall { client } => *out = format!("stall client={client}"),
            Self::Read { client } => *out = format!("read client={client}"),
            Self::HostPublish { number, topic, qos, retain, length } => {
                *out = format!("host-publish number={number} topic={topic} qos={qos} length={length}");
                flag(out, "retain", *retain);
            }
            Self::Keep { name, value } => {
                *out = format!("keep name={name}");
                option(out, "value", *value);
            }
            Self::Dismiss { client, ends } => {
                *out = format!("dismiss client={client}");
                flag(out, "ends", *ends);
            }
            Self::Wait { millis } => *out = format!("wait millis={millis}"),
            Self::Jump { millis } => *out = format!("jump millis={millis}"),
            Self::Hibernate => *out = "hibernate".into(),
            Self::Crash => *out = "crash".into(),
            Self::Panic => *out = "panic".into(),
            Self::FailStorage => *out = "fail-storage".into(),
            Self::Settle => *out = "settle".into(),
        }
        line
    }
}

impl Connect {
    fn parse(words: &Words) -> Self {
        let will = words.find("will-number").map(|number| Will {
            number,
            topic: words.text("will-topic"),
            qos: words.number("will-qos"),
            retain: words.has("will-retain"),
            delay: words.find("will-delay").unwrap_or(0),
            expiry: words.find("will-expiry"),
        });
        Self {
            v5: words.has("v5"),
            clean: words.has("clean"),
            expiry: words.find("expiry").unwrap_or(0),
            receive_maximum: words.find("receive"),
            maximum_packet_size: words.find("size"),
            aliases: words.find("aliases").unwrap_or(0),
            keep_alive: words.find("keep-alive").unwrap_or(0),
            lazy: words.has("lazy"),
            refuses: words.has("refuses"),
            will,
        }
    }

    fn print(&self, out: &mut String) {
        flag(out, "v5", self.v5);
        flag(out, "clean", self.clean);
        option(out, "expiry", Some(self.expiry).filter(|expiry| *expiry > 0));
        option(out, "receive", self.receive_maximum);
        option(out, "size", self.maximum_packet_size);
        option(out, "aliases", Some(self.aliases).filter(|aliases| *aliases > 0));
        option(out, "keep-alive", Some(self.keep_alive).filter(|seconds| *seconds > 0));
        flag(out, "lazy", self.lazy);
        flag(out, "refuses", self.refuses);
        if let Some(Will { number, topic, qos, retain, delay, expiry }) = &self.will {
            write!(out, " will-number={number} will-topic={topic} will-qos={qos}").unwrap();
            flag(out, "will-retain", *retain);
            option(out, "will-delay", Some(*delay).filter(|delay| *delay > 0));
            option(out, "will-expiry", *expiry);
        }
    }
}

fn flag(out: &mut String, name: &str, is_set: bool) {
    if is_set {
        write!(out, " {name}").unwrap();
    }
}

fn option<T: ToString>(out: &mut String, name: &str, value: Option<T>) {
    if let Some(value) = value {
        write!(out, " {name}={}", value.to_string()).unwrap();
    }
}

/// A line: its name, then `key=value` or `key`.
struct Words<'line> {
    name: &'line str,
    rest: Vec<(&'line str, &'line str)>,
}

impl<'line> Words<'line> {
    fn new(line: &'line str) -> Self {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        Self { name, rest: words.map(|word| word.split_once('=').unwrap_or((word, ""))).collect() }
    }

    fn all(&self, key: &'line str) -> impl Iterator<Item = &'line str> {
        self.rest.iter().filter(move |(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn has(&self, key: &'line str) -> bool {
        self.all(key).next().is_some()
    }

    fn text(&self, key: &'line str) -> String {
        self.all(key).next().unwrap_or_else(|| panic!("{} has no {key}", self.name)).into()
    }

    fn find<T: FromStr>(&self, key: &'line str) -> Option<T> {
        let value = self.all(key).next()?;
        Some(value.parse().unwrap_or_else(|_| panic!("{}: {key}={value} is no number", self.name)))
    }

    fn number<T: FromStr>(&self, key: &'line str) -> T {
        self.find(key).unwrap_or_else(|| panic!("{} has no {key}", self.name))
    }
}
