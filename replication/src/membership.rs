//! How the leader answers an operator who wants another membership: what is asked is judged, noted in the membership, and
//! brought about; where that is interrupted, by whoever leads next ([`admission`](crate::admission)).

mod judge;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::judge::{Refused, Situation};
use crate::admission;
use crate::consensus::{self, Membership, Node, Wanted};
use crate::departure;
use crate::formation::{self, HelloAnswer};
use crate::handover::{self, UnderWay};
use crate::operator::{ANSWER_TIMEOUT, Answer, Asked, Member, Request, Standing};
use crate::peer::{PeerAddress, PeerError, PeerFault, ServiceFault, encode};
use crate::running::Running;
use crate::status::Role;

/// Most replicas in a membership. Each more makes every write dearer.
pub(crate) const MAX_MEMBERS: usize = 9;
/// Longest wait for another change of the membership to end.
const TURN: Duration = Duration::from_secs(12);
/// Longest wait for a majority to confirm this replica's leadership.
const CONFIRMATION: Duration = Duration::from_secs(1);
/// Longest wait for a follower to lead in this replica's place.
const SUCCESSION: Duration = Duration::from_secs(5);
/// Pause between two looks at who leads.
const PAUSE: Duration = Duration::from_millis(20);

/// What the leader came to.
enum Decision {
    Done,
    /// The leader itself is to leave: whoever leads next decides.
    HandOver,
}

