//! Where a client is whose requests come through reverse proxies: what its socket says, or the proxies that are trusted.
//! What a client itself says of that counts for nothing.

use super::super::settings::SettingError;
use hyper::{
    HeaderMap,
    header::{FORWARDED, HeaderName},
};
use ipnet::IpNet;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// As its socket says.
    Socket(SocketAddr),
    /// As a proxy says that is trusted.
    Forwarded(IpAddr),
}

/// The proxies that are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(Arc<[IpNet]>);

impl Address {
    pub(crate) fn ip(self) -> IpAddr {
        match self {
            Self::Socket(address) => address.ip(),
            Self::Forwarded(address) => address,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(formatter),
            Self::Forwarded(address) => address.fmt(formatter),
        }
    }
}

impl Proxies {
    /// # Errors
    /// When one is neither an address nor a network.
    pub(crate) fn new(listed: &[String]) -> Result<Self, SettingError> {
        let networks: Option<_> = listed.iter().map(|text| network(text)).collect();
        networks.map(Self).ok_or_else(|| SettingError::new("trustedProxies", BAD_PROXY))
    }

    /// Where a client is whose request came from `socket` with these headers: the last hop that is no trusted proxy.
    pub(crate) fn locate(&self, socket: SocketAddr, headers: &HeaderMap) -> Address {
        let own = Address::Socket(socket);
        if !self.trust(socket.ip()) {
            return own;
        }
        let found = |name: HeaderName, hops: fn(&str) -> Vec<Hop>| {
            let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or(NO_TEXT)).collect();
            (!values.is_empty()).then(|| self.last(values.into_iter().flat_map(hops).collect()))
        };
        let found = [found(X_FORWARDED_FOR, x_forwarded_for), found(FORWARDED, forwarded)];
        match found {
            // A proxy that knows only one of them lets through what the client says in the other.
            [Some(one), Some(other)] if one != other => own,
            [Some(hop), _] | [None, Some(hop)] => hop.map_or(own, Address::Forwarded),
            [None, None] => own,
        }
    }

    /// The last hop that is not trusted; without such the first one. What is before one that is no address nobody knows.
    fn last(&self, hops: Vec<Hop>) -> Hop {
        let mut last = None;
        for address in hops.into_iter().rev() {
            last = Some(address?);
            if !self.trust(address?) {
                break;
            }
        }
        last
    }

    fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, or a network such as `10.0.0.0/8`.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().map(|address: IpAddr| address.to_canonical().into()).ok())
}

/// `None` is none that anybody could know.
type Hop = Option<IpAddr>;

fn x_forwarded_for(value: &str) -> Vec<Hop> {
    value.split(',').map(hop).collect()
}

/// RFC 7239: `for=192.0.2.1;proto=https, for="[2001:db8::1]:4711"`.
fn forwarded(value: &str) -> Vec<Hop> {
    let Some(elements) = split(value, ',') else { return vec![None] };
    let of_element = |element: &str| {
        let pairs = split(element, ';')?;
        let mut named = pairs.iter().filter_map(|pair| pair.split_once('='));
        let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        hop(value.trim().trim_matches('"'))
    };
    elements.into_iter().map(of_element).collect()
}

/// An address, perhaps with a port.
fn hop(text: &str) -> Hop {
    let text = text.trim();
    let within = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = within.parse().ok().or_else(|| text.parse().map(|address: SocketAddr| address.ip()).ok());
    address.map(|address: IpAddr| address.to_canonical())
}

/// The parts between `separator`s that are in no quotes; `None` when quotes do not end.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_end = |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        character == separator && !is_quoted
    };
    let parts = text.split(is_end).collect();
    (!is_quoted).then_some(parts)
}

pub(crate) const BAD_PROXY: &str = "must be an address or a network such as \"10.0.0.0/8\"";
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// In place of what is no text: it is no hop.
const NO_TEXT: &str = "?";

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1:4711";

    /// Who is said to be behind the proxies 10.0.0.0/8 and 2001:db8::/32.
    fn located(socket: &str, headers: &[(&'static str, &str)]) -> String {
        let proxies = Proxies::new(&["10.0.0.0/8".into(), "2001:db8::/32".into(), "192.0.2.1".into()]).unwrap();
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        proxies.locate(socket.parse().unwrap(), &headers.collect()).to_string()
    }

    #[test]
    fn who_is_behind_a_proxy_is_where_the_last_hop_is_that_is_none() {
        for (value, address) in [
            ("203.0.113.7", "203.0.113.7"),
            ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
            ("198.51.100.1,203.0.113.7 , 10.1.1.1,192.0.2.1", "203.0.113.7"),
            ("10.2.2.2, 10.1.1.1", "10.2.2.2"),
            ("203.0.113.7:80", "203.0.113.7"),
            ("2001:db9::1", "2001:db9::1"),
            ("[2001:db9::1]:80, 2001:db8::5", "2001:db9::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, unknown", PROXY),
            ("203.0.113.7, unknown, 10.1.1.1", PROXY),
            ("", PROXY),
            ("203.0.113.7,", PROXY),
        ] {
            assert_eq!(located(PROXY, &[("x-forwarded-for", value)]), address, "{value}");
        }
        let two = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(located("[::ffff:10.0.0.1]:80", &two), "203.0.113.7");
    }

    #[test]
    fn forwarded_says_it_likewise() {
        for (value, address) in [
            ("for=203.0.113.7", "203.0.113.7"),
            (
                "For=198.51.100.1;by=10.0.0.1, proto=https; FOR=\"203.0.113.7:80\";host=\"a,b;for=1.2.3.4\"",
                "203.0.113.7",
            ),
            ("for=\"[2001:db9::1]:4711\", for=10.1.1.1", "2001:db9::1"),
            ("for=203.0.113.7, for=_hidden", PROXY),
            ("for=203.0.113.7, proto=https", PROXY),
            ("for=\"203.0.113.8, for=203.0.113.7", PROXY),
            ("host=\"\\\", for=203.0.113.8\", for=203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(located(PROXY, &[("forwarded", value)]), address, "{value}");
        }
    }

    #[test]
    fn nobody_is_believed_who_is_no_proxy() {
        let claimed = [("x-forwarded-for", "203.0.113.7")];
        assert_eq!(located("11.0.0.1:80", &claimed), "11.0.0.1:80");
        assert_eq!(located(PROXY, &[]), PROXY);
    }

    #[test]
    fn a_header_that_says_something_else_than_the_other_is_none() {
        let claimed = ("forwarded", "for=198.51.100.1");
        assert_eq!(located(PROXY, &[("x-forwarded-for", "203.0.113.7"), claimed]), PROXY);
        assert_eq!(located(PROXY, &[("x-forwarded-for", "198.51.100.1"), claimed]), "198.51.100.1");
        assert_eq!(located(PROXY, &[("x-forwarded-for", "unknown"), claimed]), PROXY);
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in ["", "proxy.example", "10.0.0.0/33", "10.0.0.1:80", "*"] {
            assert!(network(text).is_none() && Proxies::new(&[text.into()]).is_err(), "{text}");
        }
    }
}
