//! Something that a client waits for: how many wait, how long it took, and what it came to.

use std::time::Instant;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Durations, Label, durations};

/// The outcome of what nobody waited for to the end.
const ABANDONED: &str = "abandoned";

/// See the module. Two kinds, that is two values of one label, are timed apart.
#[derive(Debug)]
pub(crate) struct Operations {
    seconds: Durations,
    kinds: [Histogram; 2],
    counts: Family<Label, Counter>,
    outcomes: Vec<(&'static str, Counter)>,
    waiting: Gauge,
}

impl Operations {
    pub(super) fn new(
        label: &'static str,
        kinds: [&'static str; 2],
        outcomes: &[&'static str],
    ) -> Self {
        let (seconds, counts) = (durations(), Family::<Label, Counter>::default());
        let count = |outcome| (outcome, counts.get_or_create_owned(&[("outcome", outcome)]));
        Self {
            kinds: kinds.map(|kind| seconds.get_or_create_owned(&[(label, kind)])),
            outcomes: outcomes.iter().copied().map(count).collect(),
            waiting: Gauge::default(),
            seconds,
            counts,
        }
    }

    /// One begins, of the second kind or of the first.
    pub(crate) fn begin(&self, second: bool) -> Begun<'_> {
        self.waiting.inc();
        Begun {
            operations: self,
            seconds: &self.kinds[usize::from(second)],
            at: Instant::now(),
            outcome: ABANDONED,
        }
    }

    /// `names`: of the durations and of the counts. `helps`: of these, and of how many wait.
    pub(super) fn register(&self, registry: &mut Registry, names: [&str; 2], helps: [&str; 3]) {
        let [durations, counts, waiting] = helps;
        registry.register_with_unit(names[0], durations, Unit::Seconds, self.seconds.clone());
        registry.register(names[1], counts, self.counts.clone());
        registry.register(
            format!("{}_waiting", names[1]),
            waiting,
            self.waiting.clone(),
        );
    }
}

/// One that is under way. Dropped without an end, it was abandoned.
pub(crate) struct Begun<'a> {
    operations: &'a Operations,
    seconds: &'a Histogram,
    at: Instant,
    outcome: &'static str,
}

impl Begun<'_> {
    /// It did what was asked, or refused for good reason: how long that took counts.
    pub(crate) fn settled(mut self, outcome: &'static str) {
        self.seconds.observe(self.at.elapsed().as_secs_f64());
        self.outcome = outcome;
    }

    /// It could not be done.
    pub(crate) fn failed(mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.operations.waiting.dec();
        let counts = &self.operations.outcomes;
        if let Some((_, count)) = counts.iter().find(|(outcome, _)| *outcome == self.outcome) {
            count.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_was_abandoned_and_nothing_keeps_waiting() {
        let operations = Operations::new("kind", ["one", "other"], &["ok", "late", ABANDONED]);
        let count = |outcome| {
            operations
                .counts
                .get_or_create(&[("outcome", outcome)])
                .get()
        };
        operations.begin(false).settled("ok");
        operations.begin(true).failed("late");
        let begun = operations.begin(true);
        assert_eq!(operations.waiting.get(), 1);
        drop(begun);
        assert_eq!(operations.waiting.get(), 0);
        assert_eq!((count("ok"), count("late"), count(ABANDONED)), (1, 1, 1));
    }
}
