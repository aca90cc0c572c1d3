//! Which pages may talk to this replica: the one place that decides, for HTTP and for the WebSocket.
//!
//! A page that one replica serves talks to all of them, to go on when its own dies and to compare what they hold. So
//! the pages of every replica are let in, and those that `--allow-origin` names. Who is no page says no `Origin`, and is
//! none of this module's business.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;
use reqwest::Url;

use super::text;

/// The names under which a browser reaches its own machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Where a page is from: scheme, host and port, as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: String,
    /// None where it is the scheme's own.
    port: Option<u16>,
}

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no origin; give http:// or https://, a host and, if it has one, a port, such as https://money.example.org"
)]
pub struct OriginError(String);

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let fault = || OriginError(text.to_owned());
        let url = Url::parse(text.trim()).map_err(|_| fault())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        Self::of(&url).filter(|_| bare).ok_or_else(fault)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl Origin {
    fn of(url: &Url) -> Option<Self> {
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        Some(Self {
            secure,
            host: url.host_str()?.to_owned(),
            port: url.port(),
        })
    }

    /// The address for HTTP and for sockets, in the words of a Content-Security-Policy; none where it has no words for it.
    /// It knows no IPv6 addresses, and browsers complain of what they do not know. What else a host may hold could say
    /// more there than a host.
    fn sources(&self) -> Option<[String; 2]> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !self.host.chars().all(plain) {
            return None;
        }
        let http = self.to_string();
        let socket = http.replacen("http", "ws", 1);
        Some([http, socket])
    }

    /// The same address under all its names: this machine has several.
    fn names(self) -> Vec<Self> {
        if !LOOPBACK.contains(&self.host.as_str()) {
            return vec![self];
        }
        let named = |host: &str| Self {
            host: host.to_owned(),
            ..self
        };
        LOOPBACK.into_iter().map(named).collect()
    }
}

/// The pages that are let in. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pages {
    /// The public addresses of the replicas, as far as they are known at this moment.
    replicas: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// What `--allow-origin` names.
    allowed: Arc<[Origin]>,
}

impl Pages {
    pub(crate) fn new(
        replicas: impl Fn() -> Vec<String> + Send + Sync + 'static,
        allowed: Vec<Origin>,
    ) -> Self {
        Self {
            replicas: Arc::new(replicas),
            allowed: allowed.into(),
        }
    }

    /// True where the request comes from no page, or from one that may talk to this replica.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = text(headers, "origin") else {
            return true;
        };
        is_own(origin, headers) || self.is_allowed(origin)
    }

    /// Where the page of this replica may go: the replicas' addresses, in the words of a Content-Security-Policy.
    pub(super) fn sources(&self) -> BTreeSet<String> {
        let replicas = self.replicas();
        replicas
            .iter()
            .filter_map(Origin::sources)
            .flatten()
            .collect()
    }

    fn is_allowed(&self, origin: &str) -> bool {
        // Browsers write an origin in one way only, so that texts can be compared.
        let is_it = |known: &Origin| known.to_string().eq_ignore_ascii_case(origin);
        self.allowed.iter().any(is_it) || self.replicas().iter().any(is_it)
    }

    /// The origins of the replicas' pages, under all their names.
    fn replicas(&self) -> Vec<Origin> {
        (self.replicas)()
            .iter()
            .filter_map(|url| Origin::of(&Url::parse(url).ok()?))
            .flat_map(Origin::names)
            .collect()
    }
}

/// True for a page that this listener itself serves. A proxy in front may speak another scheme than we do.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    ["host", "x-forwarded-host"]
        .iter()
        .any(|name| text(headers, name).is_some_and(|host| host.eq_ignore_ascii_case(authority)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(allowed: &[&str]) -> Pages {
        let replicas = || {
            vec![
                "http://127.0.0.1:8081".to_owned(),
                "http://localhost:8082/".to_owned(),
                "https://Three.example/threefold".to_owned(),
                // Not heard from yet.
                String::new(),
            ]
        };
        let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
        Pages::new(replicas, allowed)
    }

    fn admits(pages: &Pages, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1:7001".parse().unwrap());
        headers.insert("x-forwarded-host", "money.example".parse().unwrap());
        headers.insert("origin", origin.parse().unwrap());
        pages.admit(&headers)
    }

    #[test]
    fn who_is_no_page_is_let_in() {
        assert!(pages(&[]).admit(&HeaderMap::new()));
    }

    #[test]
    fn pages_of_the_cluster_are_let_in_under_every_name_of_theirs() {
        for ours in [
            "http://127.0.0.1:7001",
            "https://money.example",
            "http://127.0.0.1:8081",
            "http://localhost:8081",
            "http://[::1]:8081",
            "http://127.0.0.1:8082",
            "http://[::1]:8082",
            "https://three.example",
        ] {
            assert!(admits(&pages(&[]), ours), "{ours}");
        }
    }

    #[test]
    fn every_other_page_is_foreign() {
        for foreign in [
            "https://evil.example",
            "http://127.0.0.1:8083",
            "http://127.0.0.1",
            "https://127.0.0.1:8081",
            "http://127.0.0.2:8081",
            "http://localhost.evil.example:8081",
            "http://127.0.0.1:80810",
            "http://three.example",
            "https://three.example:8443",
            "https://three.example/threefold",
            "null",
            "*",
            "",
        ] {
            assert!(!admits(&pages(&[]), foreign), "{foreign}");
        }
    }

    #[test]
    fn a_page_may_go_to_every_replica() {
        let expected = [
            "http://127.0.0.1:8081",
            "http://127.0.0.1:8082",
            "http://localhost:8081",
            "http://localhost:8082",
            "https://three.example",
            "ws://127.0.0.1:8081",
            "ws://127.0.0.1:8082",
            "ws://localhost:8081",
            "ws://localhost:8082",
            "wss://three.example",
        ];
        // Whom we let in is not where our page goes.
        let sources = pages(&["https://money.example.org"]).sources();
        assert_eq!(sources.into_iter().collect::<Vec<_>>(), expected);
        for odd in ["https://*.example", "https://a;script-src.example"] {
            let pages = Pages::new(move || vec![odd.to_owned()], Vec::new());
            assert!(pages.sources().is_empty(), "{odd}");
        }
    }

    #[test]
    fn a_page_is_let_in_by_name() {
        let pages = pages(&["http://localhost:5173", "https://money.example.org:443/"]);
        assert!(admits(&pages, "http://localhost:5173"));
        assert!(admits(&pages, "https://money.example.org"));
        // What a person names is meant as it stands.
        assert!(!admits(&pages, "http://127.0.0.1:5173"));
        assert!(!admits(&pages, "https://money.example.org:444"));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "*",
            "null",
            "localhost:5173",
            "ws://localhost:5173",
            "https://",
            "https://a.example/path",
            "https://a.example/?q",
            "https://user@a.example",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
        let origin: Origin = " HTTPS://A.example:443 ".parse().unwrap();
        assert_eq!(origin.to_string(), "https://a.example");
    }
}
