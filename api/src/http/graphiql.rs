//! GraphiQL at `/graphiql`: the page on which a person tries the API out.
//!
//! The page and all it needs are the bundle of `web/graphiql`, embedded in the binary: nothing is loaded from another
//! host. It holds no data, so it asks for no access token; the token goes into the page's headers editor.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::Embed;

use super::asset::{Asset, REVALIDATE};

/// What the browser may do on this page: run our own scripts and workers, and talk to this replica.
///
/// `'unsafe-inline'` is for styles alone: Monaco, the editor, positions its lines by `style` attributes and knows no
/// nonce. The bundled style sheets carry fonts and images as `data:`. `'self'` in `connect-src` covers the WebSocket.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
     style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
        Some(index) => Asset::new("index.html", index).respond(&request, CONTENT_SECURITY_POLICY),
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
        Some(file) => Asset::new(&path, file).respond(&request, CONTENT_SECURITY_POLICY),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn the_page_is_there_or_says_how_to_build_it() {
        let response = page(HeaderMap::new()).await;
        if Bundle::get("index.html").is_some() {
            assert_eq!(response.status(), StatusCode::OK);
            let headers = response.headers();
            assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(!policy.contains("unsafe-eval"));
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
