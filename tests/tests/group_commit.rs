//! Promise 10: many waiting mutations become few log entries, and a lone writer waits for no company.

use std::time::{Duration, Instant};

use threefold_tests::client::{Client, NewExpense};
use threefold_tests::inspect::Inspector;
use threefold_tests::{Cluster, DatabaseKind, inspect};
use tokio::task::JoinSet;

const WRITERS: usize = 64;
const MUTATIONS_EACH: usize = 15;
const ALONE: usize = 50;
/// Far fewer: where 64 wait at a time, a fair commit carries many times that.
const MUTATIONS_AN_ENTRY_AT_LEAST: f64 = 4.0;

async fn many_mutations_share_an_entry(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let leader = cluster.replica(cluster.leader().await);
    let inspector = Inspector::of(leader).await;
    let client = leader.client();

    // Alone: every mutation is its own entry. The times are for people to read.
    let before = inspector.last_applied_index().await;
    let mut times: Vec<Duration> = Vec::new();
    for number in 0..ALONE {
        let begun = Instant::now();
        add(&client, format!("alone {number}")).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    // Each had its entry: nothing waited for the next one to share it.
    let alone_entries = inspector.last_applied_index().await - before;
    println!(
        "{database:?}: one writer: {ALONE} mutations in {alone_entries} entries, median {:?}",
        times[ALONE / 2]
    );

    assert!(
        alone_entries >= ALONE as i64,
        "{alone_entries} entries for {ALONE} lone mutations"
    );

    // 64 at once.
    inspect::settled(&cluster).await;
    let before = inspector.last_applied_index().await;
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let client = client.clone();
        writers.spawn(async move {
            for number in 0..MUTATIONS_EACH {
                add(&client, format!("writer {writer}, {number}")).await;
            }
        });
    }
    writers.join_all().await;
    let took = begun.elapsed();
    let state = inspect::settled(&cluster).await;
    let entries = inspector.last_applied_index().await - before;
    let mutations = WRITERS * MUTATIONS_EACH;
    let ratio = mutations as f64 / entries as f64;
    println!(
        "{database:?}: {WRITERS} writers: {mutations} mutations in {entries} entries ({ratio:.1} an entry), {took:?}"
    );

    assert_eq!(state.revision, (ALONE + mutations) as u64);
    assert!(entries > 0);
    assert!(
        ratio >= MUTATIONS_AN_ENTRY_AT_LEAST,
        "{ratio:.1} mutations an entry"
    );
}

async fn add(client: &Client, description: String) {
    client
        .add_expense(&NewExpense::described(description))
        .await
        .unwrap()
        .accepted();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mutations_share_an_entry_on_postgres() {
    many_mutations_share_an_entry(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mutations_share_an_entry_on_sqlite() {
    many_mutations_share_an_entry(DatabaseKind::Sqlite).await;
}
