//! When the leader's process has died, the others elect another one at once.
//!
//! The consensus engine notices a dead leader by its silence: it waits for the leader's lease, in which nobody may vote
//! for another, and then for an election timeout. That is right where nothing but silence is known. But where a process
//! has died, its system refuses connections, and every replica hears that within some ten milliseconds (see
//! [`board`](crate::board)). So replicas tell each other in their reports that nobody listens for the leader any more.
//! Where a majority of the voters says so, nobody can be led by it, and each of them stands for election: by that it
//! gives up its own promise to the dead leader, and may vote for another.
//!
//! Standing for election is safe at any time; what is at stake is only that two stand against each other again and
//! again. So they agree on who tries again soon: whoever's log ends last, and of equals the one with the highest id, whose
//! vote the engine prefers. Where all this leads nowhere, the engine's own timers go on as if nothing had been tried.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::abstention;
use crate::consensus::{self, RaftView};
use crate::running::{Running, lock};
use crate::status::Role;

/// First pause of the favourite before it stands again: votes come back within less on one site. Each is twice the one
/// before.
const FIRST_PAUSE: Duration = Duration::from_millis(40);
/// How often the favourite stands: its pauses add up to five seconds.
const ATTEMPTS: u32 = 7;

/// A replica's word that nobody listens for its leader any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostLeader {
    /// The leader.
    pub leader_id: u64,
    /// Its term.
    pub term: u64,
    /// Index of the last entry in the log of the one who says so; none where it has none.
    pub last_log: Option<u64>,
}

/// What this replica knows of its leader's end.
pub(crate) struct Succession {
    /// The last leader it knew, and its term.
    led_by: Mutex<Option<(u64, u64)>>,
    lost: watch::Sender<Option<LostLeader>>,
}

impl Default for Succession {
    fn default() -> Self {
        Self {
            led_by: Mutex::default(),
            lost: watch::Sender::new(None),
        }
    }
}

impl Succession {
    /// This replica's word for its reports.
    pub(crate) fn lost(&self) -> Option<LostLeader> {
        *self.lost.borrow()
    }

    /// Wakes when this replica has a word on its leader's end.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<LostLeader>> {
        self.lost.subscribe()
    }

    /// Looks whether the last known leader is gone.
    fn look(&self, view: &RaftView, is_gone: impl Fn(u64) -> bool) -> Option<LostLeader> {
        let mut led_by = lock(&self.led_by);
        if let Some(leader) = view.leader {
            *led_by = Some((leader, view.term));
        }
        let lost = led_by
            .filter(|(leader, _)| is_gone(*leader))
            .map(|(leader_id, term)| LostLeader {
                leader_id,
                term,
                last_log: view.last_log,
            });
        self.lost.send_if_modified(|before| {
            let is_news = *before != lost;
            *before = lost;
            is_news
        });
        lost
    }
}

/// What a replica is to do about a lost leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Too few say that the leader is lost.
    Wait,
    /// Stand once, so as to be free to vote for the favourite.
    StandAside,
    /// Stand until elected.
    Stand,
}

