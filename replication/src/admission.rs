//! How the leader brings about the membership that is wanted. It takes in replicas that its `--peer` flags name, that are
//! empty, and that its cluster does not know yet; it gives a vote to those that have everything; and it goes on with what an
//! operator has asked for ([`membership`](crate::membership)), whoever led when it was asked.
//!
//! A replica that has a vote is not taken in when it comes empty: it has lost a vote and a log that count. A newcomer
//! votes only when it has everything: before, it would hold up what the others can do without it.
//!
//! A change of the membership takes two steps. Here is also who finishes one that was interrupted between them.

use std::sync::Arc;
use std::time::Duration;

use crate::consensus::{self, Membership, Node, RaftView, Wanted};
use crate::departure;
use crate::formation::{self, HelloAnswer};
use crate::handover::{self, UnderWay};
use crate::peer::{PeerAddress, PeerError};
use crate::running::Running;
use crate::status::Role;

/// Pause between two looks at who is missing.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for a majority to confirm this replica's leadership.
const CONFIRMATION: Duration = Duration::from_secs(1);
/// A learner has everything when it lacks no more than this many log entries; under load it always lacks some.
pub(crate) const NEARLY_THERE: u64 = 64;

/// Why a replica was not taken in this time.
#[derive(Debug, thiserror::Error)]
enum AdmissionError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("it belongs to another cluster")]
    Stranger,
    #[error(
        "it still has what it had before it left this cluster; stop it, empty its data folder and its database, and start it again"
    )]
    HasData,
    #[error("the membership could not be changed: {0}")]
    Membership(String),
}

/// Brings about what is wanted, for as long as this replica runs; only a leader has anything to do.
pub(crate) async fn admit_newcomers(running: Arc<Running>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let view = consensus::view(&running.raft);
        if view.role != Role::Leader {
            continue;
        }
        running.acknowledger.led_for(view.term);
        let _turn = running.changing.lock().await;
        if view.quorums.len() > 1 {
            settle(&running).await;
            continue;
        }
        match bring_about(&running, &view).await {
            Ok(Step::Taken) => continue,
            Ok(Step::Waits) => {}
            Err(error) => tracing::debug!(%error, "the membership is not yet as it is wanted"),
        }
        let members = consensus::membership(&running.raft).nodes;
        let newcomers = running.config.peers.iter();
        let newcomers = newcomers.filter(|peer| !members.contains_key(&peer.id));
        let learners = members.iter().filter(|(id, _)| !view.voters.contains(id));
        let newcomers = newcomers
            .map(|peer| (peer.id, None, of_flag(peer)))
            .chain(learners.map(|(id, node)| (*id, Some(node), node.clone())));
        for (id, member, node) in newcomers {
            match admit(&running, id, member, node).await {
                Ok(Step::Waits) => {}
                Ok(Step::Taken) => break,
                Err(AdmissionError::Peer(error)) => {
                    tracing::debug!(%error, "a replica is missing in the cluster");
                }
                Err(error) => {
                    tracing::warn!(peer = id, %error, "replica {id} cannot join");
                }
            }
        }
    }
}

/// What was done.
enum Step {
    /// The membership changed, or is about to: what comes next is looked at anew.
    Taken,
    /// There is nothing to do yet.
    Waits,
}

async fn settle(running: &Running) {
    match consensus::change_membership(&running.raft, Membership::Settle).await {
        Ok(()) => tracing::info!("a change of the membership that was interrupted is done"),
        Err(error) => tracing::debug!(%error, "the membership changes still"),
    }
}

/// Goes on with what an operator has asked for, but for learners, who come and grow by [`admit`].
async fn bring_about(running: &Running, view: &RaftView) -> Result<Step, AdmissionError> {
    let members = consensus::membership(&running.raft).nodes;
    for (id, node) in &members {
        match node.wanted {
            Some(Wanted::Gone) if *id == running.config.id => {
                hand_over(running).await;
                return Ok(Step::Taken);
            }
            Some(Wanted::Gone) => {
                let left = departure::leave(running, *id).await;
                left.map_err(AdmissionError::Membership)?;
                return Ok(Step::Taken);
            }
            Some(Wanted::InPlaceOf(lost))
                if view.voters.contains(id) && lost == running.config.id =>
            {
                hand_over(running).await;
                return Ok(Step::Waits);
            }
            Some(Wanted::InPlaceOf(lost)) if view.voters.contains(id) => {
                if members.contains_key(&lost) {
                    let left = departure::leave(running, lost).await;
                    left.map_err(AdmissionError::Membership)?;
                }
                // The id of the one that left may come back one day, and is nothing to this one then.
                return change(running, Membership::Want(*id, Wanted::Voter)).await;
            }
            _ => {}
        }
    }
    Ok(Step::Waits)
}

