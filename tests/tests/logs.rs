//! Promise: logs say what happened to a replica, line by line and within bounds, and never what people have stored or how
//! they got in.

use std::time::Duration;

use serde_json::{Value, json};
use threefold_tests::client::{Client, NewExpense};
use threefold_tests::cluster::{LEADER_TIMEOUT, Replica};
use threefold_tests::collector::Collector;
use threefold_tests::socket::{CHANGES, Socket};
use threefold_tests::wait::{until, within};
use threefold_tests::{Cluster, DatabaseKind, inspect};
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(30);
const FAILED_APPLIES: &str = "threefold_apply_failures_total";
const TOKEN: &str = "token-that-opens-Quokka-0123456789";
const WRONG_TOKEN: &str = "token-that-does-not-Wombat-9876543210";
const PASSWORD: &str = "Numbat-password";
const OTEL_HEADER: &str = "Bandicoot-header";
const AMOUNT: &str = "73519.42";

/// Everything that a person has typed; the words are in no library.
const SECRETS: [&str; 19] = [
    TOKEN,
    WRONG_TOKEN,
    PASSWORD,
    OTEL_HEADER,
    AMOUNT,
    "7351942",
    "Xylophone",
    "Changedophone",
    "Zugzwang-note",
    "tag-Kookaburra",
    "category-Potoroo",
    "search-Bilby",
    "operation_Dunnart",
    "alias_Quoll",
    "field_Antechinus",
    "refused-Cuscus",
    "malformed-Pademelon",
    "subscriber-Betong",
    "variable-Phascogale",
];

/// A line as every program may rely on it.
fn assert_is_a_line(text: &str, replica: u16) {
    let line: Value = serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("a line of replica {replica} is no JSON ({error}): {text}"));
    for member in ["timestamp", "level", "target", "message"] {
        assert!(line[member].is_string(), "no {member}: {text}");
    }
    assert_eq!(line["replica"], replica, "{text}");
}

/// Secrets as they stand, and as the numbers that an array of bytes is printed as.
fn assert_discreet(replica: &Replica) {
    let log = replica.log();
    for secret in SECRETS {
        let numbers: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
        for form in [secret.to_owned(), secret.to_lowercase(), numbers.join(", ")] {
            if let Some(found) = log.find(&form) {
                let line = log[..found].lines().count().saturating_sub(1);
                panic!(
                    "replica {} logs {secret:?}: {:?}",
                    replica.id(),
                    log.lines().nth(line)
                );
            }
        }
    }
}

fn with_password(url: &str) -> String {
    url.replacen('@', &format!(":{PASSWORD}@"), 1)
}

fn expense() -> Value {
    json!({
        "description": "Xylophone", "amount": AMOUNT, "currency": "EUR", "spentOn": "2026-11-22",
        "notes": "Zugzwang-note", "tags": ["tag-Kookaburra"], "idempotencyKey": Uuid::new_v4(),
    })
}

