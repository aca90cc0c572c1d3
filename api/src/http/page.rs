//! The page at `/`: the tracker and the view of the replicas.
//!
//! The page and all it needs are the bundle of `web`, embedded in the binary: nothing is loaded from another host. It
//! holds no data, so it asks for no access token; the page itself asks the person, and sends the token with what it asks.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};

use super::asset::{Asset, REVALIDATE};
use super::origin::Pages;

/// What the browser may do on this page, but for `connect-src`: run our own scripts, and show what is ours. Style sheets
/// are files; only `style` attributes are set in place, where something is as long as its number. Pictures that the page
/// itself draws are `data:` and `blob:`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; \
     worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// First segments of paths that are never the page's own.
const TAKEN: [&str; 5] = ["assets", "graphiql", "graphql", "healthz", "readyz"];

const NOT_BUILT: &str = "This threefold was built without its page.\n\n\
     To have it: run `make web` in the source folder, then build threefold again.\n\
     GraphiQL is at /graphiql, the API itself at /graphql.\n";

const NOT_FOUND: &str =
    "There is nothing here. The page is at /, GraphiQL at /graphiql, the API at /graphql.\n";

#[derive(Embed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Bundle;

/// Where files come from, by their paths.
type Files = Arc<dyn Fn(&str) -> Option<EmbeddedFile> + Send + Sync>;

/// What the handler has: the files, and where the page may go.
#[derive(Clone)]
struct Page {
    files: Files,
    pages: Pages,
}

/// The page, its files and its own routes: everything that no other route takes.
pub(super) fn router(pages: Pages) -> Router {
    with_files(Arc::new(Bundle::get), pages)
}

fn with_files(files: Files, pages: Pages) -> Router {
    Router::new().fallback_service(get(serve).with_state(Page { files, pages }))
}

async fn serve(State(page): State<Page>, uri: Uri, request: HeaderMap) -> Response {
    let path = uri.path().strip_prefix('/').unwrap_or_default();
    // A route of the page is a path that only the page knows: it is the page that shows it.
    let (path, missing) = if is_route(path) {
        ("index.html", NOT_BUILT)
    } else {
        (path, NOT_FOUND)
    };
    match (page.files)(path) {
        Some(file) => Asset::new(path, file).respond(&request, &policy(&page.pages)),
        None => {
            let headers = [(header::CACHE_CONTROL, REVALIDATE)];
            (StatusCode::NOT_FOUND, headers, missing).into_response()
        }
    }
}

/// True for a path of the page's own making. Files have a dot in their name, and none of its routes has.
fn is_route(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    !TAKEN.contains(&first) && !last.contains('.')
}