/// Lets another replica lead, since this one is to leave.
async fn hand_over(running: &Running) {
    handover::hand_over(running, UnderWay::Finish).await;
    running.group.resume();
}

/// Takes in a replica that is missing, or goes on with one that has been taken in and has no vote yet.
async fn admit(
    running: &Running,
    id: u64,
    member: Option<&Node>,
    node: Node,
) -> Result<Step, AdmissionError> {
    let answer = formation::hello(&running.wire, id).await?;
    // Now, and not when the round began: who has been deposed meanwhile must not hand out the cluster's name.
    let confirmed = consensus::read_index(&running.raft, CONFIRMATION).await;
    let view = consensus::view(&running.raft);
    if confirmed.is_none() || view.role != Role::Leader || view.voters.contains(&id) {
        return Ok(Step::Taken);
    }
    let own = running.identity.cluster_id;
    match answer {
        HelloAnswer {
            cluster_id: None,
            birth_mark,
            ..
        } => {
            let url = node.peer_url.clone();
            let node = Node { birth_mark, ..node };
            if member.is_some() {
                // It lost what it had received before it had a vote: it begins anew, and this replica forgets what it had. It
                // is back in the membership at once, where its address is and what is wanted of it.
                change(running, Membership::Remove(id)).await?;
                change(running, Membership::AddLearner(id, node.clone())).await?;
                formation::adopt(&running.wire, id, Some(&node)).await?;
            } else {
                formation::adopt(&running.wire, id, Some(&node)).await?;
                change(running, Membership::AddLearner(id, node)).await?;
            }
            tell_of_newcomer(id, &url);
            Ok(Step::Taken)
        }
        HelloAnswer {
            cluster_id: Some(cluster_id),
            ..
        } if cluster_id != own => Err(AdmissionError::Stranger),
        answer if member.is_none() && answer.has_data_of(own) => Err(AdmissionError::HasData),
        HelloAnswer { birth_mark, .. } if member.is_none() => {
            let node = Node { birth_mark, ..node };
            change(running, Membership::AddLearner(id, node)).await
        }
        _ if !has_everything(running, &view, id) => Ok(Step::Waits),
        _ => promote(running, &view, id, node.wanted).await,
    }
}

/// Gives a learner that has everything the vote that is wanted for it.
async fn promote(
    running: &Running,
    view: &RaftView,
    id: u64,
    wanted: Option<Wanted>,
) -> Result<Step, AdmissionError> {
    let promotion = match wanted {
        Some(Wanted::Learner | Wanted::Gone) => return Ok(Step::Waits),
        // Alone, it has nobody to hand over to: the other one votes first.
        Some(Wanted::InPlaceOf(lost)) if lost == running.config.id && view.voters == [lost] => {
            Membership::Promote(id)
        }
        Some(Wanted::InPlaceOf(lost)) if lost == running.config.id => {
            hand_over(running).await;
            return Ok(Step::Waits);
        }
        Some(Wanted::InPlaceOf(lost)) => Membership::Swap {
            joins: id,
            leaves: lost,
        },
        Some(Wanted::Voter) | None => Membership::Promote(id),
    };
    let promoted = change(running, promotion).await;
    if promoted.is_ok() {
        tracing::info!(peer = id, "replica {id} has joined");
    }
    promoted
}

/// Says once that a replica was taken in.
pub(crate) fn tell_of_newcomer(id: u64, url: &str) {
    tracing::info!(
        peer = id,
        url,
        "replica {id} joins, and receives what there is"
    );
}

fn of_flag(peer: &PeerAddress) -> Node {
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

fn has_everything(running: &Running, view: &RaftView, id: u64) -> bool {
    let matched = view.matched.get(&id).copied();
    let has_log = matched.is_some() && matched.map(|index| index + NEARLY_THERE) >= view.last_log;
    has_log && running.acknowledger.in_sync(id)
}
