//! A database that fails for a while is waited for, and nothing is lost with it; one that fails for good stops its replica,
//! which says why.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database};
use threefold_tests::client::NewExpense;
use threefold_tests::load::Load;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, inspect};

const WRITERS: usize = 8;
const ANSWERS: usize = 100;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(60);
/// Half of what a replica waits for its database.
const PROMPT: Duration = Duration::from_secs(30);
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// The server of one replica is killed under load, with commits that it had not flushed, and started again.
async fn a_server_is_killed_under_load(of_the_leader: bool) {
    let cluster = Cluster::builder()
        .database(DatabaseKind::Postgres)
        .in_sync_timeout_ms(1_000)
        .start()
        .await;
    let id = match of_the_leader {
        true => cluster.leader().await,
        false => cluster.followers().await[0],
    };
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let postgres = cluster.replica(id).postgres();
    postgres.kill9().await;
    postgres.start_again().await;
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;

    let state = inspect::assert_identical(&cluster).await;
    for inspector in inspect::all(&cluster).await {
        let counts = inspector.count_by_description().await;
        for name in &record.answered {
            assert_eq!(counts.get(name), Some(&1), "{name}");
        }
        assert_eq!(state.revision, counts.len() as u64);
    }
    assert!(
        cluster.replica(id).is_running(),
        "the replica gave up on a database that came back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followers_server_is_killed_under_load() {
    a_server_is_killed_under_load(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leaders_server_is_killed_under_load() {
    a_server_is_killed_under_load(true).await;
}

/// A leader whose database stays away gives its leadership away, long before it gives up; what it had begun is answered by the
/// next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_without_its_database_leads_no_more() {
    let cluster = Cluster::builder()
        .database(DatabaseKind::Postgres)
        .in_sync_timeout_ms(1_000)
        .start()
        .await;
    let id = cluster.leader().await;
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let postgres = cluster.replica(id).postgres();
    postgres.kill9().await;
    load.wait_for_answers(ANSWERS, PROMPT).await;
    let replica = cluster.replica(id);
    assert!(replica.is_running(), "it had given up before");
    assert_ne!(cluster.leader().await, id);
    postgres.start_again().await;
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical(&cluster).await;
}

/// With nothing being written, only a read can notice that the server lost commits it had not flushed.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_replicas_server_is_killed() {
    let cluster = Cluster::start(DatabaseKind::Postgres).await;
    let replica = cluster.replica(cluster.followers().await[0]);
    let client = replica.client();
    for number in 0..20 {
        let expense = NewExpense::described(format!("before the crash, {number}"));
        client.add_expense(&expense).await.unwrap().accepted();
    }
    replica.postgres().kill9().await;
    replica.postgres().start_again().await;
    // It may fail while the server comes up; it must not show less than was acknowledged.
    let page = until("a read that is served", END_TIMEOUT, async || {
        client.expenses(50).await.map_err(|error| error.to_string())
    })
    .await;
    assert_eq!((page.total_count, page.revision), (20, 20));
    assert_eq!(page.nodes.len(), 20);
    inspect::assert_identical(&cluster).await;
}

async fn a_lasting_failure_stops_the_replica(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .in_sync_timeout_ms(1_000)
        .start()
        .await;
    let broken = cluster.replica(cluster.followers().await[0]);
    let db = Database::connect(broken.database_url()).await.unwrap();
    db.execute_unprepared("DROP TABLE expense_term")
        .await
        .unwrap();
    db.close().await.unwrap();

    let leader = cluster.replica(cluster.leader().await).client();
    let (_, receipt) = leader
        .add_expense(&NewExpense::described("without the broken one"))
        .await
        .unwrap()
        .accepted();
    // Its log has it; its database does not.
    let broken_id = broken.id().to_string();
    assert!(
        !receipt.applied_by().contains(&broken_id.as_str()),
        "{receipt:?}"
    );
    let status = broken.wait_for_end(END_TIMEOUT).await;
    assert!(!status.success(), "it ended with {status}");
    let log = broken.log();
    let last: Vec<&str> = log.lines().rev().take(5).collect();
    assert!(
        last.iter().any(|line| line.contains("expense_term")),
        "the last lines do not say what is wrong: {last:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_failure_stops_the_replica_on_postgres() {
    a_lasting_failure_stops_the_replica(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_failure_stops_the_replica_on_sqlite() {
    a_lasting_failure_stops_the_replica(DatabaseKind::Sqlite).await;
}
