//! How a replica leaves the membership. One that is lost is left out. One that lives loses its vote first, and is then told
//! to stop: it still receives the log while it finishes what its clients have begun. What is wanted is noted in the
//! membership, so that whoever leads goes on with it ([`admission`](crate::admission)).

use std::time::{Duration, Instant};

use crate::consensus::{self, Membership, Wanted};
use crate::peer::{Envelope, PeerFault, PeerMethod, encode};
use crate::replica::{Fault, Replica};
use crate::running::Running;

/// How long a replica that was told to stop may take to finish what it has begun.
const FAREWELL: Duration = Duration::from_secs(10);
/// Pause between two looks whether it is gone.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest wait for it to hear that it is to stop.
const DISMISSAL: Duration = Duration::from_secs(1);

/// Takes a replica other than the leader itself out of the membership, as the leader.
///
/// # Errors
/// Why that could not be done now, for people. What is wanted stays noted where it was noted already.
pub(crate) async fn leave(running: &Running, id: u64) -> Result<(), String> {
    let raft = &running.raft;
    let node = consensus::membership(raft).nodes.remove(&id);
    let Some(node) = node else { return Ok(()) };
    let change = async |change| consensus::change_membership(raft, change).await;
    if running.board.hears(id) {
        if node.wanted != Some(Wanted::Gone) {
            change(Membership::Want(id, Wanted::Gone)).await?;
        }
        if consensus::view(raft).voters.contains(&id) {
            change(Membership::Demote(id)).await?;
        }
        dismiss(running, id).await;
    }
    // A voter that fell silent meanwhile, or always was, is left out in the two steps that a vote takes.
    change(Membership::Remove(id)).await?;
    tracing::info!(replica_id = id, "replica {id} has left the membership");
    Ok(())
}

/// Tells a replica to stop, and waits a while until it has.
async fn dismiss(running: &Running, id: u64) {
    let begun = Instant::now();
    let mut told = false;
    while running.board.hears(id) && begun.elapsed() < FAREWELL {
        if !told {
            let call = running
                .wire
                .call(id, None, PeerMethod::Dismiss, encode(&()), DISMISSAL);
            match call.await {
                Ok(_) => told = true,
                Err(error) => tracing::debug!(%error, "a replica was not told that it leaves"),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Replica {
    /// Stops, because the leader says that this replica leaves.
    pub(crate) fn dismissed(
        &self,
        running: &Running,
        envelope: &Envelope,
    ) -> Result<bytes::Bytes, PeerFault> {
        let leader = consensus::view(&running.raft).leader;
        if leader != Some(envelope.from) {
            return Err(PeerFault::NotLeader(envelope.from, leader));
        }
        self.fail(left(running));
        Ok(encode(&()))
    }
}

/// What a replica says that has left the membership.
pub(crate) fn left(running: &Running) -> Fault {
    let id = running.config.id;
    let cluster_id = running.identity.cluster_id;
    Fault(format!(
        "replica {id} is no longer in the membership of cluster {cluster_id}: it was removed or replaced, and what it has is not needed \
         any more. To let it take part again, empty its data folder and its database and start it; a leader whose --peer flags name \
         it takes it in, and so does `threefold cluster add {id} --url URL --voter`, with its peer address and the settings of \
         another replica"
    ))
}
