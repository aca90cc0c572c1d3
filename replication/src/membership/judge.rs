//! Which changes of the membership are safe and make sense. Pure: a situation in, a verdict out.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::MAX_MEMBERS;
use crate::admission::NEARLY_THERE;
use crate::consensus::{self, Node, Wanted};
use crate::peer::{PeerAddress, PeerError};
use crate::running::Running;

/// Why the leader does not do what an operator asks for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("another change of the membership is under way; try again in a moment")]
    Busy,
    #[error(
        "a majority of the replicas does not answer, and without one nothing can be changed; start the others first. If they are \
         lost for good: threefold cluster recover"
    )]
    NoMajority,
    #[error("the membership could not be changed: {0}; try again")]
    Unchanged(String),
    #[error("replica {0} is not in the membership; `threefold cluster members` shows who is")]
    NotAMember(u64),
    #[error(
        "replica {0} is in the membership already, at {1}; to let it start anew, there or elsewhere: threefold cluster replace {0}"
    )]
    OtherAddress(u64, String),
    #[error("{1} is the address of replica {0}; each replica has an address of its own")]
    AddressTaken(u64, String),
    #[error("{MAX_MEMBERS} replicas are the most that a cluster takes; remove one first")]
    TooMany,
    #[error(
        "replica {0} is on its way out; wait until `threefold cluster members` no longer shows it"
    )]
    Leaving(u64),
    #[error("replica {0} is being replaced by replica {1}; wait until that is done")]
    BeingReplaced(u64, u64),
    #[error(
        "replica {0} has no vote that another one could have; add the other one, and remove this one"
    )]
    NoVote(u64),
    #[error("replica {0} does not answer; start it, and try again")]
    NotAlive(u64),
    #[error(
        "replica {id} has not caught up{}; try again when `threefold cluster members` shows it in sync, or leave it to the cluster: \
         threefold cluster add {id} --url URL --voter", lacks(*.behind)
    )]
    NotCaughtUp { id: u64, behind: Option<u64> },
    #[error("replica {0} is the only one that votes; nothing would be left")]
    LastVoter(u64),
    #[error(
        "without replica {0} too few are alive to change the membership; start the others first. If they are lost for good: \
         threefold cluster recover"
    )]
    NoMajorityWithout(u64),
    #[error(
        "without replica {id}, {left} replicas vote and are in sync, and --min-in-sync asks for {least}: nothing could be written any more; add a \
         replica first, or restart the replicas with a lower --min-in-sync"
    )]
    FewerThanInSync { id: u64, left: usize, least: usize },
    #[error(
        "replica {id} cannot be taken in from {url}: {error}; start it there, empty, with --id {id}"
    )]
    Newcomer {
        id: u64,
        url: String,
        error: PeerError,
    },
    #[error(
        "replica {0} belongs to another cluster, {1}; stop it, empty its data folder and its database, and start it with --peer for \
         itself and for the replicas of this cluster"
    )]
    Stranger(u64, Uuid),
    #[error(
        "replica {0} still has what it had before it left this cluster; stop it, empty its data folder and its database, and start \
         it again"
    )]
    HasData(u64),
}

fn lacks(behind: Option<u64>) -> String {
    match behind {
        Some(entries) => format!(": it lacks {entries} log entries"),
        None => ": it is still receiving what there is".to_owned(),
    }
}

/// What a verdict depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct Situation {
    pub(super) voters: BTreeSet<u64>,
    pub(super) members: BTreeMap<u64, Node>,
    pub(super) reachable: BTreeSet<u64>,
    pub(super) in_sync: BTreeSet<u64>,
    /// Log entries that each lacks, where that is known.
    pub(super) behind: BTreeMap<u64, u64>,
    pub(super) min_in_sync: Option<usize>,
}

impl Situation {
    pub(super) fn of(running: &Running) -> Self {
        let view = consensus::view(&running.raft);
        let members = consensus::membership(&running.raft).nodes;
        let own_id = running.config.id;
        let last = view.last_log.unwrap_or_default();
        let such =
            |is: &dyn Fn(u64) -> bool| members.keys().copied().filter(|id| is(*id)).collect();
        Self {
            voters: view.voters.iter().copied().collect(),
            reachable: such(&|id| id == own_id || running.board.hears(id)),
            in_sync: such(&|id| running.acknowledger.in_sync(id)),
            behind: (view.matched.iter())
                .map(|(id, matched)| (*id, last.saturating_sub(*matched)))
                .collect(),
            min_in_sync: running.config.min_in_sync,
            members,
        }
    }

