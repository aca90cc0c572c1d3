//! The log is bounded, in entries and in bytes: an entry may hold one expense or a thousand, and an import makes few entries,
//! and large ones. What goes is what the database holds durably anyway.
//!
//! Some stays for replicas that were away for a moment; one that was away for longer gets a snapshot. More stays for a peer that is
//! catching up (`retention.rs`), and since the consensus engine asks for none of that, it is told to cut nothing by itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::consensus::{self, LogExtent, LogStore};
use crate::running::Running;

/// Pause between two looks at how much there is.
const PAUSE: Duration = Duration::from_secs(1);
/// Fewer entries are not worth a cut.
const ENTRIES_AT_ONCE: u64 = 256;
/// How many times the bound in bytes may stay for a peer that is catching up.
const PATIENT_BOUNDS: u64 = 4;

/// Keeps the log within [`Config::compact_after_bytes`](crate::config::Config::compact_after_bytes), and no more than
/// [`Config::compact_after_entries`](crate::config::Config::compact_after_entries) before the last position noted, give or take
/// what is appended meanwhile, for as long as this replica runs.
pub(crate) async fn keep_within_bound(running: Arc<Running>, log: LogStore) {
    let bound = running.config.compact_after_bytes;
    // What an earlier process appended is looked at once.
    let mut looked_at = None;
    let mut cut = Cut::default();
    loop {
        tokio::time::sleep(PAUSE).await;
        let extent = consensus::log_extent(&running.raft);
        running.retention.observe(&extent.confirmed);
        cut.needed_after = running.retention.needed_after();
        // What was spared once is still wanted.
        cut.wanted = cut
            .wanted
            .max(too_many(&extent, running.config.compact_after_entries));
        let appended = log.appended_bytes();
        // With what may stay, no more than three quarters of the bound at any look.
        if looked_at.is_none_or(|before| appended - before >= bound / 4) {
            looked_at = Some(appended);
            if let Err(error) = cut.measure(&log, bound).await {
                tracing::warn!(%error, "the log could not be looked at, to keep it within its bound");
            }
        }
        let Some(through) = cut.through().filter(|last| Some(*last) > extent.purged) else {
            continue;
        };
        tracing::debug!(through, ?cut, "cutting the log");
        if let Err(error) = consensus::compact(&running.raft, through).await {
            tracing::warn!(%error, "the log could not be cut, to keep it within its bound");
        }
    }
}

/// The last entry of those that the log has no room for, if they are worth it.
fn too_many(extent: &LogExtent, kept: u64) -> Option<u64> {
    let last = extent.noted?.checked_sub(kept)?;
    let there = last.saturating_sub(extent.purged.unwrap_or(0));
    (there >= ENTRIES_AT_ONCE).then_some(last)
}

/// Where to cut: the last entries that go.
#[derive(Debug, Default)]
struct Cut {
    /// By the bounds.
    wanted: Option<u64>,
    /// Whoever needs it.
    at_least: Option<u64>,
    needed_after: Option<u64>,
}

impl Cut {
    /// Takes the bound in bytes into account. Reads as much of the log.
    async fn measure(&mut self, log: &LogStore, bound: u64) -> io::Result<()> {
        self.wanted = self.wanted.max(last_before_newest(log, bound / 2).await?);
        if self.wanted > self.needed_after && self.needed_after.is_some() {
            self.at_least = last_before_newest(log, bound * PATIENT_BOUNDS).await?;
        }
        Ok(())
    }

    fn through(&self) -> Option<u64> {
        let spared = match (self.wanted, self.needed_after) {
            (Some(wanted), Some(needed_after)) => Some(wanted.min(needed_after)),
            (wanted, _) => wanted,
        };
        spared.max(self.at_least)
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn entries_go_by_the_batch() {
        let extent = |noted, purged| LogExtent {
            noted,
            purged,
            confirmed: BTreeMap::new(),
        };
        assert_eq!(too_many(&extent(None, None), 100), None);
        assert_eq!(too_many(&extent(Some(99), None), 100), None);
        assert_eq!(too_many(&extent(Some(355), None), 100), None);
        assert_eq!(too_many(&extent(Some(356), None), 100), Some(256));
        assert_eq!(too_many(&extent(Some(611), Some(256)), 100), None);
        assert_eq!(too_many(&extent(Some(612), Some(256)), 100), Some(512));
    }

    #[test]
    fn what_is_needed_stays_up_to_a_point() {
        let through = |wanted, at_least, needed_after| {
            let cut = Cut {
                wanted,
                at_least,
                needed_after,
            };
            cut.through()
        };
        assert_eq!(through(None, None, None), None);
        assert_eq!(through(Some(50), None, None), Some(50));
        assert_eq!(through(Some(50), None, Some(70)), Some(50));
        assert_eq!(through(Some(50), None, Some(20)), Some(20));
        assert_eq!(through(Some(50), Some(30), Some(20)), Some(30));
        assert_eq!(through(None, None, Some(20)), None);
    }
}
