//! Faults, one after the other and together, as the seed has it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::RngExt;
use turmoil::Sim;

use crate::world::{Order, Shared, World, host_name};

/// Longest time that a database is away.
const DATABASE_AWAY: Duration = Duration::from_millis(800);
/// Shortest time that it is back after that: its replica tries again only now and then, and has a patience.
const DATABASE_BACK: Duration = Duration::from_millis(600);

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A replica's machine loses its power.
    Crash,
    /// That of the leader.
    CrashLeader,
    /// All of them do, at once.
    CrashAll,
    /// A replica is stopped in an orderly way, and started again.
    Stop,
    /// A replica is cut off from all others.
    Isolate,
    /// The leader is.
    IsolateLeader,
    /// Two replicas do not reach each other.
    Cut,
    /// One replica does not reach another, which reaches it.
    CutOneWay,
    /// Messages between two replicas are held back, and come all at once.
    Hold,
    /// Messages between two replicas take long.
    Delay,
    /// A replica's database is away for a while.
    DatabaseAway,
    /// A replica's database crashes, and loses commits that were not flushed, while the replica runs.
    DatabaseCrash,
    /// Whatever is cut is mended.
    Mend,
}

/// All kinds, in the order of a plan's weights.
pub const KINDS: [Kind; 13] = [
    Kind::Crash,
    Kind::CrashLeader,
    Kind::CrashAll,
    Kind::Stop,
    Kind::Isolate,
    Kind::IsolateLeader,
    Kind::Cut,
    Kind::CutOneWay,
    Kind::Hold,
    Kind::Delay,
    Kind::DatabaseAway,
    Kind::DatabaseCrash,
    Kind::Mend,
];

/// See the module.
pub struct Nemesis {
    next: Duration,
    /// When replicas that are down are started again.
    restarts: BTreeMap<u64, Duration>,
    /// When databases that are down are back.
    databases: BTreeMap<u64, Duration>,
    /// When those that were down may be so again.
    rested: BTreeMap<u64, Duration>,
    /// When what is cut is mended again.
    mend: Option<Duration>,
    /// No fault comes any more.
    ended: bool,
    /// How many faults there were.
    pub faults: u64,
}

impl Nemesis {
    /// The first fault comes then.
    pub fn new(first: Duration) -> Self {
        Self {
            next: first,
            restarts: BTreeMap::new(),
            databases: BTreeMap::new(),
            rested: BTreeMap::new(),
            mend: None,
            ended: false,
            faults: 0,
        }
    }

    /// Does what is due.
    pub fn step(&mut self, sim: &mut Sim<'_>, shared: &Shared) {
        let now = shared.lock().trace.now();
        self.restart_due(sim, shared, now);
        self.databases_due(shared, now);
        if self.mend.is_some_and(|at| at <= now) {
            self.mend(sim, shared);
        }
        if now < self.next {
            return;
        }
        let (kind, gap, until) = {
            let mut world = shared.lock();
            let gap = world.plan.fault_gap.clone();
            let kind = choose(&mut world);
            let gap = between(&mut world, gap);
            let until = between(
                &mut world,
                Duration::from_millis(100)..Duration::from_millis(3_000),
            );
            (kind, gap, until)
        };
        self.next = now + gap;
        self.faults += 1;
        self.inflict(sim, shared, kind, now + until);
    }

    fn inflict(&mut self, sim: &mut Sim<'_>, shared: &Shared, kind: Kind, until: Duration) {
        let (one, other, leader, all) = {
            let mut world = shared.lock();
            let count = world.plan.replicas;
            let one = world.rng.random_range(1..=count);
            let other = (one + world.rng.random_range(0..count - 1)) % count + 1;
            let leader = leader(&world).unwrap_or(one);
            world
                .trace
                .event(format_args!("{kind:?}: {one}, {other}, leader {leader}"));
            (one, other, leader, 1..=count)
        };
        let (a, b) = (host_name(one), host_name(other));
        let cuts = match kind {
            Kind::Crash => {
                self.crash(sim, shared, one, until);
                false
            }
            Kind::CrashLeader => {
                self.crash(sim, shared, leader, until);
                false
            }
            Kind::CrashAll => {
                all.for_each(|id| self.crash(sim, shared, id, until));
                false
            }
            Kind::Stop => {
                let mut world = shared.lock();
                let slot = world.replicas.get_mut(&one).expect("fixed");
                if slot.replica.is_some() {
                    slot.order = Order::Stop;
                    self.restarts.insert(one, until);
                }
                false
            }
            Kind::Isolate | Kind::IsolateLeader => {
                let cut_off = if kind == Kind::Isolate { one } else { leader };
                for id in all.filter(|id| *id != cut_off) {
                    sim.partition(host_name(cut_off), host_name(id));
                }
                true
            }
            Kind::Cut => {
                sim.partition(a, b);
                true
            }
            Kind::CutOneWay => {
                sim.partition_oneway(a, b);
                true
            }
            Kind::Hold => {
                sim.hold(a, b);
                true
            }
            Kind::Delay => {
                let latency = {
                    let mut world = shared.lock();
                    between(
                        &mut world,
                        Duration::from_millis(20)..Duration::from_millis(400),
                    )
                };
                sim.set_link_max_message_latency(a, b, latency);
                false
            }
            Kind::DatabaseAway | Kind::DatabaseCrash => {
                let mut world = shared.lock();
                let world = &mut *world;
                let slot = world.replicas.get_mut(&one).expect("fixed");
                // A replica without a cluster yet gives up, and is to be started again.
                let founded = slot.replica.as_ref().and_then(|replica| replica.probe());
                let now = world.trace.now();
                let rested = self.rested.get(&one).is_none_or(|at| *at <= now);
                if rested && founded.is_some_and(|probe| probe.last_log.is_some()) {
                    if kind == Kind::DatabaseAway {
                        slot.database.fail(true);
                    } else {
                        let rng = &mut world.rng;
                        let kept = |unflushed: usize| rng.random_range(0..=unflushed);
                        let restored = slot.database.crash_under(kept);
                        restored.expect("a picture can be gone back to");
                    }
                    let back = until.min(now + DATABASE_AWAY);
                    self.databases.insert(one, back);
                    self.rested.insert(one, back + DATABASE_BACK);
                }
                false
            }
            Kind::Mend => {
                self.mend(sim, shared);
                false
            }
        };
        if cuts {
            self.mend = Some(self.mend.map_or(until, |at| at.max(until)));
        }
    }

