//! The log is bounded in bytes. The consensus engine counts entries, and an entry may hold one expense or a thousand: an
//! import makes few entries, and large ones.
//!
//! What goes is what the database holds durably anyway. Half of the bound stays for replicas that were away for a moment;
//! one that was away for longer gets a snapshot.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::consensus::{self, LogStore};
use crate::running::Running;

/// Pause between two looks at how much was appended.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the log within [`Config::compact_after_bytes`](crate::config::Config::compact_after_bytes), give or take what is
/// appended meanwhile, for as long as this replica runs.
pub(crate) async fn keep_within_bound(running: Arc<Running>, log: LogStore) {
    let bound = running.config.compact_after_bytes;
    // What an earlier process appended is looked at once.
    let mut looked_at = None;
    loop {
        tokio::time::sleep(PAUSE).await;
        let appended = log.appended_bytes();
        // With what may stay, no more than three quarters of the bound at any look.
        if looked_at.is_some_and(|before| appended - before < bound / 4) {
            continue;
        }
        looked_at = Some(appended);
        if let Err(error) = cut(&running, &log, bound / 2).await {
            tracing::warn!(%error, "the log could not be looked at, to keep it within its bound");
        }
    }
}

/// Has the engine purge what comes before the newest `kept` bytes.
async fn cut(running: &Running, log: &LogStore, kept: u64) -> io::Result<()> {
    let Some(through) = last_before_newest(log, kept).await? else {
        return Ok(());
    };
    tracing::debug!(through, "cutting the log, which holds many bytes");
    consensus::compact(&running.raft, through)
        .await
        .map_err(io::Error::other)
}

#[cfg(not(feature = "simulation"))]
async fn last_before_newest(log: &LogStore, kept: u64) -> io::Result<Option<u64>> {
    let log = log.clone();
    let read = tokio::task::spawn_blocking(move || log.last_before_newest(kept));
    read.await.map_err(io::Error::other)?
}

/// Another thread would be done at another moment in each run.
#[cfg(feature = "simulation")]
async fn last_before_newest(log: &LogStore, kept: u64) -> io::Result<Option<u64>> {
    log.last_before_newest(kept)
}
