//! A steady stream of mutations for minutes: stalls show, and what the replicas keep in memory.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::drive;
use super::figures::{Figures, Tally, note};
use super::subject::{Load, Subject, Through, Use};
use super::system::System;
use crate::cluster::Cluster;
use crate::measure::process;

/// Clients of the run that finds the top rate.
const CLIENTS: usize = 64;
const TOP_TIME: Duration = Duration::from_secs(8);
/// Most mutations under way at once.
const WAITING: usize = 1_024;
const SAMPLE: Duration = Duration::from_secs(1);

/// What was seen.
#[derive(Debug, Serialize)]
pub struct Sustained {
    /// Mutations a second by 64 clients, each as soon as it was answered.
    pub top_rate: f64,
    /// Mutations a second that were sent.
    pub rate: f64,
    /// Of all; the clock of each starts when it was due.
    pub all: Figures,
    /// The same second by second: the median and the worst latency, in milliseconds.
    pub seconds: Vec<(u64, f64, f64)>,
    /// Megabytes of each replica, by its id: before the first mutation, and then second by second.
    pub memory_mb: Vec<(f64, Vec<f64>)>,
}

/// Sends half the top rate for so long, acknowledged by all.
///
/// # Errors
/// An answer that is not right.
pub async fn measure(system: &System, time: Duration) -> Result<Sustained, String> {
    let System::Threefold(cluster) = system else {
        return Err("this is about Threefold".to_owned());
    };
    let subject = Subject {
        name: "all",
        system: 0,
        what: Use::AddExpense("all", Through::Leader),
    };
    let begun = Instant::now();
    let mut memory = vec![(0.0, resident(cluster))];
    let load = Load {
        clients: CLIENTS,
        warm_up: Duration::from_secs(2),
        time: TOP_TIME,
    };
    let top_rate = subject.run(system, load).await?.rate();
    let rate = top_rate / 2.0;
    let script = subject.script(system).await?;
    let stream = drive::open(&script, rate, WAITING, time);
    let sampling = async {
        loop {
            tokio::time::sleep(SAMPLE).await;
            memory.push((begun.elapsed().as_secs_f64(), resident(cluster)));
        }
    };
    let all = tokio::select! {
        all = stream => all?,
        () = sampling => Vec::new(),
    };
    let mut tally = Tally {
        time,
        ..Tally::default()
    };
    all.iter()
        .for_each(|(_, took)| note(&mut tally.latencies, *took));
    Ok(Sustained {
        top_rate,
        rate,
        all: tally.figures(),
        seconds: by_second(&all),
        memory_mb: memory,
    })
}

fn by_second(all: &[drive::Due]) -> Vec<(u64, f64, f64)> {
    let milliseconds = |took: Duration| took.as_secs_f64() * 1e3;
    let seconds = all.chunk_by(|one, next| one.0.as_secs() == next.0.as_secs());
    let second = |dues: &[drive::Due]| {
        let mut took: Vec<Duration> = dues.iter().map(|(_, took)| *took).collect();
        took.sort_unstable();
        let (middle, worst) = (took.get(took.len() / 2), took.last());
        let [middle, worst] =
            [middle, worst].map(|took| milliseconds(took.copied().unwrap_or_default()));
        (dues[0].0.as_secs(), middle, worst)
    };
    seconds.map(second).collect()
}

fn resident(cluster: &Cluster) -> Vec<f64> {
    let megabytes = |pid| process::resident_bytes(pid) as f64 / 1e6;
    cluster
        .replicas()
        .iter()
        .map(|replica| megabytes(replica.pid()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_told_apart() {
        let due = |at, took| (Duration::from_millis(at), Duration::from_millis(took));
        let all = [due(0, 3), due(400, 1), due(999, 2), due(1_000, 250)];
        assert_eq!(by_second(&all), [(0, 2.0, 3.0), (1, 250.0, 250.0)]);
    }
}