/// Whatever a client can say, well formed or not, allowed or not.
async fn say_everything(client: &Client, url: &str) {
    let add = "mutation operation_Dunnart($i: AddExpenseInput!) { alias_Quoll: addExpense(input: $i) { expense { id version } userErrors { code } } }";
    let data = client
        .execute(add, json!({ "i": expense() }))
        .await
        .unwrap();
    let id = data["alias_Quoll"]["expense"]["id"].clone();
    let id: Uuid = serde_json::from_value(id).unwrap();
    let changed = json!({ "description": "Changedophone", "expectedVersion": 1 });
    client
        .update_expense(id, changed.clone())
        .await
        .unwrap()
        .accepted();
    let conflict = client.update_expense(id, changed).await.unwrap();
    assert_eq!(conflict.user_errors.len(), 1);
    let category =
        "mutation { addCategory(input: { name: \"category-Potoroo\" }) { userErrors { code } } }";
    client.execute(category, json!({})).await.unwrap();
    client.execute(category, json!({})).await.unwrap();
    let search = "query($v: String) { a: expenses(first: 1, filter: { text: \"search-Bilby\" }) { totalCount } b: expenses(first: 1, filter: { text: $v }) { totalCount } summary(filter: { minAmount: \"73519.42\" }) { __typename } }";
    let _page = client
        .execute(search, json!({ "v": "variable-Phascogale" }))
        .await;
    // Refused.
    for (name, value) in [
        ("description", json!("refused-Cuscus".repeat(100))),
        ("currency", json!("refused-Cuscus")),
        ("amount", json!("73519.42refused-Cuscus")),
        ("tags", json!(["refused-Cuscus".repeat(10)])),
    ] {
        let mut input = expense();
        input[name] = value;
        let _refused = client.execute(add, json!({ "i": input })).await;
    }
    client
        .execute("{ field_Antechinus { id } }", json!({}))
        .await
        .unwrap_err();
    for body in [
        "{\"query\": \"malformed-Pademelon",
        "[\"malformed-Pademelon\"]",
        "{\"query\": \"malformed-Pademelon\"}",
        "{\"query\": 7, \"variables\": \"malformed-Pademelon\"}",
    ] {
        client.execute_body(body.to_owned()).await.unwrap_err();
    }
    let stranger = Client::new(url).with_access_token(WRONG_TOKEN);
    stranger.expenses(1).await.unwrap_err();
    // Over WebSocket.
    let open = |token: &str| json!({ "Authorization": format!("Bearer {token}"), "name": "subscriber-Betong" });
    assert!(Socket::connect(url, open(WRONG_TOKEN)).await.is_err());
    let mut socket = Socket::connect(url, open(TOKEN)).await.unwrap();
    socket
        .subscribe(CHANGES, json!({ "after": "0" }))
        .await
        .unwrap();
    let batch = within("a change", TIMEOUT, socket.next()).await.unwrap();
    assert_eq!(batch["changes"]["__typename"], "ChangeBatch");
    let mut socket = Socket::connect(url, open(TOKEN)).await.unwrap();
    socket
        .subscribe("{ subscriber-Betong }", json!({}))
        .await
        .unwrap();
    assert!(within("a refusal", TIMEOUT, socket.next()).await.is_err());
}