/// The policy of this moment: the page goes to the replicas that are known now.
fn policy(pages: &Pages) -> String {
    let mut policy = format!("{CONTENT_SECURITY_POLICY}; connect-src 'self'");
    for source in pages.sources() {
        policy.push(' ');
        policy.push_str(&source);
    }
    policy
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::body::{Body, to_bytes};
    use axum::http::{Method, Request};
    use tower::Service as _;

    use super::*;
    use crate::http::compression;

    /// Files such as Vite makes, read from a folder as a bundle is; what is in one is its name, many times.
    fn bundle() -> Files {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        for name in [
            "index.html",
            "sw.js",
            "manifest.webmanifest",
            "icon.svg",
            "assets/index-B2yX5q8_.js",
            "assets/plex-B2yX5q8_.woff2",
        ] {
            std::fs::write(folder.path().join(name), name.repeat(100)).unwrap();
        }
        Arc::new(move |path: &str| {
            let path = folder.path().join(path);
            path.is_file()
                .then(|| rust_embed::utils::read_file_from_fs(&path).unwrap())
        })
    }

    type Known = Arc<Mutex<Vec<String>>>;

    fn router_over(files: Files) -> (Router, Known) {
        let known = Known::default();
        let replicas = known.clone();
        let pages = Pages::new(move || replicas.lock().unwrap().clone(), Vec::new());
        (with_files(files, pages).layer(compression()), known)
    }

    async fn send(
        router: &mut Router,
        method: Method,
        path: &str,
        header: (&str, &str),
    ) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header.0, header.1)
            .body(Body::empty())
            .unwrap();
        router.call(request).await.unwrap()
    }

    async fn fetch(router: &mut Router, path: &str) -> Response {
        send(router, Method::GET, path, ("accept", "*/*")).await
    }

    async fn body(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_page_shows_its_own_routes() {
        let (mut router, _) = router_over(bundle());
        for route in [
            "/",
            "/expenses",
            "/expenses/new?x=1.5",
            "/a.b/c",
            "/graphqls",
        ] {
            let response = fetch(&mut router, route).await;
            assert_eq!(response.status(), StatusCode::OK, "{route}");
            let headers = response.headers();
            assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
            assert!(body(response).await.starts_with("index.html"));
        }
        for missing in [
            "/missing.js",
            "/a/b.txt",
            "/assets/missing",
            "/assets/missing.js",
            "/assets/",
            "/graphql/x",
            "/graphiql/x",
            "/healthz/",
            "/readyz/x",
        ] {
            let response = fetch(&mut router, missing).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{missing}");
        }
        let response = send(&mut router, Method::POST, "/", ("accept", "*/*")).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn files_have_their_types_and_their_time() {
        let (mut router, _) = router_over(bundle());
        for (path, mime, cache) in [
            ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
            (
                "/manifest.webmanifest",
                "application/manifest+json",
                "no-cache",
            ),
            ("/icon.svg", "image/svg+xml", "no-cache"),
            ("/index.html", "text/html; charset=utf-8", "no-cache"),
            (
                "/assets/index-B2yX5q8_.js",
                "text/javascript; charset=utf-8",
                "public, max-age=31536000, immutable",
            ),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let response = send(&mut router, method.clone(), path, ("accept", "*/*")).await;
                assert_eq!(response.status(), StatusCode::OK, "{path}");
                let headers = response.headers();
                assert_eq!(headers[header::CONTENT_TYPE], mime, "{path}");
                assert_eq!(headers[header::CACHE_CONTROL], cache, "{path}");
                assert!(headers.contains_key(header::ETAG), "{path}");
                assert_eq!(body(response).await.is_empty(), method == Method::HEAD);
            }
        }
    }

    #[tokio::test]
    async fn the_policy_names_the_replicas_of_the_moment_even_where_the_page_is_known() {
        let (mut router, known) = router_over(bundle());
        let response = fetch(&mut router, "/").await;
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].clone();
        let policy = policy.to_str().unwrap();
        assert!(policy.ends_with("; connect-src 'self'"), "{policy}");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        let etag = response.headers()[header::ETAG]
            .to_str()
            .unwrap()
            .to_owned();

        known
            .lock()
            .unwrap()
            .push("http://127.0.0.1:8082".to_owned());
        let again = send(&mut router, Method::GET, "/", ("if-none-match", &etag)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let policy = again.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.ends_with(
                "; connect-src 'self' http://127.0.0.1:8082 http://localhost:8082 \
                 ws://127.0.0.1:8082 ws://localhost:8082"
            ),
            "{policy}"
        );
    }

    #[tokio::test]
    async fn files_are_compressed_where_that_gains_something() {
        let (mut router, _) = router_over(bundle());
        for (path, accepted, encoding) in [
            ("/", "gzip, deflate, br", Some("br")),
            ("/sw.js", "gzip", Some("gzip")),
            ("/icon.svg", "gzip", Some("gzip")),
            ("/assets/plex-B2yX5q8_.woff2", "gzip, br", None),
            ("/", "identity", None),
        ] {
            let response = send(
                &mut router,
                Method::GET,
                path,
                ("accept-encoding", accepted),
            )
            .await;
            let sent = response.headers().get(header::CONTENT_ENCODING);
            let sent = sent.map(|value| value.to_str().unwrap());
            assert_eq!(sent, encoding, "{path} by {accepted}");
        }
    }

    #[tokio::test]
    async fn without_the_bundle_it_says_how_to_build_it() {
        let (mut router, _) = router_over(Arc::new(|_| None));
        for route in ["/", "/expenses"] {
            let response = fetch(&mut router, route).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            let text = body(response).await;
            assert!(
                text.contains("make web") && text.contains("/graphiql"),
                "{text}"
            );
        }
        assert!(
            !body(fetch(&mut router, "/x.js").await)
                .await
                .contains("make web")
        );
    }

    #[tokio::test]
    async fn nothing_outside_the_bundle_is_served() {
        let (mut router, _) = router_over(Arc::new(Bundle::get));
        for path in [
            "/../package.json",
            "/assets/../../package.json",
            "//etc/passwd.x",
        ] {
            let response = fetch(&mut router, path).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
