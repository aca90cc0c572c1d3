//! How a leader takes in replicas that its `--peer` flags name, that are empty, and that its cluster does not know yet:
//! those that take the places of lost ones after a [`recovery`](crate::recovery).
//!
//! One that its cluster does know is not taken in when it comes empty: it has lost a vote and a log that count.

use std::sync::Arc;
use std::time::Duration;

use crate::consensus;
use crate::formation::{self, HelloAnswer};
use crate::peer::PeerError;
use crate::running::Running;
use crate::status::Role;

/// Pause between two looks at who is missing.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for one newcomer, before the others have their turn. What it has received by then it keeps.
const TURN: Duration = Duration::from_secs(60);

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
        for peer in &running.config.peers {
            if view.voters.contains(&peer.id) {
                continue;
            }
            match admit(&running, peer.id, &peer.url).await {
                Ok(()) => tracing::info!(peer = peer.id, "replica {} has joined", peer.id),
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

async fn admit(running: &Running, peer: u64, url: &str) -> Result<(), AdmissionError> {
    let own = running.identity.cluster_id;
    match formation::hello(&running.wire, peer).await? {
        HelloAnswer {
            cluster_id: None, ..
        } => formation::adopt(&running.wire, peer).await?,
        HelloAnswer {
            cluster_id: Some(id),
            ..
        } if id == own => {}
        _ => return Err(AdmissionError::Stranger),
    }
    tracing::info!(peer, "replica {peer} joins, and receives what there is");
    let added = consensus::add_voter(&running.raft, peer, url.to_owned());
    let added = tokio::time::timeout(TURN, added).await;
    let added = added.unwrap_or_else(|_elapsed| Err("it has not caught up yet".to_owned()));
    added.map_err(AdmissionError::Membership)
}
