//! What this replica knows of every replica: the reports it receives, and who is in sync by them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::status::Report;

/// See the module. Shared by reference.
pub(crate) struct Board {
    peers: Mutex<BTreeMap<u64, PeerStanding>>,
    in_sync_timeout: Duration,
    /// Counts changes, so that waiters can follow.
    version: watch::Sender<u64>,
}

/// One peer, as last heard.
#[derive(Clone, Debug)]
struct PeerStanding {
    report: Report,
    heard_at: Instant,
    heard_at_utc: DateTime<Utc>,
    /// Where this replica stood when the previous report came.
    own_index_then: Option<u64>,
    /// When the peer was last known to have everything this replica had.
    caught_up_at: Option<Instant>,
}

/// One peer, as it counts now.
#[derive(Clone, Debug)]
pub(crate) struct PeerView {
    pub(crate) report: Report,
    pub(crate) reachable: bool,
    pub(crate) in_sync: bool,
    pub(crate) heard_at: DateTime<Utc>,
}

impl Board {
    pub(crate) fn new(in_sync_timeout: Duration) -> Self {
        Self {
            peers: Mutex::default(),
            in_sync_timeout,
            version: watch::Sender::new(0),
        }
    }

    /// Takes a report. `own_index` is what this replica has applied at this moment.
    ///
    /// A peer that has what this replica had at the previous report was caught up then: under load a follower is
    /// always a little behind, and in sync all the same. Kafka judges its replicas likewise
    /// (`replica.lag.time.max.ms`).
    pub(crate) fn heard(&self, report: Report, own_index: Option<u64>) {
        let now = Instant::now();
        let mut peers = self.lock();
        let before = peers.get(&report.replica_id);
        let caught_up_at = if report.applied_index >= own_index {
            Some(now)
        } else {
            let had_all = before.filter(|before| report.applied_index >= before.own_index_then);
            had_all
                .map(|before| before.heard_at)
                .max(before.and_then(|before| before.caught_up_at))
        };
        let standing = PeerStanding {
            heard_at: now,
            heard_at_utc: Utc::now(),
            own_index_then: own_index,
            caught_up_at,
            report,
        };
        peers.insert(standing.report.replica_id, standing);
        drop(peers);
        self.version
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    /// The peer, if it was ever heard from.
    pub(crate) fn peer(&self, id: u64) -> Option<PeerView> {
        let peers = self.lock();
        let standing = peers.get(&id)?;
        let recent = |at: Instant| at.elapsed() < self.in_sync_timeout;
        Some(PeerView {
            report: standing.report.clone(),
            reachable: recent(standing.heard_at),
            in_sync: recent(standing.heard_at)
                && standing.caught_up_at.is_some_and(recent)
                && standing.report.quarantine.is_none(),
            heard_at: standing.heard_at_utc,
        })
    }

    /// The public addresses of the peers heard from.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.lock()
            .values()
            .map(|standing| standing.report.url.clone())
            .collect()
    }

    /// Wakes at every report.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, PeerStanding>> {
        // Nothing panics while it is held.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::HistoryHash;
    use crate::status::{DatabaseKind, Role};

    fn report(applied_index: u64) -> Report {
        Report {
            cluster_id: uuid::Uuid::nil(),
            replica_id: 2,
            role: Role::Follower,
            leader_id: Some(1),
            term: 1,
            url: String::new(),
            applied_index: Some(applied_index),
            revision: applied_index.into(),
            state_hash: HistoryHash::EMPTY,
            expense_count: 0,
            database: DatabaseKind::Sqlite,
            quarantine: None,
        }
    }

    #[test]
    fn a_peer_a_little_behind_stays_in_sync_and_one_left_behind_does_not() {
        let board = Board::new(Duration::from_millis(60));
        assert!(board.peer(2).is_none());
        board.heard(report(5), Some(5));
        assert!(board.peer(2).unwrap().in_sync);
        // Always behind the newest, never behind the newest of the report before.
        for own in [10, 15, 20, 25] {
            std::thread::sleep(Duration::from_millis(20));
            board.heard(report(own - 5), Some(own));
            assert!(board.peer(2).unwrap().in_sync, "at {own}");
        }
        // Heard from, and stuck.
        for own in [30, 35, 40, 45, 50] {
            std::thread::sleep(Duration::from_millis(25));
            board.heard(report(20), Some(own));
        }
        let peer = board.peer(2).unwrap();
        assert!(peer.reachable && !peer.in_sync);
        board.heard(report(50), Some(50));
        assert!(board.peer(2).unwrap().in_sync);
        std::thread::sleep(Duration::from_millis(70));
        let peer = board.peer(2).unwrap();
        assert!(!peer.reachable && !peer.in_sync);
    }
}
