//! Measurements that a report quotes: how long a cluster is without a leader, what a silent follower costs, what a million
//! expenses weigh. They assert nothing about time, since machines differ: they print what they saw, next to a peer's figures
//! from the same run where there is one.
//!
//! `make measure` runs them (see `src/bin/measure.rs`).

pub mod etcd;
pub mod failover;
pub mod follower;
pub mod million;
pub mod process;

use std::time::Duration;

use serde::Serialize;

/// The spread of some durations, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// The shortest.
    pub min: f64,
    /// The one in the middle; of an even number, the lower of the two.
    pub median: f64,
    /// The 99th percentile by nearest rank: of fewer than a hundred, the longest.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Spread {
    /// None of nothing.
    pub fn of(durations: &[Duration]) -> Option<Self> {
        let mut sorted: Vec<f64> = durations.iter().map(|d| d.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).max(1) - 1;
        Some(Self {
            count: sorted.len(),
            min: *sorted.first()?,
            median: *sorted.get(rank(50))?,
            p99: *sorted.get(rank(99))?,
            max: *sorted.last()?,
        })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            count,
            min,
            median,
            p99,
            max,
        } = self;
        write!(
            f,
            "median {median:.1} ms, min {min:.1}, 99th percentile {p99:.1}, worst {max:.1} (of {count})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest_ones() {
        assert!(Spread::of(&[]).is_none());
        let durations: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(&durations).unwrap();
        let figures = [spread.min, spread.median, spread.p99, spread.max];
        assert_eq!(figures, [1.0, 100.0, 198.0, 200.0]);
        let one = Spread::of(&[Duration::from_millis(7)]).unwrap();
        assert_eq!([one.min, one.median, one.p99, one.max], [7.0; 4]);
    }
}
