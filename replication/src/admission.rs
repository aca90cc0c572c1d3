//! How a leader takes in replicas that its `--peer` flags name, that are empty, and that its cluster does not know yet:
//! those that take the places of lost ones, after a [`removal`](crate::removal) or a [`recovery`](crate::recovery).
//!
//! One that its cluster does know is not taken in when it comes empty: it has lost a vote and a log that count. A newcomer
//! votes only when it has everything: before, it would hold up what the others can do without it.
//!
//! A change of the membership takes two steps. Here is also who finishes one that was interrupted between them.

use std::sync::Arc;
use std::time::Duration;

use crate::consensus::{self, Membership, Node, RaftView};
use crate::formation::{self, HelloAnswer};
use crate::peer::{PeerAddress, PeerError};
use crate::running::Running;
use crate::status::Role;

/// Pause between two looks at who is missing.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for a majority to confirm this replica's leadership.
const CONFIRMATION: Duration = Duration::from_secs(1);
/// A learner has everything when it lacks no more than this many log entries; under load it always lacks some.
const NEARLY_THERE: u64 = 64;

/// Why a replica was not taken in this time.
#[derive(Debug, thiserror::Error)]
enum AdmissionError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("it belongs to another cluster")]
    Stranger,
    #[error("the membership could not be changed: {0}")]
    Membership(String),
}

/// Takes in whoever is missing, for as long as this replica runs; only a leader has anything to do.
pub(crate) async fn admit_newcomers(running: Arc<Running>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let view = consensus::view(&running.raft);
        if view.role != Role::Leader {
            continue;
        }
        running.acknowledger.led_for(view.term);
        if view.quorums.len() > 1 {
            settle(&running).await;
            continue;
        }
        let missing = running.config.peers.iter();
        for peer in missing.filter(|peer| !view.voters.contains(&peer.id)) {
            match admit(&running, peer).await {
                Ok(Step::Waits) => {}
                Ok(Step::Taken) => break,
                Err(AdmissionError::Peer(error)) => {
                    tracing::debug!(%error, "a replica is missing in the cluster");
                }
                Err(error) => {
                    tracing::warn!(peer = peer.id, %error, "replica {} cannot join", peer.id);
                }
            }
        }
    }
}

/// What was done for a newcomer.
enum Step {
    /// The membership changed, or is about to: what comes next is looked at anew.
    Taken,
    /// It has not caught up yet.
    Waits,
}

async fn settle(running: &Running) {
    match consensus::change_membership(&running.raft, Membership::Settle).await {
        Ok(()) => tracing::info!("a change of the membership that was interrupted is done"),
        Err(error) => tracing::debug!(%error, "the membership changes still"),
    }
}

async fn admit(running: &Running, peer: &PeerAddress) -> Result<Step, AdmissionError> {
    let id = peer.id;
    let answer = formation::hello(&running.wire, id).await?;
    // Now, and not when the round began: who has been deposed meanwhile must not hand out the cluster's name.
    let confirmed = consensus::read_index(&running.raft, CONFIRMATION).await;
    let view = consensus::view(&running.raft);
    if confirmed.is_none() || view.role != Role::Leader || view.voters.contains(&id) {
        return Ok(Step::Taken);
    }
    let is_member = view.members.contains(&id);
    match answer {
        HelloAnswer {
            cluster_id: None, ..
        } if is_member => {
            // It lost what it had received before it had a vote: it begins anew, and this replica forgets what it had.
            change(running, Membership::Remove(id)).await
        }
        HelloAnswer {
            cluster_id: None, ..
        } => {
            formation::adopt(&running.wire, id).await?;
            tracing::info!(peer = id, "replica {id} joins, and receives what there is");
            change(running, Membership::AddLearner(id, node(peer))).await
        }
        HelloAnswer {
            cluster_id: Some(cluster_id),
            ..
        } if cluster_id != running.identity.cluster_id => Err(AdmissionError::Stranger),
        _ if !is_member => change(running, Membership::AddLearner(id, node(peer))).await,
        _ if !has_everything(&view, id) => Ok(Step::Waits),
        _ => {
            let promoted = change(running, Membership::Promote(id)).await;
            if promoted.is_ok() {
                tracing::info!(peer = id, "replica {id} has joined");
            }
            promoted
        }
    }
}

fn node(peer: &PeerAddress) -> Node {
    Node {
        peer_url: peer.url.clone(),
        ..Node::default()
    }
}

async fn change(running: &Running, change: Membership) -> Result<Step, AdmissionError> {
    let changed = consensus::change_membership(&running.raft, change).await;
    changed
        .map(|()| Step::Taken)
        .map_err(AdmissionError::Membership)
}

fn has_everything(view: &RaftView, id: u64) -> bool {
    let matched = view.matched.get(&id).copied();
    matched.map(|index| index + NEARLY_THERE) >= view.last_log && matched.is_some()
}
