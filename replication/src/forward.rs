//! Proposals on their way from this replica to the leader: what waits goes together, a few calls at a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tracing::Instrument;

use crate::config::{MAX_BATCH_BYTES, MAX_BATCH_PROPOSALS, MAX_WAITING_PROPOSALS};
use crate::consensus::{self, Raft};
use crate::group_commit::{ProposeFault, Waiting, send};
use crate::metrics::Queue;
use crate::outcome::{Acknowledgement, Settled};
use crate::peer::{PeerError, PeerFault, PeerMethod, ServiceFault, decode, encode};
use crate::trace::{self, TraceContext};
use crate::wire::Wire;

/// Calls to the leader at a time. Each waits for the acknowledgement of its proposals, so one would not do.
const CALLS_AT_A_TIME: usize = 8;

/// What a follower sends to the leader.
#[derive(Serialize, Deserialize)]
pub(crate) struct ForwardedProposals {
    pub(crate) proposals: Vec<(Bytes, Acknowledgement)>,
    /// The trace of each, in the same order; empty where none is sampled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) traces: Vec<Option<TraceContext>>,
}

/// What the leader answers: one settlement a proposal, in order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ForwardedAnswers {
    pub(crate) answers: Vec<Result<Settled, ForwardedFault>>,
}

/// A [`ProposeFault`] as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ForwardedFault {
    NotLeader,
    NotEnough { in_sync: usize, required: usize },
    Overloaded,
    InDoubt(String),
}

impl From<ProposeFault> for ForwardedFault {
    fn from(fault: ProposeFault) -> Self {
        match fault {
            ProposeFault::NotLeader => Self::NotLeader,
            ProposeFault::NotEnough { in_sync, required } => Self::NotEnough { in_sync, required },
            ProposeFault::Overloaded => Self::Overloaded,
            ProposeFault::InDoubt(reason) => Self::InDoubt(reason),
        }
    }
}

impl From<ForwardedFault> for ProposeFault {
    fn from(fault: ForwardedFault) -> Self {
        match fault {
            ForwardedFault::NotLeader => Self::NotLeader,
            ForwardedFault::NotEnough { in_sync, required } => {
                Self::NotEnough { in_sync, required }
            }
            ForwardedFault::Overloaded => Self::Overloaded,
            ForwardedFault::InDoubt(reason) => Self::InDoubt(reason),
        }
    }
}

type Answer = Result<Settled, ProposeFault>;
type Seat = (u64, Waiting, oneshot::Sender<Answer>);

/// The queue in front of the leader's peer endpoint. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Forwarder {
    queue: mpsc::Sender<Seat>,
}

impl Forwarder {
    pub(crate) fn start(raft: Raft, wire: Arc<Wire>, timeout: Duration) -> Self {
        let (queue, seats) = mpsc::channel(MAX_WAITING_PROPOSALS);
        tokio::spawn(run(raft, wire, seats, timeout));
        Self { queue }
    }

    /// What waits for its turn.
    pub(crate) fn queue(&self) -> Queue {
        Queue::of("forwarded", &self.queue)
    }

    /// Sends a proposal to the leader and waits until it is settled.
    pub(crate) async fn submit(&self, leader: u64, waiting: Waiting) -> Answer {
        let (answer, settled) = oneshot::channel();
        self.queue
            .try_send((leader, waiting, answer))
            .map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => ProposeFault::Overloaded,
                mpsc::error::TrySendError::Closed(_) => ProposeFault::NotLeader,
            })?;
        settled.await.unwrap_or_else(|_dropped| {
            Err(ProposeFault::InDoubt("the replica is stopping".to_owned()))
        })
    }
}

