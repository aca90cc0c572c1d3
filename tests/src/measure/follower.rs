//! What a follower that falls silent costs the writers.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Spread;
use crate::client::{Client, NewExpense};
use crate::cluster::{Cluster, DatabaseKind};

const WRITES: usize = 300;

/// Latencies of one client on the leader, `Write-Acknowledgement: all`, in milliseconds.
#[derive(Debug, Serialize)]
pub struct SilentFollower {
    /// With all three.
    pub before: Spread,
    /// The first mutation after the follower was stopped (SIGSTOP).
    pub first_ms: f64,
    /// The mutations after that one.
    pub after: Spread,
}

/// Stops a follower, and measures.
pub async fn measure(database: DatabaseKind) -> SilentFollower {
    let cluster = Cluster::start(database).await;
    cluster.wait_until_in_sync().await;
    let leader = cluster.replica(cluster.leader().await).client();
    let silent = cluster.replica(cluster.followers().await[0]);
    write(&leader, WRITES / 3, "warm").await;
    let before = write(&leader, WRITES, "before").await;
    silent.stop();
    let first = write(&leader, 1, "first").await[0];
    let after = write(&leader, WRITES, "after").await;
    silent.cont();
    SilentFollower {
        before: Spread::of(&before).expect("writes"),
        first_ms: first.as_secs_f64() * 1e3,
        after: Spread::of(&after).expect("writes"),
    }
}

async fn write(client: &Client, count: usize, name: &str) -> Vec<Duration> {
    let mut took = Vec::with_capacity(count);
    for number in 0..count {
        let expense = NewExpense::described(format!("{name} {number}"));
        let begun = Instant::now();
        let answer = client.add_expense(&expense).await;
        answer.expect("an answer").accepted();
        took.push(begun.elapsed());
    }
    took
}
