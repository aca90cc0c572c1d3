//! A replica that differs from the others stops serving and says so: for its history (equal revision, equal hash, compared
//! here at every report) or for its tables (`verify.rs`).
//!
//! It takes a majority of the members that agree on another history. A follower that differs from the leader while a third
//! replica is down serves on, and so does the leader: either may be the wrong one. To take the follower out would not make the
//! leader right, would refuse all writes where two have to be in sync, and would leave nobody should the leader die. What is
//! acknowledged meanwhile is in the log, which does not differ; a person is paged, and the third one decides as soon as it is
//! heard. Only in a cluster of two, where nobody else could ever tell, the leader is right.
//!
//! The quarantine is kept in the data folder, so that a restart does not serve for a moment what was found to be wrong. It
//! ends with that folder: the replica is replaced by an empty one.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use threefold_entity::Revision;
use tokio::sync::watch;

use crate::history::HistoryHash;
use crate::running::lock;
use crate::status::{Report, Role};

/// How long a follower of two looks at a difference from the leader before it counts: who leads may be about to change.
const PATIENCE: Duration = Duration::from_secs(2);
/// Last reports that are kept of a peer that differs: under load, replicas report different revisions most of the time, and
/// only at one revision can it be told whether two of them agree.
const KEPT_REPORTS: usize = 64;

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

/// What comparing with one peer has shown.
#[derive(Debug)]
enum Compared {
    /// It had the same history up to there.
    Equal(Revision),
    /// It has another one.
    Differs {
        since: Instant,
        /// What it said lately, the last at the end.
        said: VecDeque<(Revision, HistoryHash)>,
    },
}

impl Compared {
    fn has_said(&self, position: (Revision, HistoryHash)) -> bool {
        matches!(self, Self::Differs { said, .. } if said.contains(&position))
    }
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

    /// Compares a peer's history with ours at the same revision, in a cluster of so many members, this one among them. This
    /// replica is wrong where most of them agree on another history, or where the other one of two leads. One that is
    /// quarantined already is no witness.
    pub(crate) fn compare(&self, report: &Report, own_hash: HistoryHash, members: usize) {
        let mut compared = lock(&self.compared);
        let (peer, revision) = (report.replica_id, report.revision);
        if report.quarantine.is_some() {
            compared.remove(&peer);
            return;
        }
        if report.state_hash == own_hash {
            compared.insert(peer, Compared::Equal(revision));
            return;
        }
        let position = (revision, report.state_hash);
        let (mut said, since) = match compared.remove(&peer) {
            Some(Compared::Differs { since, said }) => (said, since),
            _ => {
                tracing::error!(
                    peer,
                    %revision,
                    own = %own_hash,
                    theirs = %report.state_hash,
                    members,
                    "histories differ; whoever differs from most of the members will serve no more. Until most of them are heard, \
                     it cannot be told who that is: start those that are down"
                );
                (VecDeque::new(), Instant::now())
            }
        };
        if said.back() != Some(&position) {
            said.push_back(position);
        }
        while said.len() > KEPT_REPORTS {
            said.pop_front();
        }
        compared.insert(peer, Compared::Differs { since, said });
        let agreeing = compared.values().filter(|peer| peer.has_said(position));
        let outvoted = agreeing.count() * 2 > members;
        let differs_from_leader =
            members == 2 && report.role == Role::Leader && since.elapsed() >= PATIENCE;
        if outvoted || differs_from_leader {
            drop(compared);
            self.raise(format!(
                "its history differs from that of replica {peer} at revision {revision}; replace it"
            ));
        }
    }

    /// True where another has another history, and it cannot be told which of them is right: neither this replica's nor any
    /// other is that of most members. Of two, the leader's is.
    pub(crate) fn is_in_doubt(&self, members: usize) -> bool {
        if members <= 2 || self.quarantine.borrow().is_some() {
            return false;
        }
        let compared = lock(&self.compared);
        compared.values().any(|peer| {
            let Compared::Differs { said, .. } = peer else {
                return false;
            };
            // Who had our history at a later revision had it there, too: one hash counts all that came before.
            let seen_at = said.front().map(|(revision, _)| *revision);
            let with_us = compared.values().filter(
                |other| matches!(other, Compared::Equal(revision) if Some(*revision) >= seen_at),
            );
            (with_us.count() + 1) * 2 <= members
        })
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
        alarm.compare(&report(2, Role::Leader, "a"), own, 3);
        alarm.compare(&report(3, Role::Follower, "b"), own, 3);
        assert_eq!(
            alarm.quarantine(),
            None,
            "one follower that differs is its own problem"
        );
        assert!(!alarm.is_in_doubt(3));
        alarm.compare(&report(2, Role::Leader, "b"), own, 3);
        assert!(alarm.quarantine().is_some(), "differing from both others");
    }