async fn run(raft: Raft, wire: Arc<Wire>, mut seats: mpsc::Receiver<Seat>, timeout: Duration) {
    let calls = Arc::new(Semaphore::new(CALLS_AT_A_TIME));
    let mut held_back: Option<Seat> = None;
    loop {
        // Waiting for a free call first lets more proposals gather.
        let Ok(permit) = calls.clone().acquire_owned().await else {
            return;
        };
        let first = match held_back.take() {
            Some(seat) => seat,
            None => match seats.recv().await {
                Some(seat) => seat,
                None => return,
            },
        };
        let leader = first.0;
        let mut bytes = first.1.proposal.len();
        let mut together = vec![first];
        while together.len() < MAX_BATCH_PROPOSALS {
            let Ok(next) = seats.try_recv() else { break };
            bytes += next.1.proposal.len();
            if next.0 != leader || bytes > MAX_BATCH_BYTES {
                held_back = Some(next);
                break;
            }
            together.push(next);
        }
        let (raft, wire) = (raft.clone(), wire.clone());
        tokio::spawn(async move {
            deliver(&raft, &wire, leader, together, timeout).await;
            drop(permit);
        });
    }
}

async fn deliver(raft: &Raft, wire: &Wire, leader: u64, together: Vec<Seat>, timeout: Duration) {
    let proposals = together
        .iter()
        .map(|(_, waiting, _)| (waiting.proposal.clone(), waiting.acknowledgement))
        .collect();
    let mut traces: Vec<_> = together
        .iter()
        .map(|(_, waiting, _)| waiting.trace)
        .collect();
    let span = trace::call("peer propose", leader, traces.iter().flatten().copied());
    if traces.iter().all(Option::is_none) {
        traces.clear();
    }
    let request = encode(&ForwardedProposals { proposals, traces });
    let view = consensus::view(raft);
    if view.leader != Some(leader) {
        // It was deposed while these waited; nothing has been sent.
        return fail(together, &ProposeFault::NotLeader);
    }
    let answer = tokio::select! {
        answer = wire.call(leader, None, PeerMethod::Propose, request, timeout).instrument(span.clone()) => answer,
        // A leader that fell silent would hold these for the whole timeout, while another one is at work.
        () = consensus::superseded(raft, Some(leader), view.term) => {
            return fail(together, &ProposeFault::InDoubt("the leader changed".to_owned()));
        }
    };
    let answers = answer.and_then(|bytes| {
        let refused = |fault| PeerError::Refused {
            peer: leader,
            fault,
        };
        decode::<ForwardedAnswers>(&bytes).map_err(refused)
    });
    failpoint!("forward.sent");
    match answers {
        Ok(ForwardedAnswers { answers }) if answers.len() == together.len() => {
            for ((_, _, seat), answer) in together.into_iter().zip(answers) {
                send(seat, answer.map_err(ProposeFault::from));
            }
        }
        Ok(_) => fail(
            together,
            &ProposeFault::InDoubt("the leader's answer does not fit".to_owned()),
        ),
        Err(error) => {
            trace::fail(&span);
            fail(together, &fault_of(error));
        }
    }
}

fn fail(together: Vec<Seat>, fault: &ProposeFault) {
    together
        .into_iter()
        .for_each(|(_, _, seat)| send(seat, Err(fault.clone())));
}

fn fault_of(error: PeerError) -> ProposeFault {
    match error {
        PeerError::Refused {
            fault: PeerFault::NotLeader(..) | PeerFault::Malformed(_),
            ..
        } => ProposeFault::NotLeader,
        PeerError::Refused {
            fault: PeerFault::Service(fault),
            ..
        } => match fault {
            ServiceFault::NotEnoughReplicas { in_sync, required } => {
                ProposeFault::NotEnough { in_sync, required }
            }
            ServiceFault::Overloaded(_) => ProposeFault::Overloaded,
            ServiceFault::Unavailable(_) => ProposeFault::NotLeader,
        },
        PeerError::NotSent { .. } => ProposeFault::NotLeader,
        // The call may have arrived.
        error => ProposeFault::InDoubt(error.to_string()),
    }
}
