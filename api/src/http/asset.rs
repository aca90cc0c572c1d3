//! A file of an embedded bundle on its way to a browser.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::EmbeddedFile;

/// For files that may change under their name: asked for again each time.
pub(super) const REVALIDATE: &str = "no-cache";
/// For files whose name holds a hash of their content: a year, which is the customary "for ever".
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// See the module.
pub(super) struct Asset {
    content: Cow<'static, [u8]>,
    content_type: String,
    cache_control: &'static str,
    etag: String,
}

impl Asset {
    pub(super) fn new(path: &str, file: EmbeddedFile) -> Self {
        let mime = file.metadata.mimetype();
        let charset = if mime.starts_with("text/") {
            "; charset=utf-8"
        } else {
            ""
        };
        let hash = file.metadata.sha256_hash();
        Self {
            content: file.data,
            content_type: format!("{mime}{charset}"),
            // Vite names every file under `assets/` by its content.
            cache_control: if path.starts_with("assets/") {
                IMMUTABLE
            } else {
                REVALIDATE
            },
            // Weak, since what is sent may be compressed in one way or another.
            etag: format!(
                "W/\"{}\"",
                hash.iter()
                    .take(16)
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            ),
        }
    }

    /// The answer: the file, or that the browser has it already. The policy is sent either way, since it may change
    /// where the file does not.
    pub(super) fn respond(self, request: &HeaderMap, policy: &str) -> Response {
        let unchanged = request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| bare(tag.trim()) == bare(&self.etag));
        let headers = [
            (header::CONTENT_TYPE, Cow::Owned(self.content_type)),
            (header::CACHE_CONTROL, Cow::Borrowed(self.cache_control)),
            (header::ETAG, Cow::Owned(self.etag)),
            (header::CONTENT_SECURITY_POLICY, Cow::Borrowed(policy)),
            (header::X_CONTENT_TYPE_OPTIONS, Cow::Borrowed("nosniff")),
            (header::REFERRER_POLICY, Cow::Borrowed("no-referrer")),
        ];

        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(self.content).into_response()
        };
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A tag without the mark of weakness, which proxies add and take away.
fn bare(tag: &str) -> &str {
    tag.trim_start_matches("W/")
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use rust_embed::Embed;

    use super::*;

    const POLICY: &str = "default-src 'none'";

    /// A bundle that is always there: this crate's own sources.
    #[derive(Embed)]
    #[folder = "src"]
    struct Sources;

    fn asset(path: &str) -> Asset {
        Asset::new(path, Sources::get("main.rs").unwrap())
    }

    fn text(response: &Response, name: header::HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    #[tokio::test]
    async fn a_file_named_by_its_content_is_kept_for_ever_and_the_page_is_asked_for_again() {
        let hashed = asset("assets/index-B2yX5q8_.js").respond(&HeaderMap::new(), POLICY);
        assert_eq!(hashed.status(), StatusCode::OK);
        assert_eq!(text(&hashed, header::CACHE_CONTROL), IMMUTABLE);

        let page = asset("index.html").respond(&HeaderMap::new(), POLICY);
        assert_eq!(text(&page, header::CACHE_CONTROL), REVALIDATE);
        assert_eq!(
            text(&page, header::CONTENT_TYPE),
            "text/x-rust; charset=utf-8"
        );
        assert_eq!(text(&page, header::CONTENT_SECURITY_POLICY), POLICY);
        assert!(
            !to_bytes(page.into_body(), usize::MAX)
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_page_that_the_browser_has_is_not_sent_again() {
        let first = asset("index.html").respond(&HeaderMap::new(), POLICY);
        let etag = text(&first, header::ETAG);

        for known in [
            etag.to_owned(),
            bare(etag).to_owned(),
            format!("\"other\", {etag}"),
        ] {
            let mut request = HeaderMap::new();
            request.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            let again = asset("index.html").respond(&request, POLICY);
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(text(&again, header::ETAG), etag);
            assert_eq!(text(&again, header::CONTENT_SECURITY_POLICY), POLICY);
            assert!(
                to_bytes(again.into_body(), usize::MAX)
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
    }
}
