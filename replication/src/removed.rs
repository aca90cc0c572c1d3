//! How a replica finds out that it was removed, or replaced under its own number, while it was away. It holds what it always
//! had, and believes that it has a vote; nobody sends it anything any more. So it asks the others. It must not go on: it
//! would serve what is old, and ask again and again to be elected.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use uuid::Uuid;

use crate::consensus::{self, Members};
use crate::departure;
use crate::formation::{self, HelloAnswer};
use crate::replica::Fault;
use crate::running::Running;
use crate::status::Role;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Looks between two questions to a leader that is heard: it may speak to everybody, and yet send this one nothing.
const LOOKS_A_QUESTION: u32 = 8;
/// Answers in a row, of the kind that a newcomer might see as well while it receives what there is, after which they count.
const DOUBTS: u32 = 20;

/// What the others' answers say of this replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing that would have it go.
    Stays,
    /// It is not in the membership by any answer, and does not know whether it ever was.
    Doubt,
    /// It was in the membership, and is no longer.
    Left,
}

/// Watches for as long as this replica runs; ends it where it was removed.
pub(crate) async fn watch(running: Arc<Running>, fault: watch::Sender<Option<Fault>>) {
    let (mut looks, mut doubts) = (0_u32, 0);
    loop {
        tokio::time::sleep(PAUSE).await;
        looks = looks.wrapping_add(1);
        let view = consensus::view(&running.raft);
        let heard = view.leader.filter(|leader| running.board.hears(*leader));
        let asked = match heard {
            _ if view.role == Role::Leader => continue,
            None => running.wire.others(),
            Some(leader) if looks.is_multiple_of(LOOKS_A_QUESTION) => vec![leader],
            Some(_) => continue,
        };
        match ask(&running, asked).await {
            Verdict::Stays => doubts = 0,
            Verdict::Doubt => doubts += 1,
            Verdict::Left => doubts = DOUBTS,
        }
        if doubts >= DOUBTS {
            fault.send_replace(Some(departure::left(&running)));
            return;
        }
    }
}

async fn ask(running: &Running, asked: Vec<u64>) -> Verdict {
    let asked = asked.into_iter();
    let answers = join_all(asked.map(|peer| formation::hello(&running.wire, peer))).await;
    let cluster_id = Some(running.identity.cluster_id);
    let answers = answers.into_iter().flatten();
    let answers: Vec<_> = answers
        .filter(|answer| answer.cluster_id == cluster_id)
        .collect();
    let own = Own {
        id: running.config.id,
        birth_mark: running.identity.birth_mark,
        members: consensus::membership(&running.raft),
    };
    own.judge(&answers)
}

/// This replica, and the membership as it knows it.
struct Own {
    id: u64,
    birth_mark: Uuid,
    members: Members,
}

impl Own {
    fn judge(&self, answers: &[HelloAnswer]) -> Verdict {
        if answers.iter().any(|answer| self.has_left_by(answer)) {
            return Verdict::Left;
        }
        let strange = |answer: &HelloAnswer| {
            answer.settled_at.is_some()
                && answer.settled_at >= self.members.at
                && !self.is_in(answer)
        };
        match answers {
            [] => Verdict::Stays,
            _ if self.members.at.is_none() || self.was_in() => Verdict::Stays,
            answers if answers.iter().all(strange) => Verdict::Doubt,
            _ => Verdict::Stays,
        }
    }

    /// True by a membership that is there to stay, and later than the one in which this replica was. What was in it once comes
    /// back only as another one, empty.
    fn has_left_by(&self, answer: &HelloAnswer) -> bool {
        let later = answer.settled_at.is_some() && answer.settled_at > self.members.at;
        self.was_in() && later && answer.members.is_some() && !self.is_in(answer)
    }

    /// True where this very replica is in the last membership that it knows. On its way in, it may see one with another that
    /// had its number.
    fn was_in(&self) -> bool {
        let node = self.members.nodes.get(&self.id);
        node.is_some_and(|node| node.birth_mark.is_none_or(|mark| mark == self.birth_mark))
    }

    /// False where it is surely not in the membership that somebody else knows.
    fn is_in(&self, answer: &HelloAnswer) -> bool {
        let named = answer.members.as_ref();
        let mark = answer.births.get(&self.id);
        named.is_none_or(|members| members.contains(&self.id))
            && mark.is_none_or(|mark| *mark == self.birth_mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::Node;

    const OWN: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    /// Replica 3, which knows these members since log entry 5.
    fn own(ids: &[u64], birth_mark: Option<Uuid>) -> Own {
        let node = |id: &u64| {
            let mark = birth_mark.filter(|_| *id == 3);
            let node = Node {
                birth_mark: mark,
                ..Node::default()
            };
            (*id, node)
        };
        Own {
            id: 3,
            birth_mark: OWN,
            members: Members {
                nodes: ids.iter().map(node).collect(),
                at: Some(5),
                applied: true,
            },
        }
    }

    fn answer(ids: &[u64], birth_mark: Option<Uuid>, settled_at: Option<u64>) -> HelloAnswer {
        HelloAnswer {
            at_work: true,
            members: Some(ids.to_vec()),
            settled_at,
            births: birth_mark.map(|mark| (3, mark)).into_iter().collect(),
            ..HelloAnswer::default()
        }
    }

    #[test]
    fn only_a_later_membership_that_is_there_to_stay_excludes() {
        for mark in [None, Some(OWN)] {
            let own = own(&[1, 2, 3], mark);
            let judge = |answers: &[HelloAnswer]| own.judge(answers);
            assert_eq!(judge(&[answer(&[1, 2], None, Some(6))]), Verdict::Left);
            assert_eq!(judge(&[answer(&[1, 2, 3], mark, Some(6))]), Verdict::Stays);
            let older = answer(&[1, 2], None, Some(5));
            assert_eq!(judge(&[older]), Verdict::Stays);
            let may_be_taken_back = answer(&[1, 2], None, None);
            assert_eq!(judge(&[may_be_taken_back]), Verdict::Stays);
            assert_eq!(judge(&[]), Verdict::Stays);
            let says_less = HelloAnswer {
                members: None,
                ..answer(&[], None, Some(6))
            };
            assert_eq!(judge(&[says_less]), Verdict::Stays);
        }
    }

    #[test]
    fn another_one_of_its_number_excludes() {
        let later = answer(&[1, 2, 3], Some(OTHER), Some(9));
        let judged = own(&[1, 2, 3], Some(OWN)).judge(&[later]);
        assert_eq!(judged, Verdict::Left);
    }

    #[test]
    fn a_newcomer_on_its_way_in_is_in_doubt_for_no_longer_than_the_others_are() {
        // What it has received so far tells of the one before, or of nobody.
        for before in [own(&[1, 2, 3], Some(OTHER)), own(&[1, 2], None)] {
            let not_yet = answer(&[1, 2], None, Some(6));
            let there = answer(&[1, 2, 3], Some(OWN), Some(7));
            assert_eq!(before.judge(std::slice::from_ref(&not_yet)), Verdict::Doubt);
            assert_eq!(before.judge(&[not_yet, there]), Verdict::Stays);
        }
        let mut empty = own(&[], None);
        empty.members.at = None;
        let judged = empty.judge(&[answer(&[1, 2], None, Some(6))]);
        assert_eq!(judged, Verdict::Stays);
    }

    #[test]
    fn one_that_has_seen_itself_leave_is_in_doubt() {
        let judged = own(&[1, 2], None).judge(&[answer(&[1, 2], None, Some(5))]);
        assert_eq!(judged, Verdict::Doubt);
    }
}
