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

/// Longest pause between two looks at how much there is.
const PAUSE: Duration = Duration::from_secs(1);
/// Fewer entries are not worth a cut, unless no more are to be kept.
const ENTRIES_WORTH_A_CUT: u64 = 256;
/// More entries are not cut at once: the engine does nothing else meanwhile.
const ENTRIES_AT_ONCE: u64 = 10_000;
/// Pause between two cuts, where there is more to cut.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// How many times the bound in bytes may stay for a peer that is catching up.
const PATIENT_BOUNDS: u64 = 4;

/// Keeps the log within [`Config::compact_after_bytes`](crate::config::Config::compact_after_bytes), and no more than
/// [`Config::compact_after_entries`](crate::config::Config::compact_after_entries) before the last position noted, give or take
/// what is appended meanwhile, for as long as this replica runs. While a peer is catching up with it, within [`PATIENT_BOUNDS`].
pub(crate) async fn keep_within_bound(running: Arc<Running>, log: LogStore) {
    let bound = running.config.compact_after_bytes;
    let kept = running.config.compact_after_entries;
    let usual = PAUSE.min(running.config.in_sync_timeout / 4);
    let mut pause = usual;
    // What an earlier process appended is looked at once.
    let mut looked_at = None;
    let mut cut = Cut::default();
    loop {
        tokio::time::sleep(pause).await;
        pause = usual;
        let extent = consensus::log_extent(&running.raft);
        running.retention.observe(&extent.confirmed);
        cut.needed_after = running.retention.needed_after(extent.purged);
        // What was spared once is still wanted.
        cut.wanted = cut.wanted.max(too_many(&extent, kept));
        let appended = log.appended_bytes();
        // With what may stay, no more than three quarters of the bound at any look.
        if looked_at.is_none_or(|before| appended - before >= bound / 4) {
            looked_at = Some(appended);
            if let Err(error) = cut.measure(&log, bound, extent.applied).await {
                tracing::warn!(%error, "the log could not be looked at, to keep it within its bound");
            }
        }
        let Some(through) = cut.next(extent.purged, kept) else {
            continue;
        };
        tracing::debug!(through, ?cut, "cutting the log");
        // Where that fails, the engine tries it again, as long as it may.
        if let Err(error) = log.before_purge(through).await {
            tracing::warn!(%error, "the database could not be flushed before a cut of the log");
        }
        if let Err(error) = consensus::compact(&running.raft, through).await {
            tracing::warn!(%error, "the log could not be cut, to keep it within its bound");
        } else if Some(through) < cut.through() {
            pause = SHORT_PAUSE.min(usual);
        }
    }
}

/// The last entry of those that the log has no room for, if they are worth it.
fn too_many(extent: &LogExtent, kept: u64) -> Option<u64> {
    let last = extent.noted?.checked_sub(kept)?;
    let there = last.saturating_sub(extent.purged.unwrap_or(0));
    (there >= ENTRIES_WORTH_A_CUT.min(kept)).then_some(last)
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
    async fn measure(
        &mut self,
        log: &LogStore,
        bound: u64,
        applied: Option<u64>,
    ) -> io::Result<()> {
        // What is not applied may be overwritten.
        let within = async |bytes| -> io::Result<Option<u64>> {
            Ok(last_before_newest(log, bytes).await?.min(applied))
        };
        self.wanted = self.wanted.max(within(bound / 2).await?);
        if self.needed_after.is_some() && self.wanted > self.needed_after {
            let patient = bound.saturating_mul(PATIENT_BOUNDS);
            self.at_least = self.at_least.max(within(patient).await?);
        }
        Ok(())
    }

    /// In the end.
    fn through(&self) -> Option<u64> {
        let spared = match (self.wanted, self.needed_after) {
            (Some(wanted), Some(needed_after)) => Some(wanted.min(needed_after)),
            (wanted, _) => wanted,
        };
        spared.max(self.at_least)
    }

    /// Now, if it is worth it.
    fn next(&self, purged: Option<u64>, kept: u64) -> Option<u64> {
        let through = self.through().filter(|last| Some(*last) > purged)?;
        let purged = purged.unwrap_or(0);
        let is_worth_it = through - purged >= ENTRIES_WORTH_A_CUT.min(kept);
        // The last of what is wanted may be little; what a peer gives free bit by bit is left to come together.
        let is_all = Some(through) == self.wanted;
        (is_worth_it || is_all).then_some(through.min(purged.saturating_add(ENTRIES_AT_ONCE)))
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
            applied: noted,
            noted,
            purged,
            confirmed: BTreeMap::new(),
        };
        assert_eq!(too_many(&extent(None, None), 1_000), None);
        assert_eq!(too_many(&extent(Some(999), None), 1_000), None);
        assert_eq!(too_many(&extent(Some(1_255), None), 1_000), None);
        assert_eq!(too_many(&extent(Some(1_256), None), 1_000), Some(256));
        assert_eq!(too_many(&extent(Some(1_511), Some(256)), 1_000), None);
        assert_eq!(too_many(&extent(Some(1_512), Some(256)), 1_000), Some(512));
        assert_eq!(too_many(&extent(Some(15), None), 8), None);
        assert_eq!(too_many(&extent(Some(16), None), 8), Some(8));
    }

    #[test]
    fn a_cut_is_neither_tiny_nor_endless() {
        let next = |wanted, needed_after, purged| {
            let cut = Cut {
                wanted,
                at_least: None,
                needed_after,
            };
            cut.next(purged, 1_000)
        };
        assert_eq!(next(None, None, None), None);
        assert_eq!(next(Some(50), None, Some(50)), None);
        assert_eq!(next(Some(50), None, Some(40)), Some(50));
        assert_eq!(next(Some(5_000), Some(100), Some(40)), None);
        assert_eq!(next(Some(5_000), Some(296), Some(40)), Some(296));
        assert_eq!(next(Some(25_000), None, None), Some(10_000));
        assert_eq!(next(Some(25_000), None, Some(20_000)), Some(25_000));
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
