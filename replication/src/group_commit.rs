//! Many waiting proposals become one log entry. While one entry is on its way, the next one fills; with nothing on
//! its way a proposal goes at once. There is no linger: an idle system adds no wait, a busy one shares its flushes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, mpsc, oneshot};
use tracing::Instrument;

use crate::acknowledgement::Acknowledger;
use crate::config::{MAX_BATCH_BYTES, MAX_BATCH_PROPOSALS, MAX_WAITING_PROPOSALS};
use crate::consensus::{self, Raft, WriteFault};
use crate::metrics::{Metrics, Queue};
use crate::outcome::{Acknowledgement, Settled};
use crate::proposal::Batch;
use crate::trace::{Step, TraceContext};

/// A proposal, encoded, and the acknowledgement its proposer waits for.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) proposal: Bytes,
    pub(crate) acknowledgement: Acknowledgement,
    /// The trace to follow it in, if it is sampled.
    pub(crate) trace: Option<TraceContext>,
}

/// Why a proposal was not settled here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProposeFault {
    /// This replica does not lead; nothing was written.
    NotLeader,
    /// Too few replicas are in sync; nothing was written.
    NotEnough { in_sync: usize, required: usize },
    /// The queue is full; nothing was written.
    Overloaded,
    /// It may or may not be carried out.
    InDoubt(String),
}

pub(crate) type Answer = Result<Settled, ProposeFault>;
pub(crate) type Seat = (Waiting, oneshot::Sender<Answer>);

/// Whose turn it is: the log's, or nobody's once this replica gives its leadership away.
#[derive(Default)]
struct Turns {
    /// Set while no batch is begun, although this replica may still lead.
    retired: AtomicBool,
    /// Held while a batch is under way.
    batch: Mutex<()>,
}

/// The queue in front of the log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct GroupCommit {
    queue: mpsc::Sender<Seat>,
    turns: Arc<Turns>,
}

impl GroupCommit {
    pub(crate) fn start(
        raft: Raft,
        acknowledger: Arc<Acknowledger>,
        timeout: Duration,
        together: bool,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (queue, seats) = mpsc::channel(MAX_WAITING_PROPOSALS);
        let most = if together { MAX_BATCH_PROPOSALS } else { 1 };
        let turns = Arc::<Turns>::default();
        tokio::spawn(run(
            raft,
            acknowledger,
            seats,
            timeout,
            most,
            turns.clone(),
            metrics,
        ));
        Self { queue, turns }
    }

    /// Begins no batch from now on: proposals are told to find another leader.
    pub(crate) fn retire(&self) {
        self.turns.retired.store(true, Ordering::Release);
    }

    /// Resolves when no batch is under way.
    pub(crate) async fn rest(&self) {
        drop(self.turns.batch.lock().await);
    }

    /// Takes [`GroupCommit::retire`] back.
    pub(crate) fn resume(&self) {
        self.turns.retired.store(false, Ordering::Release);
    }

    /// What waits for its turn.
    pub(crate) fn queue(&self) -> Queue {
        Queue::of("proposals", &self.queue)
    }

    /// Puts a proposal into the log and waits until it is settled.
    pub(crate) async fn submit(&self, waiting: Waiting) -> Answer {
        let (answer, settled) = oneshot::channel();
        self.queue
            .try_send((waiting, answer))
            .map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => ProposeFault::Overloaded,
                mpsc::error::TrySendError::Closed(_) => ProposeFault::NotLeader,
            })?;
        settled.await.unwrap_or_else(|_dropped| {
            Err(ProposeFault::InDoubt("the replica is stopping".to_owned()))
        })
    }
}

async fn run(
    raft: Raft,
    acknowledger: Arc<Acknowledger>,
    mut seats: mpsc::Receiver<Seat>,
    timeout: Duration,
    most: usize,
    turns: Arc<Turns>,
    metrics: Arc<Metrics>,
) {
    let mut held_back: Option<Seat> = None;
    loop {
        let first = match held_back.take() {
            Some(seat) => seat,
            None => match seats.recv().await {
                Some(seat) => seat,
                None => return,
            },
        };
        let mut bytes = first.0.proposal.len();
        let mut batch = vec![first];
        while batch.len() < most {
            let Ok(next) = seats.try_recv() else { break };
            bytes += next.0.proposal.len();
            if bytes > MAX_BATCH_BYTES {
                held_back = Some(next);
                break;
            }
            batch.push(next);
        }
        // Judged once a batch, before anything is written.
        let _turn = turns.batch.lock().await;
        let admitted = if turns.retired.load(Ordering::Acquire) {
            Err(ProposeFault::NotLeader)
        } else {
            acknowledger.admit().await
        };
        if let Err(fault) = admitted {
            batch
                .into_iter()
                .for_each(|(_, answer)| send(answer, Err(fault.clone())));
            continue;
        }
        let proposals: Vec<Bytes> = batch
            .iter()
            .map(|(waiting, _)| waiting.proposal.clone())
            .collect();
        metrics.batched(&proposals);
        let step = Step::begin(
            "commit",
            batch.iter().filter_map(|(waiting, _)| waiting.trace),
        );
        step.note("log.proposals", batch.len() as u64);
        let entry = Batch::new(acknowledger.formats().log, proposals).traced(step.contexts());
        failpoint!("batch.begin");
        #[cfg(feature = "failpoints")]
        let batch = match sabotaged!("sabotage.answer-before-commit") {
            true => acknowledger.answer_early(batch).await,
            false => batch,
        };
        let written = consensus::write(&raft, entry, timeout);
        let written = written.instrument(step.span()).await;
        failpoint!("batch.settled");
        match written {
            Ok((log_id, outcomes)) => {
                step.note("log.index", log_id.index);
                let mut settled = Vec::with_capacity(batch.len());
                let outcomes = outcomes.into_iter().chain(std::iter::repeat(None));
                for ((waiting, answer), outcome) in batch.into_iter().zip(outcomes) {
                    match outcome {
                        Some(outcome) => settled.push((waiting.acknowledgement, outcome, answer)),
                        None => {
                            let lost = "the outcome was lost in a failure of the database";
                            send(answer, Err(ProposeFault::InDoubt(lost.to_owned())));
                        }
                    }
                }
                acknowledger.clone().settle(log_id.index, settled);
            }
            Err(fault) => {
                step.fail();
                let fault = match fault {
                    WriteFault::NotLeader => ProposeFault::NotLeader,
                    WriteFault::InDoubt => {
                        ProposeFault::InDoubt("the log did not answer in time".to_owned())
                    }
                    WriteFault::Stopped(reason) => ProposeFault::InDoubt(reason),
                };
                batch
                    .into_iter()
                    .for_each(|(_, answer)| send(answer, Err(fault.clone())));
            }
        }
    }
}

/// The proposer may have stopped waiting.
pub(crate) fn send(answer: oneshot::Sender<Answer>, settled: Answer) {
    let _gone = answer.send(settled);
}
