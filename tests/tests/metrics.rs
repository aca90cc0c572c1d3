//! Promise: an operator sees how a cluster is. `/metrics` is complete and well formed, tells nothing of expenses and does not
//! grow with what clients send; every expression of the dashboard and of the alert rules means something on real data, and
//! alerts fire when replicas die.

#[path = "metrics/expression.rs"]
mod expression;
#[path = "metrics/page.rs"]
mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use threefold_tests::client::NewExpense;
use threefold_tests::feed::Subscriber;
use threefold_tests::load::Load;
use threefold_tests::prometheus::{Prometheus, promtool, shipped};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, inspect};

use self::expression::{labels_of, selectors_of};
use self::page::Page;

const WRITERS: usize = 4;
const ANSWERS: usize = 60;
const TIMEOUT: Duration = Duration::from_secs(40);
/// Series of one replica. Those of clients' requests are bounded by the schema, all others by the cluster.
const MOST_SERIES: usize = 2_500;
/// The headings of docs/operations.md that alerts may send people to.
const RUNBOOKS: [&str; 7] = [
    "a-replica-is-dead",
    "the-disk-is-full",
    "the-majority-is-lost",
    "a-replica-is-quarantined",
    "it-cannot-be-told-who-is-wrong",
    "there-is-no-leader",
    "writes-are-slow",
];

