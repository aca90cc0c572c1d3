//! What many expenses weigh: a replica that joins by snapshot while the others take writes, and one that starts again.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Spread, process};
use crate::binary;
use crate::client::NewExpense;
use crate::cluster::{Cluster, DatabaseKind, Replica};
use crate::inspect::{self, Inspector};
use crate::load::import;
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(600);
const SAMPLE_PAUSE: Duration = Duration::from_millis(50);
/// Between two mutations of the client that writes meanwhile.
const WRITE_PAUSE: Duration = Duration::from_millis(10);
const RESTARTS: usize = 5;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Million {
    /// Expenses in each database.
    pub expenses: u64,
    /// `threefold import` of them, in seconds.
    pub import_s: f64,
    /// From the start of an empty replica until it votes and is in sync, in seconds.
    pub join_s: f64,
    /// The most that the newcomer had in memory until then.
    pub newcomer_peak_mb: f64,
    /// The most that the sender of the snapshot had in memory, and before the newcomer came.
    pub leader_peak_mb: f64,
    /// See `leader_peak_mb`.
    pub leader_before_mb: f64,
    /// Mutations that others took while the newcomer joined.
    pub writes_meanwhile: Spread,
    /// From the start of a replica that was killed until `/readyz` says yes.
    pub ready_after_kill: Spread,
    /// The same after SIGTERM.
    pub ready_after_stop: Spread,
}

/// Fills a cluster, replaces a follower, and starts one again and again.
pub async fn measure(database: DatabaseKind, expenses: u64) -> Million {
    // So that the newcomer cannot be helped by what is left of the log.
    let cluster = Cluster::builder()
        .database(database)
        .flag("--compact-after-mb", "16")
        .start()
        .await;
    cluster.wait_until_in_sync().await;
    let import_s = import(&cluster, expenses).await.as_secs_f64();
    let leader_id = cluster.leader().await;
    let leader = cluster.replica(leader_id);
    let lost = cluster.replica(cluster.followers().await[0]);

    lost.kill9();
    std::fs::remove_dir_all(lost.data_folder()).expect("the data folder goes");
    Inspector::of(lost).await.wipe().await;
    let mut command = binary::command();
    command.args(["cluster", "remove", &lost.id().to_string()]);
    command.args(leader.arguments().into_iter().skip(1));
    let removed = tokio::task::spawn_blocking(move || command.output()).await;
    let removed = removed.expect("the task").expect("the command");
    assert!(
        removed.status.success(),
        "{}",
        String::from_utf8_lossy(&removed.stderr)
    );

    let leader_before = process::resident_bytes(leader.pid());
    lost.start();
    let begun = Instant::now();
    let mut leader_peak = leader_before;
    let mut writes = Vec::new();
    let client = leader.client();
    let joined = async {
        until("the newcomer to join", PATIENCE, async || {
            tokio::time::sleep(SAMPLE_PAUSE).await;
            let views = client.local().replicas().await.map_err(|e| e.to_string())?;
            let id = lost.id().to_string();
            match views.iter().find(|view| view.id == id) {
                Some(view)
                    if view.in_sync
                        && view.role == "FOLLOWER"
                        && view.expense_count.unsigned_abs() >= expenses =>
                {
                    Ok(())
                }
                view => Err(format!("{view:?}")),
            }
        })
        .await;
    };
    let writing = async {
        for number in 0_u64.. {
            let expense = NewExpense::described(format!("meanwhile {number}"));
            let sent = Instant::now();
            let answer = client.add_expense(&expense).await;
            answer.expect("an answer").accepted();
            writes.push(sent.elapsed());
            leader_peak = leader_peak.max(process::resident_bytes(leader.pid()));
            tokio::time::sleep(WRITE_PAUSE).await;
        }
    };
    tokio::select! {
        () = joined => {}
        () = writing => {}
    }
    let join_s = begun.elapsed().as_secs_f64();
    let newcomer_peak = process::peak_resident_bytes(lost.pid());
    cluster.wait_until_in_sync().await;
    inspect::assert_identical(&cluster).await;

    let (mut after_kill, mut after_stop) = (Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        lost.kill9();
        after_kill.push(ready(lost).await);
        cluster.wait_until_in_sync().await;
        lost.terminate().await;
        after_stop.push(ready(lost).await);
        cluster.wait_until_in_sync().await;
    }
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    Million {
        expenses,
        import_s,
        join_s,
        newcomer_peak_mb: megabytes(newcomer_peak),
        leader_peak_mb: megabytes(leader_peak),
        leader_before_mb: megabytes(leader_before),
        writes_meanwhile: Spread::of(&writes).expect("writes"),
        ready_after_kill: Spread::of(&after_kill).expect("starts"),
        ready_after_stop: Spread::of(&after_stop).expect("starts"),
    }
}

async fn ready(replica: &Replica) -> Duration {
    replica.start();
    let begun = Instant::now();
    replica.wait_until_ready().await;
    begun.elapsed()
}
