//! Snapshots that went to a peer or came from one.

use std::time::Instant;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Durations, Label, durations};

/// Where a snapshot goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    /// To a peer that is too far behind for the log.
    Sent,
    /// Into this replica's database.
    Installed,
}

/// See the module. Rare, so that the families are asked each time.
#[derive(Debug)]
pub(crate) struct Snapshots {
    counts: Family<[(&'static str, &'static str); 2], Counter>,
    seconds: Durations,
    last_bytes: Family<Label, Gauge>,
}

impl Snapshots {
    pub(super) fn new() -> Self {
        let snapshots = Self {
            counts: Family::default(),
            seconds: durations(),
            last_bytes: Family::default(),
        };
        for direction in [Direction::Sent, Direction::Installed].map(label) {
            for outcome in ["ok", "failed"] {
                drop(
                    snapshots
                        .counts
                        .get_or_create(&[direction, ("outcome", outcome)]),
                );
            }
            drop(snapshots.seconds.get_or_create(&[direction]));
            drop(snapshots.last_bytes.get_or_create(&[direction]));
        }
        snapshots
    }

    /// One of so many bytes has arrived, or has not.
    pub(crate) fn ended(&self, direction: Direction, succeeded: bool, bytes: u64, begun: Instant) {
        let direction = label(direction);
        let outcome = if succeeded { "ok" } else { "failed" };
        self.counts
            .get_or_create(&[direction, ("outcome", outcome)])
            .inc();
        let elapsed = begun.elapsed().as_secs_f64();
        self.seconds.get_or_create(&[direction]).observe(elapsed);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.last_bytes.get_or_create(&[direction]).set(bytes);
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "snapshots",
            "Snapshots sent to peers that were too far behind for the log, and installed here",
            self.counts.clone(),
        );
        registry.register_with_unit(
            "snapshot",
            "Writing and sending a snapshot, or installing one",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register_with_unit(
            "snapshot_last_size",
            "Size of the last snapshot file, compressed; 0 before the first",
            Unit::Bytes,
            self.last_bytes.clone(),
        );
    }
}

fn label(direction: Direction) -> (&'static str, &'static str) {
    let direction = match direction {
        Direction::Sent => "sent",
        Direction::Installed => "installed",
    };
    ("direction", direction)
}
