//! Promise 6: when the leader is killed under load, and when all three are, no answered mutation is missing, none is doubled,
//! and the feeds have no gap.

use std::time::Duration;

use threefold_tests::feed::Subscriber;
use threefold_tests::load::{Load, Record};
use threefold_tests::{Cluster, DatabaseKind, inspect};

const WRITERS: usize = 16;
const ANSWERS: usize = 100;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);
const FEED_TIMEOUT: Duration = Duration::from_secs(20);

async fn the_leader_is_killed(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let leader = cluster.leader().await;
    let survivors = cluster.followers().await;
    let subscribers: Vec<Subscriber> = survivors
        .iter()
        .map(|id| Subscriber::of(cluster.replica(*id).url(), 0))
        .collect();
    for subscriber in &subscribers {
        subscriber.wait_until_live().await;
    }

    // Under load, gone at once.
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    cluster.replica(leader).kill9();

    // A new leader takes over, and writes go on without the old one.
    let new_leader = cluster.leader().await;
    assert!(
        survivors.contains(&new_leader),
        "the leader is {new_leader}, which was killed"
    );
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    // The old one comes back under load and catches up.
    cluster.replica(leader).restart().await;
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;
    let last = assert_promises_kept(&cluster, &record).await;

    // Subscriptions on the others never noticed.
    for subscriber in &subscribers {
        subscriber.wait_for(last, FEED_TIMEOUT).await;
        subscriber.assert_complete(1, last);
        assert_eq!(
            subscriber.connections(),
            1,
            "a subscription on a survivor broke"
        );
    }
}

async fn all_are_killed(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let subscriber = Subscriber::of_any(&cluster.urls(), 0);
    subscriber.wait_until_live().await;
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    for replica in cluster.replicas() {
        replica.kill9();
    }
    for replica in cluster.replicas() {
        replica.start();
    }
    cluster.wait_until_ready().await;

    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;
    let last = assert_promises_kept(&cluster, &record).await;
    subscriber.wait_for(last, FEED_TIMEOUT).await;
    subscriber.assert_complete(1, last);
}

/// Every answered expense is in every database once, none is there that was never sent; returns the last revision.
async fn assert_promises_kept(cluster: &Cluster, record: &Record) -> u64 {
    let state = inspect::assert_identical(cluster).await;
    for inspector in inspect::all(cluster).await {
        let counts = inspector.count_by_description().await;
        let missing: Vec<&String> = record
            .answered
            .iter()
            .filter(|name| !counts.contains_key(*name))
            .collect();
        assert!(missing.is_empty(), "answered, and missing: {missing:?}");
        let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(doubled.is_empty(), "doubled: {doubled:?}");
        let foreign: Vec<&String> = counts
            .keys()
            .filter(|name| !record.answered.contains(*name) && !record.in_doubt.contains(*name))
            .collect();
        assert!(foreign.is_empty(), "never sent: {foreign:?}");
        // One revision an expense: nothing else was written.
        assert_eq!(state.revision, counts.len() as u64);
    }
    let mut revisions = record.revisions.clone();
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(
        revisions.len(),
        record.answered.len(),
        "two answers with one revision"
    );
    state.revision
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_killed_on_postgres() {
    the_leader_is_killed(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_killed_on_sqlite() {
    the_leader_is_killed(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_killed_on_postgres() {
    all_are_killed(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_killed_on_sqlite() {
    all_are_killed(DatabaseKind::Sqlite).await;
}
