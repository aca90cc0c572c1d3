//! A leader whose process dies is succeeded at once: nobody waits for what it might still say.

use std::time::{Duration, Instant};

use threefold_tests::client::NewExpense;
use threefold_tests::{Cluster, DatabaseKind, inspect};

/// A dead leader's silence alone would be noticed after twice this at the earliest: its lease.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(30);

async fn a_dead_leader_is_succeeded_at_once(replicas: u16) {
    let cluster = Cluster::builder()
        .database(DatabaseKind::Sqlite)
        .replicas(replicas)
        .flag(
            "--election-timeout-ms",
            &ELECTION_TIMEOUT.as_millis().to_string(),
        )
        .flag("--write-timeout-ms", "60000")
        .start()
        .await;
    cluster.wait_until_in_sync().await;
    // Whoever dies, until only a majority is left.
    for round in 0..replicas / 2 {
        let leader = cluster.leader().await;
        let other = cluster
            .replicas()
            .iter()
            .find(|replica| replica.id() != leader && replica.is_running());
        let client = other.expect("a follower").client();
        cluster.replica(leader).kill9();
        let killed = Instant::now();
        let expense = NewExpense::described(format!("after {round}"));
        client.add_expense(&expense).await.unwrap().accepted();
        assert!(
            killed.elapsed() < ELECTION_TIMEOUT,
            "it took {:?}: an election timeout was waited for",
            killed.elapsed()
        );
    }
    for replica in cluster.replicas() {
        if !replica.is_running() {
            replica.start();
        }
    }
    cluster.wait_until_in_sync().await;
    let state = inspect::assert_identical(&cluster).await;
    assert_eq!(state.revision, u64::from(replicas / 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three() {
    a_dead_leader_is_succeeded_at_once(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five() {
    a_dead_leader_is_succeeded_at_once(5).await;
}
