//! Equal revision, equal hash: a replica whose history differs from the others' stops serving and says so.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::history::HistoryHash;
use crate::running::lock;
use crate::status::{Report, Role};

/// How long a difference from the leader alone is looked at before it counts: the other replicas' reports come in
/// within this.
const PATIENCE: Duration = Duration::from_secs(2);

/// What comparing histories has shown. Once raised, the quarantine lasts as long as the process; the difference is found
/// again at the next start.
#[derive(Default)]
pub(crate) struct Alarm {
    compared: Mutex<BTreeMap<u64, Compared>>,
    quarantine: Mutex<Option<String>>,
}

/// The last comparison with one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compared {
    Equal,
    /// Since when.
    Differs(Instant),
}

impl Alarm {
    /// Why this replica serves nothing, if it does.
    pub(crate) fn quarantine(&self) -> Option<String> {
        lock(&self.quarantine).clone()
    }

    /// Forgets a peer that has left the membership.
    pub(crate) fn forget(&self, id: u64) {
        lock(&self.compared).remove(&id);
    }

    /// Compares a peer's history with ours at the same revision. Whoever differs from most of the others is wrong; where
    /// nobody else can be compared, it is whoever differs from the leader.
    pub(crate) fn compare(&self, report: &Report, own_hash: HistoryHash, others: usize) {
        let mut compared = lock(&self.compared);
        if report.state_hash == own_hash {
            compared.insert(report.replica_id, Compared::Equal);
            return;
        }
        let since = match compared.get(&report.replica_id) {
            Some(Compared::Differs(since)) => *since,
            _ => {
                tracing::error!(
                    peer = report.replica_id,
                    revision = %report.revision,
                    own = %own_hash,
                    theirs = %report.state_hash,
                    "histories differ"
                );
                Instant::now()
            }
        };
        compared.insert(report.replica_id, Compared::Differs(since));
        let differing = compared
            .values()
            .filter(|compared| **compared != Compared::Equal)
            .count();
        let alone_against_leader = report.role == Role::Leader
            && differing == compared.len()
            && since.elapsed() >= PATIENCE;
        if differing * 2 > others || alone_against_leader {
            let (peer, revision) = (report.replica_id, report.revision);
            let reason =
                format!("its history differs from that of replica {peer} at revision {revision}");
            lock(&self.quarantine).get_or_insert(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::DatabaseKind;

    fn report(replica_id: u64, role: Role, payload: &str) -> Report {
        let hash = HistoryHash::EMPTY.extend(
            1.into(),
            uuid::Uuid::nil(),
            chrono::DateTime::UNIX_EPOCH,
            payload,
        );
        Report {
            cluster_id: uuid::Uuid::nil(),
            replica_id,
            role,
            leader_id: None,
            term: 1,
            url: String::new(),
            applied_index: Some(1),
            revision: 1.into(),
            state_hash: hash,
            expense_count: 0,
            database: DatabaseKind::Sqlite,
            quarantine: None,
            formats: Default::default(),
            lost_leader: None,
        }
    }

    #[test]
    fn the_one_that_differs_from_most_is_quarantined() {
        let own = report(1, Role::Follower, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Leader, "a"), own, 2);
        alarm.compare(&report(3, Role::Follower, "b"), own, 2);
        assert_eq!(
            alarm.quarantine(),
            None,
            "one follower that differs is its own problem"
        );
        alarm.compare(&report(2, Role::Leader, "b"), own, 2);
        assert!(alarm.quarantine().is_some(), "differing from both others");
    }

    #[test]
    fn a_leader_that_differs_does_not_take_the_others_with_it() {
        let own = report(1, Role::Follower, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Leader, "b"), own, 2);
        alarm.compare(&report(3, Role::Follower, "a"), own, 2);
        std::thread::sleep(PATIENCE);
        alarm.compare(&report(2, Role::Leader, "b"), own, 2);
        assert_eq!(alarm.quarantine(), None);
    }

    #[test]
    fn with_nobody_else_to_compare_the_leader_is_right() {
        let own = report(1, Role::Follower, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Leader, "b"), own, 2);
        assert_eq!(alarm.quarantine(), None, "the other one may yet report");
        std::thread::sleep(PATIENCE);
        alarm.compare(&report(2, Role::Leader, "b"), own, 2);
        assert!(alarm.quarantine().is_some());
    }
}
