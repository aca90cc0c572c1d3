//! One seed from beginning to end: a cluster is formed, suffers, is left in peace, and must then be well.

use std::path::PathBuf;
use std::time::Duration;

use turmoil::{Builder, Sim};

use crate::breakage::Breakage;
use crate::history::Fate;
use crate::invariants::Invariants;
use crate::nemesis::Nemesis;
use crate::plan::Plan;
use crate::world::{Shared, Violation, guard, host_name};
use crate::{host, trace};

/// Time that passes in one step.
const STEP: Duration = Duration::from_millis(1);
/// Longest time until a cluster is formed that nothing disturbs.
const FORMATION: Duration = Duration::from_secs(20);
/// Longest time, after the last fault, until every replica takes writes and all have the same.
const RECOVERY: Duration = Duration::from_secs(30);

/// What a seed came to.
pub struct Report {
    /// None, if all promises were kept.
    pub violation: Option<Violation>,
    /// Hash of all that happened, and how many events that was.
    pub digest: (String, u64),
    /// Simulated time.
    pub simulated: Duration,
    /// Simulated time from the last fault until all was well.
    pub recovery: Duration,
    /// Faults.
    pub faults: u64,
    /// Terms that had a leader, and committed entries.
    pub log: (usize, usize),
    /// Operations in doubt, accepted, refused, not written.
    pub operations: [usize; 4],
}

/// See the module.
struct Simulation<'a> {
    sim: Sim<'a>,
    shared: Shared,
    invariants: Invariants,
}

/// Runs a seed.
pub fn run(plan: Plan, breakage: Option<Breakage>, print: bool, folder: PathBuf) -> Report {
    let shared = Shared::new(plan.clone(), breakage, print, folder);
    let mut sim = Builder::new()
        .tick_duration(STEP)
        .min_message_latency(plan.latency.start)
        .max_message_latency(plan.latency.end)
        .simulation_duration(Duration::from_secs(3_600))
        .tcp_capacity(65_536)
        .rng_seed(plan.seed)
        .enable_random_order()
        .build();
    for id in 1..=plan.replicas {
        let shared = shared.clone();
        sim.host(host_name(id), move || host::run(shared.clone(), id));
    }
    let mut simulation = Simulation {
        sim,
        shared,
        invariants: Invariants::default(),
    };
    let (faults, recovery) = simulation.all(&plan);
    let mut world = simulation.shared.lock();
    let ledger = guard(&simulation.shared.ledger);
    let digest = ledger.digest();
    world.trace.bytes(&digest);
    Report {
        violation: world.violations.first().cloned(),
        digest: trace::Trace::digest(&world.trace),
        simulated: world.trace.now(),
        recovery,
        faults,
        log: ledger.summary(),
        operations: world.history.counts(),
    }
}

