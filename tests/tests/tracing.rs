//! Promise: one trace follows a mutation from the client through the replica that was asked, the leader, every log and every
//! database; and who collects traces never holds a replica up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};
use threefold_tests::client::{Client, NewExpense};
use threefold_tests::collector::{CollectedSpan, Collector};
use threefold_tests::socket::Socket;
use threefold_tests::wait::{until, within};
use threefold_tests::{Cluster, DatabaseKind, inspect};
use tokio::net::TcpListener;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time that a replica takes to stop, whoever collects.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const MUTATION: &str = "mutation Secretly($input: AddExpenseInput!) { money: addExpense(input: $input) { receipt { revision } } }";
/// What is in no span.
const DESCRIPTION: &str = "Xylophone lessons";

/// A trace that a client has begun.
struct ClientTrace {
    trace_id: String,
    span_id: String,
}

impl ClientTrace {
    fn new() -> Self {
        Self {
            trace_id: Uuid::new_v4().simple().to_string(),
            span_id: Uuid::new_v4().simple().to_string()[..16].to_owned(),
        }
    }

    fn traceparent(&self, sampled: bool) -> String {
        let flags = if sampled { "01" } else { "00" };
        format!("00-{}-{}-{flags}", self.trace_id, self.span_id)
    }
}

fn request() -> Value {
    let expense = NewExpense::described(DESCRIPTION);
    json!({ "query": MUTATION, "variables": { "input": expense } })
}

/// Sends a mutation with this header, and returns once it is acknowledged.
async fn mutate(url: &str, traceparent: Option<&str>) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut post = http.post(format!("{url}/graphql")).json(&request());
    if let Some(traceparent) = traceparent {
        post = post.header("traceparent", traceparent);
        post = post.header("tracestate", "vendor=value");
    }
    let answer: Value = post.send().await.unwrap().json().await.unwrap();
    assert!(answer["data"]["money"]["receipt"].is_object(), "{answer}");
}

async fn cluster(database: DatabaseKind, collector: &str) -> Cluster {
    Cluster::builder()
        .database(database)
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .environment("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start()
        .await
}

/// Looks for one span; how many there are is said where there is not one.
#[track_caller]
fn only<'a>(
    spans: &'a [CollectedSpan],
    what: &str,
    is: impl Fn(&CollectedSpan) -> bool,
) -> Result<&'a CollectedSpan, String> {
    let found: Vec<&CollectedSpan> = spans.iter().filter(|span| is(span)).collect();
    match found[..] {
        [one] => Ok(one),
        _ => Err(format!("{} spans are {what}, of {spans:#?}", found.len())),
    }
}

/// Looks whether a trace is all there: the way of one mutation through three replicas.
fn whole(
    spans: &[CollectedSpan],
    client: &ClientTrace,
    asked: &str,
    leader: &str,
    database: &str,
) -> Result<(), String> {
    let named = |name: &'static str, replica: String| {
        move |span: &CollectedSpan| span.name == name && span.replica == replica
    };
    let operation = only(spans, "the operation", |span| {
        span.parent_span_id == client.span_id
    })?;
    assert_eq!(operation.name, "graphql mutation addExpense");
    assert_eq!(
        (operation.kind, operation.replica.as_str()),
        (SpanKind::Server, asked)
    );
    assert_eq!(operation.attributes["graphql.operation.type"], "mutation");
    assert!(!operation.failed);
    let propose = only(spans, "propose", named("propose", asked.to_owned()))?;
    assert_eq!(propose.parent_span_id, operation.span_id);

    let mut above_commit = propose.span_id.clone();
    if asked != leader {
        let call = only(spans, "the call to the leader", |span| {
            span.name == "peer propose" && span.kind == SpanKind::Client
        })?;
        assert_eq!(
            (&call.parent_span_id, call.replica.as_str()),
            (&propose.span_id, asked)
        );
        assert_eq!(call.attributes["peer.id"], leader);
        let served = only(spans, "the call, served", |span| {
            span.name == "peer propose" && span.kind == SpanKind::Server
        })?;
        assert_eq!(
            (&served.parent_span_id, served.replica.as_str()),
            (&call.span_id, leader)
        );
        above_commit = served.span_id.clone();
    }
    let commit = only(spans, "commit", |span| span.name == "commit")?;
    assert_eq!(
        (&commit.parent_span_id, commit.replica.as_str()),
        (&above_commit, leader)
    );

    for id in ["1", "2", "3"] {
        let append = only(spans, "append", named("append", id.to_owned()))?;
        assert_eq!(append.parent_span_id, commit.span_id);
        assert_eq!(
            append.attributes["log.index"],
            commit.attributes["log.index"]
        );
        let apply = only(spans, "apply", named("apply", id.to_owned()))?;
        assert_eq!(apply.parent_span_id, commit.span_id);
        let transaction = only(
            spans,
            "transaction",
            named("database transaction", id.to_owned()),
        )?;
        assert_eq!(transaction.parent_span_id, apply.span_id);
        assert_eq!(transaction.attributes["db.system.name"], database);
        assert!(apply.time.0 <= transaction.time.0 && transaction.time.1 <= apply.time.1);
        if id != leader {
            // The answer to it is the ACK.
            let ack = only(spans, "appendEntries, served", |span| {
                span.name == "peer appendEntries"
                    && span.kind == SpanKind::Server
                    && span.replica == id
            })?;
            let call = only(spans, "appendEntries, called", |span| {
                span.span_id == ack.parent_span_id
            })?;
            assert_eq!(
                (call.kind, call.replica.as_str()),
                (SpanKind::Client, leader)
            );
            assert_eq!(call.parent_span_id, commit.span_id);
            assert!(ack.time.0 <= append.time.0 && append.time.1 <= ack.time.1);
        }
    }
    Ok(())
}

