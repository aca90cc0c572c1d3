//! Promise 7: a subscriber that reconnects to another replica with its last revision sees each change once.

use std::time::Duration;

use threefold_tests::client::NewExpense;
use threefold_tests::feed::{Batch, Subscriber};
use threefold_tests::load::Load;
use threefold_tests::{Cluster, DatabaseKind, inspect};

const MOVES: usize = 12;
const BEFORE_EACH_MOVE: u64 = 20;
const WRITERS: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(30);

async fn a_subscriber_moves_from_replica_to_replica(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let urls = cluster.urls();
    let load = Load::start(&cluster.clients(), WRITERS);

    // It moves in the middle of the stream, never asking twice for what it has.
    let mut seen: Vec<Batch> = Vec::new();
    for step in 0..MOVES {
        let last = seen.last().map_or(0, |batch| batch.revision);
        let subscriber = Subscriber::of(&urls[step % urls.len()], last);
        subscriber.wait_for(last + BEFORE_EACH_MOVE, TIMEOUT).await;
        seen.extend(subscriber.finish());
    }
    let record = load.finish().await;
    let state = inspect::assert_identical(&cluster).await;
    let last = seen.last().map_or(0, |batch| batch.revision);
    if last < state.revision {
        let subscriber = Subscriber::of(&urls[0], last);
        subscriber.wait_for(state.revision, TIMEOUT).await;
        seen.extend(subscriber.finish());
    }

    let revisions: Vec<u64> = seen.iter().map(|batch| batch.revision).collect();
    assert_eq!(revisions, (1..=state.revision).collect::<Vec<_>>());
    let mut added: Vec<&str> = seen.iter().flat_map(Batch::added).collect();
    added.sort_unstable();
    assert!(
        added.windows(2).all(|pair| pair[0] != pair[1]),
        "an expense was seen twice"
    );
    for description in &record.answered {
        assert!(
            added.binary_search(&description.as_str()).is_ok(),
            "{description} was never seen"
        );
    }
}

/// Whoever has all is told so at once, and misses nothing that follows.
async fn a_subscriber_that_is_up_to_date_waits(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let client = cluster.replica(1).client();
    let (_, first) = client
        .add_expense(&NewExpense::described("first"))
        .await
        .unwrap()
        .accepted();
    let subscribers: Vec<Subscriber> = cluster
        .urls()
        .iter()
        .map(|url| Subscriber::of(url, first.revision))
        .collect();
    for subscriber in &subscribers {
        subscriber.wait_until_live().await;
        assert_eq!(subscriber.position(), first.revision);
        assert!(
            subscriber.revisions().is_empty(),
            "what the subscriber has came again"
        );
    }
    let (_, second) = client
        .add_expense(&NewExpense::described("second"))
        .await
        .unwrap()
        .accepted();
    for subscriber in subscribers {
        subscriber.wait_for(second.revision, TIMEOUT).await;
        let batches = subscriber.finish();
        let added: Vec<&str> = batches.iter().flat_map(Batch::added).collect();
        assert_eq!(added, ["second"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_moves_from_replica_to_replica_on_postgres() {
    a_subscriber_moves_from_replica_to_replica(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_moves_from_replica_to_replica_on_sqlite() {
    a_subscriber_moves_from_replica_to_replica(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_is_up_to_date_waits_on_postgres() {
    a_subscriber_that_is_up_to_date_waits(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_is_up_to_date_waits_on_sqlite() {
    a_subscriber_that_is_up_to_date_waits(DatabaseKind::Sqlite).await;
}