impl Simulation<'_> {
    fn all(&mut self, plan: &Plan) -> (u64, Duration) {
        if !plan.faults_from_the_start {
            self.run_until(FORMATION, Self::is_formed, "the cluster is formed");
        }
        let begun = self.sim.elapsed();
        let mut nemesis = Nemesis::new(begun + plan.fault_gap.start);
        while self.sim.elapsed() < begun + plan.unrest && self.step() {
            nemesis.step(&mut self.sim, &self.shared);
        }
        {
            let mut world = self.shared.lock();
            world.quiet = true;
            world.unproven = (1..=plan.replicas).collect();
        }
        nemesis.end(&mut self.sim, &self.shared);
        let healed = self.sim.elapsed();
        // A process that was stopping has to be started once more.
        while self.sim.elapsed() < healed + Duration::from_secs(4) && self.step() {
            nemesis.end(&mut self.sim, &self.shared);
            if self.is_well() {
                break;
            }
        }
        self.run_until(
            RECOVERY,
            Self::is_well,
            "the cluster recovers when all faults are over",
        );
        let recovery = self.sim.elapsed() - healed;
        if self.shared.lock().violations.is_empty() {
            self.audit();
        }
        (nemesis.faults, recovery)
    }

    /// One step; false once a promise was broken.
    fn step(&mut self) -> bool {
        let now = self.sim.elapsed();
        self.shared.lock().trace.at(now);
        if let Err(error) = self.sim.step() {
            self.shared.lock().violated("no process fails", error);
        }
        self.invariants.check(&self.shared);
        self.shared.lock().violations.is_empty()
    }

    fn run_until(&mut self, longest: Duration, done: impl Fn(&Self) -> bool, what: &'static str) {
        let begun = self.sim.elapsed();
        while !done(self) {
            if self.sim.elapsed() > begun + longest {
                let seen = self.describe();
                return self.shared.lock().violated(what, seen);
            }
            if !self.step() {
                return;
            }
        }
    }

    fn is_formed(&self) -> bool {
        let world = self.shared.lock();
        let probes = world
            .replicas
            .values()
            .map(|slot| slot.replica.as_ref()?.probe());
        let mut leaders = probes.map(|probe| probe?.leader);
        leaders.all(|leader| leader.is_some())
    }

    fn is_well(&self) -> bool {
        let world = self.shared.lock();
        if !world.unproven.is_empty() || world.history.operations.iter().any(|it| it.under_way > 0)
        {
            return false;
        }
        let probes = world
            .replicas
            .values()
            .map(|slot| slot.replica.as_ref()?.probe());
        let Some(probes) = probes.collect::<Option<Vec<_>>>() else {
            return false;
        };
        let last = probes.iter().map(|probe| probe.last_log).max().flatten();
        probes
            .iter()
            .all(|probe| probe.applied == last && probe.leader == probes[0].leader)
    }

    fn describe(&self) -> String {
        let world = self.shared.lock();
        let slots = world.replicas.iter().map(|(id, slot)| {
            let probe = slot.replica.as_ref().and_then(|replica| replica.probe());
            format!("{id} (up: {}): {probe:?}", slot.up)
        });
        let slots: Vec<String> = slots.collect();
        format!(
            "without a write and a read: {:?}; {}",
            world.unproven,
            slots.join("; ")
        )
    }

    /// Compares what the databases hold with what clients were told.
    fn audit(&mut self) {
        let mut world = self.shared.lock();
        let ledger = guard(&self.shared.ledger);
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        let first = world.replicas[&1]
            .database
            .rows()
            .expect("rows can be read");
        for (id, slot) in &world.replicas {
            let rows = slot.database.rows().expect("rows can be read");
            let differing = rows.iter().zip(&first).find(|(one, other)| one != other);
            if rows.len() != first.len() || differing.is_some() {
                let detail = format!(
                    "replica {id} has {} rows and replica 1 has {}; the first that differs: {differing:?}",
                    rows.len(),
                    first.len()
                );
                wrong.push(("all replicas have the same rows", detail));
            }
            let revisions = slot.database.revisions().expect("revisions can be read");
            let gapless = revisions.iter().copied().eq(1..=revisions.len() as i64);
            if !gapless {
                wrong.push((
                    "revisions have no gaps",
                    format!("replica {id}: {revisions:?}"),
                ));
            }
            let keys = slot.database.keys().expect("keys can be read");
            for (place, operation) in world.history.operations.iter().enumerate() {
                let known = keys.get(&operation.key);
                let right = match operation.fate {
                    Fate::InDoubt => true,
                    Fate::Accepted(revision) => known == Some(&i64::try_from(revision).ok()),
                    Fate::Refused => known == Some(&None),
                    Fate::NotWritten => known.is_none() && !ledger.is_committed(operation.key),
                };
                if !right {
                    let promise = if operation.fate == Fate::NotWritten {
                        "what is reported as not written is not"
                    } else {
                        "what is acknowledged is never lost"
                    };
                    let detail = format!(
                        "operation {place} was {:?}, replica {id} has {known:?}",
                        operation.fate
                    );
                    wrong.push((promise, detail));
                }
            }
        }
        for (invariant, detail) in wrong {
            world.violated(invariant, detail);
        }
    }
}
