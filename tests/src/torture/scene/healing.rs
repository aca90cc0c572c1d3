//! Undoing what faults have left, until the cluster is whole again; or saying what it lacks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;

use super::Scene;
use crate::cluster::LEADER_TIMEOUT;
use crate::wait::{Unreached, reach};

/// How often a replica may end by itself meanwhile: one that a fault had caught takes some seconds to stop.
const MOST_STARTS: usize = 4;
const POLL: Duration = Duration::from_millis(100);
/// Longest wait for an answered write once everything was undone.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(30);
/// What counts as writes being answered.
const PROGRESS: Duration = Duration::from_secs(1);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// The cluster does not become whole again, although everything was undone: a broken promise, which ends the run.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unhealed(pub String);

impl From<Unreached> for Unhealed {
    fn from(unreached: Unreached) -> Self {
        Self(unreached.to_string())
    }
}

/// What a replica was and said when a run was given up.
#[derive(Debug, Serialize)]
pub struct LastWords {
    /// The replica.
    pub replica: u16,
    /// Whether it ran, and how it saw itself and the others.
    pub status: String,
    /// The end of its log.
    pub log: Vec<String>,
}

/// How often replicas were started since something began.
pub(super) type Starts = BTreeMap<u16, usize>;

impl Scene {
    /// Undoes all that faults have left: whoever is down is started, until all members serve.
    ///
    /// # Errors
    /// They do not in time, or do not stay up.
    pub async fn restore(&self) -> Result<(), Unhealed> {
        self.cluster.links().heal();
        self.thaw();
        self.count_failpoints().await;
        self.reset_failpoints().await;
        let begun = Instant::now();
        let mut starts = Starts::new();
        loop {
            self.start_all_but(&[], &mut starts)?;
            let ready = join_all(self.replicas().iter().map(|r| r.is_ready())).await;
            if ready.iter().all(|ready| *ready) {
                return Ok(());
            }
            if begun.elapsed() >= self.heal_within {
                let (members, limit) = (self.members(), self.heal_within);
                let reason =
                    format!("not all of {members:?} serve again after {limit:?}: {ready:?}");
                return Err(Unhealed(reason));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Starts members that are down, but for some.
    pub(super) fn start_all_but(
        &self,
        exceptions: &[u16],
        starts: &mut Starts,
    ) -> Result<(), Unhealed> {
        let replicas = self.replicas().into_iter();
        for replica in replicas.filter(|r| !exceptions.contains(&r.id()) && !r.is_running()) {
            let id = replica.id();
            let started = starts.entry(id).or_default();
            *started += 1;
            if *started > MOST_STARTS {
                return Err(Unhealed(format!("replica {id} does not stay up")));
            }
            self.start(id);
        }
        Ok(())
    }

    /// Waits until every member sees exactly the members there are to be, all of them with a vote and in sync, and writes are
    /// answered.
    ///
    /// # Errors
    /// It does not come to that in time.
    pub async fn become_whole(&self) -> Result<(), Unhealed> {
        let mut wanted: Vec<String> = self.members().iter().map(u16::to_string).collect();
        wanted.sort();
        let what = format!("replicas {wanted:?}, and no other, to vote and be in sync");
        reach(&what, LEADER_TIMEOUT, async || {
            for replica in self.replicas() {
                let client = replica.client().local().with_timeout(ANSWER_TIMEOUT);
                let views = client.replicas().await;
                let views = views.map_err(|error| format!("{}: {error}", replica.id()))?;
                let mut seen: Vec<String> = views.iter().map(|view| view.id.clone()).collect();
                seen.sort();
                let well = views.iter().all(|v| v.in_sync && v.role != "LEARNER");
                if seen != wanted || !well {
                    return Err(format!("replica {} sees {views:?}", replica.id()));
                }
            }
            Ok(())
        })
        .await?;
        let answered = reach(
            "a write to be answered",
            PROGRESS_TIMEOUT,
            async || match self.silence() {
                silence if silence < PROGRESS => Ok(()),
                silence => Err(format!("none for {silence:?}")),
            },
        );
        Ok(answered.await?)
    }

    /// What everybody is and has said, for whoever has to find out why the cluster does not become whole.
    pub async fn last_words(&self) -> Vec<LastWords> {
        let everybody = self.cluster.everybody().iter();
        let said = everybody.map(async |replica| LastWords {
            replica: replica.id(),
            status: match replica.is_running() {
                true => {
                    let client = replica.client().local().with_timeout(ANSWER_TIMEOUT);
                    match client.replicas().await {
                        Ok(views) => format!("it sees {views:?}"),
                        Err(error) => format!("it runs, and gives no status: {error}"),
                    }
                }
                false => "it does not run".to_owned(),
            },
            log: replica.log_tail(),
        });
        join_all(said).await
    }
}
