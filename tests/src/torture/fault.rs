//! What can befall a cluster: one file a kind. Each says what it does, does it, and undoes it.

mod database;
mod disk;
mod failpoint;
mod freeze;
mod kill;
mod partition;
mod replace;
mod rolling;
mod snapshot;
mod wire;

use std::fmt::Debug;

use futures_util::future::LocalBoxFuture;

use super::dice::Dice;
use super::scene::Scene;
use crate::DatabaseKind;

/// One fault, drawn and not yet injected.
pub trait Fault: Debug {
    /// What it counts as in the report.
    fn kind(&self) -> String;

    /// Does it. Says what it did, for the diary.
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> LocalBoxFuture<'a, String>;

    /// Undoes it, as far as [`Scene::restore`] does not.
    fn heal<'a>(&'a mut self, scene: &'a Scene) -> LocalBoxFuture<'a, ()>;

    /// Whether it goes with no other fault, and begins only when all replicas are in sync.
    fn is_exclusive(&self) -> bool {
        false
    }
}

/// Kinds of faults, by the names that the command line knows.
pub const KINDS: [&str; 10] = [
    "kill",
    "freeze",
    "partition",
    "wire",
    "database",
    "failpoint",
    "snapshot",
    "replace",
    "rolling",
    "disk",
];

/// How often each kind is drawn.
const WEIGHTS: [u64; 10] = [25, 12, 20, 10, 12, 20, 6, 4, 3, 4];

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

/// Draws a kind among those allowed.
pub fn draw_kind(dice: &mut Dice, ground: Ground, allowed: &[String]) -> &'static str {
    let weighted: Vec<(&str, u64)> = KINDS
        .into_iter()
        .zip(WEIGHTS)
        .filter(|(kind, _)| allowed.is_empty() || allowed.iter().any(|name| name == kind))
        .filter(|(kind, _)| ground.failpoints || !["failpoint", "snapshot"].contains(kind))
        .collect();
    let sum = weighted.iter().map(|(_, weight)| weight).sum();
    let mut thrown = dice.below(sum);
    for (kind, weight) in &weighted {
        match thrown.checked_sub(*weight) {
            Some(left) => thrown = left,
            None => return kind,
        }
    }
    panic!("no kind of fault is allowed: {allowed:?}");
}

/// Draws a fault of a kind.
pub fn draw(kind: &str, dice: &mut Dice, ground: Ground) -> Box<dyn Fault> {
    match kind {
        "kill" => Box::new(kill::Kill::draw(dice)),
        "freeze" => Box::new(freeze::Freeze::draw(dice)),
        "partition" => Box::new(partition::Partition::draw(dice)),
        "wire" => Box::new(wire::BadWire::draw(dice)),
        "database" => Box::new(database::DatabaseFault::draw(dice, ground.database)),
        "failpoint" => Box::new(failpoint::Failpoints::draw(dice, ground)),
        "snapshot" => Box::new(snapshot::BrokenSnapshot::draw(dice)),
        "replace" => Box::new(replace::Replace::draw(dice)),
        "disk" => Box::new(disk::FullDisk::draw(dice)),
        "rolling" => Box::new(rolling::Rolling::default()),
        other => panic!("{other} is no kind of fault: {KINDS:?}"),
    }
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
