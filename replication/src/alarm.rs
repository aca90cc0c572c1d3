//! A replica that differs from the others stops serving and says so: for its history (equal revision, equal hash, compared
//! here at every report) or for its tables (`verify.rs`).
//!
//! The quarantine is kept in the data folder, so that a restart does not serve for a moment what was found to be wrong. It
//! ends with that folder: the replica is replaced by an empty one.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::history::HistoryHash;
use crate::running::lock;
use crate::status::{Report, Role};

/// How long a difference from the leader alone is looked at before it counts: the other replicas' reports come in
/// within this.
const PATIENCE: Duration = Duration::from_secs(2);

/// What comparing with the others has shown.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    compared: Mutex<BTreeMap<u64, Compared>>,
    quarantine: watch::Sender<Option<String>>,
    /// Where the quarantine is kept; none in tests.
    file: Option<PathBuf>,
}

/// The quarantine as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Why; for people.
    reason: String,
    /// Since when.
    since: DateTime<Utc>,
}

/// The last comparison with one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compared {
    Equal,
    /// Since when.
    Differs(Instant),
}

impl Alarm {
    /// Takes up a quarantine that is kept in the data folder. One that cannot be read is one all the same.
    pub(crate) fn open(folder: &Path) -> Self {
        let file = file(folder);
        let kept = match fs::read(&file) {
            Ok(bytes) => Some(serde_json::from_slice::<Kept>(&bytes).map_or_else(
                |error| format!("{} cannot be read: {error}", file.display()),
                |kept| kept.reason,
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => Some(format!("{} cannot be read: {error}", file.display())),
        };
        if let Some(reason) = &kept {
            tracing::error!(reason, "this replica is quarantined and serves nothing");
        }
        Self {
            quarantine: watch::Sender::new(kept),
            file: Some(file),
            ..Self::default()
        }
    }

    /// Why this replica serves nothing, if it does.
    pub(crate) fn quarantine(&self) -> Option<String> {
        self.quarantine.borrow().clone()
    }

    /// Wakes when the quarantine begins.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.quarantine.subscribe()
    }

    /// Resolves when this replica is quarantined.
    pub(crate) fn raised(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut quarantine = self.quarantine.subscribe();
        async move {
            if quarantine.wait_for(Option::is_some).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Puts this replica under quarantine, for good. The first reason stays.
    pub(crate) fn raise(&self, reason: String) {
        let raised = self.quarantine.send_if_modified(|quarantine| {
            let first = quarantine.is_none();
            quarantine.get_or_insert_with(|| reason.clone());
            first
        });
        if !raised {
            return;
        }
        tracing::error!(
            reason,
            "this replica is quarantined and serves nothing from now on"
        );
        let kept = Kept {
            reason,
            since: Utc::now(),
        };
        if let Some(file) = &self.file
            && let Err(error) = keep(file, &kept)
        {
            tracing::error!(%error, "the quarantine cannot be kept in the data folder; it lasts until this process ends");
        }
    }

    /// Forgets a peer that has left the membership.
    pub(crate) fn forget(&self, id: u64) {
        lock(&self.compared).remove(&id);
    }

    /// Compares a peer's history with ours at the same revision. Whoever differs from most of the others is wrong; where
    /// nobody else can be compared, it is whoever differs from the leader.
    ///
    /// One that is quarantined already is no witness. Of two, each differs from most of the others: there the leader is right.
    pub(crate) fn compare(&self, report: &Report, own_hash: HistoryHash, others: usize) {
        let mut compared = lock(&self.compared);
        if report.quarantine.is_some() {
            compared.remove(&report.replica_id);
            return;
        }
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
        let against_most = others > 1 && differing * 2 > others;
        if against_most || alone_against_leader {
            let (peer, revision) = (report.replica_id, report.revision);
            drop(compared);
            self.raise(format!(
                "its history differs from that of replica {peer} at revision {revision}; replace it"
            ));
        }
    }
}

/// Where the quarantine of a replica is kept.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("quarantine.json")
}

/// Wherever a crash comes, the file is whole or not there.
fn keep(file: &Path, kept: &Kept) -> std::io::Result<()> {
    let unfinished = file.with_extension("json.new");
    let mut out = fs::File::create(&unfinished)?;
    serde_json::to_writer_pretty(&mut out, kept)?;
    out.write_all(b"\n")?;
    out.sync_all()?;
    fs::rename(&unfinished, file)?;
    match file.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
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

    #[tokio::test]
    async fn a_quarantine_outlives_the_process_and_not_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let alarm = Alarm::open(folder.path());
        assert_eq!(alarm.quarantine(), None);
        let raised = alarm.raised();
        alarm.raise("the first reason".to_owned());
        alarm.raise("another".to_owned());
        raised.await;
        drop(alarm);
        let reopened = Alarm::open(folder.path()).quarantine();
        assert_eq!(reopened.as_deref(), Some("the first reason"));
        fs::write(file(folder.path()), "{").unwrap();
        let reason = Alarm::open(folder.path()).quarantine().unwrap();
        assert!(reason.contains("cannot be read"), "{reason}");
        fs::remove_file(file(folder.path())).unwrap();
        assert_eq!(Alarm::open(folder.path()).quarantine(), None);
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
    fn of_two_the_leader_is_right_and_the_quarantined_are_no_witnesses() {
        let own = report(1, Role::Leader, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Follower, "b"), own, 1);
        assert_eq!(alarm.quarantine(), None);
        for id in [2, 3] {
            let quarantined = Report {
                quarantine: Some("it differs".to_owned()),
                ..report(id, Role::Follower, "b")
            };
            alarm.compare(&quarantined, own, 2);
        }
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
