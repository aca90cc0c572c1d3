//! Equal revision, equal hash: a replica whose history differs from the others' stops serving and says so.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::history::HistoryHash;
use crate::running::lock;
use crate::status::{Report, Role};

/// What comparing histories has shown. Once raised, the quarantine lasts until the replica is replaced.
#[derive(Default)]
pub(crate) struct Alarm {
    differing: Mutex<BTreeSet<u64>>,
    quarantine: Mutex<Option<String>>,
}

impl Alarm {
    /// Why this replica serves nothing, if it does.
    pub(crate) fn quarantine(&self) -> Option<String> {
        lock(&self.quarantine).clone()
    }

    /// Compares a peer's history with ours at the same revision. The one that differs from the leader, or from most
    /// of the others, is the one that is wrong.
    pub(crate) fn compare(&self, report: &Report, own_hash: HistoryHash, others: usize) {
        let mut differing = lock(&self.differing);
        if report.state_hash == own_hash {
            differing.remove(&report.replica_id);
            return;
        }
        let is_new = differing.insert(report.replica_id);
        if is_new {
            tracing::error!(
                peer = report.replica_id,
                revision = %report.revision,
                own = %own_hash,
                theirs = %report.state_hash,
                "histories differ"
            );
        }
        if report.role == Role::Leader || differing.len() * 2 > others {
            let reason = format!(
                "its history differs from that of replica {} at revision {}",
                report.replica_id, report.revision
            );
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
        }
    }

    #[test]
    fn the_one_that_differs_is_quarantined() {
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
        assert!(alarm.quarantine().is_some(), "differing from the leader");

        let leader = Alarm::default();
        leader.compare(&report(2, Role::Follower, "b"), own, 2);
        assert_eq!(leader.quarantine(), None);
        leader.compare(&report(3, Role::Follower, "b"), own, 2);
        assert!(leader.quarantine().is_some(), "differing from both others");
    }
}
