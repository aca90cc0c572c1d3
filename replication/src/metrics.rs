//! What a replica measures of itself, as plain handles that are recorded where things happen.
//!
//! Recording is an atomic addition or, for a histogram, a lock that nobody holds for longer than a few additions. What can
//! be read when somebody asks is not counted here: [`collector`] reads it. Every label has a fixed set of values, all of
//! them there from the start, so that a rate over one that has not happened yet is zero and not absent.

mod collector;
mod operation;
mod peer_calls;
mod snapshots;
mod verifications;

use std::time::Instant;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::mpsc;

pub(crate) use self::collector::ReplicaCollector;
pub(crate) use self::operation::Operations;
pub(crate) use self::peer_calls::PeerCalls;
pub(crate) use self::snapshots::{Direction, Snapshots};
pub(crate) use self::verifications::Verifications;
use crate::error::ServiceError;
use crate::peer::PeerAddress;

/// Upper bounds of the buckets of every duration, in seconds: 0.1 ms to 10 s.
pub const SECONDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];
/// Upper bounds of the buckets of proposals in a log entry; the last is the most there can be.
const PROPOSALS: [f64; 11] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
];
/// Upper bounds of the buckets of bytes in a log entry, 256 B to 4 MiB.
const BYTES: [f64; 8] = [
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
];

/// What a proposal can come to, as [`outcome_of`] and the verdict say.
const PROPOSAL_OUTCOMES: [&str; 11] = [
    "accepted",
    "refused",
    "no_leader",
    "not_enough_replicas",
    "in_doubt",
    "overloaded",
    "too_large",
    "quarantined",
    "stopping",
    "failed",
    "abandoned",
];
/// What a wait for fresh data can come to.
const READ_OUTCOMES: [&str; 8] = [
    "ok",
    "no_leader",
    "behind",
    "overloaded",
    "quarantined",
    "stopping",
    "failed",
    "abandoned",
];

/// The only label of a family, and its value.
pub(crate) type Label = [(&'static str, &'static str); 1];

/// See the module. One a replica.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) proposals: Operations,
    pub(crate) proposals_repeated: Counter,
    pub(crate) reads: Operations,
    batch_proposals: Histogram,
    batch_bytes: Histogram,
    log_flush: Histogram,
    log_appended: Counter,
    apply: Histogram,
    applied: Counter,
    apply_failures: Counter,
    pub(crate) leader_changes: Counter,
    pub(crate) peer_calls: PeerCalls,
    pub(crate) snapshots: Snapshots,
    pub(crate) verifications: Verifications,
}

impl Metrics {
    /// Nothing measured yet. `peers` are those whose calls are told apart.
    pub(crate) fn new(own_id: u64, peers: &[PeerAddress]) -> Self {
        let others = peers.iter().map(|peer| peer.id).filter(|id| *id != own_id);
        Self {
            proposals: Operations::new("acknowledgement", ["all", "quorum"], &PROPOSAL_OUTCOMES),
            proposals_repeated: Counter::default(),
            reads: Operations::new("consistency", ["linearizable", "local"], &READ_OUTCOMES),
            batch_proposals: Histogram::new(PROPOSALS),
            batch_bytes: Histogram::new(BYTES),
            log_flush: seconds(),
            log_appended: Counter::default(),
            apply: seconds(),
            applied: Counter::default(),
            apply_failures: Counter::default(),
            leader_changes: Counter::default(),
            peer_calls: PeerCalls::new(others),
            snapshots: Snapshots::new(),
            verifications: Verifications::new(),
        }
    }

    /// A log entry is made of these proposals.
    pub(crate) fn batched(&self, proposals: &[Bytes]) {
        let bytes: usize = proposals.iter().map(Bytes::len).sum();
        self.batch_proposals.observe(proposals.len() as f64);
        self.batch_bytes.observe(bytes as f64);
    }

