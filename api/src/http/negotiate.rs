//! Media types: what a client sends, and what it accepts.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};

/// What an answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// `application/graphql-response+json`: the status says whether the request could be executed.
    GraphQlResponse,
    /// `application/json`: every request that could be read is answered with status 200.
    Json,
}

impl MediaType {
    /// As a header says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// The best media type that the client accepts; JSON where it does not care.
pub(super) fn accepted(headers: &HeaderMap) -> Option<MediaType> {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|range| !range.trim().is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return Some(MediaType::Json);
    }
    let mut best = None;
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let media = match parts
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "application/graphql-response+json" => MediaType::GraphQlResponse,
            "application/json" | "application/*" | "*/*" => MediaType::Json,
            _ => continue,
        };
        let quality = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if quality > 0.0
            && best.is_none_or(|(_, best_quality): (MediaType, f32)| quality > best_quality)
        {
            best = Some((media, quality));
        }
    }
    best.map(|(media, _)| media)
}

/// True for a body in JSON. Anything else is refused: a foreign page may send plain text without being asked.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let is_utf8 = |part: &str| {
        part.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset")
                || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    media.eq_ignore_ascii_case("application/json") && parts.all(is_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, value.parse().unwrap());
        accepted(&headers)
    }

    #[test]
    fn the_best_accepted_type_is_chosen() {
        assert_eq!(accepted(&HeaderMap::new()), Some(MediaType::Json));
        assert_eq!(accept("*/*"), Some(MediaType::Json));
        assert_eq!(accept("application/json"), Some(MediaType::Json));
        assert_eq!(
            accept("application/graphql-response+json"),
            Some(MediaType::GraphQlResponse)
        );
        let both =
            "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8";
        assert_eq!(accept(both), Some(MediaType::GraphQlResponse));
        let unwilling = "application/graphql-response+json;q=0.1, application/json;q=0.9";
        assert_eq!(accept(unwilling), Some(MediaType::Json));
        assert_eq!(accept("text/html"), None);
        assert_eq!(accept("application/json;q=0"), None);
    }

    #[test]
    fn only_json_is_read() {
        let is = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        assert!(is("application/json"));
        assert!(is("Application/JSON; charset=UTF-8"));
        assert!(!is("application/json; charset=latin1"));
        assert!(!is("text/plain"));
        assert!(!is("application/jsonp"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
