//! What was measured, and the figures that a report shows of it.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::cpu::Seconds;

/// The longest that is told apart, in microseconds.
const LONGEST: u64 = 120_000_000;

/// Latencies in microseconds, to three digits.
pub fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds that a histogram can have")
}

/// Notes one latency.
pub fn note(latencies: &mut Histogram<u64>, latency: Duration) {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    latencies.saturating_record(micros.max(1));
}

/// What one subject did, in one turn or several.
#[derive(Debug, Clone)]
pub struct Tally {
    /// How long it was measured.
    pub time: Duration,
    /// Of every operation that was answered rightly.
    pub latencies: Histogram<u64>,
    /// Processor time by process family, the load generator among them.
    pub cpu: Seconds,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            time: Duration::ZERO,
            latencies: latencies(),
            cpu: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// Takes another turn in.
    pub fn add(&mut self, other: &Self) {
        self.time += other.time;
        self.latencies
            .add(&other.latencies)
            .expect("histograms of the same bounds");
        for (name, seconds) in &other.cpu {
            *self.cpu.entry(name.clone()).or_default() += seconds;
        }
    }

    /// Operations a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64().max(f64::EPSILON)
    }

    /// For a report.
    pub fn figures(&self) -> Figures {
        let milliseconds = |percent: f64| self.latencies.value_at_percentile(percent) as f64 / 1e3;
        let operations = self.latencies.len();
        Figures {
            operations,
            seconds: self.time.as_secs_f64(),
            per_second: self.rate(),
            p50_ms: milliseconds(50.0),
            p90_ms: milliseconds(90.0),
            p99_ms: milliseconds(99.0),
            p999_ms: milliseconds(99.9),
            max_ms: self.latencies.max() as f64 / 1e3,
            cpu_us: self
                .cpu
                .iter()
                .map(|(name, seconds)| (name.clone(), seconds * 1e6 / operations.max(1) as f64))
                .collect(),
        }
    }
}

/// A [`Tally`] in figures.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// How many were answered rightly.
    pub operations: u64,
    /// In how long.
    pub seconds: f64,
    /// One by the other.
    pub per_second: f64,
    /// Latency that half of them stay within.
    pub p50_ms: f64,
    /// Nine in ten.
    pub p90_ms: f64,
    /// 99 in a hundred.
    pub p99_ms: f64,
    /// 999 in a thousand.
    pub p999_ms: f64,
    /// All.
    pub max_ms: f64,
    /// Microseconds of processor time an operation, by process family.
    pub cpu_us: BTreeMap<String, f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_add_up() {
        let mut all = Tally::default();
        for turn in 1..=2 {
            let mut tally = Tally {
                time: Duration::from_secs(10),
                ..Tally::default()
            };
            for _ in 0..500 {
                note(&mut tally.latencies, Duration::from_millis(turn));
            }
            tally.cpu.insert("leader".to_owned(), 0.5);
            all.add(&tally);
        }
        let figures = all.figures();
        assert_eq!(figures.operations, 1_000);
        assert!((figures.per_second - 50.0).abs() < 1e-9);
        assert!((figures.p50_ms - 1.0).abs() < 0.01, "{figures:?}");
        assert!((figures.max_ms - 2.0).abs() < 0.01, "{figures:?}");
        assert!((figures.cpu_us["leader"] - 1_000.0).abs() < 1e-6);
    }
}
