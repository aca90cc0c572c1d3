//! How a replica whose data is lost leaves the membership, so that an empty one can take its place.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::consensus::{self, Membership, RaftView};
use crate::formation;
use crate::metrics::Metrics;
use crate::peer::{PeerError, PeerFault, PeerMethod, PeerTransport, decode, encode};
use crate::replica::Fault;
use crate::running::Running;
use crate::status::Role;
use crate::wire::Wire;

/// Longest wait for the leader: the membership changes in two log entries.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What is asked of the leader.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    /// The replica that is to leave.
    replica_id: u64,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Removed {
    /// It has left.
    Done,
    /// It has not, and why; for people.
    Refused(String),
}

/// Asks the leader, whichever of the configured replicas that is, to remove a replica that is lost.
///
/// # Errors
/// No leader that answers, or its refusal.
pub async fn remove(
    config: &Config,
    transport: Arc<dyn PeerTransport>,
    replica_id: u64,
) -> Result<(), Fault> {
    let metrics = Arc::new(Metrics::new(config.id, &config.peers));
    let (mut last, mut no_leader) = (None, false);
    for peer in &config.peers {
        let wire = Wire::new(transport.clone(), config.id, &config.peers, metrics.clone());
        let answer = match formation::hello(&wire, peer.id).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "a replica does not answer");
                continue;
            }
        };
        let Some(cluster_id) = answer.cluster_id else {
            continue;
        };
        wire.joined(cluster_id);
        let asked = encode(&Removal { replica_id });
        match wire
            .call(peer.id, None, PeerMethod::Remove, asked, TIMEOUT)
            .await
        {
            Ok(answer) => {
                return match decode(&answer).map_err(|e| Fault(e.to_string()))? {
                    Removed::Done => Ok(()),
                    Removed::Refused(reason) => Err(Fault(reason)),
                };
            }
            Err(PeerError::Refused {
                fault: PeerFault::NotLeader(..),
                ..
            }) => no_leader = true,
            Err(error) => last = Some(Fault(error.to_string())),
        }
    }
    Err(match last {
        Some(fault) => fault,
        None if no_leader => Fault("there is no leader at the moment; try again".to_owned()),
        None => Fault("no replica of the cluster answers".to_owned()),
    })
}

/// Answers [`remove`] on the leader.
pub(crate) async fn serve(running: &Running, removal: Removal) -> Result<Bytes, PeerFault> {
    let view = consensus::view(&running.raft);
    if view.role != Role::Leader {
        return Err(PeerFault::NotLeader(running.config.id, view.leader));
    }
    let Removal { replica_id } = removal;
    let is_reachable = |id: u64| running.board.peer(id).is_some_and(|peer| peer.reachable);
    let removed = if !view.members.contains(&replica_id) {
        Removed::Refused(format!("replica {replica_id} is not in the membership"))
    } else if replica_id == running.config.id || is_reachable(replica_id) {
        Removed::Refused(format!(
            "replica {replica_id} is alive; stop it first, and be sure that it does not come back with what it has"
        ))
    } else if !can_go_on(&view, running.config.id, replica_id, is_reachable) {
        Removed::Refused(format!(
            "without replica {replica_id} too few are alive to change the membership; start the others first. If they are \
             lost for good: threefold cluster recover"
        ))
    } else {
        match consensus::change_membership(&running.raft, Membership::Remove(replica_id)).await {
            Ok(()) => {
                tracing::info!(
                    replica_id,
                    "replica {replica_id} has been removed from the membership"
                );
                Removed::Done
            }
            Err(reason) => Removed::Refused(format!(
                "the membership could not be changed: {reason}; try again"
            )),
        }
    };
    Ok(encode(&removed))
}

/// True where majorities with the replica and without it are alive: a change needs both.
fn can_go_on(view: &RaftView, own: u64, lost: u64, is_reachable: impl Fn(u64) -> bool) -> bool {
    let is_alive = |id: u64| id == own || is_reachable(id);
    let has_majority = |voters: &[u64]| {
        let alive = voters.iter().filter(|id| is_alive(**id)).count();
        alive > voters.len() / 2
    };
    view.quorums.iter().all(|voters| {
        let without: Vec<u64> = voters.iter().copied().filter(|id| *id != lost).collect();
        has_majority(voters) && has_majority(&without)
    })
}
