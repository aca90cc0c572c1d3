//! GraphiQL at `/graphiql`: the page on which a person tries the API out.
//!
//! The page and all it needs are the bundle of `web/graphiql`, embedded in the binary: nothing is loaded from another
//! host. It holds no data, so it asks for no access token; the token goes into the page's headers editor.

use std::borrow::Cow;

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{Embed, EmbeddedFile};

/// What the browser may do on this page: run our own scripts and workers, and talk to this replica.
///
/// `'unsafe-inline'` is for styles alone: Monaco, the editor, positions its lines by `style` attributes and knows no
/// nonce. The bundled style sheets carry fonts and images as `data:`. `'self'` in `connect-src` covers the WebSocket.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
     style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const REVALIDATE: &str = "no-cache";
/// For files whose name holds a hash of their content: a year, which is the customary "for ever".
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

const NOT_BUILT: &str = "This threefold was built without GraphiQL.\n\n\
     To have it: run `make web` in the source folder, then build threefold again.\n\
     The API itself is at /graphql.\n";

#[derive(Embed)]
#[folder = "../web/graphiql/dist"]
#[allow_missing = true]
struct Bundle;

/// The routes of the page and of its files.
pub fn router() -> Router {
    Router::new()
        .route("/graphiql", get(page))
        .route("/graphiql/", get(page))
        .route("/graphiql/{*path}", get(file))
}

async fn page(request: HeaderMap) -> Response {
    match Bundle::get("index.html") {
        Some(index) => Asset::new("index.html", index).respond(&request),
        None => (
            StatusCode::NOT_FOUND,
            [(header::CACHE_CONTROL, REVALIDATE)],
            NOT_BUILT,
        )
            .into_response(),
    }
}

async fn file(Path(path): Path<String>, request: HeaderMap) -> Response {
    match Bundle::get(&path) {
        Some(file) => Asset::new(&path, file).respond(&request),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file of the bundle on its way to a browser.
struct Asset {
    content: Cow<'static, [u8]>,
    content_type: String,
    cache_control: &'static str,
    etag: String,
}

impl Asset {
    fn new(path: &str, file: EmbeddedFile) -> Self {
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
            etag: format!(
                "\"{}\"",
                hash.iter()
                    .take(16)
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            ),
        }
    }

    fn respond(self, request: &HeaderMap) -> Response {
        let unchanged = request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            // A proxy that compresses on the way marks the tag as weak.
            .any(|tag| tag.trim().trim_start_matches("W/") == self.etag);
        let headers = [
            (header::CONTENT_TYPE, Cow::Owned(self.content_type)),
            (header::CACHE_CONTROL, Cow::Borrowed(self.cache_control)),
            (header::ETAG, Cow::Owned(self.etag)),
            (
                header::CONTENT_SECURITY_POLICY,
                Cow::Borrowed(CONTENT_SECURITY_POLICY),
            ),
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

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

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
        let hashed = asset("assets/index-B2yX5q8_.js").respond(&HeaderMap::new());
        assert_eq!(hashed.status(), StatusCode::OK);
        assert_eq!(text(&hashed, header::CACHE_CONTROL), IMMUTABLE);

        let page = asset("index.html").respond(&HeaderMap::new());
        assert_eq!(text(&page, header::CACHE_CONTROL), REVALIDATE);
        assert_eq!(
            text(&page, header::CONTENT_TYPE),
            "text/x-rust; charset=utf-8"
        );
        assert!(!text(&page, header::CONTENT_SECURITY_POLICY).contains("unsafe-eval"));
        assert!(
            !to_bytes(page.into_body(), usize::MAX)
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_page_that_the_browser_has_is_not_sent_again() {
        let first = asset("index.html").respond(&HeaderMap::new());
        let etag = text(&first, header::ETAG);

        for known in [
            etag.to_owned(),
            format!("W/{etag}"),
            format!("\"other\", {etag}"),
        ] {
            let mut request = HeaderMap::new();
            request.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            let again = asset("index.html").respond(&request);
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(text(&again, header::ETAG), etag);
            assert!(
                to_bytes(again.into_body(), usize::MAX)
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
    }

    #[tokio::test]
    async fn the_page_is_there_or_says_how_to_build_it() {
        let response = page(HeaderMap::new()).await;
        if Bundle::get("index.html").is_some() {
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(
                text(&response, header::CONTENT_TYPE),
                "text/html; charset=utf-8"
            );
        } else {
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert!(String::from_utf8_lossy(&body).contains("make web"));
        }
    }

    #[tokio::test]
    async fn nothing_outside_the_bundle_is_served() {
        for path in [
            "../package.json",
            "assets/../../package.json",
            "/etc/passwd",
            "",
        ] {
            let response = file(Path(path.to_owned()), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