    /// The power fails on one machine.
    fn crash(&mut self, sim: &mut Sim<'_>, shared: &Shared, id: u64, until: Duration) {
        if !sim.is_host_running(host_name(id)) {
            return;
        }
        sim.crash(host_name(id));
        let mut world = shared.lock();
        let world = &mut *world;
        let slot = world.replicas.get_mut(&id).expect("fixed");
        slot.replica = None;
        slot.up = false;
        let rng = &mut world.rng;
        slot.refuses = rng.random_bool(0.5);
        slot.disk.crash(|unflushed| rng.random_range(0..=unflushed));
        let restored = slot
            .database
            .crash(|unflushed| rng.random_range(0..=unflushed));
        restored.expect("a picture can be gone back to");
        self.restarts.insert(id, until);
    }

    fn restart_due(&mut self, sim: &mut Sim<'_>, shared: &Shared, now: Duration) {
        let due: Vec<u64> = self
            .restarts
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let running = sim.is_host_running(host_name(id));
            if running {
                // It is still stopping: as of a supervisor, whose patience ends.
                self.crash(sim, shared, id, now);
            }
            self.restarts.remove(&id);
            shared.lock().trace.event(format_args!("{id} starts"));
            sim.bounce(host_name(id));
        }
    }

    fn databases_due(&mut self, shared: &Shared, now: Duration) {
        let world = shared.lock();
        self.databases.retain(|id, at| {
            let due = *at <= now;
            if due {
                // Whoever reads next reads over a new connection.
                let slot = &world.replicas[id];
                slot.database.fail(false);
                slot.connections.fetch_add(1, Ordering::AcqRel);
            }
            !due
        });
    }

    fn mend(&mut self, sim: &mut Sim<'_>, shared: &Shared) {
        self.mend = None;
        let count = shared.lock().plan.replicas;
        shared.lock().trace.event("all links are mended");
        let slowest = shared.lock().plan.latency.end;
        for one in 1..=count {
            for other in one + 1..=count {
                sim.release(host_name(one), host_name(other));
                sim.repair(host_name(one), host_name(other));
                sim.set_link_max_message_latency(host_name(one), host_name(other), slowest);
            }
        }
    }

    /// Ends all faults: links are mended, databases back, and everybody runs, now or once it has stopped.
    pub fn end(&mut self, sim: &mut Sim<'_>, shared: &Shared) {
        if !self.ended {
            self.ended = true;
            self.mend(sim, shared);
        }
        let now = shared.lock().trace.now();
        for at in self.databases.values_mut() {
            *at = now;
        }
        self.databases_due(shared, now);
        for at in self.restarts.values_mut() {
            *at = now;
        }
        self.restart_due(sim, shared, now);
    }
}

fn choose(world: &mut World) -> Kind {
    let total: u32 = world.plan.weights.iter().sum();
    let mut place = world.rng.random_range(0..total.max(1));
    for (kind, weight) in KINDS.iter().zip(&world.plan.weights) {
        if place < *weight {
            return *kind;
        }
        place -= weight;
    }
    Kind::Crash
}

fn between(world: &mut World, range: std::ops::Range<Duration>) -> Duration {
    let micros = |duration: Duration| duration.as_micros() as u64;
    Duration::from_micros(
        world
            .rng
            .random_range(micros(range.start)..micros(range.end)),
    )
}

fn leader(world: &World) -> Option<u64> {
    let probes = world
        .replicas
        .iter()
        .filter_map(|(id, slot)| Some((*id, slot.replica.as_ref()?.probe()?)));
    let leaders =
        probes.filter(|(_, probe)| probe.role == threefold_replication::status::Role::Leader);
    leaders
        .max_by_key(|(_, probe)| probe.term)
        .map(|(id, _)| id)
}
