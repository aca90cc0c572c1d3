//! One comparison, by the replica that was asked for it.

mod accuse;
mod collect;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::future::join_all;
use threefold_entity::Revision;

use super::ask::{Unanswered, ask};
use super::digest::Digest;
use super::judgement::{Judgement, judge};
use super::message::{Answer, Asked, Conclusion};
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
pub(super) async fn run(running: Arc<Running>, verification: Verification) {
    let mut round = Round {
        running,
        verification,
    };
    let digests = match round.checkpoint().await {
        Ok(index) => round.collect(index).await,
        Err(reason) => {
            round.verification.reason = Some(reason);
            Digests::new()
        }
    };
    let leader = consensus::view(&round.running.raft).leader;
    let judgement = {
        let digests: BTreeMap<u64, &Digest> = digests.iter().map(|(id, d)| (*id, d)).collect();
        let judgement = judge(&digests, leader);
        round.accuse(&digests, &judgement, leader).await;
        judgement
    };
    round.name_rows(&digests, &judgement).await;
    round.conclude(&judgement).await;
}

struct Round {
    running: Arc<Running>,
    verification: Verification,
}

impl Round {
    fn publish(&self) {
        let verification = Some(self.verification.clone());
        self.running.verifier.last.send_replace(verification);
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
        let conclusion = Conclusion {
            revision: self.verification.revision.map_or(0, Revision::get),
            differing: judgement.wrong.len() as u64,
            undecided: !judgement.undecided.is_empty(),
            unanswered: replicas.iter().filter(unanswered).count() as u64,
        };
        self.verification.state = if conclusion.differing > 0 || conclusion.undecided {
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
