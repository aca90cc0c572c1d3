//! Promise: every replica serves the page, with leave to talk to every replica, and GraphiQL beside it; nothing of the API
//! is compressed.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind};

const TIMEOUT: Duration = Duration::from_secs(20);

async fn get(url: &str) -> Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).header("Accept-Encoding", "gzip, br");
    request.timeout(TIMEOUT).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_serves_the_page_on_sqlite() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    for replica in cluster.replicas() {
        let url = replica.url();
        // A client's route is the page as well.
        for path in ["/", "/replicas"] {
            let address = format!("{url}{path}");
            let page = get(&address).await;
            if page.status() == StatusCode::NOT_FOUND {
                let text = page.text().await.unwrap();
                assert!(text.contains("make web"), "{text}");
                continue;
            }
            assert_eq!(page.status(), StatusCode::OK, "{address}");
            assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
            assert_eq!(header(&page, "content-encoding"), "br");
            until("the page to know every replica", TIMEOUT, async || {
                let page = get(&address).await;
                let policy = header(&page, "content-security-policy");
                let (_, sources) = policy.split_once("connect-src ").unwrap();
                let sources: Vec<&str> = sources.split(' ').collect();
                for other in cluster.urls() {
                    let socket = other.replacen("http", "ws", 1);
                    let local = other.replace("127.0.0.1", "localhost");
                    for source in [other, socket, local] {
                        if !sources.contains(&source.as_str()) {
                            return Err(format!("{source} is missing: {policy}"));
                        }
                    }
                }
                Ok(())
            })
            .await;
        }
        assert_eq!(get(&format!("{url}/missing.js")).await.status(), 404);
        let graphiql = get(&format!("{url}/graphiql")).await;
        assert!(graphiql.status() == 200 || graphiql.status() == 404);

        for path in ["healthz", "readyz", "graphql"] {
            let answer = get(&format!("{url}/{path}")).await;
            assert_eq!(header(&answer, "content-encoding"), "", "{path}");
            assert_eq!(header(&answer, "content-security-policy"), "", "{path}");
        }
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(format!("{url}/graphql"))
            .header("Accept-Encoding", "gzip, br")
            .header("Content-Type", "application/json")
            .body(r#"{"query":"{ replicas { id role url term revision lag stateHash } }"}"#);
        let answer = request.timeout(TIMEOUT).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "content-encoding"), "");
    }
}
