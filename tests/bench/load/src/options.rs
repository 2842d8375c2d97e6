//! What the command line says.

use lexopt::{Arg, Parser, ValueExt};
use std::{error::Error, net::SocketAddr, str::FromStr, time::Duration};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Publisher and subscriber number N share a topic.
    Pairs,
    /// All publish to one topic, to which all others subscribe.
    All,
    /// Each publisher has a topic of its own; the subscribers are one group that shares them all.
    Share,
    /// Publishers go through many topics; each of these has one filter, of which three in ten have wildcards.
    Routing,
    /// Somebody subscribes to many retained messages.
    Retained,
    /// Many connect at once.
    Connect,
    /// Many are connected and do nothing.
    Idle,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub mode: Mode,
    pub address: SocketAddr,
    /// Whether it is MQTT over WebSocket, at path /mqtt.
    pub web: bool,
    /// 4 for MQTT 3.1.1, or 5.
    pub version: u8,
    pub publishers: usize,
    pub subscribers: usize,
    /// Topics, retained messages or connections, as the mode has it.
    pub count: usize,
    pub qos: u8,
    /// Bytes of a payload, at least 16.
    pub payload: usize,
    /// Messages of a publisher that may be on their way.
    pub window: usize,
    /// Whether the subscribers' sessions outlive their connections.
    pub persistent: bool,
    pub warm_up: Duration,
    pub measure: Duration,
    /// How long latency is measured at half of what went through before; zero: not at all.
    pub pace: Duration,
    /// Messages published a second while latency is measured as long once more.
    pub rate: Option<f64>,
    /// The server's process, to tell its CPU time and memory.
    pub process: Option<u32>,
    /// Filters of each connection that is idle.
    pub filters: usize,
}

impl Options {
    pub fn from_arguments() -> Result<Self, Box<dyn Error>> {
        let mut options = Self::default();
        let mut parser = Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Value(mode) => options.mode = mode.parse()?,
                Arg::Long("address") => options.address = parser.value()?.parse()?,
                Arg::Long("ws") => options.web = true,
                Arg::Long("version") => options.version = parser.value()?.parse()?,
                Arg::Long("publishers") => options.publishers = parser.value()?.parse()?,
                Arg::Long("subscribers") => options.subscribers = parser.value()?.parse()?,
                Arg::Long("count") => options.count = parser.value()?.parse()?,
                Arg::Long("qos") => options.qos = parser.value()?.parse()?,
                Arg::Long("payload") => options.payload = parser.value()?.parse()?,
                Arg::Long("window") => options.window = parser.value()?.parse()?,
                Arg::Long("persistent") => options.persistent = true,
                Arg::Long("warm-up") => options.warm_up = seconds(&mut parser)?,
                Arg::Long("measure") => options.measure = seconds(&mut parser)?,
                Arg::Long("pace") => options.pace = seconds(&mut parser)?,
                Arg::Long("rate") => options.rate = Some(parser.value()?.parse()?),
                Arg::Long("process") => options.process = Some(parser.value()?.parse()?),
                Arg::Long("filters") => options.filters = parser.value()?.parse()?,
                other => return Err(other.unexpected().into()),
            }
        }
        if options.payload < 16 || options.qos > 2 || options.window == 0 || options.window > 30_000 {
            return Err("a payload has at least 16 bytes, a QoS is 0 to 2, and a window 1 to 30,000".into());
        }
        Ok(options)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::Pairs,
            address: SocketAddr::from(([127, 0, 0, 1], 1883)),
            web: false,
            version: 4,
            publishers: 1,
            subscribers: 1,
            count: 10_000,
            qos: 0,
            payload: 16,
            window: 100,
            persistent: false,
            warm_up: Duration::from_millis(400),
            measure: Duration::from_millis(800),
            pace: Duration::from_millis(500),
            rate: None,
            process: None,
            filters: 0,
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let modes = [
            ("pairs", Self::Pairs),
            ("all", Self::All),
            ("share", Self::Share),
            ("routing", Self::Routing),
            ("retained", Self::Retained),
            ("connect", Self::Connect),
            ("idle", Self::Idle),
        ];
        let found = modes.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, mode)| *mode)
            .ok_or_else(|| format!("{name} is none of {}", modes.map(|(known, _)| known).join(", ")))
    }
}

fn seconds(parser: &mut Parser) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::try_from_secs_f64(parser.value()?.parse()?)?)
}
