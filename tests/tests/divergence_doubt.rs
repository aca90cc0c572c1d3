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
/// The leader compares again within some ten seconds of a replica's return, and looks at the clock as often.
const DECIDED_WITHIN: Duration = Duration::from_secs(60);

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
    assert_eq!(verdict.code, 3, "{verdict:?}");
    assert_eq!(verdict.found["state"], "UNDECIDED");
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

async fn is_quarantined(replica: &Replica) -> Result<(), String> {
    match replica.client().local().expenses(1).await {
        Err(error) if error.code() == Some("REPLICA_QUARANTINED") => Ok(()),
        other => Err(format!("replica {}: {other:?}", replica.id())),
    }
}

/// It hands over, a moment after its quarantine has begun.
async fn leads_no_more(cluster: &Cluster, wrong: &Replica) {
    until("another leader", TIMEOUT, async || {
        match cluster.leader().await {
            leader if leader == wrong.id() => Err(format!("replica {leader} leads")),
            _ => Ok(()),
        }
    })
    .await;
}

/// Reads and writes.
async fn serves(replica: &Replica) {
    let client = replica.client();
    client.local().expenses(1).await.unwrap();
    let expense = NewExpense::described("meanwhile");
    client.add_expense(&expense).await.unwrap().accepted();
}

/// One replica is down, and the other two differ: the one that is wrong may be the leader.
async fn one_against_one(database: DatabaseKind, leader_is_wrong: bool) {
    // By itself, none of the replicas would compare for an hour.
    let cluster = cluster_with_rows(database, "3600").await;
    let followers = cluster.followers().await;
    let (third, follower) = (cluster.replica(followers[0]), cluster.replica(followers[1]));
    let leader = cluster.replica(cluster.leader().await);
    third.kill9();
    let verdict = verify(leader).await;
    assert_eq!(verdict.code, 2, "{verdict:?}");
    assert_eq!(verdict.found["state"], "INCOMPLETE");
    assert_eq!(verdict.state_of(third.id()), "UNANSWERED");
    assert_eq!(verdict.state_of(follower.id()), "EQUAL");

    let (wrong, right) = if leader_is_wrong {
        (leader, follower)
    } else {
        (follower, leader)
    };
    tamper(wrong, "UPDATE expense SET amount_minor = 777 WHERE id = ?").await;
    let verdict = verify(follower).await;
    assert_eq!(verdict.code, 3, "{verdict:?}");
    assert_eq!(verdict.found["state"], "UNDECIDED");
    assert_eq!(verdict.found["undecided"], true);
    assert_eq!(verdict.state_of(third.id()), "UNANSWERED");
    assert_eq!(verdict.differences("expense").len(), 1, "{verdict:?}");
    for replica in [leader, follower] {
        assert_eq!(verdict.state_of(replica.id()), "UNDECIDED");
        assert!(!verdict.quarantined(replica.id()), "{verdict:?}");
        serves(replica).await;
        until("the alarm", TIMEOUT, async || {
            match metric(replica, "threefold_verify_undecided").await {
                Some(1.0) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    // The third one decides it, and nobody has to ask.
    third.restart().await;
    until("the wrong one's quarantine", DECIDED_WITHIN, async || {
        is_quarantined(wrong).await
    })
    .await;
    leads_no_more(&cluster, wrong).await;
    for replica in [right, third] {
        serves(replica).await;
        until("the end of the alarm", TIMEOUT, async || {
            match metric(replica, "threefold_verify_undecided").await {
                Some(0.0) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    // With the third one down again, one that is known to be wrong puts nobody in doubt.
    third.kill9();
    let verdict = verify(right).await;
    assert_eq!(verdict.code, 1, "{verdict:?}");
    assert_eq!(verdict.found["undecided"], false);
    assert!(verdict.quarantined(wrong.id()) && !verdict.quarantined(right.id()));

    // Nobody can be asked for a comparison who is not trusted, and nobody who is not there.
    let verdict = verify(wrong).await;
    assert!(
        verdict.code == 2 && verdict.complaint.contains("REPLICA_QUARANTINED"),
        "{verdict:?}"
    );
    let verdict = verify(third).await;
    assert_eq!(verdict.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_leader_takes_out_no_follower_that_is_right_on_postgres() {
    one_against_one(DatabaseKind::Postgres, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_leader_takes_out_no_follower_that_is_right_on_sqlite() {
    one_against_one(DatabaseKind::Sqlite, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_follower_is_told_when_the_third_replica_is_back() {
    one_against_one(DatabaseKind::Sqlite, false).await;
}

/// Two replicas with different histories and no third: whichever of them leads, neither goes out.
async fn one_history_against_one(database: DatabaseKind) {
    let cluster = cluster_with_rows(database, "0").await;
    let [wrong, right, third] = [1, 2, 3].map(|id| cluster.replica(id));
    for replica in cluster.replicas() {
        replica.kill9();
    }
    // The hash of what was done, and not of what is there: no row differs but this one.
    let set = match database {
        DatabaseKind::Postgres => "decode(repeat('5a', 32), 'hex')",
        DatabaseKind::Sqlite => {
            "x'5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'"
        }
    };
    tamper(
        wrong,
        &format!("UPDATE replica_state SET history_hash = {set}"),
    )
    .await;
    for replica in [wrong, right] {
        replica.start();
    }
    for replica in [wrong, right] {
        replica.wait_until_ready().await;
        until("the alarm", TIMEOUT, async || {
            match metric(replica, "threefold_history_undecided").await {
                Some(1.0) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
    // For longer than a difference from the leader alone was ever looked at.
    for _ in 0..8 {
        for replica in [wrong, right] {
            serves(replica).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    third.start();
    until("the wrong one's quarantine", TIMEOUT, async || {
        is_quarantined(wrong).await
    })
    .await;
    third.wait_until_ready().await;
    for replica in [right, third] {
        serves(replica).await;
        until("the end of the doubt", TIMEOUT, async || {
            match metric(replica, "threefold_history_undecided").await {
                Some(0.0) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_history_against_one_takes_nobody_out_on_postgres() {
    one_history_against_one(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_history_against_one_takes_nobody_out_on_sqlite() {
    one_history_against_one(DatabaseKind::Sqlite).await;
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
        is_quarantined(wrong).await
    })
    .await;
    leads_no_more(&cluster, wrong).await;
    // The next comparison is another leader's, and says the same.
    let added = cluster.replica(cluster.leader().await).client();
    added
        .add_expense(&NewExpense::described("goes on"))
        .await
        .unwrap()
        .accepted();
    assert_eq!(metric(wrong, "threefold_quarantined").await, Some(1.0));
}
