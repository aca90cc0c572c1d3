//! Promise: the client container's proxy leaves out a server that is not ready, never sends a request twice, lets sockets and
//! streams through, and serves the page as the servers do. Runs the real proxy with `docker/Caddyfile`.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Response, StatusCode};
use tempfile::TempDir;
use threefold_tests::client::NewExpense;
use threefold_tests::feed::Subscriber;
use threefold_tests::ports::{self, Port};
use threefold_tests::wait::{until, within};
use threefold_tests::{Client, Cluster, DatabaseKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const TIMEOUT: Duration = Duration::from_secs(20);

/// The proxy at work, until it is dropped.
struct Proxy {
    process: Child,
    port: Port,
    _home: TempDir,
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Proxy {
    async fn start(servers: &[String], connect: &str) -> Self {
        let port = ports::reserve();
        let home = tempfile::tempdir().unwrap();
        let servers: Vec<_> = servers
            .iter()
            .map(|url| url.trim_start_matches("http://"))
            .collect();
        let process = Command::new("caddy")
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(repository().join("docker/Caddyfile"))
            .env("THREEFOLD_PORT", port.number().to_string())
            .env("THREEFOLD_SERVERS", servers.join(" "))
            .env("THREEFOLD_CONNECT", connect)
            .env("THREEFOLD_BUFFERS", buffers())
            .env("THREEFOLD_FILES", repository().join("web/dist"))
            .env("XDG_CONFIG_HOME", home.path())
            .env("XDG_DATA_HOME", home.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("caddy is missing: scripts/install-deps.sh test installs it");
        let proxy = Self {
            process,
            port,
            _home: home,
        };
        until("the proxy to listen", TIMEOUT, async || {
            let answer = http().get(proxy.at("/healthz")).send().await;
            answer.map(drop).map_err(|error| error.to_string())
        })
        .await;
        proxy
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    fn at(&self, path: &str) -> String {
        self.url() + path
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.process.kill().expect("the proxy is stopped");
        self.process.wait().expect("the proxy ends");
    }
}

/// What the proxy of Debian's package needs, which is older than the image's; docker/Caddyfile says why.
fn buffers() -> &'static str {
    let output = Command::new("caddy").arg("version").output();
    let version = output.expect("caddy is missing: scripts/install-deps.sh test installs it");
    let version = String::from_utf8(version.stdout).unwrap();
    let mut parts = version.trim().trim_start_matches('v').split(['.', ' ']);
    let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
    match (next(), next(), next()) {
        (Some(2), Some(..=6), _) => "buffer_requests",
        (Some(2), Some(7..=10), _) | (Some(2), Some(11), Some(0 | 1)) => "request_buffers 4MB",
        _ => "",
    }
}

/// Adds an expense. While the servers elect a leader none of them may be ready, which Caddy before 2.11 says at once: with 503, or with 502
/// where it had tried one that is gone. Whoever asked asks again, under the same key.
async fn add(through: &Client, description: String) {
    let expense = NewExpense::described(description);
    let added = until("a server to be ready", TIMEOUT, async || {
        match through.add_expense(&expense).await {
            Err(error)
                if matches!(
                    error.status(),
                    Some(StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY)
                ) =>
            {
                Err(error.to_string())
            }
            answer => Ok(answer),
        }
    });
    added.await.unwrap().accepted();
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_ready_is_left_out() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let proxy = Proxy::start(&cluster.urls(), "").await;
    let through = Client::new(&proxy.url()).quorum();
    // One of the three is the one that this client is sent to.
    for replica in cluster.replicas() {
        let id = replica.id();
        replica.kill9();
        for number in 1..=5 {
            // No connection can be made, so that another server has the request.
            add(&through, format!("while {id} is dead, {number}")).await;
        }
        replica.start();
        replica.wait_until_ready().await;

        // A process that takes connections and says nothing.
        replica.stop();
        until("the stopped server to be left out", TIMEOUT, async || {
            let quick = through.with_timeout(Duration::from_secs(3));
            quick
                .replicas()
                .await
                .map(drop)
                .map_err(|error| error.to_string())
        })
        .await;
        for number in 1..=5 {
            add(&through, format!("while {id} is stopped, {number}")).await;
        }
        replica.cont();
        cluster.wait_until_ready().await;
    }

    // One alone is alive and not ready: nothing is sent there.
    cluster.replica(2).kill9();
    cluster.replica(3).kill9();
    until("the last server to be left out, too", TIMEOUT, async || {
        let answer = http().get(proxy.at("/readyz")).send().await.unwrap();
        let text = answer.text().await.unwrap();
        text.starts_with("503 Service Unavailable")
            .then_some(())
            .ok_or(text)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_comes_through_and_goes_on_elsewhere() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let proxy = Proxy::start(&cluster.urls(), "").await;
    let through = Client::new(&proxy.url()).quorum();
    let feed = Subscriber::of(&proxy.url(), 0);
    feed.wait_until_live().await;
    let mut revision = 0;
    for replica in cluster.replicas() {
        replica.kill9();
        add(&through, format!("without {}", replica.id())).await;
        revision += 1;
        feed.wait_for(revision, TIMEOUT).await;
        replica.start();
        replica.wait_until_ready().await;
    }
    feed.assert_complete(1, revision);
    // One of the three was the one behind the socket.
    assert!(feed.connections() > 1);
}

/// A server that is ready, takes a POST and dies over it, and streams events: what no replica does when asked to.
async fn unlucky_server(posts: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let posts = posts.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut request).await {
                    let text = String::from_utf8_lossy(&request[..read]).into_owned();
                    let answer = if text.starts_with("GET /readyz") {
                        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n"
                    } else if text.starts_with("GET /graphql") {
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
                    } else {
                        posts.fetch_add(1, Ordering::AcqRel);
                        return;
                    };
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_that_was_sent_is_not_sent_again_and_events_come_at_once() {
    let posts = Arc::new(AtomicUsize::new(0));
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(unlucky_server(posts.clone()).await);
    }
    let proxy = Proxy::start(&servers, "").await;

    let request = http()
        .get(proxy.at("/graphql"))
        .header("Accept", "text/event-stream");
    let answer = request.send().await.unwrap();
    assert_eq!(header(&answer, "content-type"), "text/event-stream");
    let first = within(
        "an event of a stream that goes on",
        TIMEOUT,
        answer.bytes_stream().next(),
    )
    .await;
    assert_eq!(first.unwrap().unwrap(), "data: 1\n\n");

    let mutation = r#"{"query":"mutation { addExpense }"}"#;
    let request = http()
        .post(proxy.at("/graphql"))
        .header("Content-Type", "application/json");
    let answer = request.body(mutation).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(posts.load(Ordering::Acquire), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_as_a_server_sends_it() {
    let cluster = Cluster::builder().replicas(1).start().await;
    let server = cluster.replica(1).url();
    let sources = format!("{server} {}", server.replacen("http", "ws", 1));
    let proxy = Proxy::start(&cluster.urls(), &sources).await;
    let index = http().get(server).send().await.unwrap();
    assert_eq!(
        index.status(),
        StatusCode::OK,
        "the page is not built: run `make web` first"
    );
    let index = index.text().await.unwrap();
    let (_, asset) = index.split_once("/assets/").unwrap();
    let asset = format!("/assets/{}", asset.split('"').next().unwrap());

    for path in [
        "/",
        "/expenses",
        "/index.html",
        "/manifest.webmanifest",
        "/icon.svg",
        "/icon-192.png",
        &asset,
    ] {
        let ours = http().get(format!("{server}{path}")).send().await.unwrap();
        let theirs = http().get(proxy.at(path)).send().await.unwrap();
        assert_eq!(theirs.status(), ours.status(), "{path}");
        for name in [
            "content-type",
            "cache-control",
            "x-content-type-options",
            "referrer-policy",
        ] {
            assert_eq!(
                header(&theirs, name),
                header(&ours, name),
                "{name} of {path}"
            );
        }
        // All of the policy but for where the page may go, which a server knows under more names.
        let policy = |response: &Response| {
            let policy = header(response, "content-security-policy");
            let (rules, sources) = policy.split_once("connect-src ").unwrap();
            (rules.to_owned(), sources.to_owned())
        };
        assert_eq!(policy(&theirs).0, policy(&ours).0, "{path}");
        assert_eq!(policy(&theirs).1, format!("'self' {sources}"));
        assert_eq!(
            theirs.bytes().await.unwrap(),
            ours.bytes().await.unwrap(),
            "{path}"
        );
    }
    for missing in [
        "/missing.js",
        "/assets/missing-B2yX5q8_.js",
        "/assets/missing",
    ] {
        let answer = http().get(proxy.at(missing)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{missing}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{missing}");
    }
    let compressed = http()
        .get(proxy.url())
        .header("Accept-Encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(header(&compressed, "content-encoding"), "gzip");
    // Beside a token, a text that somebody else chose could be told from the length.
    let body = r#"{"query":"{ __schema { types { name description } } }"}"#;
    let request = http()
        .post(proxy.at("/graphql"))
        .header("Content-Type", "application/json");
    let answer = request
        .header("Accept-Encoding", "gzip")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "content-encoding"), "");
    assert_eq!(header(&answer, "content-security-policy"), "");
}
