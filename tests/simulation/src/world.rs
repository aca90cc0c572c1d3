//! What outlives the replicas' processes: their disks and databases, the history that clients saw, and the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use threefold_replication::Replica;
use threefold_replication::simulation::disk::SimulatedDisk;

use crate::breakage::Breakage;
use crate::database::SimulatedDatabase;
use crate::history::History;
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::trace::Trace;

/// The port of every replica's peer endpoint.
pub const PORT: u16 = 9081;

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Its name; those that are Threefold's own promises are in docs/simulation.md.
    pub invariant: &'static str,
    /// What was seen instead.
    pub detail: String,
    /// When, in simulated time.
    pub at: Duration,
}

/// What is asked of a running replica from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Go on.
    #[default]
    Run,
    /// Hand leadership over, stop cleanly, and end.
    Stop,
}

/// One replica: what it has, and the process if it runs.
pub struct Slot {
    /// Log and vote.
    pub disk: SimulatedDisk,
    /// Rows.
    pub database: SimulatedDatabase,
    /// Counts the connections to the database.
    pub connections: Arc<AtomicU64>,
    /// The running process.
    pub replica: Option<Replica>,
    /// Whether a process runs.
    pub up: bool,
    /// While none runs: its machine is there to say so.
    pub refuses: bool,
    /// What it is to do.
    pub order: Order,
    /// Counts its processes.
    pub incarnation: u64,
}

/// Everything, behind one lock that nobody holds while waiting.
pub struct World {
    /// What the seed has decided.
    pub plan: Plan,
    /// What is broken on purpose.
    pub breakage: Option<Breakage>,
    /// For whoever has to choose.
    pub rng: StdRng,
    /// What happened.
    pub trace: Trace,
    /// By id.
    pub replicas: BTreeMap<u64, Slot>,
    /// What clients asked for and were told.
    pub history: History,
    /// The first is the one that counts.
    pub violations: Vec<Violation>,
    /// Clients begin nothing any more, but for what proves that the replicas are well.
    pub quiet: bool,
    /// Replicas that have not shown yet, after all faults, that they take a write and a read.
    pub unproven: BTreeSet<u64>,
    /// Where the replicas' folders are.
    pub folder: PathBuf,
}

/// The world, as tasks hold it.
#[derive(Clone)]
pub struct Shared {
    world: Arc<Mutex<World>>,
    /// What is in the logs; apart, since disks tell it while a process writes.
    pub ledger: Arc<Mutex<Ledger>>,
}

impl Shared {
    /// A world in which nothing has happened yet.
    pub fn new(plan: Plan, breakage: Option<Breakage>, print: bool, folder: PathBuf) -> Self {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let mut replicas = BTreeMap::new();
        for id in 1..=plan.replicas {
            let disk = SimulatedDisk::new(Breakage::lie(breakage));
            let told = ledger.clone();
            disk.observe(move |before, writes| guard(&told).wrote(id, before, writes));
            let broken = breakage.filter(|it| *it != Breakage::Rows || id == 2);
            let slot = Slot {
                disk,
                database: SimulatedDatabase::new(broken).expect("a database in memory"),
                connections: Arc::default(),
                replica: None,
                up: false,
                refuses: true,
                order: Order::Run,
                incarnation: 0,
            };
            replicas.insert(id, slot);
        }
        let world = World {
            rng: StdRng::seed_from_u64(plan.seed),
            trace: Trace::new(print),
            replicas,
            history: History::new(plan.subscribers),
            violations: Vec::new(),
            quiet: false,
            unproven: BTreeSet::new(),
            plan,
            breakage,
            folder,
        };
        Self {
            world: Arc::new(Mutex::new(world)),
            ledger,
        }
    }

    /// The world, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        guard(&self.world)
    }
}

impl World {
    /// A promise was not kept.
    pub fn violated(&mut self, invariant: &'static str, detail: impl Display) {
        let detail = detail.to_string();
        self.trace
            .event(format_args!("VIOLATED {invariant}: {detail}"));
        self.violations.push(Violation {
            invariant,
            detail,
            at: self.trace.now(),
        });
    }

    /// How many replicas are a majority.
    pub fn majority(&self) -> usize {
        self.replicas.len() / 2 + 1
    }
}

/// A lock whose holder may have panicked: the seed has failed then anyway.
pub fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of a replica's machine.
pub fn host_name(id: u64) -> String {
    format!("replica-{id}")
}