async fn nothing_private_is_logged(database: DatabaseKind) {
    let collector = Collector::start().await;
    let cluster = Cluster::builder()
        .database(database)
        .access_token(TOKEN)
        .in_sync_timeout_ms(1_000)
        .flag("--log-format", "json")
        .environment("THREEFOLD_LOG", "trace")
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .environment(
            "OTEL_EXPORTER_OTLP_HEADERS",
            &format!("authorization={OTEL_HEADER}"),
        )
        .environment("OTEL_BSP_SCHEDULE_DELAY", "100")
        .prepare()
        .await;
    for replica in cluster.replicas() {
        if database == DatabaseKind::Postgres {
            replica.set_flag("--database", &with_password(&replica.database_url()));
        }
        replica.start();
    }
    cluster.wait_until_ready().await;
    for replica in cluster.replicas() {
        say_everything(&replica.client(), replica.url()).await;
    }
    let follower = cluster.replica(cluster.followers().await[0]);
    if database == DatabaseKind::Postgres {
        // A database that fails while it is read from and written to.
        follower.postgres().kill9().await;
        for _ in 0..3 {
            let _failed = follower.client().local().expenses(5).await;
        }
        let leader = cluster.replica(cluster.leader().await).client().quorum();
        leader
            .execute(
                "mutation($i: AddExpenseInput!) { addExpense(input: $i) { expense { id } } }",
                json!({ "i": expense() }),
            )
            .await
            .unwrap();
        until("a word about the database", TIMEOUT, async || {
            let said = follower.log().contains("applying failed, trying again");
            said.then_some(()).ok_or("none yet".to_owned())
        })
        .await;
        follower.postgres().start_again().await;
    }
    inspect::assert_identical(&cluster).await;
    until("traces", TIMEOUT, async || {
        let spans = collector.spans();
        (spans.len() > 20)
            .then_some(())
            .ok_or(format!("{} spans", spans.len()))
    })
    .await;
    for replica in cluster.replicas() {
        replica.terminate().await;
        let log = replica.log();
        assert!(
            log.lines()
                .any(|line| line.contains("\"TRACE\"") || line.contains("\"DEBUG\"")),
            "{log}"
        );
        log.lines()
            .for_each(|line| assert_is_a_line(line, replica.id()));
        assert_discreet(replica);
    }
    for secret in SECRETS {
        assert!(!collector.has_seen(secret), "a span tells {secret:?}");
    }

    if database == DatabaseKind::Postgres {
        // A start that fails, and says why with everything it knows.
        let url = with_password(&follower.database_url()).replace("/threefold", "/missing");
        follower.set_flag("--database", &url);
        follower.set_flag("--database-patience-ms", "100");
        assert!(!follower.start_and_fail(TIMEOUT).await.success());
        assert!(follower.log().contains("missing"), "{}", follower.log());
        assert_discreet(follower);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_logged_on_postgres() {
    nothing_private_is_logged(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_logged_on_sqlite() {
    nothing_private_is_logged(DatabaseKind::Sqlite).await;
}

/// A fault that repeats is told so often and no more, and what was left out is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_repeats_does_not_fill_the_disk() {
    const REPEATED: &str = "applying failed, trying again";
    let cluster = Cluster::builder()
        .database(DatabaseKind::Postgres)
        .in_sync_timeout_ms(1_000)
        .flag("--log-format", "json")
        .flag("--log-limit", "2")
        .start()
        .await;
    let follower = cluster.replica(cluster.followers().await[0]);
    follower.postgres().kill9().await;
    let leader = cluster.replica(cluster.leader().await).client().quorum();
    leader
        .add_expense(&NewExpense::described("while it is down"))
        .await
        .unwrap()
        .accepted();
    until("the first lines", TIMEOUT, async || {
        let lines = follower.log().matches(REPEATED).count();
        (lines == 2).then_some(()).ok_or(format!("{lines} lines"))
    })
    .await;
    // It goes on, unheard.
    until("more faults than lines", LEADER_TIMEOUT, async || {
        let failures = failed_applies(follower).await?;
        (failures >= 4)
            .then_some(())
            .ok_or(format!("{failures} failures"))
    })
    .await;
    follower.postgres().start_again().await;
    inspect::assert_identical(&cluster).await;
    follower.terminate().await;
    let log = follower.log();
    assert_eq!(log.matches(REPEATED).count(), 2, "{log}");
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told = lines
        .filter(|line| line["message"].as_str().unwrap().contains("left out"))
        .find(|line| {
            line["fields"]["place"]
                .as_str()
                .unwrap()
                .contains("state_machine/apply.rs")
        });
    let told = told.unwrap_or_else(|| panic!("nothing is said of what was left out: {log}"));
    assert!(told["fields"]["lines"].as_u64().unwrap() >= 2, "{told}");
}

/// How often a replica's database has refused to apply.
async fn failed_applies(replica: &Replica) -> Result<u64, String> {
    let page = reqwest::Client::builder().no_proxy().build();
    let page = page.unwrap().get(format!("{}/metrics", replica.peer_url()));
    let page = page.send().await.map_err(|e| e.to_string())?;
    let page = page.text().await.map_err(|e| e.to_string())?;
    let line = page.lines().find(|line| line.starts_with(FAILED_APPLIES));
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    value.ok_or_else(|| format!("{FAILED_APPLIES} is missing in {page}"))
}

/// From a line one finds the trace, and the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_names_its_trace() {
    let collector = Collector::start().await;
    let cluster = Cluster::builder()
        .database(DatabaseKind::Postgres)
        .flag("--log-format", "json")
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .environment("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start()
        .await;
    let follower = cluster.replica(cluster.followers().await[0]);
    follower.postgres().kill9().await;
    let trace_id = Uuid::new_v4().simple().to_string();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = http
        .post(format!("{}/graphql", follower.url()))
        .header("traceparent", format!("00-{trace_id}-b7ad6b7169203331-01"))
        .header("read-consistency", "local")
        .json(&json!({ "query": "{ expenses(first: 1) { totalCount } }" }));
    let answer: Value = post.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "INTERNAL",
        "{answer}"
    );
    let span = until("its span", TIMEOUT, async || {
        let spans = collector.trace(&trace_id);
        spans.first().cloned().ok_or("none yet".to_owned())
    })
    .await;
    assert_eq!(span.name, "graphql query expenses");
    assert!(span.failed);
    assert_eq!(span.attributes["error.type"], "INTERNAL");
    let log = follower.log();
    let line = log.lines().find(|line| line.contains("a request failed"));
    let line: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("{log}"))).unwrap();
    assert_eq!(line["trace_id"], trace_id.as_str(), "{line}");
    assert_eq!(line["span_id"], span.span_id.as_str(), "{line}");
}
