//! What a run was, and what came of it: for people, and as JSON.

mod text;
mod usage;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

pub use self::usage::Usage;
use super::checker::Verdict;
use super::fault;
use super::history::{Action, Answer, Counts, History};
use super::run::Options;
use super::scene::{LastWords, Unhealed};
use crate::DatabaseKind;

/// See the module.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Repeats the faults and what clients do, though not to the microsecond.
    pub seed: u64,
    /// The replicas' databases.
    pub database: &'static str,
    /// How many replicas.
    pub replicas: u16,
    /// How long clients were at work.
    pub seconds: u64,
    /// How often something was injected and undone.
    pub rounds: usize,
    /// Operations by kind, and then by answer.
    pub operations: BTreeMap<String, BTreeMap<String, u64>>,
    /// Faults injected, by kind.
    pub faults: BTreeMap<String, u64>,
    /// How often failpoints have acted, by name; those around snapshots and the membership also where they never did.
    pub failpoints: BTreeMap<String, u64>,
    /// Processes that ended without being killed: at failpoints, by faults that they do not survive, or because an empty replica is not
    /// let in.
    pub ended_by_themselves: u64,
    /// How often the cluster had to be whole again, and the longest that it took from when everything was undone.
    pub healings: Healings,
    /// Mutations whose answer was lost, and how many of them nobody could settle at the end.
    pub in_doubt: InDoubt,
    /// The longest time without an answered write, whatever the fault: also while there was no majority.
    pub longest_silence_ms: u64,
    /// From the end of a leader to the next answered write.
    pub failovers: Failovers,
    /// The most of everything, by replica.
    pub usage: BTreeMap<u16, Usage>,
    /// What the checkers say.
    pub verdicts: Vec<Verdict>,
    /// What the replicas were and said at last, where the cluster did not become whole again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub last_words: Vec<LastWords>,
}

/// How often the cluster had to be whole again.
#[derive(Debug, Default, Serialize)]
pub struct Healings {
    /// How often.
    pub count: u64,
    /// The longest.
    pub longest_ms: u64,
}

/// Mutations whose answer was lost.
#[derive(Debug, Default, Serialize)]
pub struct InDoubt {
    /// How many.
    pub count: u64,
    /// Of how many `outcome` did not tell.
    pub unsettled: u64,
}

/// From `kill -9` of a leader to the next answered write, sent after it, on another replica; where nothing else happened.
#[derive(Debug, Default, Serialize)]
pub struct Failovers {
    /// How many were seen.
    pub count: usize,
    /// Milliseconds that half of them took at most.
    pub median_ms: u64,
    /// Milliseconds that 99 of 100 took at most.
    pub p99_ms: u64,
    /// Milliseconds that all of them took at most.
    pub worst_ms: u64,
}

impl Report {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            seed: options.seed,
            database: match options.database {
                DatabaseKind::Postgres => "postgres",
                DatabaseKind::Sqlite => "sqlite",
            },
            replicas: options.replicas,
            seconds: 0,
            rounds: 0,
            operations: BTreeMap::new(),
            faults: BTreeMap::new(),
            failpoints: BTreeMap::new(),
            ended_by_themselves: 0,
            healings: Healings::default(),
            in_doubt: InDoubt::default(),
            longest_silence_ms: 0,
            failovers: Failovers::default(),
            usage: BTreeMap::new(),
            verdicts: Vec::new(),
            last_words: Vec::new(),
        }
    }

    /// Takes down how often failpoints have acted.
    pub(super) fn failpoints(&mut self, acted: &BTreeMap<String, u64>) {
        let never = fault::places().map(|name| (name.to_owned(), 0));
        let acted = acted.iter().map(|(name, times)| (name.clone(), *times));
        let acted = acted.filter(|(_, times)| *times > 0);
        self.failpoints = never.chain(acted).collect();
    }

    /// Takes down that the cluster is whole, and how long that took.
    pub(super) fn healed(&mut self, took: Duration) {
        self.healings.count += 1;
        self.healings.longest_ms = self.healings.longest_ms.max(millis(took));
    }

    pub(super) fn operations(&mut self, counts: &Counts) {
        for ((kind, answer), count) in counts {
            let by_answer = self.operations.entry((*kind).to_owned()).or_default();
            *by_answer.entry(answer.clone()).or_default() += count;
        }
    }

    pub(super) fn usage(&mut self, id: u16, now: Usage) {
        let most = self.usage.entry(id).or_default();
        most.memory_bytes = most.memory_bytes.max(now.memory_bytes);
        most.data_bytes = most.data_bytes.max(now.data_bytes);
    }

    /// Whether every checker is content, and has seen enough to be.
    pub fn holds(&self) -> bool {
        let mut verdicts = self.verdicts.iter();
        !self.verdicts.is_empty() && verdicts.all(|verdict| verdict.holds() && verdict.proves())
    }
}

impl Healings {
    pub(super) fn verdict(&self, unhealed: Option<&Unhealed>) -> Verdict {
        let mut verdict = Verdict::new(
            "healing",
            "once faults are undone, all replicas are members and in sync, operators' commands are carried out, and writes are answered",
        );
        verdict.checked = self.count;
        if let Some(unhealed) = unhealed {
            verdict.violated(|| unhealed.to_string());
        }
        verdict
    }
}

impl InDoubt {
    pub(super) fn of(history: &History) -> Self {
        let mutations = history.operations.iter().filter(|operation| {
            matches!(operation.answer, Answer::Lost(_)) && operation.action.key().is_some()
        });
        let (mut count, mut unsettled) = (0, 0);
        for mutation in mutations {
            count += 1;
            unsettled += u64::from(mutation.settlement.is_none());
        }
        Self { count, unsettled }
    }

    /// None where there was nothing to ask.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let mut verdict = Verdict::new(
            "outcomes",
            "once faults are undone, outcome tells what became of every mutation whose answer was lost",
        );
        verdict.checked = self.count;
        verdict.undecided = self.unsettled;
        (self.count > 0).then_some(verdict)
    }
}

impl Failovers {
    pub(super) fn of(history: &History, gone: &[(u64, u16)]) -> Self {
        let took = gone.iter().filter_map(|(at, id)| {
            let answered = history.operations.iter().filter(|operation| {
                let is_write = !matches!(operation.action, Action::Read { .. });
                is_write
                    && operation.begin >= *at
                    && operation.replica != *id
                    && matches!(operation.answer, Answer::Accepted { .. })
            });
            let first = answered.map(|operation| operation.end).min()?;
            Some((first - at) / 1_000_000)
        });
        let mut took: Vec<u64> = took.collect();
        took.sort_unstable();
        let place = |hundredth: usize| {
            let last = took.len().checked_sub(1)?;
            took.get((last * hundredth).div_ceil(100)).copied()
        };
        Self {
            count: took.len(),
            median_ms: place(50).unwrap_or(0),
            p99_ms: place(99).unwrap_or(0),
            worst_ms: place(100).unwrap_or(0),
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