/// Elects a successor whenever the leader dies, for as long as this replica runs.
pub(crate) async fn succeed(running: Arc<Running>) {
    let mut reports = running.board.subscribe();
    let mut server = running.raft.server_metrics();
    let mut settled = None;
    loop {
        let view = consensus::view(&running.raft);
        let lost = running
            .succession
            .look(&view, |id| running.board.is_gone(id));
        if let Some(lost) = lost.filter(|lost| settled != Some((lost.leader_id, lost.term))) {
            let word_of = |id| {
                let peer = running.board.peer(id)?;
                peer.report.lost_leader.filter(|_| peer.reachable)
            };
            let may_lead = |id| match running.board.peer(id) {
                _ if id == running.config.id => !abstention::is_due(&running),
                peer => peer.is_some_and(|peer| peer.report.quarantine.is_none()),
            };
            let turn = turn(running.config.id, &view, &lost, word_of, may_lead);
            if turn != Turn::Wait {
                settled = Some((lost.leader_id, lost.term));
                elect(&running, &lost, turn).await;
                continue;
            }
        }
        tokio::select! {
            _ = reports.changed() => {}
            changed = server.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// Decides by what the voters say of the leader. One that is quarantined votes, and is no favourite.
fn turn(
    own_id: u64,
    view: &RaftView,
    lost: &LostLeader,
    word_of: impl Fn(u64) -> Option<LostLeader>,
    may_lead: impl Fn(u64) -> bool,
) -> Turn {
    let says_so = |id: u64| match id {
        id if id == own_id => Some(*lost),
        id => word_of(id).filter(|word| (word.leader_id, word.term) == (lost.leader_id, lost.term)),
    };
    let is_agreed = |voters: &Vec<u64>| {
        let agreeing = voters.iter().filter(|id| says_so(**id).is_some()).count();
        agreeing > voters.len() / 2
    };
    if view.role == Role::Learner
        || !view.voters.contains(&own_id)
        || !view.quorums.iter().all(is_agreed)
    {
        return Turn::Wait;
    }
    let favourite = view
        .voters
        .iter()
        .filter(|id| may_lead(**id))
        .filter_map(|id| Some((says_so(*id)?.last_log, *id)))
        .max();
    match favourite {
        Some((_, id)) if id == own_id => Turn::Stand,
        _ => Turn::StandAside,
    }
}

async fn elect(running: &Running, lost: &LostLeader, turn: Turn) {
    tracing::info!(
        leader = lost.leader_id,
        term = lost.term,
        "the leader, replica {}, has died; electing another",
        lost.leader_id
    );
    let attempts = if turn == Turn::Stand { ATTEMPTS } else { 1 };
    let mut pause = FIRST_PAUSE;
    for _ in 0..attempts {
        if is_led(running, lost) {
            return;
        }
        if let Err(fault) = consensus::elect(&running.raft).await {
            tracing::debug!(%fault, "this replica cannot stand for election");
            return;
        }
        let elected = consensus::superseded(&running.raft, Some(lost.leader_id), u64::MAX);
        if tokio::time::timeout(pause, elected).await.is_ok() {
            return;
        }
        pause *= 2;
    }
}

/// True where somebody leads again.
fn is_led(running: &Running, lost: &LostLeader) -> bool {
    let view = consensus::view(&running.raft);
    view.leader
        .is_some_and(|leader| (leader, view.term) != (lost.leader_id, lost.term))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(quorums: &[&[u64]]) -> RaftView {
        let quorums: Vec<Vec<u64>> = quorums.iter().map(|voters| voters.to_vec()).collect();
        let mut voters = quorums.concat();
        voters.sort_unstable();
        voters.dedup();
        RaftView {
            role: Role::Follower,
            term: 7,
            leader: Some(1),
            members: voters.clone(),
            voters,
            quorums,
            last_log: Some(40),
            matched: Default::default(),
            majority_heard: None,
            fatal: None,
        }
    }

    fn word(last_log: u64) -> LostLeader {
        LostLeader {
            leader_id: 1,
            term: 7,
            last_log: Some(last_log),
        }
    }

    fn turn_of(own_id: u64, quorums: &[&[u64]], words: &[(u64, LostLeader)]) -> Turn {
        turn_without(u64::MAX, own_id, quorums, words)
    }

    fn turn_without(
        quarantined: u64,
        own_id: u64,
        quorums: &[&[u64]],
        words: &[(u64, LostLeader)],
    ) -> Turn {
        let own = words.iter().find(|(id, _)| *id == own_id).unwrap().1;
        let word_of = |id| {
            let said = words.iter().find(|(from, _)| *from == id);
            said.map(|(_, word)| *word)
        };
        turn(own_id, &view(quorums), &own, word_of, |id| {
            id != quarantined
        })
    }

    #[test]
    fn who_is_quarantined_votes_and_is_no_favourite() {
        let voters: [&[u64]; 1] = [&[1, 2, 3]];
        let words = [(2, word(40)), (3, word(41))];
        assert_eq!(turn_without(3, 3, &voters, &words), Turn::StandAside);
        assert_eq!(turn_without(3, 2, &voters, &words), Turn::Stand);
    }

    #[test]
    fn one_that_cannot_reach_the_leader_waits_for_a_majority_that_cannot_either() {
        assert_eq!(turn_of(2, &[&[1, 2, 3]], &[(2, word(40))]), Turn::Wait);
        let five = [1, 2, 3, 4, 5];
        let words = [(2, word(40)), (3, word(40))];
        assert_eq!(turn_of(2, &[&five], &words), Turn::Wait);
        let words = [(2, word(40)), (3, word(40)), (4, word(39))];
        assert_ne!(turn_of(2, &[&five], &words), Turn::Wait);
    }

    #[test]
    fn words_on_another_leader_or_term_do_not_count() {
        for (leader_id, term) in [(3, 7), (1, 6)] {
            let other = LostLeader {
                leader_id,
                term,
                ..word(40)
            };
            let words = [(2, word(40)), (3, other)];
            assert_eq!(turn_of(2, &[&[1, 2, 3]], &words), Turn::Wait);
        }
    }

    #[test]
    fn while_the_membership_changes_both_majorities_must_agree() {
        let quorums: [&[u64]; 2] = [&[1, 2, 3], &[1, 4, 5]];
        let words = [(2, word(40)), (3, word(40))];
        assert_eq!(turn_of(2, &quorums, &words), Turn::Wait);
        let words = [(2, word(40)), (3, word(40)), (4, word(40)), (5, word(40))];
        assert_eq!(turn_of(5, &quorums, &words), Turn::Stand);
    }

    #[test]
    fn exactly_one_stands_until_elected_the_one_with_the_longest_log() {
        let voters: [&[u64]; 1] = [&[1, 2, 3]];
        let words = [(2, word(41)), (3, word(40))];
        assert_eq!(turn_of(2, &voters, &words), Turn::Stand);
        assert_eq!(turn_of(3, &voters, &words), Turn::StandAside);
        let words = [(2, word(40)), (3, word(40))];
        assert_eq!(turn_of(2, &voters, &words), Turn::StandAside);
        assert_eq!(turn_of(3, &voters, &words), Turn::Stand);
    }

    #[test]
    fn who_has_no_vote_stays_out_of_it() {
        let words = [(4, word(40)), (2, word(40)), (3, word(40))];
        assert_eq!(turn_of(4, &[&[1, 2, 3]], &words), Turn::Wait);
    }

    #[test]
    fn a_leader_is_lost_while_nobody_listens_for_it_and_until_another_is_known() {
        let succession = Succession::default();
        let mut woken = succession.subscribe();
        let led = view(&[&[1, 2, 3]]);
        assert_eq!(succession.look(&led, |_| false), None);
        assert!(!woken.has_changed().unwrap());
        assert_eq!(succession.look(&led, |id| id == 1), Some(word(40)));
        assert!(woken.has_changed().unwrap());
        woken.mark_unchanged();
        // Standing for election, it knows of no leader, and still of the one that it lost.
        let standing = RaftView {
            leader: None,
            role: Role::Candidate,
            term: 8,
            ..led.clone()
        };
        assert_eq!(succession.look(&standing, |id| id == 1), Some(word(40)));
        assert!(!woken.has_changed().unwrap(), "no news");
        let led_again = RaftView {
            leader: Some(3),
            term: 8,
            ..led
        };
        assert_eq!(succession.look(&led_again, |id| id == 1), None);
        assert_eq!(succession.lost(), None);
    }
}
