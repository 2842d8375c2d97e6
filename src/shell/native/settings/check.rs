//! What is wrong with settings that can be read: each mistake with its key, and what to do.

use super::{
    super::{
        access::{Access, BAD_PROXY, normal_origin, proxy_network},
        tls::Certificate,
    },
    AuthenticationConfig, Secrets, ServerConfig,
};
use crate::{broker::Grant, topic::TopicFilter};

/// A key, and a sentence that goes on from it.
type Mistake = (String, String);

/// What can be seen without looking at files.
pub(super) fn mistakes(config: &ServerConfig) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let lists = [
        ("tcp", &config.tcp),
        ("ws", &config.websocket),
        ("tcpTls", &config.tcp_tls),
        ("wsTls", &config.websocket_tls),
    ];
    for (key, addresses) in lists {
        for (index, _) in addresses.iter().enumerate().filter(|(_, address)| !is_address(address)) {
            mistakes.push((format!("{key}[{index}]"), "must be HOST:PORT, for example \"127.0.0.1:1883\"".into()));
        }
    }
    let is_for_tls = !config.tcp_tls.is_empty() || !config.websocket_tls.is_empty();
    match &config.tls {
        None if is_for_tls => {
            let key = if config.tcp_tls.is_empty() { "wsTls" } else { "tcpTls" };
            mistakes
                .push((key.into(), "needs a certificate: set tls = { certificate = \"FILE\", key = \"FILE\" }".into()));
        }
        Some(_) if !is_for_tls => {
            mistakes.push(("tls".into(), "is for no address: name one with tcpTls or wsTls, or leave it out".into()));
        }
        _ => {}
    }
    for (key, origins) in [("origins", config.origins.as_deref().unwrap_or_default()), ("cors", &config.cors)] {
        let is_good = |origin: &str| origin == "*" || normal_origin(origin).is_some();
        for (index, _) in origins.iter().enumerate().filter(|(_, origin)| !is_good(origin)) {
            let sentence = "must be an origin such as \"https://app.example\", or \"*\" for all";
            mistakes.push((format!("{key}[{index}]"), sentence.into()));
        }
    }
    for (index, _) in config.trusted_proxies.iter().enumerate().filter(|(_, proxy)| proxy_network(proxy).is_none()) {
        mistakes.push((format!("trustedProxies[{index}]"), BAD_PROXY.into()));
    }
    mistakes.extend(config.connection_rate.faults().into_iter().map(|error| (error.key.to_owned(), error.sentence)));
    for (index, _) in config.rules.iter().enumerate().filter(|(_, rule)| rule.asks_host()) {
        mistakes.push((
            format!("rules[{index}].action"),
            "cannot be review, as nobody decides here: use drop, refuse or rewrite".into(),
        ));
    }
    if !config.broker.rules.is_empty() {
        mistakes.push(("limits.rules".into(), "is no setting: rules stand by themselves, as [[rules]]".into()));
    }
    if let Some(authentication) = &config.authentication {
        mistakes.extend(of_authentication(authentication));
    }
    mistakes
}

/// What only the files show that the settings name.
pub(super) fn unusable(config: &ServerConfig, secrets: &Secrets) -> Vec<Mistake> {
    let certificate = config.tls.clone().map(Certificate::read).transpose().err();
    let access = Access::new(config, secrets).err();
    let of_tls = certificate.map(|error| ("tls".to_owned(), format!("cannot be served: {error}")));
    let of_access = access.map(|error| (error.key.to_owned(), error.sentence));
    of_tls.into_iter().chain(of_access).collect()
}

/// `HOST:PORT`; whether there is such a host shows when it is listened on.
pub(crate) fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    parts.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// What a library says of a value, as it goes on from the key. What was in the file is not repeated: it may be a secret.
/// `more` are keys that the library does not know.
pub(super) fn in_words(message: &str, more: &[&str]) -> String {
    if let Some((name, known)) = quoted(message, "unknown field ") {
        return unknown(name, &[&known, more].concat());
    }
    if let Some((_, known)) = quoted(message, "unknown variant ") {
        return format!("must be one of {}", known.join(", "));
    }
    if let Some((name, _)) = quoted(message, "missing field ") {
        return format!("has no {name}: add it");
    }
    let expected = message.rsplit_once("expected ").map_or(message, |(_, expected)| expected);
    let expected = NUMBERS.iter().find(|(name, _)| *name == expected).map_or(expected, |(_, words)| words);
    if expected == message { format!("is not allowed: {message}") } else { format!("must be {expected}") }
}

fn of_authentication(authentication: &AuthenticationConfig) -> Vec<Mistake> {
    let AuthenticationConfig { password_iterations, failures_per_minute, anonymous_grants, grants, .. } =
        authentication;
    let mut mistakes = Vec::new();
    if !(LEAST_ITERATIONS..=MOST_ITERATIONS).contains(password_iterations) {
        mistakes.push(("authentication.passwordIterations".into(), "must be 1,000 to 1,000,000".into()));
    }
    if *failures_per_minute == 0 {
        mistakes.push(("authentication.failuresPerMinute".into(), "must be 1 at least".into()));
    }
    for (key, grants) in [("grants", grants), ("anonymousGrants", anonymous_grants)] {
        for (index, _) in grants.iter().enumerate().filter(|(_, grant)| !is_good(grant)) {
            let sentence =
                "must be a Topic Filter, in which + and # are levels by themselves, for example \"home/%u/#\"";
            mistakes.push((format!("authentication.{key}[{index}].filter"), sentence.into()));
        }
    }
    mistakes
}

fn is_good(grant: &Grant) -> bool {
    TopicFilter::parse(grant.filter.clone()).is_ok()
}

/// What stands in the first marks behind `prefix`, and what in all others.
fn quoted<'message>(message: &'message str, prefix: &str) -> Option<(&'message str, Vec<&'message str>)> {
    let mut parts = message.strip_prefix(prefix)?.split('`').skip(1).step_by(2);
    let name = parts.next()?;
    Some((name, parts.collect()))
}

fn unknown(name: &str, known: &[&str]) -> String {
    let likeness = |known: &&&str| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()) * 1_000.0) as u32;
    match known.iter().max_by_key(likeness).filter(|best| likeness(best) >= LIKE) {
        Some(best) => format!("is no setting: is {best} meant?"),
        None => format!("is no setting: there are {}", known.join(", ")),
    }
}

/// How a library calls what it expected.
const NUMBERS: [(&str, &str); 9] = [
    ("u8", "a whole number from 0 to 255"),
    ("u16", "a whole number from 0 to 65,535"),
    ("u32", "a whole number from 0 to 4,294,967,295"),
    ("usize", "a whole number from 0 on"),
    ("u64", "a whole number from 0 on"),
    ("f64", "a number"),
    ("a boolean", "true or false"),
    ("a string", "a text in quotes"),
    ("a sequence", "a list in brackets"),
];
const LEAST_ITERATIONS: u32 = 1_000;
const MOST_ITERATIONS: u32 = 1_000_000;
/// Of 1,000: from here on one word was meant for the other.
const LIKE: u32 = 850;
