//! CORS: tells a browser which pages of other origins may read what this replica answers.

use std::time::Duration;

use axum::http::Method;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, ORIGIN, WWW_AUTHENTICATE,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::origin::Pages;

/// How long a browser may keep the answer to a preflight: the most that Chromium keeps it.
const MAX_AGE: Duration = Duration::from_secs(7_200);

/// Answers preflights, and names the page in every answer to it, if it is let in. No other page is named, so that a browser
/// shows it nothing. No cookie is ever read: credentials are the token that a page itself sends.
pub(super) fn layer(pages: Pages) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |_, request| {
            pages.admit(&request.headers)
        }))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("min-revision"),
            HeaderName::from_static("read-consistency"),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("tracestate"),
            HeaderName::from_static("write-acknowledgement"),
        ])
        .expose_headers([WWW_AUTHENTICATE])
        .max_age(MAX_AGE)
        .vary([ORIGIN])
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::{HeaderMap, Request, StatusCode, header};
    use axum::routing::post;
    use tower::Service as _;

    use super::*;

    /// What a page of that origin is answered, by a handler that refuses everything.
    async fn asked(method: Method, origin: &str) -> (StatusCode, HeaderMap) {
        let pages = Pages::new(|| vec!["http://127.0.0.1:8082".to_owned()], Vec::new());
        let handler = || async { (StatusCode::PAYLOAD_TOO_LARGE, "refused") };
        let mut router = Router::new()
            .route("/graphql", post(handler))
            .layer(layer(pages));
        let request = Request::builder()
            .method(method)
            .uri("/graphql")
            .header(header::HOST, "127.0.0.1:8081")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .body(Body::empty())
            .unwrap();
        let (head, _) = router.call(request).await.unwrap().into_parts();
        (head.status, head.headers)
    }

    #[tokio::test]
    async fn a_page_of_the_cluster_reads_every_answer() {
        let ours = "http://localhost:8082";
        let (status, headers) = asked(Method::OPTIONS, ours).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], ours);
        assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "7200");
        assert_eq!(headers[header::VARY], "origin");
        let allowed = headers[header::ACCESS_CONTROL_ALLOW_HEADERS]
            .to_str()
            .unwrap();
        for name in [
            "accept",
            "authorization",
            "content-type",
            "min-revision",
            "read-consistency",
            "traceparent",
            "tracestate",
            "write-acknowledgement",
        ] {
            assert!(allowed.split(',').any(|one| one == name), "{allowed}");
        }

        let (status, headers) = asked(Method::POST, ours).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], ours);
        assert_eq!(headers[header::VARY], "origin");
    }

    #[tokio::test]
    async fn no_other_page_is_named() {
        for method in [Method::OPTIONS, Method::POST] {
            let (_, headers) = asked(method, "https://evil.example").await;
            assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
            assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }
}