async fn every_expression_holds_on_real_data(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let leader = cluster.leader().await;
    let followers = cluster.followers().await;
    let subscriber = Subscriber::of(cluster.replica(followers[0]).url(), 0);
    subscriber.wait_until_live().await;
    let prometheus = Prometheus::watch(&cluster).await;
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, TIMEOUT).await;
    ask_everything(&cluster).await;

    // With every replica at work, everything that is drawn has something to draw.
    let panels = panels();
    let alerts = alerts();
    for (title, expression) in &panels {
        assert_holds(&prometheus, title, expression, true).await;
    }
    for (name, expression) in &alerts {
        assert_holds(&prometheus, name, expression, false).await;
    }
    let firing: BTreeSet<String> = names(&prometheus.firing().await.unwrap());
    let about_the_machine = ["ThreefoldDiskFilling", "ThreefoldWritesSlow"];
    let alarming: Vec<&String> = firing
        .iter()
        .filter(|name| !about_the_machine.contains(&name.as_str()))
        .collect();
    assert!(
        alarming.is_empty(),
        "nothing has happened yet: {alarming:?}"
    );

    // One dies: its neighbours and Prometheus say which.
    let dead = followers[1];
    cluster.replica(dead).kill9();
    let id = dead.to_string();
    let down = [("alertname", "ThreefoldReplicaDown"), ("replica", &id)];
    let down = prometheus.wait_for_alert(&down, TIMEOUT).await;
    assert_tells_what_to_do(&down, &id);
    let lost = [("alertname", "ThreefoldReplicaNotInSync"), ("peer", &id)];
    let lost = prometheus.wait_for_alert(&lost, TIMEOUT).await;
    assert_tells_what_to_do(&lost, &id);
    load.wait_for_answers(ANSWERS, TIMEOUT).await;
    load.finish().await;
    for (name, expression) in panels.iter().chain(&alerts) {
        let formatted = prometheus.query(&concrete(expression)).await;
        assert!(formatted.is_ok(), "{name}: {formatted:?}");
    }

    // Another one dies: the leader refuses, and that is worth a page.
    cluster.replica(followers[0]).kill9();
    let alone = cluster.replica(leader).client();
    until("a refusal", TIMEOUT, async || {
        let answer = alone.add_expense(&NewExpense::described("too few")).await;
        match answer {
            Err(error) if error.code() == Some("NOT_ENOUGH_REPLICAS") => {
                let page = Page::of(cluster.replica(leader)).await;
                let refused = [("outcome", "not_enough_replicas")];
                assert!(page.sum("threefold_proposals_total", &refused) >= 1.0);
                let firing = names(&prometheus.firing().await?);
                let fires = firing.contains("ThreefoldWritesRefused");
                fires.then_some(()).ok_or(format!("{firing:?}"))
            }
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let majority = [("alertname", "ThreefoldMajorityLost"), ("severity", "page")];
    prometheus.wait_for_alert(&majority, TIMEOUT).await;

    // They come back, and so does silence.
    for id in followers {
        cluster.replica(id).restart().await;
    }
    until("the alerts to end", TIMEOUT, async || {
        let firing = names(&prometheus.firing().await?);
        let ended = [
            "ThreefoldReplicaDown",
            "ThreefoldReplicaNotInSync",
            "ThreefoldMajorityLost",
        ];
        let left: Vec<_> = ended
            .iter()
            .filter(|name| firing.contains(**name))
            .collect();
        left.is_empty().then_some(()).ok_or(format!("{left:?}"))
    })
    .await;
}

/// One of each kind of request, some of them wrong.
async fn ask_everything(cluster: &Cluster) {
    for client in cluster.clients() {
        client.expenses(5).await.unwrap();
        client.local().expenses(5).await.unwrap();
        client.replicas().await.unwrap();
        let mistaken = client.execute("{ noSuchField }", json!({})).await;
        assert_eq!(mistaken.unwrap_err().code(), Some("BAD_USER_INPUT"));
        let quorum = client.quorum();
        quorum
            .add_expense(&NewExpense::described("by a majority"))
            .await
            .unwrap()
            .accepted();
        let refused = client.update_expense(uuid::Uuid::new_v4(), json!({ "notes": "none" }));
        refused.await.unwrap();
    }
}

/// Prometheus can evaluate it, and everything that it names is there, with the labels that it names.
async fn assert_holds(prometheus: &Prometheus, title: &str, expression: &str, drawn: bool) {
    let expression = concrete(expression);
    let formatted = prometheus.format(&expression).await;
    let formatted = formatted.unwrap_or_else(|error| panic!("{title}: {expression}: {error}"));
    let selectors = selectors_of(&formatted);
    assert!(
        !selectors.is_empty(),
        "{title}: {formatted} selects nothing"
    );
    let mut known = BTreeSet::new();
    for selector in &selectors {
        until(&format!("{title}: {selector}"), TIMEOUT, async || {
            let samples = prometheus.query(selector).await?;
            known.extend(
                samples
                    .iter()
                    .flat_map(|sample| sample.labels.keys().cloned()),
            );
            (!samples.is_empty())
                .then_some(())
                .ok_or("no data".to_owned())
        })
        .await;
    }
    let unknown: Vec<String> = labels_of(&formatted)
        .into_iter()
        .filter(|label| !known.contains(label))
        .collect();
    assert!(
        unknown.is_empty(),
        "{title}: {formatted}: no series has {unknown:?}"
    );
    if drawn {
        until(&format!("{title}: {formatted}"), TIMEOUT, async || {
            let samples = prometheus.query(&formatted).await?;
            (!samples.is_empty())
                .then_some(())
                .ok_or("nothing to draw".to_owned())
        })
        .await;
    } else {
        let evaluated = prometheus.query(&formatted).await;
        assert!(evaluated.is_ok(), "{title}: {evaluated:?}");
    }
}

fn assert_tells_what_to_do(alert: &Value, replica: &str) {
    let annotation = |name: &str| alert["annotations"][name].as_str().unwrap_or_default();
    assert!(
        annotation("summary").contains(&format!("Replica {replica} ")),
        "{alert}"
    );
    assert!(annotation("description").len() > 40, "{alert}");
    assert!(
        annotation("runbook_url").contains("docs/operations.md#"),
        "{alert}"
    );
}

fn names(alerts: &[Value]) -> BTreeSet<String> {
    let names = alerts
        .iter()
        .filter_map(|it| it["labels"]["alertname"].as_str());
    names.map(str::to_owned).collect()
}

/// Grafana fills in how far a rate looks back.
fn concrete(expression: &str) -> String {
    expression.replace("$__rate_interval", "1m")
}

/// What the dashboard draws: title of the panel and expression.
fn panels() -> Vec<(String, String)> {
    let path = workspace().join("docker/grafana/threefold.json");
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let expressions: Vec<(String, String)> = panels
        .iter()
        .flat_map(|panel| {
            let title = panel["title"].as_str().unwrap().to_owned();
            let targets = panel["targets"].as_array().cloned().unwrap_or_default();
            targets
                .into_iter()
                .map(move |target| (title.clone(), target["expr"].as_str().unwrap().to_owned()))
        })
        .collect();
    assert!(expressions.len() >= 30, "{} are too few", expressions.len());
    expressions
}

/// The alerts with their expressions, as promtool reads them.
fn alerts() -> Vec<(String, String)> {
    let text = fs::read_to_string(shipped().join("alerts.yml")).unwrap();
    let mut alerts: Vec<(String, String)> = Vec::new();
    let mut folded = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix("- alert: ") {
            alerts.push((name.to_owned(), String::new()));
        } else if let Some(expression) = trimmed.strip_prefix("expr: ") {
            folded = expression == ">-";
            if !folded {
                alerts.last_mut().unwrap().1 = expression.to_owned();
            }
        } else if folded && line.starts_with("          ") {
            let expression = &mut alerts.last_mut().unwrap().1;
            expression.push_str(trimmed);
            expression.push(' ');
        } else {
            folded = false;
        }
    }
    assert!(alerts.len() >= 10 && alerts.iter().all(|(_, expression)| !expression.is_empty()));
    alerts
}

#[test]
fn rules_are_well_formed_and_each_is_tested() {
    let folder = shipped();
    for arguments in [
        &["check", "config", "prometheus.yml"][..],
        &["check", "rules", "alerts.yml"],
        &["test", "rules", "alerts_test.yml"],
    ] {
        let output = promtool(&std::env::temp_dir(), &absolute(&folder, arguments), "");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
    let tests = fs::read_to_string(folder.join("alerts_test.yml")).unwrap();
    let rules = fs::read_to_string(folder.join("alerts.yml")).unwrap();
    for (name, _) in alerts() {
        let quoted = format!("alertname=\"{name}\"");
        let named = format!("alertname: {name}");
        assert!(
            tests.contains(&quoted) || tests.contains(&named),
            "{name} has no test"
        );
    }
    let operations = fs::read_to_string(workspace().join("docs/operations.md")).ok();
    let mut links = 0;
    for line in rules.lines().filter(|line| line.contains("runbook_url:")) {
        let anchor = line
            .split_once("docs/operations.md#")
            .map(|(_, anchor)| anchor);
        let anchor = anchor.unwrap_or_else(|| panic!("no runbook: {line}"));
        assert!(RUNBOOKS.contains(&anchor), "no such runbook: {anchor}");
        if let Some(operations) = &operations {
            let headings = operations.lines().filter(|line| line.starts_with('#'));
            let mut anchors = headings.map(|line| {
                line.trim_start_matches('#')
                    .trim()
                    .to_lowercase()
                    .replace(' ', "-")
            });
            assert!(
                anchors.any(|it| it == anchor),
                "docs/operations.md has no #{anchor}"
            );
        }
        links += 1;
    }
    assert_eq!(links, alerts().len());
}

/// The last argument names a file of the folder.
fn absolute<'a>(folder: &Path, arguments: &[&'a str]) -> Vec<&'a str> {
    let [rest @ .., file] = arguments else {
        return Vec::new();
    };
    let file = folder.join(file).to_str().unwrap().to_owned();
    rest.iter()
        .copied()
        .chain([&*Box::leak(file.into_boxed_str())])
        .collect()
}