/// Answers an operator on the leader; on another replica, asks the leader.
pub(crate) async fn serve(running: &Arc<Running>, asked: Asked) -> Result<Bytes, PeerFault> {
    let Asked { request, passed_on } = asked;
    let begun = Instant::now();
    loop {
        let view = consensus::view(&running.raft);
        if view.role == Role::Leader {
            return lead(running, request).await;
        }
        let answer = match view.leader {
            Some(leader) if !passed_on && leader != running.config.id => {
                pass_on(running, leader, request.clone()).await
            }
            leader => return Err(PeerFault::NotLeader(running.config.id, leader)),
        };
        match answer {
            // It hands over, or has; who leads next is known here in a moment.
            Err(PeerFault::NotLeader(..)) if begun.elapsed() < SUCCESSION => {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

async fn lead(running: &Arc<Running>, request: Request) -> Result<Bytes, PeerFault> {
    // To its end, also where the caller stops waiting.
    let decided = tokio::spawn({
        let running = running.clone();
        async move { decide(&running, request).await }
    });
    match decided.await {
        Ok(Ok(Decision::Done)) => Ok(encode(&Answer::Done(members(running)))),
        // Whoever asked has to ask the next one: this one is about to end.
        Ok(Ok(Decision::HandOver)) => {
            let leader = hand_over(running).await?;
            Err(PeerFault::NotLeader(running.config.id, Some(leader)))
        }
        Ok(Err(refused)) => Ok(encode(&Answer::Refused(refused.to_string()))),
        Err(stopped) => Err(ServiceFault::Unavailable(stopped.to_string()).into()),
    }
}

async fn pass_on(running: &Running, leader: u64, request: Request) -> Result<Bytes, PeerFault> {
    let method = request.method();
    let asked = encode(&Asked {
        request,
        passed_on: true,
    });
    let answer = running
        .wire
        .call(leader, None, method, asked, ANSWER_TIMEOUT);
    answer.await.map_err(|error| match error {
        PeerError::Refused { fault, .. } => fault,
        error => ServiceFault::Unavailable(error.to_string()).into(),
    })
}

/// Has another replica lead, and returns which.
async fn hand_over(running: &Running) -> Result<u64, PeerFault> {
    handover::hand_over(running, UnderWay::Finish).await;
    running.group.resume();
    let own = running.config.id;
    let another = async {
        loop {
            match consensus::view(&running.raft).leader {
                Some(leader) if leader != own => return leader,
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    let leader = tokio::time::timeout(SUCCESSION, another).await;
    leader.map_err(|_| {
        let reason = "the leader is to leave, and no other replica took over; see that they are in sync, and try again";
        ServiceFault::Unavailable(reason.to_owned()).into()
    })
}

async fn decide(running: &Arc<Running>, request: Request) -> Result<Decision, Refused> {
    if request == Request::Members {
        return Ok(Decision::Done);
    }
    let turn = tokio::time::timeout(TURN, running.changing.lock());
    let _turn = turn.await.map_err(|_| Refused::Busy)?;
    let confirmed = consensus::read_index(&running.raft, CONFIRMATION).await;
    confirmed.ok_or(Refused::NoMajority)?;
    if consensus::view(&running.raft).quorums.len() > 1 {
        change(running, Membership::Settle).await?;
    }
    let situation = Situation::of(running);
    match request {
        Request::Members => {}
        Request::Add { newcomer, voter } => {
            let wanted = if voter {
                Wanted::Voter
            } else {
                Wanted::Learner
            };
            add(running, &situation, newcomer, wanted).await?;
        }
        Request::Promote(id) => {
            if situation.may_promote(id)? {
                change(running, Membership::Promote(id)).await?;
            }
        }
        Request::Remove(id) => {
            situation.may_remove(id)?;
            if id == running.config.id {
                return Ok(Decision::HandOver);
            }
            departure::leave(running, id)
                .await
                .map_err(Refused::Unchanged)?;
        }
        Request::Replace { lost, newcomer } => {
            situation.may_replace(lost, newcomer.id)?;
            add(running, &situation, newcomer, Wanted::InPlaceOf(lost)).await?;
        }
    }
    Ok(Decision::Done)
}

/// Takes in a replica that is empty.
async fn add(
    running: &Running,
    situation: &Situation,
    newcomer: PeerAddress,
    wanted: Wanted,
) -> Result<(), Refused> {
    let id = newcomer.id;
    if let Some(known) = situation.may_add(&newcomer)? {
        // It is in the membership already; only what is wanted of it may be new.
        let news = known != Some(wanted) && !situation.voters.contains(&id);
        return match news {
            true => change(running, Membership::Want(id, wanted)).await,
            false => Ok(()),
        };
    }
    let not_heard = |error: PeerError| Refused::Newcomer {
        id,
        url: newcomer.url.clone(),
        error,
    };
    let answer = formation::hello_at(&running.wire, &newcomer).await;
    let answer = answer.map_err(not_heard)?;
    let own = running.identity.cluster_id;
    match answer {
        HelloAnswer {
            cluster_id: Some(other),
            ..
        } if other != own => return Err(Refused::Stranger(id, other)),
        answer if answer.has_data_of(own) => return Err(Refused::HasData(id)),
        _ => {}
    }
    let adopted = formation::adopt_at(&running.wire, &newcomer).await;
    let node = Node {
        peer_url: newcomer.url.clone(),
        named: true,
        wanted: Some(wanted),
        birth_mark: adopted.map_err(not_heard)?,
    };
    change(running, Membership::AddLearner(id, node)).await?;
    admission::tell_of_newcomer(id, &newcomer.url);
    Ok(())
}

async fn change(running: &Running, change: Membership) -> Result<(), Refused> {
    let changed = consensus::change_membership(&running.raft, change).await;
    changed.map_err(Refused::Unchanged)
}

/// The membership, as the leader sees it.
fn members(running: &Running) -> Vec<Member> {
    let view = consensus::view(&running.raft);
    let member = |(id, node): (u64, Node)| {
        let own = id == running.config.id;
        let votes = view.voters.contains(&id);
        let last = view.last_log.unwrap_or_default();
        let matched = view.matched.get(&id).copied();
        Member {
            id,
            peer_url: node.peer_url,
            standing: match node.wanted {
                Some(Wanted::Gone) => Standing::Leaving,
                _ if votes => Standing::Voter,
                Some(Wanted::Learner) => Standing::Learner,
                _ => Standing::Joining,
            },
            leads: own,
            reachable: own || running.board.hears(id),
            in_sync: running.acknowledger.in_sync(id),
            behind: match matched {
                _ if own => Some(0),
                Some(matched) => Some(last.saturating_sub(matched)),
                None => None,
            },
        }
    };
    let nodes = consensus::membership(&running.raft).nodes;
    nodes.into_iter().map(member).collect()
}
