//! Promise: a page that one replica serves may use every replica, so does one that `--allow-origin` names, and no other page
//! gets in.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use threefold_tests::socket::{Socket, SocketError};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind};

const TIMEOUT: Duration = Duration::from_secs(20);
const ALLOWED: &str = "http://localhost:5173";
const FOREIGN: [&str; 3] = ["https://evil.example", "http://127.0.0.1:1", "null"];
const TOKEN: &str = "correct-horse-battery-staple-0123456789";

/// What a browser sends for a page of that origin.
async fn send(method: Method, url: &str, origin: &str) -> Response {
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .request(method.clone(), url)
        .timeout(TIMEOUT)
        .header("Origin", origin);
    let request = match method {
        Method::OPTIONS => request
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "authorization,content-type,min-revision,read-consistency,write-acknowledgement",
            ),
        Method::POST => request
            .header("Content-Type", "application/json")
            .body(json!({ "query": "{ replica { id } }" }).to_string()),
        _ => request,
    };
    request.send().await.unwrap()
}

fn let_in(response: &Response) -> Option<&str> {
    let origin = response.headers().get("access-control-allow-origin")?;
    Some(origin.to_str().unwrap())
}

async fn assert_let_in(url: &str, origin: &str) {
    let graphql = format!("{url}/graphql");
    let preflight = send(Method::OPTIONS, &graphql, origin).await;
    assert_eq!(preflight.status(), StatusCode::OK, "{origin} at {url}");
    assert_eq!(let_in(&preflight), Some(origin), "{url}");
    let headers = preflight.headers()["access-control-allow-headers"].to_str();
    assert!(headers.unwrap().contains("read-consistency"));

    let answer = send(Method::POST, &graphql, origin).await;
    assert_eq!(answer.status(), StatusCode::OK, "{origin} at {url}");
    assert_eq!(let_in(&answer), Some(origin), "{url}");
    assert_eq!(answer.headers()["vary"], "origin");
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(answer["data"]["replica"]["id"].is_string(), "{answer}");

    for path in ["healthz", "readyz"] {
        let answer = send(Method::GET, &format!("{url}/{path}"), origin).await;
        assert_eq!(let_in(&answer), Some(origin), "{url}/{path}");
    }
    // A refusal can be read, too.
    let refusal = send(Method::PUT, &graphql, origin).await;
    assert_eq!(refusal.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(let_in(&refusal), Some(origin), "{url}");
}

async fn assert_kept_out(url: &str, origin: &str) {
    let graphql = format!("{url}/graphql");
    let preflight = send(Method::OPTIONS, &graphql, origin).await;
    assert_eq!(let_in(&preflight), None, "{origin} at {url}");
    let answer = send(Method::POST, &graphql, origin).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin} at {url}");
    assert_eq!(let_in(&answer), None, "{origin} at {url}");
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert!(answer.get("data").is_none(), "{answer}");
    let health = send(Method::GET, &format!("{url}/healthz"), origin).await;
    assert_eq!(let_in(&health), None, "{origin} at {url}");
    match Socket::connect_from(origin, url, json!({})).await {
        Err(SocketError::Connection(error)) => {
            assert!(error.to_string().contains("403"), "{error}");
        }
        other => panic!("a socket for {origin} at {url}: {other:?}"),
    }
}

async fn pages_of_the_cluster_use_every_replica(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .flag("--allow-origin", ALLOWED)
        .start()
        .await;
    for replica in cluster.replicas() {
        // Each replica has heard where the others are.
        until("the replicas to know each other", TIMEOUT, async || {
            let views = replica.client().replicas().await;
            let views = views.map_err(|error| error.to_string())?;
            let unknown = views.iter().find(|view| view.url.is_empty());
            unknown.map_or(Ok(()), |view| Err(format!("{view:?}")))
        })
        .await;
        let url = replica.url();
        for page in cluster.urls() {
            for origin in [page.clone(), page.replace("127.0.0.1", "localhost")] {
                assert_let_in(url, &origin).await;
                Socket::connect_from(&origin, url, json!({})).await.unwrap();
            }
        }
        assert_let_in(url, ALLOWED).await;
        Socket::connect_from(ALLOWED, url, json!({})).await.unwrap();
        for foreign in FOREIGN {
            assert_kept_out(url, foreign).await;
        }
    }

    // A replica that dies takes no page with it: the others still know whose it is.
    let gone = cluster.replica(3);
    gone.kill9();
    for id in [1, 2] {
        assert_let_in(cluster.replica(id).url(), gone.url()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_cluster_use_every_replica_on_postgres() {
    pages_of_the_cluster_use_every_replica(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_cluster_use_every_replica_on_sqlite() {
    pages_of_the_cluster_use_every_replica(DatabaseKind::Sqlite).await;
}

/// With a token the token decides, so that a page behind a proxy that hides its host works; a browser still shows
/// foreign pages nothing.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_token_is_asked_for_the_token_decides() {
    let cluster = Cluster::builder()
        .replicas(1)
        .access_token(TOKEN)
        .start()
        .await;
    let url = cluster.replica(1).url();
    let graphql = format!("{url}/graphql");
    let own = send(Method::POST, &graphql, url).await;
    assert_eq!(own.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(let_in(&own), Some(url), "a page reads why it was refused");
    let foreign = send(Method::POST, &graphql, FOREIGN[0]).await;
    assert_eq!(foreign.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(let_in(&foreign), None);
    let token = json!({ "Authorization": format!("Bearer {TOKEN}") });
    Socket::connect_from(FOREIGN[0], url, token).await.unwrap();
    match Socket::connect_from(FOREIGN[0], url, json!({})).await {
        Err(SocketError::Closed { code: 4403, .. }) => {}
        other => panic!("a socket without the token: {other:?}"),
    }
}
