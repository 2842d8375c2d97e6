//! Which pages may open a WebSocket: browsers say where a page is from, and pages cannot change that.

/// The Origins that are allowed; `None` is that of the server itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(Option<Vec<String>>);

impl Origins {
    pub(crate) fn new(allowed: Option<Vec<String>>) -> Self {
        Self(allowed.map(|origins| origins.iter().map(|origin| normal(origin).unwrap_or(origin).to_owned()).collect()))
    }

    /// Whether a page from `origin` may connect to `host`. A request without Origin is no page's, and is not asked.
    pub(crate) fn allow(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        match &self.0 {
            None => host_of(origin).is_some_and(|of_page| host.is_some_and(|host| host.eq_ignore_ascii_case(of_page))),
            Some(allowed) => allowed.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin)),
        }
    }
}

/// An Origin as browsers write it, or `None` if it is none: `https://HOST` or `http://HOST:PORT`.
pub(crate) fn normal(origin: &str) -> Option<&str> {
    let origin = origin.strip_suffix('/').unwrap_or(origin);
    host_of(origin).map(|_| origin)
}

fn host_of(origin: &str) -> Option<&str> {
    let (scheme, host) = origin.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    (is_web && !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' '])).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_list_only_pages_of_the_server_itself_may_connect() {
        let own = Origins::default();
        assert!(own.allow(None, Some("broker.example")));
        assert!(own.allow(Some("https://broker.example"), Some("broker.example")));
        assert!(own.allow(Some("http://127.0.0.1:8083"), Some("127.0.0.1:8083")));
        for origin in [
            "https://evil.example",
            "http://127.0.0.1:8000",
            "null",
            "",
            "file://127.0.0.1:8083",
            "https://evil.example@127.0.0.1:8083",
            "http://127.0.0.1:8083/",
        ] {
            assert!(!own.allow(Some(origin), Some("127.0.0.1:8083")), "{origin}");
        }
        assert!(!own.allow(Some("http://a"), None));
    }

    #[test]
    fn a_list_allows_what_it_names_and_no_more() {
        let listed = Origins::new(Some(vec!["https://app.example/".into(), "http://localhost:3000".into()]));
        assert!(listed.allow(Some("https://app.example"), Some("broker.example")));
        assert!(listed.allow(Some("http://localhost:3000"), None));
        for origin in ["https://broker.example", "http://app.example", "https://app.example.evil", "http://localhost"] {
            assert!(!listed.allow(Some(origin), Some("broker.example")), "{origin}");
        }
        assert!(Origins::new(Some(vec!["*".into()])).allow(Some("null"), None));
        assert!(!Origins::new(Some(Vec::new())).allow(Some("https://a"), Some("a")));
    }
}
