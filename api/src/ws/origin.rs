//! Which pages may open a socket. Browsers ask no permission for sockets, so we look at where the page is from.

use axum::http::HeaderMap;

use crate::http::{Access, text};

/// True for clients that are no pages, for pages that this listener itself serves, and wherever a token is asked
/// for anyway, which no foreign page has.
pub(super) fn is_ours(access: &Access, headers: &HeaderMap) -> bool {
    let (Access::Open, Some(origin)) = (access, text(headers, "origin")) else {
        return true;
    };
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
    use crate::secret::Secret;

    fn ours(access: &Access, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1:8081".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        is_ours(access, &headers)
    }

    #[test]
    fn a_foreign_page_opens_no_socket_without_a_token() {
        assert!(ours(&Access::Open, None));
        assert!(ours(&Access::Open, Some("http://127.0.0.1:8081")));
        for foreign in ["https://evil.example", "http://127.0.0.1:8082", "null", ""] {
            assert!(!ours(&Access::Open, Some(foreign)), "{foreign}");
        }
        assert!(ours(
            &Access::Token(Secret::new("0123456789abcdef")),
            Some("https://evil.example")
        ));
    }
}