async fn the_page_is_true_and_bounded(database: DatabaseKind) {
    const SECRET: &str = "zanzibar";
    let cluster = Cluster::start(database).await;
    let leader = cluster.leader().await;
    let subscriber = Subscriber::of(cluster.replica(leader).url(), 0);
    subscriber.wait_until_live().await;
    for client in cluster.clients() {
        for number in 0..10 {
            let expense = NewExpense::described(format!("{SECRET} {number}"));
            client.add_expense(&expense).await.unwrap().accepted();
        }
    }
    ask_everything(&cluster).await;
    let state = inspect::settled(&cluster).await;

    let pages = Page::of_all(&cluster).await;
    let sum = |name: &str, labels: &[(&str, &str)]| -> f64 {
        pages.iter().map(|page| page.sum(name, labels)).sum()
    };
    // Counted once, where the client was.
    let mutations = 33.0;
    assert_eq!(
        sum("threefold_proposals_total", &[("outcome", "accepted")]),
        mutations
    );
    assert_eq!(
        sum("threefold_proposals_total", &[("outcome", "refused")]),
        3.0
    );
    assert_eq!(
        sum(
            "threefold_proposal_seconds_count",
            &[("acknowledgement", "all")]
        ),
        33.0
    );
    assert_eq!(
        sum(
            "threefold_proposal_seconds_count",
            &[("acknowledgement", "quorum")]
        ),
        3.0
    );
    assert_eq!(sum("threefold_batch_proposals_sum", &[]), mutations + 3.0);
    let added = [
        ("kind", "mutation"),
        ("field", "addExpense"),
        ("outcome", "ok"),
    ];
    assert_eq!(sum("threefold_graphql_requests_total", &added), mutations);
    let updated = [("field", "updateExpense"), ("outcome", "user_errors")];
    assert_eq!(sum("threefold_graphql_requests_total", &updated), 3.0);
    let mistaken = [("field", "unknown"), ("outcome", "BAD_USER_INPUT")];
    assert_eq!(sum("threefold_graphql_requests_total", &mistaken), 3.0);
    assert_eq!(sum("threefold_is_leader", &[]), 1.0);
    assert_eq!(sum("threefold_ready", &[]), 3.0);
    assert_eq!(sum("threefold_quarantined", &[]), 0.0);
    assert_eq!(sum("threefold_in_sync_replicas", &[]), 9.0);
    assert_eq!(sum("threefold_proposals_waiting", &[]), 0.0);
    assert_eq!(sum("threefold_feed_subscribers", &[]), 1.0);
    assert_eq!(
        sum("threefold_graphql_subscriptions", &[("field", "changes")]),
        1.0
    );
    for (page, id) in pages.iter().zip(1_u16..) {
        assert_eq!(page.sum("threefold_revision", &[]), state.revision as f64);
        assert_eq!(page.sum("threefold_peer_in_sync", &[]), 2.0);
        assert_eq!(page.sum("threefold_lag_revisions", &[]), 0.0);
        let leads = page.sum("threefold_is_leader", &[]) == 1.0;
        assert_eq!(leads, id == leader);
        // Each has flushed and applied what was committed; the leader alone has made entries and asked for ACKs.
        assert!(page.sum("threefold_log_flush_seconds_count", &[]) >= 11.0);
        assert!(page.sum("threefold_applied_entries_total", &[]) >= 11.0);
        assert!(page.sum("threefold_apply_seconds_sum", &[]) > 0.0);
        let acks = [("method", "append_entries"), ("outcome", "answered")];
        assert_eq!(page.sum("threefold_peer_calls_total", &acks) > 10.0, leads);
        let last = page.sum("threefold_log_last_index", &[]);
        assert!(last >= page.sum("threefold_applied_index", &[]) && last > 0.0);
        assert_eq!(page.sum("threefold_log_entries", &[]), last + 1.0);
        assert!(page.sum("threefold_log_size_bytes", &[]) > 0.0);
        assert!(page.sum("threefold_leader_changes_total", &[]) >= 1.0);
        let limit = page.sum("threefold_database_connections_limit", &[]);
        let open = page.sum("threefold_database_connections", &[]);
        assert!(open >= 1.0 && open <= limit, "{open} of {limit}");
        assert!(page.sum("process_resident_memory_bytes", &[]) > 1e6);
        assert!(page.sum("process_open_fds", &[]) > 5.0);
        let labels = page.labels("threefold_build_info");
        assert_eq!(labels["replica_id"], id.to_string());

        // Well formed, by Prometheus' own judgement, and silent about what people spend.
        let checked = promtool(&std::env::temp_dir(), &["check", "metrics"], &page.text);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success(), "{said}");
        assert!(!page.text.contains(SECRET));
        assert!(page.open.ends_with("# EOF\n") && !page.open.contains(SECRET));
        println!(
            "replica {id}: {} series, {} bytes",
            page.series(),
            page.text.len()
        );
        assert!(page.series() < MOST_SERIES, "{} series", page.series());
    }

    // Whatever clients call their operations, there are no more series for it.
    let before = pages[0].series();
    let client = cluster.replica(1).client();
    for number in 0..40 {
        let query = format!("query Name{number} {{ alias{number}: replicas {{ id }} }}");
        client.execute(&query, json!({})).await.unwrap();
        let wrong = format!("query Name{number} {{ field{number} }}");
        client.execute(&wrong, json!({})).await.unwrap_err();
    }
    let after = Page::of(cluster.replica(1)).await;
    assert_eq!(after.series(), before);

    // The public listener has no such page.
    let public = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("{}/metrics", cluster.replica(1).url());
    let answer = public.get(address).send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains("threefold_"));
}

