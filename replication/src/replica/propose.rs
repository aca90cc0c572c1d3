//! From a caller to the leader, and back with an answer that can be trusted.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::Replica;
use crate::command::Command;
use crate::config::{MAX_PROPOSAL_BYTES, MAX_WAITING_PROPOSALS};
use crate::consensus;
use crate::error::ServiceError;
use crate::group_commit::{ProposeFault, Waiting};
use crate::metrics::outcome_of;
use crate::outcome::{Acknowledgement, Settled, Verdict};
use crate::peer::encode;
use crate::proposal::Proposal;
use crate::status::Role;
use crate::trace::{TARGET, TraceContext};

/// Pause before a proposal looks for a leader again.
pub(super) const LEADER_PAUSE: Duration = Duration::from_millis(20);
type Attempt = BoxFuture<'static, Result<Settled, ProposeFault>>;

impl Replica {
    /// Has a command carried out by the cluster, from whichever replica, exactly once.
    ///
    /// `key` is the client's idempotency key, if it gave one: the same key with the same command is carried out once
    /// and answered alike. `actor` is on whose behalf. Waits for a leader and for the acknowledgement asked for, at
    /// most `write_timeout`.
    ///
    /// # Errors
    /// Faults of the service. [`ServiceError::InDoubt`] is the only one after which the command may be carried out.
    #[tracing::instrument(target = TARGET, level = "info", skip_all)]
    pub async fn propose(
        &self,
        command: Command,
        key: Option<Uuid>,
        actor: &str,
        acknowledgement: Acknowledgement,
    ) -> Result<Settled, ServiceError> {
        let quorum = acknowledgement == Acknowledgement::Quorum;
        let begun = self.inner.metrics.proposals.begin(quorum);
        let settled = self.carry_out(command, key, actor, acknowledgement).await;
        match &settled {
            Ok(settled) => begun.settled(match settled.outcome.verdict {
                Verdict::Accepted { .. } => "accepted",
                Verdict::Refused(_) => "refused",
            }),
            Err(error) => begun.failed(outcome_of(error)),
        }
        settled
    }

    async fn carry_out(
        &self,
        command: Command,
        key: Option<Uuid>,
        actor: &str,
        acknowledgement: Acknowledgement,
    ) -> Result<Settled, ServiceError> {
        let proposal = Proposal::new(command, key, actor);
        let key = proposal.key;
        let waiting = Waiting {
            proposal: encode(&proposal),
            acknowledgement,
            trace: TraceContext::current(),
        };
        let size = waiting.proposal.len();
        if size > MAX_PROPOSAL_BYTES {
            return Err(ServiceError::TooLarge {
                size,
                limit: MAX_PROPOSAL_BYTES,
            });
        }
        let wait = self.inner.config.write_timeout;
        let deadline = Instant::now() + wait;
        // Once an attempt may have reached a log, no answer may claim that nothing was written.
        let mut in_doubt = false;
        while Instant::now() < deadline {
            let attempt = match self.attempt(&waiting) {
                Ok(Some(attempt)) => attempt,
                Err(_) if in_doubt => break,
                Err(error) => return Err(error),
                Ok(None) => {
                    tokio::time::sleep(LEADER_PAUSE).await;
                    continue;
                }
            };
            match timeout_at(deadline, attempt).await {
                Ok(Ok(_settled)) if sabotaged!("sabotage.refuse-after-write") => {
                    return Err(ServiceError::NotEnoughReplicas {
                        in_sync: 1,
                        required: 2,
                    });
                }
                Ok(Ok(settled)) => return Ok(settled),
                Ok(Err(ProposeFault::NotEnough { in_sync, required })) if !in_doubt => {
                    return Err(ServiceError::NotEnoughReplicas { in_sync, required });
                }
                Ok(Err(ProposeFault::Overloaded)) if !in_doubt => {
                    return Err(ServiceError::Overloaded(MAX_WAITING_PROPOSALS));
                }
                Ok(Err(ProposeFault::InDoubt(reason))) => {
                    tracing::debug!(%reason, "a proposal is in doubt, sending it again under its key");
                    self.inner.metrics.proposals_repeated.inc();
                    in_doubt = true;
                }
                Ok(Err(_)) => {}
                Err(_elapsed) => in_doubt = true,
            }
            tokio::time::sleep(LEADER_PAUSE).await;
        }
        Err(if in_doubt {
            ServiceError::InDoubt { key, waited: wait }
        } else {
            ServiceError::NoLeader(wait)
        })
    }

    /// One attempt, if there is somebody to attempt it with.
    fn attempt(&self, waiting: &Waiting) -> Result<Option<Attempt>, ServiceError> {
        let Some(running) = self.serving()? else {
            return Ok(None);
        };
        let view = consensus::view(&running.raft);
        let (running, waiting) = (running.clone(), waiting.clone());
        Ok(match view.leader {
            Some(leader) if leader == self.id() && view.role == Role::Leader => {
                Some(async move { running.group.submit(waiting).await }.boxed())
            }
            Some(leader) if leader != self.id() => {
                Some(async move { running.forwarder.submit(leader, waiting).await }.boxed())
            }
            _ => None,
        })
    }
}
