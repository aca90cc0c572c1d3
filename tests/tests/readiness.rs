//! Promise: `/readyz` says yes where a request would be served in time, and otherwise in one line why not; on both listeners,
//! and without a secret. `/healthz` says that the process lives, whatever else is wrong.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use threefold_tests::client::NewExpense;
use threefold_tests::cluster::Replica;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind};

const TIMEOUT: Duration = Duration::from_secs(40);
const SHORT: &str = "--in-sync-timeout-ms";

/// What both listeners say; they must not differ.
async fn says(replica: &Replica) -> Result<(u16, String), String> {
    let public = ask(replica.url(), "readyz").await?;
    let private = ask(&replica.peer_url(), "readyz").await?;
    if public == private {
        Ok(public)
    } else {
        Err(format!("{public:?} and {private:?}"))
    }
}

async fn ask(url: &str, question: &str) -> Result<(u16, String), String> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{url}/{question}"));
    let answer = answer.timeout(Duration::from_secs(3)).send().await;
    let answer = answer.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    assert!(
        text.ends_with('\n') && text.lines().count() == 1,
        "one line: {text:?}"
    );
    Ok((status, text))
}

/// Waits until a replica is not ready, for a reason with these words; it is alive all the same.
async fn not_ready(replica: &Replica, reason: &str) {
    until(reason, TIMEOUT, async || match says(replica).await? {
        (503, text) if text.contains(reason) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let alive = Ok((200, "alive\n".to_owned()));
    assert_eq!(ask(replica.url(), "healthz").await, alive);
    assert_eq!(ask(&replica.peer_url(), "healthz").await, alive);
}

async fn ready(replica: &Replica) {
    until("a replica that is ready", TIMEOUT, async || {
        match says(replica).await? {
            (200, text) if text == "ready\n" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_others_there_is_no_cluster_and_without_a_majority_no_leader() {
    let cluster = Cluster::builder().prepare().await;
    cluster.replica(1).start();
    not_ready(cluster.replica(1), "waiting for the other replicas").await;
    cluster.replica(2).start();
    cluster.replica(3).start();
    cluster.wait_until_ready().await;
    for replica in cluster.replicas() {
        ready(replica).await;
    }

    // A leader that is cut off does not count, and a follower that is left alone has none.
    let leader = cluster.leader().await;
    let followers = cluster.followers().await;
    for id in &followers {
        cluster.replica(*id).kill9();
    }
    not_ready(cluster.replica(leader), "does not hear from a majority").await;
    cluster.replica(followers[0]).restart().await;
    cluster.replica(leader).kill9();
    not_ready(cluster.replica(followers[0]), "no leader").await;
}

/// Holds a follower's database while the others go on; it hears its leader all the time.
async fn a_replica_that_is_behind_is_not_ready(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .flag(SHORT, "600")
        .start()
        .await;
    let leader = cluster.replica(cluster.leader().await).client().quorum();
    let held = cluster.replica(cluster.followers().await[0]);
    let db = Database::connect(held.database_url()).await.unwrap();
    let hold = db.begin().await.unwrap();
    hold.execute_unprepared("UPDATE replica_state SET id = id")
        .await
        .unwrap();
    until("the others to go ahead", TIMEOUT, async || {
        let expense = NewExpense::described("ahead");
        leader.add_expense(&expense).await.unwrap().accepted();
        match says(held).await? {
            (503, text) if text.contains("has not caught up") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    hold.rollback().await.unwrap();
    ready(held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_behind_is_not_ready_on_postgres() {
    a_replica_that_is_behind_is_not_ready(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_behind_is_not_ready_on_sqlite() {
    a_replica_that_is_behind_is_not_ready(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_with_another_history_is_not_ready_and_says_so_to_operators() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let client = cluster.replica(1).client();
    let expense = NewExpense::described("the same everywhere");
    client.add_expense(&expense).await.unwrap().accepted();
    let wrong = cluster.replica(cluster.followers().await[0]);
    wrong.kill9();
    let db = Database::connect(wrong.database_url()).await.unwrap();
    db.execute_unprepared("UPDATE replica_state SET history_hash = zeroblob(32)")
        .await
        .unwrap();
    db.close().await.unwrap();
    wrong.start();
    not_ready(wrong, "quarantined").await;
    let metrics = reqwest::get(format!("{}/metrics", wrong.peer_url())).await;
    let metrics = metrics.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nthreefold_quarantined 1\n"), "{metrics}");
    assert!(metrics.contains("\nthreefold_ready 0\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stops_is_not_ready_while_it_answers_what_it_took() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let stopping = cluster.replica(cluster.leader().await);
    for id in cluster.followers().await {
        cluster.replica(id).kill9();
    }
    // Nobody can confirm this read, so it is under way for as long as reads wait.
    let client = stopping.client();
    let read = tokio::spawn(async move { client.expenses(1).await });
    until("the read to wait", TIMEOUT, async || {
        let metrics = reqwest::get(format!("{}/metrics", stopping.peer_url())).await;
        let metrics = metrics.map_err(|error| error.to_string())?.text().await;
        let waits = metrics.map_err(|error| error.to_string())?;
        let waits = waits.contains("\nthreefold_read_barriers_waiting 1\n");
        waits.then_some(()).ok_or("not yet".to_owned())
    })
    .await;
    let told = async {
        until("a replica that stops", TIMEOUT, async || {
            match ask(&stopping.peer_url(), "readyz").await? {
                (503, text) if text.contains("stopping") => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    };
    tokio::join!(stopping.terminate(), told);
    let answer = read.await.unwrap();
    assert_eq!(answer.unwrap_err().code(), Some("NO_LEADER"));
}