    fn member(&self, id: u64) -> Result<&Node, Refused> {
        self.members.get(&id).ok_or(Refused::NotAMember(id))
    }

    /// What is wanted of it already, where it is in the membership; none for a newcomer.
    pub(super) fn may_add(
        &self,
        newcomer: &PeerAddress,
    ) -> Result<Option<Option<Wanted>>, Refused> {
        let PeerAddress { id, url } = newcomer;
        for (member, node) in &self.members {
            if node.wanted == Some(Wanted::InPlaceOf(*id)) {
                return Err(Refused::BeingReplaced(*id, *member));
            }
        }
        match self.members.get(id) {
            Some(node) if node.wanted == Some(Wanted::Gone) => return Err(Refused::Leaving(*id)),
            Some(node) if node.peer_url != *url => {
                return Err(Refused::OtherAddress(*id, node.peer_url.clone()));
            }
            Some(node) => return Ok(Some(node.wanted)),
            None => {}
        }
        let taken = self.members.iter().find(|(_, node)| node.peer_url == *url);
        if let Some((other, _)) = taken {
            return Err(Refused::AddressTaken(*other, url.clone()));
        }
        if self.members.len() >= MAX_MEMBERS {
            return Err(Refused::TooMany);
        }
        Ok(None)
    }

    /// False where there is nothing to do.
    pub(super) fn may_promote(&self, id: u64) -> Result<bool, Refused> {
        let node = self.member(id)?;
        if node.wanted == Some(Wanted::Gone) {
            return Err(Refused::Leaving(id));
        }
        if self.voters.contains(&id) {
            return Ok(false);
        }
        if !self.reachable.contains(&id) {
            return Err(Refused::NotAlive(id));
        }
        let behind = self.behind.get(&id).copied();
        if !self.in_sync.contains(&id) || behind.is_none_or(|behind| behind > NEARLY_THERE) {
            return Err(Refused::NotCaughtUp { id, behind });
        }
        Ok(true)
    }

    pub(super) fn may_remove(&self, id: u64) -> Result<(), Refused> {
        self.member(id)?;
        if !self.voters.contains(&id) {
            return Ok(());
        }
        let left: BTreeSet<u64> = self
            .voters
            .iter()
            .copied()
            .filter(|voter| *voter != id)
            .collect();
        if left.is_empty() {
            return Err(Refused::LastVoter(id));
        }
        match self.min_in_sync {
            Some(least) if left.intersection(&self.in_sync).count() < least => {
                let left = left.intersection(&self.in_sync).count();
                return Err(Refused::FewerThanInSync { id, left, least });
            }
            _ => {}
        }
        self.can_go_on_with(id, &left)
    }

    pub(super) fn may_replace(&self, lost: u64, newcomer: u64) -> Result<(), Refused> {
        let node = self.member(lost)?;
        if node.wanted == Some(Wanted::Gone) {
            return Err(Refused::Leaving(lost));
        }
        if !self.voters.contains(&lost) {
            return Err(Refused::NoVote(lost));
        }
        let after = self.voters.iter().copied().filter(|voter| *voter != lost);
        let after: BTreeSet<u64> = after.chain([newcomer]).collect();
        let mut later = self.clone();
        later.reachable.insert(newcomer);
        later.can_go_on_with(lost, &after)
    }

