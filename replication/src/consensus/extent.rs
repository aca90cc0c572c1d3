//! From where to where the log reaches, and cutting it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Raft;
use super::types::LogId;

/// Where the log begins, and from where on it is needed.
#[derive(Debug)]
pub(crate) struct LogExtent {
    /// Index of the last entry that is applied here.
    pub(crate) applied: Option<u64>,
    /// Index of the last entry before the last position noted: of the state that a peer would be sent.
    pub(crate) noted: Option<u64>,
    /// Index of the last entry that was purged.
    pub(crate) purged: Option<u64>,
    /// Index up to which each peer has confirmed the log to this replica, if any; no peers where it does not lead.
    pub(crate) confirmed: BTreeMap<u64, Option<u64>>,
}

/// What the engine knows of the log.
pub(crate) fn log_extent(raft: &Raft) -> LogExtent {
    let metrics = raft.data_metrics();
    let metrics = metrics.borrow();
    let index = |log_id: Option<LogId>| log_id.map(|log_id| log_id.index);
    let peers = metrics.replication.iter().flatten();
    LogExtent {
        applied: index(metrics.last_applied),
        noted: index(metrics.snapshot),
        purged: index(metrics.purged),
        confirmed: peers
            .map(|(id, confirmed)| (*id, index(*confirmed)))
            .collect(),
    }
}

/// Longest wait for a note of the position.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(10);

/// Purges the log through an index, as far as the state holds it.
pub(crate) async fn compact(raft: &Raft, through: u64) -> Result<(), String> {
    let stopped = |fatal: openraft::error::Fatal<u64>| fatal.to_string();
    let mut metrics = raft.data_metrics();
    if log_extent(raft).noted < Some(through) {
        raft.trigger().snapshot().await.map_err(stopped)?;
    }
    let noted = async {
        let noted = metrics.wait_for(|metrics| {
            let noted = metrics.snapshot.map(|log_id| log_id.index);
            noted >= Some(through)
        });
        noted.await.is_ok()
    };
    let noted = tokio::time::timeout(SNAPSHOT_TIMEOUT, noted).await;
    if !matches!(noted, Ok(true)) {
        tracing::debug!(
            through,
            "the state is behind; as much of the log as it holds is purged"
        );
    }
    raft.trigger().purge_log(through).await.map_err(stopped)
}