    #[test]
    fn a_leader_that_differs_does_not_take_the_others_with_it() {
        let own = report(1, Role::Follower, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Leader, "b"), own, 3);
        alarm.compare(&report(3, Role::Follower, "a"), own, 3);
        std::thread::sleep(PATIENCE);
        alarm.compare(&report(2, Role::Leader, "b"), own, 3);
        assert_eq!(alarm.quarantine(), None);
    }

    #[test]
    fn of_two_the_leader_is_right() {
        let own = report(1, Role::Follower, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Follower, "b"), own, 2);
        alarm.compare(&report(2, Role::Leader, "b"), own, 2);
        assert_eq!(alarm.quarantine(), None, "who leads may yet change");
        std::thread::sleep(PATIENCE);
        alarm.compare(&report(2, Role::Follower, "b"), own, 2);
        assert_eq!(alarm.quarantine(), None, "it does not lead");
        alarm.compare(&report(2, Role::Leader, "b"), own, 2);
        assert!(alarm.quarantine().is_some());
    }

    #[test]
    fn a_leader_alone_takes_out_no_follower_while_a_third_may_yet_tell() {
        let own = report(1, Role::Follower, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Leader, "b"), own, 3);
        std::thread::sleep(PATIENCE);
        alarm.compare(&report(2, Role::Leader, "b"), own, 3);
        assert_eq!(alarm.quarantine(), None);
        assert!(alarm.is_in_doubt(3));
        // The third comes back, and has what this one has.
        alarm.compare(&report(3, Role::Follower, "a"), own, 3);
        assert_eq!(alarm.quarantine(), None);
        assert!(!alarm.is_in_doubt(3));
        // Or what the leader has.
        alarm.compare(&report(3, Role::Follower, "b"), own, 3);
        assert!(alarm.quarantine().is_some());
        assert!(!alarm.is_in_doubt(3));
    }

    #[test]
    fn three_histories_accuse_nobody() {
        let own = report(1, Role::Follower, "a").state_hash;
        let alarm = Alarm::default();
        alarm.compare(&report(2, Role::Leader, "b"), own, 3);
        alarm.compare(&report(3, Role::Follower, "c"), own, 3);
        std::thread::sleep(PATIENCE);
        alarm.compare(&report(2, Role::Leader, "b"), own, 3);
        assert_eq!(alarm.quarantine(), None);
        assert!(alarm.is_in_doubt(3));
    }

    #[test]
    fn two_agree_only_at_one_revision_and_the_quarantined_are_no_witnesses() {
        let own = report(1, Role::Leader, "a").state_hash;
        let later = |id, revision: u64, payload| Report {
            revision: revision.into(),
            ..report(id, Role::Follower, payload)
        };
        let alarm = Alarm::default();
        for id in [2, 3] {
            let quarantined = Report {
                quarantine: Some("it differs".to_owned()),
                ..report(id, Role::Follower, "b")
            };
            alarm.compare(&quarantined, own, 3);
        }
        assert_eq!(alarm.quarantine(), None);
        assert!(!alarm.is_in_doubt(3), "they serve nothing");
        // Equal once, before the difference: that tells nothing.
        alarm.compare(&later(3, 1, "a"), own, 3);
        alarm.compare(&later(2, 5, "b"), own, 3);
        assert!(alarm.is_in_doubt(3));
        alarm.compare(&later(2, 6, "c"), own, 3);
        alarm.compare(&later(3, 7, "d"), own, 3);
        assert_eq!(alarm.quarantine(), None, "at different revisions");
        alarm.compare(&later(3, 5, "b"), own, 3);
        assert!(alarm.quarantine().is_some(), "both had the same at one");
    }

    #[test]
    fn what_is_kept_of_a_peer_is_bounded() {
        let own = report(1, Role::Leader, "a").state_hash;
        let alarm = Alarm::default();
        for revision in 1..1_000_u64 {
            let report = Report {
                revision: revision.into(),
                ..report(2, Role::Follower, "b")
            };
            alarm.compare(&report, own, 3);
        }
        let compared = lock(&alarm.compared);
        let Some(Compared::Differs { said, .. }) = compared.get(&2) else {
            panic!("it differs");
        };
        assert_eq!(said.len(), KEPT_REPORTS);
    }
}
