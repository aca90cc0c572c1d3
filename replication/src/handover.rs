//! A leader that is told to stop hands its leadership over first, so that a planned stop costs clients no election
//! timeout. It takes no more batches, picks a follower that has its whole log, and asks it to stand for election. That
//! follower has two votes at once: its own, and the retiring leader's, which only other followers' promise to wait for
//! a silent leader does not bind. (Ongaro, "Consensus: Bridging Theory and Practice", section 3.10; the engine has no
//! transfer of its own.)

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::consensus::{self, RaftView};
use crate::peer::{PeerFault, PeerMethod, encode};
use crate::running::Running;
use crate::status::Role;

/// Longest time that a handover is tried, the wait for the leader's own promise included.
const LONGEST: Duration = Duration::from_secs(3);
/// Pause between two looks at who leads.
const PAUSE: Duration = Duration::from_millis(5);

/// What becomes of the batch that is under way at a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnderWay {
    /// It is answered first.
    Finish,
    /// Its answers come from the next leader, whom its proposals are sent to again.
    Leave,
}

/// Hands this replica's leadership over, if it leads and anybody can take it. Afterwards it follows.
pub(crate) async fn hand_over(running: &Running, under_way: UnderWay) {
    let view = consensus::view(&running.raft);
    if view.role != Role::Leader || heirs(running, &view).next().is_none() {
        return;
    }
    let own_id = running.config.id;
    let begun = Instant::now();
    let handover = async {
        // A leader that was elected a moment ago is bound to elect nobody else for two election timeouts. It goes on taking
        // what comes until then.
        let bound = running.config.election_timeout * 2;
        let led = running.acknowledger.led_for(view.term);
        tokio::time::sleep(bound.saturating_sub(led)).await;
        running.group.retire();
        if under_way == UnderWay::Finish {
            running.group.rest().await;
        }
        until_another_leads(running).await
    };
    match tokio::time::timeout(LONGEST, handover).await {
        Ok(leader) => tracing::info!(
            leader,
            took_ms = begun.elapsed().as_millis(),
            "replica {own_id} has handed its leadership to replica {leader}"
        ),
        Err(_elapsed) => {
            // Better a leader for the requests under way, and an election afterwards.
            running.group.resume();
            tracing::warn!(
                "no replica took over from replica {own_id}; the others will elect a leader"
            );
        }
    }
}

async fn until_another_leads(running: &Running) -> u64 {
    let mut asked = None;
    let mut attempts = 0;
    loop {
        let view = consensus::view(&running.raft);
        match view.leader {
            Some(leader) if leader != running.config.id => return leader,
            _ => {}
        }
        let whole = |id: &u64| view.matched.get(id).copied() >= view.last_log;
        // Once it has given its vote away, this replica no longer knows who has what.
        let successor = match view.role {
            Role::Leader => {
                let heirs: Vec<u64> = heirs(running, &view).filter(whole).collect();
                // Whoever could not be asked is not asked again at once.
                heirs.get(attempts % heirs.len().max(1)).copied()
            }
            _ => asked,
        };
        if let Some(successor) = successor {
            asked = Some(successor);
            attempts += 1;
            let call = running.wire.call(
                successor,
                None,
                PeerMethod::TakeOver,
                encode(&()),
                running.config.election_timeout * 2,
            );
            if let Err(error) = call.await {
                tracing::debug!(%error, "a replica did not take over");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The voters who could lead in this replica's place.
fn heirs(running: &Running, view: &RaftView) -> impl Iterator<Item = u64> {
    let in_sync = |id: &u64| running.board.peer(*id).is_some_and(|peer| peer.in_sync);
    let others = view.voters.iter().copied();
    others.filter(move |id| *id != running.config.id && in_sync(id))
}

/// Answers a leader that retires: stands for election, and waits a moment for its end.
pub(crate) async fn take_over(running: &Running) -> Result<Bytes, PeerFault> {
    // To stand again would discard the votes that are on their way.
    if consensus::view(&running.raft).role != Role::Candidate {
        consensus::elect(&running.raft).await?;
    }
    let wait = running.config.election_timeout;
    let elected = tokio::time::timeout(wait, consensus::leading(&running.raft)).await;
    Ok(encode(&elected.is_ok()))
}