    /// A change needs majorities of the voters before it, with the one that leaves, and after it.
    fn can_go_on_with(&self, leaves: u64, after: &BTreeSet<u64>) -> Result<(), Refused> {
        let alive = |voters: &BTreeSet<u64>| voters.intersection(&self.reachable).count();
        let goes_on = |voters: &BTreeSet<u64>| alive(voters) > voters.len() / 2;
        if goes_on(&self.voters) && goes_on(after) {
            Ok(())
        } else {
            Err(Refused::NoMajorityWithout(leaves))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(voters: &[u64], alive: &[u64]) -> Situation {
        let node = |id: &u64| Node {
            peer_url: format!("http://{id}"),
            ..Node::default()
        };
        Situation {
            voters: voters.iter().copied().collect(),
            members: voters.iter().map(|id| (*id, node(id))).collect(),
            reachable: alive.iter().copied().collect(),
            in_sync: alive.iter().copied().collect(),
            behind: alive.iter().map(|id| (*id, 0)).collect(),
            min_in_sync: None,
        }
    }

    fn at(id: u64, url: &str) -> PeerAddress {
        PeerAddress {
            id,
            url: url.to_owned(),
        }
    }

    #[test]
    fn nobody_is_removed_whom_a_majority_needs() {
        for (voters, alive, leaves, allowed) in [
            (&[1, 2, 3][..], &[1, 2, 3][..], 3, true),
            (&[1, 2, 3], &[1, 2], 3, true),
            (&[1, 2, 3], &[1, 2], 2, false),
            (&[1, 2, 3], &[1], 3, false),
            (&[1, 2], &[1, 2], 2, true),
            (&[1, 2], &[1], 2, false),
            (&[1, 2, 3, 4], &[1, 2, 3], 4, true),
            (&[1, 2, 3, 4], &[1, 2, 3], 3, true),
            (&[1, 2, 3, 4], &[1, 2], 4, false),
            (&[1, 2, 3, 4, 5], &[1, 2, 3], 5, true),
            (&[1, 2, 3, 4, 5], &[1, 2, 3], 3, false),
            (&[1], &[1], 1, false),
        ] {
            let verdict = of(voters, alive).may_remove(leaves);
            assert_eq!(
                verdict.is_ok(),
                allowed,
                "{voters:?} {alive:?} {leaves}: {verdict:?}"
            );
        }
    }

    #[test]
    fn nobody_is_removed_whom_min_in_sync_needs() {
        let mut situation = of(&[1, 2, 3], &[1, 2, 3]);
        situation.min_in_sync = Some(3);
        let refused = situation.may_remove(2);
        assert!(matches!(
            refused,
            Err(Refused::FewerThanInSync {
                left: 2,
                least: 3,
                ..
            })
        ));
        situation.min_in_sync = Some(2);
        assert!(situation.may_remove(2).is_ok());
    }

    #[test]
    fn only_a_replica_that_has_everything_gets_a_vote() {
        let mut situation = of(&[1, 2, 3, 4], &[1, 2, 3, 4]);
        situation.voters.remove(&4);
        assert!(matches!(situation.may_promote(4), Ok(true)));
        assert!(matches!(situation.may_promote(3), Ok(false)), "it has one");
        assert!(matches!(
            situation.may_promote(5),
            Err(Refused::NotAMember(5))
        ));
        situation.behind.insert(4, NEARLY_THERE + 1);
        assert!(matches!(
            situation.may_promote(4),
            Err(Refused::NotCaughtUp { .. })
        ));
        situation.behind.remove(&4);
        assert!(matches!(
            situation.may_promote(4),
            Err(Refused::NotCaughtUp { .. })
        ));
        situation.behind.insert(4, 0);
        situation.in_sync.remove(&4);
        assert!(matches!(
            situation.may_promote(4),
            Err(Refused::NotCaughtUp { .. })
        ));
        situation.reachable.remove(&4);
        assert!(matches!(
            situation.may_promote(4),
            Err(Refused::NotAlive(4))
        ));
    }

    #[test]
    fn an_id_and_an_address_are_one_replica() {
        let mut situation = of(&[1, 2, 3], &[1, 2, 3]);
        assert!(matches!(situation.may_add(&at(4, "http://4")), Ok(None)));
        assert!(matches!(
            situation.may_add(&at(3, "http://3")),
            Ok(Some(None))
        ));
        assert!(matches!(
            situation.may_add(&at(3, "http://4")),
            Err(Refused::OtherAddress(3, _))
        ));
        assert!(matches!(
            situation.may_add(&at(4, "http://3")),
            Err(Refused::AddressTaken(3, _))
        ));
        let leaving = situation.members.get_mut(&3).unwrap();
        leaving.wanted = Some(Wanted::Gone);
        assert!(matches!(
            situation.may_add(&at(3, "http://3")),
            Err(Refused::Leaving(3))
        ));
        let many: Vec<u64> = (1..=MAX_MEMBERS as u64).collect();
        assert!(matches!(
            of(&many, &many).may_add(&at(99, "http://99")),
            Err(Refused::TooMany)
        ));
    }

    #[test]
    fn a_lost_one_is_replaced_as_long_as_a_majority_lives() {
        assert!(of(&[1, 2, 3], &[1, 2]).may_replace(3, 4).is_ok());
        // The newcomer counts afterwards, and not before.
        assert!(of(&[1, 2, 3], &[1, 3]).may_replace(3, 4).is_ok());
        assert!(of(&[1, 2, 3], &[1]).may_replace(3, 4).is_err());
        assert!(of(&[1], &[1]).may_replace(1, 2).is_ok());
        let mut situation = of(&[1, 2, 3, 4], &[1, 2, 3, 4]);
        situation.members.get_mut(&4).unwrap().wanted = Some(Wanted::InPlaceOf(3));
        assert!(matches!(
            situation.may_add(&at(3, "http://3")),
            Err(Refused::BeingReplaced(3, 4))
        ));
    }
}
