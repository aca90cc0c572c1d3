//! Linearizable reads: the leader confirms that it leads, and a read waits until its replica has applied what was
//! committed then. Reads that wait at the same moment share one round; a read joins only a round that starts after it
//! came. Source: Raft dissertation, section 6.4 (ReadIndex).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::config::MAX_WAITING_READS;
use crate::consensus::{self, Raft};
use crate::metrics::Queue;
use crate::peer::{PeerMethod, decode, encode};
use crate::status::Role;
use crate::wire::Wire;

/// Pause before a round is tried again, when there is no leader to ask.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

type Seat = oneshot::Sender<Option<u64>>;

/// The queue in front of the rounds. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ReadBarrier {
    queue: mpsc::Sender<Seat>,
}

/// Why there is no read index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BarrierFault {
    Overloaded,
    Stopping,
}

impl ReadBarrier {
    pub(crate) fn start(raft: Raft, wire: Arc<Wire>, timeout: Duration) -> Self {
        let (queue, seats) = mpsc::channel(MAX_WAITING_READS);
        tokio::spawn(run(raft, wire, seats, timeout));
        Self { queue }
    }

    /// What waits for its turn.
    pub(crate) fn queue(&self) -> Queue {
        Queue::of("reads", &self.queue)
    }

    /// The log position that a read must have seen; none if nothing was ever written. Waits as long as it takes: the
    /// caller bounds it.
    pub(crate) async fn read_index(&self) -> Result<Option<u64>, BarrierFault> {
        let (seat, index) = oneshot::channel();
        self.queue.try_send(seat).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => BarrierFault::Overloaded,
            mpsc::error::TrySendError::Closed(_) => BarrierFault::Stopping,
        })?;
        index.await.map_err(|_dropped| BarrierFault::Stopping)
    }
}

async fn run(raft: Raft, wire: Arc<Wire>, mut seats: mpsc::Receiver<Seat>, timeout: Duration) {
    let mut waiting: Vec<Seat> = Vec::new();
    loop {
        if waiting.is_empty() {
            match seats.recv().await {
                Some(seat) => waiting.push(seat),
                None => return,
            }
        }
        while let Ok(seat) = seats.try_recv() {
            waiting.push(seat);
        }
        waiting.retain(|seat| !seat.is_closed());
        if waiting.is_empty() {
            continue;
        }
        match round(&raft, &wire, timeout).await {
            Some(index) => waiting.drain(..).for_each(|seat| {
                let _gone = seat.send(index);
            }),
            None => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
}

async fn round(raft: &Raft, wire: &Wire, timeout: Duration) -> Option<Option<u64>> {
    let view = consensus::view(raft);
    if view.role == Role::Leader {
        return consensus::read_index(raft, timeout).await;
    }
    let leader = view.leader?;
    let answer = wire
        .call(leader, None, PeerMethod::ReadIndex, encode(&()), timeout)
        .await;
    match answer {
        Ok(bytes) => decode(&bytes).ok(),
        Err(error) => {
            tracing::debug!(%error, "the leader gave no read index");
            None
        }
    }
}
