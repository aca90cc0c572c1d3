//! What this replica knows of every replica: the reports it receives, and who is in sync by them.
//!
//! A peer is no longer reachable, and no longer in sync, when it has been silent for the in-sync timeout, or at once when
//! nobody listens for it any more. At once, because waiting for it gains nothing: it has lost what it knew in memory, will
//! apply nothing until it is started again, and then has to be heard first, which brings it back. And it endangers
//! nothing: what is committed is on a majority, whoever is in sync; who is in sync is judged before a proposal begins, so
//! that `min-in-sync` is only kept more strictly; and a receipt names as pending whoever was not waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::format::Formats;
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
    /// When this replica was last known to have everything that the peer had, by the same rule.
    met_at: Option<Instant>,
    /// Nobody has listened for it since.
    gone: bool,
}

/// One peer, as it counts now.
#[derive(Clone, Debug)]
pub(crate) struct PeerView {
    pub(crate) report: Report,
    pub(crate) reachable: bool,
    pub(crate) in_sync: bool,
    /// This replica has within the in-sync timeout had what the peer had.
    pub(crate) met: bool,
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
        let met_at = if own_index >= report.applied_index {
            Some(now)
        } else {
            let had_all = before.filter(|before| own_index >= before.report.applied_index);
            had_all
                .map(|before| before.heard_at)
                .max(before.and_then(|before| before.met_at))
        };
        let standing = PeerStanding {
            heard_at: now,
            heard_at_utc: Utc::now(),
            own_index_then: own_index,
            caught_up_at,
            met_at,
            gone: false,
            report,
        };
        peers.insert(standing.report.replica_id, standing);
        drop(peers);
        self.wake();
    }

    /// True for a peer that has been heard from in time.
    pub(crate) fn hears(&self, id: u64) -> bool {
        self.peer(id).is_some_and(|peer| peer.reachable)
    }

    /// True where a peer that is heard has been ahead of this replica for longer than the in-sync timeout.
    pub(crate) fn left_behind(&self) -> bool {
        let ids: Vec<u64> = self.lock().keys().copied().collect();
        ids.into_iter()
            .filter_map(|id| self.peer(id))
            .any(|peer| peer.reachable && !peer.met)
    }

    /// Takes the news that nobody listens for a peer any more. What was known of it stays known.
    pub(crate) fn gone(&self, id: u64) {
        let mut peers = self.lock();
        let news = peers.get_mut(&id).filter(|standing| !standing.gone);
        let Some(standing) = news else {
            return;
        };
        standing.gone = true;
        drop(peers);
        self.wake();
    }

    /// Forgets a peer that has left the membership.
    pub(crate) fn forget(&self, id: u64) {
        if self.lock().remove(&id).is_some() {
            self.wake();
        }
    }

    /// True for a peer that nobody has listened for since it was last heard.
    pub(crate) fn is_gone(&self, id: u64) -> bool {
        self.lock().get(&id).is_some_and(|standing| standing.gone)
    }

    /// The peer, if it was ever heard from.
    pub(crate) fn peer(&self, id: u64) -> Option<PeerView> {
        let peers = self.lock();
        let standing = peers.get(&id)?;
        let recent = |at: Instant| at.elapsed() < self.in_sync_timeout;
        let reachable = recent(standing.heard_at) && !standing.gone;
        Some(PeerView {
            report: standing.report.clone(),
            reachable,
            in_sync: reachable
                && standing.caught_up_at.is_some_and(recent)
                && standing.report.quarantine.is_none(),
            met: standing.met_at.is_some_and(recent),
            heard_at: standing.heard_at_utc,
        })
    }

    /// What all these peers read. One that was never heard from reads what the first builds did, for all that is known.
    pub(crate) fn common_formats(&self, ids: impl Iterator<Item = u64>) -> Formats {
        let peers = self.lock();
        let of_peer = |id| {
            peers
                .get(&id)
                .map(|standing: &PeerStanding| standing.report.formats)
        };
        ids.map(|id| of_peer(id).unwrap_or_default())
            .fold(Formats::OWN, Formats::common)
    }

    /// The public addresses of the peers heard from.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.lock()
            .values()
            .map(|standing| standing.report.url.clone())
            .collect()
    }

    /// Wakes at every report, and when a peer is gone.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn wake(&self) {
        self.version
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, PeerStanding>> {
        // Nothing panics while it is held.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::testing;

    fn report(applied_index: u64) -> Report {
        testing::report(2, applied_index)
    }

    #[test]
    fn a_peer_that_nobody_listens_for_is_out_until_it_is_heard_again() {
        let board = Board::new(Duration::from_secs(60));
        let woken = board.subscribe();
        // Never heard from: there is nothing to take back.
        board.gone(2);
        assert!(board.peer(2).is_none() && !board.is_gone(2));
        assert!(!woken.has_changed().unwrap());

        board.heard(report(5), Some(5));
        let heard_at = board.peer(2).unwrap().heard_at;
        let mut woken = board.subscribe();
        board.gone(2);
        assert!(woken.has_changed().unwrap());
        let peer = board.peer(2).unwrap();
        assert!(!peer.reachable && !peer.in_sync && board.is_gone(2));
        assert_eq!(peer.heard_at, heard_at);
        // No news.
        woken.mark_unchanged();
        board.gone(2);
        assert!(!woken.has_changed().unwrap());

        board.heard(report(5), Some(5));
        let peer = board.peer(2).unwrap();
        assert!(peer.reachable && peer.in_sync && !board.is_gone(2));
    }

    #[test]
    fn the_common_formats_are_those_of_the_oldest_build_that_may_be_there() {
        let board = Board::new(Duration::from_secs(60));
        let later = |id| Report {
            replica_id: id,
            formats: Formats {
                log: 9,
                snapshot: 9,
                message: 9,
            },
            ..report(1)
        };
        for id in [2, 3] {
            board.heard(later(id), None);
        }
        assert_eq!(
            board.common_formats([2, 3].into_iter()),
            Formats::OWN,
            "nobody writes what it does not know itself"
        );
        assert_eq!(board.common_formats([2, 4].into_iter()), Formats::FIRST);
        let older = Report {
            formats: Formats::FIRST,
            ..later(3)
        };
        board.heard(older, None);
        assert_eq!(board.common_formats([2, 3].into_iter()), Formats::FIRST);
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

    #[test]
    fn this_replica_is_left_behind_by_a_peer_that_stays_ahead() {
        let board = Board::new(Duration::from_millis(60));
        assert!(!board.left_behind());
        // Always behind the newest, never behind the newest of the report before.
        for theirs in [5, 10, 15, 20, 25] {
            board.heard(report(theirs), Some(theirs - 5));
            assert!(theirs == 5 || !board.left_behind(), "at {theirs}");
            std::thread::sleep(Duration::from_millis(20));
        }
        for theirs in [30, 35, 40, 45, 50] {
            board.heard(report(theirs), Some(20));
            std::thread::sleep(Duration::from_millis(25));
        }
        assert!(board.left_behind());
        board.heard(report(50), Some(50));
        assert!(!board.left_behind());
        // Nothing can be said by a peer that is silent.
        std::thread::sleep(Duration::from_millis(70));
        assert!(!board.left_behind());
    }
}
