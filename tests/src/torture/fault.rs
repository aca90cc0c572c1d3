//! What can befall a cluster: one file a kind. Each says what it does, does it, and undoes it.

mod database;
mod disk;
mod failpoint;
mod freeze;
mod interruption;
mod kill;
mod members;
mod partition;
mod replace;
mod rolling;
mod snapshot;
mod wire;

use std::fmt::Debug;

use futures_util::future::LocalBoxFuture;

use super::dice::{Deck, Dice};
use super::scene::{Scene, Unhealed};
use crate::DatabaseKind;
pub(super) use members::MOST_MORE;

/// One fault, drawn and not yet injected.
pub trait Fault: Debug {
    /// What it counts as in the report.
    fn kind(&self) -> String;

    /// Does it. Says what it did, for the diary.
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a>;

    /// Undoes it, as far as [`Scene::restore`] does not. What came with it was undone before.
    fn heal<'a>(&'a mut self, scene: &'a Scene) -> Healed<'a>;

    /// What it goes with.
    fn company(&self) -> Company {
        Company::Any
    }
}

/// What was done; or what did not come about although nothing stood in the way.
pub type Injected<'a> = LocalBoxFuture<'a, Result<String, Unhealed>>;
/// It is undone.
pub type Healed<'a> = LocalBoxFuture<'a, Result<(), Unhealed>>;

/// What a fault goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Whatever there is.
    Any,
    /// It begins when all are in sync, and then nothing else may be lost than time: [`COMPANIONS`].
    Light,
    /// It begins when all are in sync, and goes with nothing.
    None,
}

/// Kinds of faults, by the names that the command line knows.
pub const KINDS: [&str; 11] = [
    "kill",
    "freeze",
    "partition",
    "wire",
    "database",
    "failpoint",
    "snapshot",
    "replace",
    "members",
    "rolling",
    "disk",
];

/// Kinds that come alone or several at once, and how often each is drawn.
const SHORT: [(&str, u64); 6] = [
    ("kill", 25),
    ("freeze", 12),
    ("partition", 20),
    ("wire", 10),
    ("database", 12),
    ("failpoint", 20),
];
/// Kinds that take several steps. Each comes so often before any comes again.
const LONG: [&str; 10] = [
    "snapshot", "snapshot", "snapshot", "members", "members", "members", "replace", "replace",
    "rolling", "disk",
];
/// Kinds that take nothing from a replica but time.
pub const COMPANIONS: [&str; 4] = ["kill", "freeze", "partition", "wire"];
/// Kinds that need failpoints.
const WITH_FAILPOINTS: [&str; 2] = ["failpoint", "snapshot"];
/// Failpoints of which a run of some minutes is to pass every one.
pub fn places() -> impl Iterator<Item = &'static str> {
    let snapshots = snapshot::PLACES.into_iter();
    snapshots.chain(interruption::PLACES)
}

/// What the cluster is made of, as far as it decides what can befall it.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    /// Replicas.
    pub replicas: u16,
    /// Their databases.
    pub database: DatabaseKind,
    /// Whether the binary has failpoints.
    pub failpoints: bool,
}

