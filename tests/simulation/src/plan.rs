//! Everything that a seed decides before it runs.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// See the module.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How many replicas there are, numbered from 1.
    pub replicas: u64,
    /// See the replica's configuration.
    pub election_timeout: Duration,
    /// See the replica's configuration.
    pub in_sync_timeout: Duration,
    /// Few, so that logs are cut and snapshots sent.
    pub compact_after_entries: u64,
    /// Whether proposals share log entries.
    pub group_commit: bool,
    /// How long messages take.
    pub latency: Range<Duration>,
    /// How long clients think between two requests, at most.
    pub think: Duration,
    /// Clients on each replica.
    pub clients: u64,
    /// Subscribers that roam over the replicas.
    pub subscribers: usize,
    /// How long faults come and go.
    pub unrest: Duration,
    /// Time between two faults.
    pub fault_gap: Range<Duration>,
    /// Faults come while the cluster is being formed already.
    pub faults_from_the_start: bool,
    /// How often each kind of fault is chosen, by its place in [`crate::nemesis::KINDS`].
    pub weights: Vec<u32>,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64, replicas: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ 0x7468_7265_6566_6f6c);
        let millis = Duration::from_millis;
        let slowest = [2, 5, 10, 20][rng.random_range(0..4)];
        // Some seeds know few kinds of faults only, and those well.
        let picky = rng.random_bool(0.3);
        let weights = crate::nemesis::KINDS.iter();
        let weights = weights.map(|_| match picky {
            true if rng.random_bool(0.6) => 0,
            _ => rng.random_range(1..10),
        });
        let weights = weights.collect();
        Self {
            seed,
            replicas,
            election_timeout: millis(rng.random_range(90..300)),
            in_sync_timeout: millis(rng.random_range(400..1_000)),
            compact_after_entries: [8, 16, 32, 128][rng.random_range(0..4)],
            group_commit: rng.random_bool(0.8),
            latency: millis(1)..millis(slowest),
            think: millis([5, 20, 80][rng.random_range(0..3)]),
            clients: rng.random_range(1..=4),
            subscribers: rng.random_range(1..=4),
            unrest: millis(rng.random_range(4_000..9_000)),
            fault_gap: millis(100)..millis([400, 1_200, 2_500][rng.random_range(0..3)]),
            faults_from_the_start: rng.random_bool(0.1),
            weights,
        }
    }
}