/// A replica that was away for longer than the log is kept: both sides of the snapshot are measured.
#[tokio::test(flavor = "multi_thread")]
async fn snapshots_and_a_log_that_was_cut_are_measured() {
    let cluster = Cluster::builder()
        .in_sync_timeout_ms(1_000)
        .flag("--compact-after-entries", "20")
        .start()
        .await;
    let leader = cluster.replica(cluster.leader().await);
    let away = cluster.replica(cluster.followers().await[0]);
    away.kill9();
    let client = leader.client();
    // The log is cut in pieces of 256 entries.
    for number in 0..400 {
        let expense = NewExpense::described(format!("while it is away {number}"));
        client.add_expense(&expense).await.unwrap().accepted();
    }
    leader.wait_until_log_is_below(300).await;
    away.restart().await;
    inspect::settled(&cluster).await;
    for (replica, direction) in [(leader, "sent"), (away, "installed")] {
        let label = ("direction", direction);
        until(&format!("a snapshot {direction}"), TIMEOUT, async || {
            let page = Page::of(replica).await;
            let ok = page.sum("threefold_snapshots_total", &[label, ("outcome", "ok")]);
            let bytes = page.sum("threefold_snapshot_last_size_bytes", &[label]);
            let seconds = page.sum("threefold_snapshot_seconds_sum", &[label]);
            let measured = ok >= 1.0 && bytes > 1_000.0 && seconds > 0.0;
            measured
                .then_some(())
                .ok_or(format!("{ok}, {bytes} bytes, {seconds} s"))
        })
        .await;
    }
    let page = Page::of(leader).await;
    let last = page.sum("threefold_log_last_index", &[]);
    let entries = page.sum("threefold_log_entries", &[]);
    assert!(
        last > 400.0 && entries < 300.0,
        "{entries} entries up to {last}"
    );
}

