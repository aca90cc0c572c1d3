//! Promise: where more than one replica is wrong, nothing wrong is served in silence; and nobody is accused without proof.

use std::time::Duration;

use serde_json::{Value, json};
use threefold_tests::client::NewExpense;
use threefold_tests::cluster::Replica;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::postgres::TestPostgres;
use threefold_tests::verify::verify;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, binary};

const TIMEOUT: Duration = Duration::from_secs(30);

async fn cluster_with_rows(database: DatabaseKind, interval: &str) -> Cluster {
    let cluster = Cluster::builder()
        .database(database)
        .flag("--verify-interval-s", interval)
        .start()
        .await;
    let client = cluster.replica(1).client();
    for number in 0..20 {
        let expense = NewExpense::described(format!("expense {number}"));
        client.add_expense(&expense).await.unwrap().accepted();
    }
    inspect::settled(&cluster).await;
    cluster
}

async fn tamper(replica: &Replica, sql: &str) {
    Inspector::of(replica).await.tamper(sql).await;
}

async fn metric(replica: &Replica, name: &str) -> Option<f64> {
    let page = reqwest::get(format!("{}/metrics", replica.peer_url()))
        .await
        .ok()?;
    let page = page.text().await.ok()?;
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

async fn two_that_are_wrong_in_different_rows(database: DatabaseKind) {
    let cluster = cluster_with_rows(database, "0").await;
    let followers = cluster.followers().await;
    let right = cluster.replica(cluster.leader().await);
    tamper(
        cluster.replica(followers[0]),
        "UPDATE expense SET amount_minor = 777 WHERE id = ?",
    )
    .await;
    tamper(
        cluster.replica(followers[1]),
        "UPDATE change SET payload = '[]' WHERE revision = 3",
    )
    .await;
    let verdict = verify(right).await;
    assert_eq!(verdict.code, 1, "{verdict:?}");
    assert_eq!(verdict.found["undecided"], false);
    for wrong in &followers {
        assert!(verdict.quarantined(*wrong), "{verdict:?}");
        let answer = cluster.replica(*wrong).client().local().expenses(1).await;
        assert_eq!(answer.unwrap_err().code(), Some("REPLICA_QUARANTINED"));
    }
    assert!(!verdict.quarantined(right.id()));
    // The one that is right answers reads, by a majority of logs; nothing is written with two of three databases wrong.
    assert_eq!(right.client().expenses(1).await.unwrap().total_count, 20);
    until("writes to be refused", TIMEOUT, async || {
        let added = right
            .client()
            .add_expense(&NewExpense::described("no"))
            .await;
        match added {
            Err(error) if error.code() == Some("NOT_ENOUGH_REPLICAS") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(
        metric(right, "threefold_verify_differing_replicas").await,
        Some(2.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_are_wrong_in_different_rows_on_postgres() {
    two_that_are_wrong_in_different_rows(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_are_wrong_in_different_rows_on_sqlite() {
    two_that_are_wrong_in_different_rows(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_versions_of_a_row_accuse_nobody_and_raise_an_alarm() {
    let cluster = cluster_with_rows(DatabaseKind::Sqlite, "0").await;
    for (wrong, amount) in [(1, 777), (2, 888)] {
        let sql = format!("UPDATE expense SET amount_minor = {amount} WHERE id = ?");
        tamper(cluster.replica(wrong), &sql).await;
    }
    let verdict = verify(cluster.replica(3)).await;
    assert_eq!(verdict.code, 1, "{verdict:?}");
    assert_eq!(verdict.found["undecided"], true);
    let found = verdict.differences("expense");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["columns"], json!(["amount_minor"]));
    let values: Vec<&Value> = found[0]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| &version["values"][0])
        .collect();
    assert_eq!(values, ["777", "888", "1250"]);
    for replica in cluster.replicas() {
        assert!(!verdict.quarantined(replica.id()));
        until("the alarm", TIMEOUT, async || {
            match metric(replica, "threefold_verify_undecided").await {
                Some(1.0) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
    assert!(
        cluster
            .replica(3)
            .log()
            .contains("it cannot be told whose are right")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_down_is_named_and_of_two_the_leader_is_right() {
    let cluster = cluster_with_rows(DatabaseKind::Sqlite, "0").await;
    let followers = cluster.followers().await;
    let leader = cluster.replica(cluster.leader().await);
    cluster.replica(followers[0]).kill9();
    let verdict = verify(leader).await;
    assert_eq!(verdict.code, 2, "{verdict:?}");
    assert_eq!(verdict.found["state"], "INCOMPLETE");
    assert_eq!(verdict.state_of(followers[0]), "UNANSWERED");
    assert_eq!(verdict.state_of(followers[1]), "EQUAL");

    tamper(
        cluster.replica(followers[1]),
        "DELETE FROM expense WHERE id = ?",
    )
    .await;
    let verdict = verify(cluster.replica(followers[1])).await;
    assert_eq!(verdict.code, 1, "{verdict:?}");
    assert!(verdict.quarantined(followers[1]) && !verdict.quarantined(leader.id()));
    let found = verdict.differences("expense");
    assert_eq!(found.len(), 1, "{verdict:?}");

    // Nobody can be asked for a comparison who is not trusted, and nobody who is not there.
    let verdict = verify(cluster.replica(followers[1])).await;
    assert!(
        verdict.code == 2 && verdict.complaint.contains("REPLICA_QUARANTINED"),
        "{verdict:?}"
    );
    let verdict = verify(cluster.replica(followers[0])).await;
    assert_eq!(verdict.code, 2);
}

async fn nothing_is_found_where_nothing_is_wrong(database: DatabaseKind) {
    let cluster = cluster_with_rows(database, "0").await;
    let load = Load::start(&cluster.clients(), 8);
    load.wait_for_answers(50, TIMEOUT).await;
    let mut last = String::new();
    for round in 0..6 {
        let verdict = verify(cluster.replica(1 + round % 3)).await;
        assert_eq!(verdict.code, 0, "{verdict:?}");
        let revision = verdict.found["revision"].as_str().unwrap().to_owned();
        assert_ne!(revision, last, "the load stands still");
        last = revision;
    }
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_nothing_is_wrong_on_postgres() {
    nothing_is_found_where_nothing_is_wrong(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_nothing_is_wrong_on_sqlite() {
    nothing_is_found_where_nothing_is_wrong(DatabaseKind::Sqlite).await;
}

/// The encoding of a row does not depend on the database that holds it.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_and_sqlite_hold_the_same() {
    let cluster = Cluster::builder().prepare().await;
    let folder = cluster.file("postgres");
    std::fs::create_dir_all(&folder).unwrap();
    let server = TestPostgres::start(&folder).await;
    cluster.replica(2).set_flag("--database", &server.url());
    for replica in cluster.replicas() {
        replica.start();
    }
    cluster.wait_until_ready().await;
    let file = cluster.file("sample.csv");
    std::fs::write(&file, binary::run(&["sample", "--rows", "500"]).await).unwrap();
    let url = cluster.replica(1).url();
    binary::run(&["import", file.to_str().unwrap(), "--url", url]).await;
    let client = cluster.replica(1).client();
    let delete =
        "mutation ($id: UUID!) { deleteExpense(input: { id: $id }) { userErrors { code } } }";
    let first = client.expenses(1).await.unwrap().nodes[0].id;
    client
        .execute(delete, json!({ "id": first }))
        .await
        .unwrap();
    let refused = client.execute(delete, json!({ "id": first })).await;
    refused.unwrap();
    let verdict = verify(cluster.replica(3)).await;
    assert_eq!(verdict.code, 0, "{verdict:?}");
    let databases = client
        .local()
        .execute("{ replicas { database } }", json!({}))
        .await;
    assert!(databases.unwrap().to_string().contains("POSTGRES"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_compares_by_itself() {
    let cluster = cluster_with_rows(DatabaseKind::Sqlite, "1").await;
    until("a comparison by itself", TIMEOUT, async || {
        for replica in cluster.replicas() {
            if metric(replica, "threefold_verified_revision").await != Some(20.0) {
                return Err(format!("replica {}", replica.id()));
            }
        }
        Ok(())
    })
    .await;
    let wrong = cluster.replica(cluster.leader().await);
    tamper(wrong, "UPDATE expense SET notes = 'forged' WHERE id = ?").await;
    until("the quarantine", TIMEOUT, async || {
        match wrong.client().local().expenses(1).await {
            Err(error) if error.code() == Some("REPLICA_QUARANTINED") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_ne!(cluster.leader().await, wrong.id());
    // The next comparison is another leader's, and says the same.
    let added = cluster.replica(cluster.leader().await).client();
    added
        .add_expense(&NewExpense::described("goes on"))
        .await
        .unwrap()
        .accepted();
    assert_eq!(metric(wrong, "threefold_quarantined").await, Some(1.0));
}