/// Decides what comes next.
#[derive(Debug)]
pub struct Dealer {
    ground: Ground,
    short: Vec<(&'static str, u64)>,
    companions: Vec<(&'static str, u64)>,
    long: Option<Deck<&'static str>>,
    snapshots: Deck<&'static str>,
    memberships: interruption::Places,
    /// The round before was a long one.
    was_long: bool,
}

impl Dealer {
    /// Only of these kinds; of all where there are none.
    pub fn new(ground: Ground, allowed: &[String]) -> Self {
        let is_allowed = |kind: &str| {
            let named = allowed.is_empty() || allowed.iter().any(|name| name == kind);
            named && (ground.failpoints || !WITH_FAILPOINTS.contains(&kind))
        };
        let short: Vec<_> = SHORT
            .into_iter()
            .filter(|(kind, _)| is_allowed(kind))
            .collect();
        let companions = short.iter().copied();
        let companions = companions.filter(|(kind, _)| COMPANIONS.contains(kind));
        let long: Vec<_> = LONG.into_iter().filter(|kind| is_allowed(kind)).collect();
        assert!(
            !(short.is_empty() && long.is_empty()),
            "no kind of fault is allowed: {allowed:?}"
        );
        Self {
            ground,
            companions: companions.collect(),
            short,
            long: (!long.is_empty()).then(|| Deck::new(&long)),
            snapshots: Deck::new(&snapshot::PLACES),
            memberships: interruption::Places::new(ground.failpoints),
            was_long: false,
        }
    }

    /// The faults of a round: a long one with or without company, by turns with one to three short ones.
    pub fn deal(&mut self, dice: &mut Dice) -> Vec<Box<dyn Fault>> {
        let is_long = self.short.is_empty() || !self.was_long;
        self.was_long = is_long;
        let kind = match &mut self.long {
            Some(deck) if is_long => Some(deck.deal(dice)),
            _ => None,
        };
        let first = kind.map(|kind| self.draw(kind, dice));
        let (from, count) = match (&first, dice.below(10)) {
            (Some(_), 0..5) => (&self.companions, 0),
            (Some(_), 5..8) => (&self.companions, 1),
            (Some(_), _) => (&self.companions, 2),
            (None, 0..6) => (&self.short, 1),
            (None, 6..9) => (&self.short, 2),
            (None, _) => (&self.short, 3),
        };
        let mut kinds: Vec<&str> = (0..count).filter_map(|_| weighted(from, dice)).collect();
        // Of each kind one at a time: they would undo each other's.
        kinds.sort_unstable();
        kinds.dedup();
        if first
            .as_ref()
            .is_some_and(|fault| fault.company() == Company::None)
        {
            kinds.clear();
        }
        let mut faults: Vec<_> = first.into_iter().collect();
        faults.extend(kinds.into_iter().map(|kind| self.draw(kind, dice)));
        faults
    }

    /// A fault of a kind.
    pub fn draw(&mut self, kind: &str, dice: &mut Dice) -> Box<dyn Fault> {
        let ground = self.ground;
        match kind {
            "kill" => Box::new(kill::Kill::draw(dice)),
            "freeze" => Box::new(freeze::Freeze::draw(dice)),
            "partition" => Box::new(partition::Partition::draw(dice)),
            "wire" => Box::new(wire::BadWire::draw(dice)),
            "database" => Box::new(database::DatabaseFault::draw(dice, ground.database)),
            "failpoint" => Box::new(failpoint::Failpoints::draw(dice, ground)),
            "snapshot" => Box::new(snapshot::BrokenSnapshot::draw(dice, &mut self.snapshots)),
            "replace" => Box::new(replace::Replace::draw(dice, &mut self.memberships)),
            "members" => Box::new(members::Members::draw(dice, &mut self.memberships)),
            "disk" => Box::new(disk::FullDisk::draw(dice)),
            "rolling" => Box::new(rolling::Rolling::default()),
            other => panic!("{other} is no kind of fault: {KINDS:?}"),
        }
    }
}

/// What brings a cluster that has grown back to its planned size: the newest member leaves.
pub fn shrink() -> Box<dyn Fault> {
    Box::new(members::Members::newest_leaves())
}

fn weighted(from: &[(&'static str, u64)], dice: &mut Dice) -> Option<&'static str> {
    let mut thrown = dice.below(from.iter().map(|(_, weight)| weight).sum());
    from.iter().find_map(|(kind, weight)| {
        let is_it = thrown < *weight;
        thrown = thrown.saturating_sub(*weight);
        is_it.then_some(*kind)
    })
}

/// Who is meant, before it is known who leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victims {
    /// The leader.
    Leader,
    /// One follower.
    Follower,
    /// The leader and a follower.
    Two,
    /// Everybody.
    All,
}

impl Victims {
    /// The replicas that are meant, now.
    pub async fn find(self, scene: &Scene) -> Vec<u16> {
        let order = scene.leader_first().await;
        let chosen = match self {
            Self::Leader => &order[..1],
            Self::Follower => &order[1..2],
            Self::Two => &order[..2],
            Self::All => &order[..],
        };
        chosen.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const GROUND: Ground = Ground {
        replicas: 3,
        database: DatabaseKind::Sqlite,
        failpoints: true,
    };

    fn kinds(seed: u64, rounds: usize) -> Vec<Vec<String>> {
        let mut dealer = Dealer::new(GROUND, &[]);
        let mut dice = Dice::new(seed);
        let rounds = (0..rounds).map(|_| dealer.deal(&mut dice));
        let kinds = rounds.map(|faults| faults.iter().map(|fault| fault.kind()).collect());
        kinds.collect()
    }

    #[test]
    fn a_seed_repeats_what_comes() {
        assert_eq!(kinds(7, 60), kinds(7, 60));
        assert_ne!(kinds(7, 60), kinds(8, 60));
    }

    #[test]
    fn every_kind_that_takes_several_steps_comes_within_twenty_rounds() {
        for seed in 0..50 {
            let rounds = kinds(seed, 2 * LONG.len());
            let first: BTreeSet<&str> = rounds
                .iter()
                .filter_map(|kinds| kinds[0].split_whitespace().next())
                .collect();
            for kind in ["snapshots", "members", "replace", "rolling", "full"] {
                assert!(first.contains(kind), "seed {seed}: no {kind} in {first:?}");
            }
        }
    }

    #[test]
    fn only_what_takes_time_alone_goes_with_a_replica_that_is_lost() {
        let mut dealer = Dealer::new(GROUND, &[]);
        let mut dice = Dice::new(3);
        for _ in 0..200 {
            let faults = dealer.deal(&mut dice);
            let (first, others) = faults.split_first().unwrap();
            match first.company() {
                Company::Any => {}
                Company::None => assert!(others.is_empty()),
                Company::Light => {
                    let is_light = |kind: String| COMPANIONS.iter().any(|c| kind.starts_with(c));
                    assert!(others.iter().all(|other| is_light(other.kind())));
                }
            }
        }
    }

    #[test]
    fn only_what_is_allowed_comes() {
        let mut dice = Dice::new(5);
        let mut dealer = Dealer::new(GROUND, &["members".to_owned(), "freeze".to_owned()]);
        for _ in 0..50 {
            for fault in dealer.deal(&mut dice) {
                let kind = fault.kind();
                assert!(
                    kind.starts_with("members") || kind.starts_with("freeze"),
                    "{kind}"
                );
            }
        }
    }
}