/// docs/metrics.md has every metric in its table; `UPDATE_DOCS=1` writes the table anew.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_metrics_is_complete() {
    const BEGIN: &str =
        "<!-- metrics: written by UPDATE_DOCS=1 cargo test -p threefold-tests --test metrics -->\n";
    const END: &str = "<!-- /metrics -->";
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    ask_everything(&cluster).await;
    let mut families: BTreeMap<String, page::Family> = BTreeMap::new();
    for page in Page::of_all(&cluster).await {
        for (name, family) in page.families() {
            let known = families.entry(name).or_insert_with(|| family.clone());
            known.labels.extend(family.labels);
        }
    }
    let rows: String = families
        .iter()
        .map(|(name, family)| {
            let labels: Vec<&str> = family.labels.iter().map(String::as_str).collect();
            let (kind, labels, help) = (&family.kind, labels.join(", "), &family.help);
            format!(
                "| `{name}` | {kind} | {labels} | {} |\n",
                help.trim_end_matches('.')
            )
        })
        .collect();
    let table = format!("\n| name | type | labels | meaning |\n|---|---|---|---|\n{rows}\n");
    let path = workspace().join("docs/metrics.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the beginning of the table");
    let (written, after) = rest.split_once(END).expect("the end of the table");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, table, "write the table anew, with UPDATE_DOCS=1");
    }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_expression_holds_on_real_data_on_postgres() {
    every_expression_holds_on_real_data(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_expression_holds_on_real_data_on_sqlite() {
    every_expression_holds_on_real_data(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_true_and_bounded_on_postgres() {
    the_page_is_true_and_bounded(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_true_and_bounded_on_sqlite() {
    the_page_is_true_and_bounded(DatabaseKind::Sqlite).await;
}