    /// Log entries were appended and flushed.
    pub(crate) fn appended(&self, entries: usize, begun: Instant) {
        self.log_flush.observe(begun.elapsed().as_secs_f64());
        self.log_appended.inc_by(entries as u64);
    }

    /// Log entries were applied, in one transaction.
    pub(crate) fn applied(&self, entries: usize, begun: Instant) {
        self.apply.observe(begun.elapsed().as_secs_f64());
        self.applied.inc_by(entries as u64);
    }

    /// A try to apply log entries failed.
    pub(crate) fn apply_failed(&self) {
        self.apply_failures.inc();
    }

    /// Makes it all known to a registry.
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.proposals.register(registry, ["proposal", "proposals"],
            ["From a client's mutation at this replica until it is settled as its acknowledgement asks",
            "Mutations of this replica's clients, by what they came to; abandoned: the client went away", "Mutations of this replica's clients under way now"]);
        registry.register(
            "proposals_repeated",
            "Proposals sent once more under their key, because the first answer was lost",
            self.proposals_repeated.clone(),
        );
        self.reads.register(
            registry,
            ["read_barrier", "read_barriers"],
            [
                "From a read at this replica until its database is as fresh as the read asks",
                "Reads of this replica's clients, by what their wait for fresh data came to",
                "Reads of this replica's clients that wait for fresh data now",
            ],
        );
        registry.register(
            "batch_proposals",
            "Proposals in a log entry that this replica, leading, has made",
            self.batch_proposals.clone(),
        );
        registry.register_with_unit(
            "batch_size",
            "Size of a log entry that this replica, leading, has made",
            Unit::Bytes,
            self.batch_bytes.clone(),
        );
        registry.register_with_unit(
            "log_flush",
            "One append to the log, until it is on the disk",
            Unit::Seconds,
            self.log_flush.clone(),
        );
        registry.register(
            "log_appended_entries",
            "Entries appended to this replica's log",
            self.log_appended.clone(),
        );
        registry.register_with_unit(
            "apply",
            "One database transaction that applies log entries, all of it",
            Unit::Seconds,
            self.apply.clone(),
        );
        registry.register(
            "applied_entries",
            "Log entries applied to this replica's database",
            self.applied.clone(),
        );
        registry.register(
            "apply_failures",
            "Tries to apply log entries that failed, and were repeated or given up",
            self.apply_failures.clone(),
        );
        registry.register(
            "leader_changes",
            "Leaders that this replica has come to know since its start, the first included",
            self.leader_changes.clone(),
        );
        self.peer_calls.register(registry);
        self.snapshots.register(registry);
        self.verifications.register(registry);
    }
}

/// A queue at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    pub(crate) name: &'static str,
    pub(crate) depth: u64,
    pub(crate) limit: u64,
}

impl Queue {
    pub(crate) fn of<T>(name: &'static str, sender: &mpsc::Sender<T>) -> Self {
        let limit = sender.max_capacity();
        Self {
            name,
            depth: (limit - sender.capacity()) as u64,
            limit: limit as u64,
        }
    }
}

/// Histograms of durations, told apart by one label.
pub(crate) type Durations = Family<Label, Histogram, fn() -> Histogram>;

/// A family of durations.
pub(crate) fn durations() -> Durations {
    Family::new_with_constructor(seconds)
}

/// A histogram of durations.
pub(crate) fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

/// A fault of the service in the words of the label `outcome`.
pub(crate) fn outcome_of(error: &ServiceError) -> &'static str {
    match error {
        ServiceError::NoLeader(_) | ServiceError::Forming => "no_leader",
        ServiceError::NotEnoughReplicas { .. } => "not_enough_replicas",
        ServiceError::InDoubt { .. } => "in_doubt",
        ServiceError::Behind(_) => "behind",
        ServiceError::Overloaded(_) => "overloaded",
        ServiceError::TooLarge { .. } => "too_large",
        ServiceError::Quarantined(_) => "quarantined",
        ServiceError::Database(_) => "failed",
        ServiceError::Stopping => "stopping",
    }
}
