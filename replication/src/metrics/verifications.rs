//! Comparisons of the replicas' tables that this replica took part in.

use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::Label;
use crate::verify::Conclusion;

type Number = Gauge<u64, AtomicU64>;

/// See the module. Rare, so that the family is asked each time.
#[derive(Debug)]
pub(crate) struct Verifications {
    counts: Family<Label, Counter>,
    verified_revision: Number,
    verified_at: Number,
    differing: Number,
    undecided: Number,
    at_large: Number,
}

impl Verifications {
    pub(super) fn new() -> Self {
        let counts = Family::<Label, Counter>::default();
        for outcome in ["equal", "differs", "undecided", "incomplete"] {
            drop(counts.get_or_create(&[("outcome", outcome)]));
        }
        Self {
            counts,
            verified_revision: Number::default(),
            verified_at: Number::default(),
            differing: Number::default(),
            undecided: Number::default(),
            at_large: Number::default(),
        }
    }

    /// One has ended.
    pub(crate) fn concluded(&self, conclusion: &Conclusion) {
        let outcome = if conclusion.undecided {
            "undecided"
        } else if conclusion.differing > 0 {
            "differs"
        } else if conclusion.is_equal() {
            "equal"
        } else {
            "incomplete"
        };
        self.counts.get_or_create(&[("outcome", outcome)]).inc();
        // One that did not reach everybody takes nothing back.
        if outcome == "incomplete" {
            return;
        }
        self.differing.set(conclusion.differing);
        self.undecided.set(u64::from(conclusion.undecided));
        self.at_large.set(conclusion.at_large);
        if conclusion.is_equal() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            self.verified_revision.set(conclusion.revision);
            self.verified_at.set(now.map_or(0, |now| now.as_secs()));
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "verifications",
            "Comparisons of the tables of all replicas that this one took part in, by what they came to; undecided: rows differ, and no majority tells whose are right; incomplete: not every replica could be compared",
            self.counts.clone(),
        );
        registry.register(
            "verified_revision",
            "Revision at which the tables of all replicas were last found equal; 0 if never since the start",
            self.verified_revision.clone(),
        );
        registry.register_with_unit(
            "verified_time",
            "When the tables of all replicas were last found equal, since 1970; 0 if never since the start",
            Unit::Seconds,
            self.verified_at.clone(),
        );
        registry.register(
            "verify_differing_replicas",
            "Replicas whose tables were wrong in the last comparison that told",
            self.differing.clone(),
        );
        registry.register(
            "verify_undecided",
            "1 if the last comparison that told found rows of which it cannot be told whose are right",
            self.undecided.clone(),
        );
        registry.register(
            "verify_at_large_replicas",
            "Replicas whose tables were wrong in the last comparison that told, and that could not be told so: they may be serving",
            self.at_large.clone(),
        );
    }
}