async fn a_mutation_is_followed(database: DatabaseKind, name: &'static str) {
    let collector = Collector::start().await;
    let cluster = cluster(database, collector.endpoint()).await;
    let (leader, followers) = (cluster.leader().await, cluster.followers().await);

    // Over HTTP, to a follower and to the leader.
    for asked in [followers[0], leader] {
        let client = ClientTrace::new();
        mutate(
            cluster.replica(asked).url(),
            Some(&client.traceparent(true)),
        )
        .await;
        until("a whole trace", TIMEOUT, async || {
            let spans = collector.trace(&client.trace_id);
            whole(
                &spans,
                &client,
                &asked.to_string(),
                &leader.to_string(),
                name,
            )
        })
        .await;
    }

    let taken_up = collector.spans().into_iter();
    let mut taken_up = taken_up.filter(|span| span.name == "graphql mutation addExpense");
    assert!(taken_up.all(|span| span.trace_state == "vendor=value"));

    // Over WebSocket, where a request says it in its extensions.
    let client = ClientTrace::new();
    let asked = followers[1];
    let mut socket = Socket::connect(cluster.replica(asked).url(), json!({}))
        .await
        .unwrap();
    let mut payload = request();
    payload["extensions"] = json!({ "traceparent": client.traceparent(true), "other": [1] });
    socket.start(payload).await.unwrap();
    let data = within("an answer", TIMEOUT, socket.next()).await.unwrap();
    assert!(data["money"]["receipt"].is_object(), "{data}");
    until("a whole trace of the socket", TIMEOUT, async || {
        let spans = collector.trace(&client.trace_id);
        whole(
            &spans,
            &client,
            &asked.to_string(),
            &leader.to_string(),
            name,
        )
    })
    .await;

    let spans = collector.spans();
    let resource = &spans[0].resource;
    assert_eq!(resource["service.name"], "threefold");
    assert!(resource.contains_key("service.version"));
    for secret in [DESCRIPTION, "Secretly", "money", "12.50"] {
        assert!(!collector.has_seen(secret), "a span tells {secret:?}");
    }
    assert!(spans.iter().all(|span| span.events == 0));
    let state = inspect::assert_identical(&cluster).await;
    assert_eq!(state.revision, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_is_followed_on_postgres() {
    a_mutation_is_followed(DatabaseKind::Postgres, "postgresql").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_is_followed_on_sqlite() {
    a_mutation_is_followed(DatabaseKind::Sqlite, "sqlite").await;
}

/// Mutations share log entries, and yet each has a trace of its own that is whole.
#[tokio::test(flavor = "multi_thread")]
async fn mutations_that_share_an_entry_are_followed_each() {
    let collector = Collector::start().await;
    let cluster = cluster(DatabaseKind::Sqlite, collector.endpoint()).await;
    let leader = cluster.leader().await;
    let asked = cluster.followers().await[0];
    let clients: Vec<ClientTrace> = (0..32).map(|_| ClientTrace::new()).collect();
    let url = cluster.replica(asked).url();
    join_all(
        clients
            .iter()
            .map(async |client| mutate(url, Some(&client.traceparent(true))).await),
    )
    .await;
    let mut shared = BTreeSet::new();
    for client in &clients {
        let spans = until("a whole trace", TIMEOUT, async || {
            let spans = collector.trace(&client.trace_id);
            let count = |name: &str| spans.iter().filter(|span| span.name == name).count();
            match [
                count("commit"),
                count("append"),
                count("apply"),
                count("database transaction"),
            ] {
                [1, 3, 3, 3] => Ok(spans),
                other => Err(format!("{other:?} of commit, append, apply, transaction")),
            }
        })
        .await;
        let commit = only(&spans, "commit", |span| span.name == "commit").unwrap();
        assert_eq!(commit.replica, leader.to_string());
        let together: usize = commit.attributes["log.proposals"].parse().unwrap();
        if !commit.links.is_empty() {
            // It stands for the entry: it leads to the traces of all others that share it.
            assert_eq!(commit.links.len(), together - 1);
            shared.insert(commit.attributes["log.index"].clone());
        }
    }
    assert!(!shared.is_empty(), "32 at once shared no entry");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_sampled_is_followed_and_nothing_but_requests_begins_a_trace() {
    let collector = Collector::start().await;
    let cluster = cluster(DatabaseKind::Sqlite, collector.endpoint()).await;
    let url = cluster.replica(cluster.followers().await[0]).url();
    let unsampled = ClientTrace::new();
    mutate(url, Some(&unsampled.traceparent(false))).await;
    mutate(url, Some("00-this is no context-01")).await;
    mutate(url, None).await;
    // Heartbeats, reports and reads went on all the time.
    until("two traces begun here", TIMEOUT, async || {
        let spans = collector.spans();
        let roots = spans
            .iter()
            .filter(|span| span.name == "graphql mutation addExpense");
        let applied = spans.iter().filter(|span| span.name == "apply").count();
        match (roots.count(), applied) {
            (2, 6) => Ok(()),
            other => Err(format!("{other:?} mutations and applies")),
        }
    })
    .await;
    let spans = collector.spans();
    assert!(collector.trace(&unsampled.trace_id).is_empty());
    let begun = spans.iter().filter(|span| span.parent_span_id.is_empty());
    for root in begun {
        assert!(root.name.starts_with("graphql "), "{root:?}");
    }
}

/// A collector that is away, and one that takes connections and says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_collects_holds_nothing_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    let held = tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            connections.push(connection);
        }
    });
    let away = {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", closed.local_addr().unwrap())
    };
    for (endpoint, complains) in [(away, true), (silent_url, false)] {
        let cluster = cluster(DatabaseKind::Sqlite, &endpoint).await;
        let clients = cluster.clients();
        let begun = Instant::now();
        for number in 0..60 {
            add(&clients[number % 3], number).await;
        }
        let took = begun.elapsed();
        assert!(took < TIMEOUT, "60 mutations took {took:?}");
        if complains {
            let log = until("a complaint", TIMEOUT, async || {
                let log = cluster.replica(1).log();
                let complaint = "takes no traces";
                log.contains(complaint)
                    .then_some(log)
                    .ok_or("none yet".to_owned())
            })
            .await;
            assert_eq!(log.matches("takes no traces").count(), 1, "{log}");
        }
        let state = inspect::assert_identical(&cluster).await;
        assert_eq!(state.revision, 60);
        for replica in cluster.replicas() {
            let begun = Instant::now();
            replica.terminate().await;
            let took = begun.elapsed();
            assert!(
                took < STOP_TIMEOUT,
                "replica {} took {took:?} to stop",
                replica.id()
            );
        }
    }
    held.abort();
}

async fn add(client: &Client, number: usize) {
    let expense = NewExpense::described(format!("{DESCRIPTION} {number}"));
    client.add_expense(&expense).await.unwrap().accepted();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_exported_is_refused_at_the_start() {
    let cluster = Cluster::builder()
        .replicas(1)
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
        .environment("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .prepare()
        .await;
    let replica = cluster.replica(1);
    assert!(!replica.start_and_fail(TIMEOUT).await.success());
    let log = replica.log();
    assert!(
        log.contains("OTEL_EXPORTER_OTLP_PROTOCOL=grpc") && log.contains("http/protobuf"),
        "{log}"
    );
}
