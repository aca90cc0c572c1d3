//! One comparison, by the replica that was asked for it.

mod accuse;
mod collect;
mod hold;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::future::join_all;
use threefold_entity::Revision;

use super::ask::{Unanswered, ask};
use super::digest::Digest;
use super::judgement::{Judgement, Jury, judge};
use super::message::{Answer, Asked, Conclusion};
use super::under_way::UnderWay;
use super::{TablesState, Verification, VerificationState};
use crate::consensus;
use crate::running::Running;

/// Longest wait for a leader that takes the checkpoint.
const LEADER_PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two questions to the same replica.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
type Digests = BTreeMap<u64, Digest>;

/// Carries it out, and publishes how far it is.
pub(super) async fn run(running: Arc<Running>, verification: Verification, under_way: UnderWay) {
    let held = hold::Held::default();
    let (asking, checkpoint) = (running.clone(), verification.id);
    let touch = |id: u64| {
        let running = asking.clone();
        async move {
            let asked = Asked::Progress { checkpoint };
            let _news = ask(&running, id, &asked, TIMEOUT).await;
        }
    };
    let round = Round {
        running,
        verification,
        under_way,
    };
    tokio::select! {
        () = round.carry_out(&held) => {}
        () = hold::hold(&held, hold::PAUSE, touch) => {}
    }
}

struct Round {
    running: Arc<Running>,
    verification: Verification,
    under_way: UnderWay,
}

impl Round {
    async fn carry_out(mut self, held: &hold::Held) {
        let digests = match self.checkpoint().await {
            Ok(index) => self.collect(index, held).await,
            Err(reason) => {
                self.verification.reason = Some(reason);
                Digests::new()
            }
        };
        let jury = self.jury();
        let judgement = {
            let digests: BTreeMap<u64, &Digest> = digests.iter().map(|(id, d)| (*id, d)).collect();
            let judgement = judge(&digests, &jury);
            self.accuse(&digests, &judgement, &jury).await;
            judgement
        };
        self.name_rows(&digests, &judgement).await;
        self.conclude(&judgement).await;
    }

    /// Whose digests count: of all that were members when it began.
    fn jury(&self) -> Jury {
        let replicas = self.verification.replicas.iter();
        let members: BTreeSet<u64> = replicas.map(|replica| replica.id).collect();
        let is_quarantined = |id: &u64| match *id {
            id if id == self.running.config.id => self.running.alarm.quarantine().is_some(),
            id => {
                let peer = self.running.board.peer(id);
                peer.is_some_and(|peer| peer.report.quarantine.is_some())
            }
        };
        Jury {
            quarantined: members.iter().copied().filter(is_quarantined).collect(),
            members,
            leader: consensus::view(&self.running.raft).leader,
        }
    }

    fn publish(&self) {
        self.under_way.publish(self.verification.clone());
    }

    async fn ask(&self, to: u64, asked: &Asked, timeout: Duration) -> Result<Answer, Unanswered> {
        ask(&self.running, to, asked, timeout).await
    }

    /// Has the leader put the checkpoint into the log.
    async fn checkpoint(&self) -> Result<u64, String> {
        let begun = Instant::now();
        let checkpoint = self.verification.id;
        let asked = Asked::Begin { checkpoint };
        let mut last = "there is no leader at the moment; try again".to_owned();
        while begun.elapsed() < LEADER_PATIENCE {
            if let Some(leader) = consensus::view(&self.running.raft).leader {
                match self.ask(leader, &asked, TIMEOUT * 2).await {
                    Ok(Answer::Begun { index }) => return Ok(index),
                    Ok(_) => return Err("the leader's answer cannot be read".to_owned()),
                    Err(Unanswered::Refused(reason)) => return Err(reason),
                    Err(Unanswered::Unreachable(reason)) => last = reason,
                    Err(Unanswered::NotLeader) => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(last)
    }

    /// Says what it came to: to whoever asked, and to all replicas.
    async fn conclude(&mut self, judgement: &Judgement) {
        let replicas = &mut self.verification.replicas;
        for replica in replicas.iter_mut() {
            if replica.state == TablesState::Pending {
                replica.state = TablesState::Unanswered;
            }
        }
        let unanswered =
            |replica: &&super::VerifiedReplica| replica.state == TablesState::Unanswered;
        let at_large = |replica: &&super::VerifiedReplica| {
            replica.state == TablesState::Differs && !replica.quarantined
        };
        let conclusion = Conclusion {
            revision: self.verification.revision.map_or(0, Revision::get),
            differing: judgement.wrong.len() as u64,
            undecided: !judgement.undecided.is_empty(),
            unanswered: replicas.iter().filter(unanswered).count() as u64,
            at_large: replicas.iter().filter(at_large).count() as u64,
        };
        self.verification.state = if conclusion.undecided {
            VerificationState::Undecided
        } else if conclusion.differing > 0 {
            VerificationState::Differs
        } else if conclusion.is_equal() {
            VerificationState::Equal
        } else {
            VerificationState::Incomplete
        };
        self.verification.ended_at = Some(Utc::now());
        tracing::info!(
            revision = conclusion.revision,
            differing = conclusion.differing,
            undecided = conclusion.undecided,
            unanswered = conclusion.unanswered,
            at_large = conclusion.at_large,
            "the tables of the replicas have been compared"
        );
        self.publish();
        if self.verification.log_index.is_some() {
            let asked = Asked::Release {
                checkpoint: self.verification.id,
                conclusion,
            };
            let ids: Vec<u64> = self
                .verification
                .replicas
                .iter()
                .map(|replica| replica.id)
                .collect();
            let tell = async |id: u64| {
                if self.ask(id, &asked, TIMEOUT).await.is_err() {
                    tracing::debug!(id, "a replica was not told how the comparison ended");
                }
            };
            join_all(ids.into_iter().map(tell)).await;
        }
    }
}
