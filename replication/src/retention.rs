//! The log is kept for peers that are catching up. Without that, one that takes longer to install a snapshot than the log reaches
//! would need the next snapshot as soon as it has the first, for as long as others write.
//!
//! etcd puts its compaction off in the same way while it sends a snapshot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How far each peer is, and when it was last seen to get further.
#[derive(Debug)]
pub(crate) struct Retention {
    /// Time for which the log is kept for a peer that gets no further. After that it is away, and the bound holds as if it were
    /// not there.
    patience: Duration,
    peers: Mutex<BTreeMap<u64, Progress>>,
}

#[derive(Debug)]
struct Progress {
    /// It has the log up to there, or will once it has installed what is being sent.
    index: u64,
    moved: Instant,
    /// Snapshots on their way to it.
    sending: usize,
}

impl Progress {
    fn at(index: u64) -> Self {
        Self {
            index,
            moved: Instant::now(),
            sending: 0,
        }
    }
}

/// While it lives, a snapshot is on its way.
#[derive(Debug)]
pub(crate) struct Sending {
    retention: Arc<Retention>,
    peer: u64,
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(progress) = self.retention.peers().get_mut(&self.peer) {
            progress.sending -= 1;
            // The engine takes a moment to hear of it.
            progress.moved = Instant::now();
        }
    }
}

impl Retention {
    /// Nobody is known yet.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            peers: Mutex::default(),
        }
    }

    /// A snapshot sets out, which is of the state at this index or later.
    pub(crate) fn sending(self: &Arc<Self>, peer: u64, index: u64) -> Sending {
        let mut peers = self.peers();
        let progress = peers.entry(peer).or_insert_with(|| Progress::at(index));
        progress.index = index;
        progress.sending += 1;
        Sending {
            retention: self.clone(),
            peer,
        }
    }

    /// Takes in which index each peer has confirmed, if any; all peers of a leader, none where this replica does not lead.
    pub(crate) fn observe(&self, confirmed: &BTreeMap<u64, Option<u64>>) {
        let mut peers = self.peers();
        peers.retain(|id, progress| progress.sending > 0 || confirmed.contains_key(id));
        for (id, index) in confirmed {
            let Some(index) = *index else { continue };
            let progress = peers.entry(*id).or_insert_with(|| Progress::at(index));
            // What it had confirmed before it got a snapshot is old.
            if progress.sending == 0 && index > progress.index {
                *progress = Progress::at(index);
            }
        }
    }

    /// Index after which some peer needs the log, which is there from after `purged` on: who needs what is gone gets a snapshot anyway.
    pub(crate) fn needed_after(&self, purged: Option<u64>) -> Option<u64> {
        let peers = self.peers();
        let wanting = peers
            .values()
            .filter(|progress| progress.sending > 0 || progress.moved.elapsed() < self.patience)
            .filter(|progress| Some(progress.index) >= purged);
        wanting.map(|progress| progress.index).min()
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<u64, Progress>> {
        // Each change is one step: after a panic elsewhere what is there still holds.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(4);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_gets_further_is_waited_for() {
        let retention = Retention::new(PATIENCE);
        assert_eq!(retention.needed_after(None), None);
        retention.observe(&[(2, Some(10)), (3, Some(90)), (4, None)].into());
        assert_eq!(retention.needed_after(None), Some(10));
        assert_eq!(retention.needed_after(Some(10)), Some(10));
        assert_eq!(retention.needed_after(Some(11)), Some(90), "too late for 2");
        tokio::time::advance(PATIENCE / 2).await;
        retention.observe(&[(2, Some(11)), (3, Some(90))].into());
        tokio::time::advance(PATIENCE / 2).await;
        assert_eq!(retention.needed_after(None), Some(11));
        tokio::time::advance(PATIENCE).await;
        retention.observe(&[(2, Some(11)), (3, Some(95))].into());
        assert_eq!(retention.needed_after(None), Some(95), "2 is away");
        retention.observe(&BTreeMap::new());
        assert_eq!(retention.needed_after(None), None, "another leads");
    }

    /// Of a peer that had something, and of one that had nothing.
    #[tokio::test(start_paused = true)]
    async fn a_snapshot_takes_as_long_as_it_takes() {
        for before in [Some(10), None] {
            let retention = Arc::new(Retention::new(PATIENCE));
            retention.observe(&[(2, before)].into());
            let sending = retention.sending(2, 50);
            tokio::time::advance(PATIENCE * 100).await;
            retention.observe(&[(2, before)].into());
            assert_eq!(retention.needed_after(None), Some(50));
            drop(sending);
            // The engine has not heard of it yet.
            retention.observe(&[(2, before)].into());
            assert_eq!(
                retention.needed_after(None),
                Some(50),
                "it goes on from there"
            );
            retention.observe(&[(2, Some(51))].into());
            assert_eq!(retention.needed_after(None), Some(51));
            tokio::time::advance(PATIENCE).await;
            assert_eq!(retention.needed_after(None), None, "it does not go on");
        }
    }
}
