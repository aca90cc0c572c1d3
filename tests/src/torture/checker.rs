//! Judges of a history. Each is a pure function of what clients saw and of what the databases hold at the end, so that
//! a judgement can be repeated.

mod alike;
mod batch;
mod feed;
mod key;
mod linearizable;
mod model;
mod order;
mod receipt;
mod session;
mod set;
mod written;
mod your_writes;

use std::path::Path;

use serde::Serialize;

use super::history::{FinalState, History, HistoryError};

/// Violations that a verdict spells out. All are counted.
const SPELLED_OUT: usize = 20;
/// In a hundred: more that could not be decided, and what could proves little.
const MOST_UNDECIDED: u64 = 3;

/// What one checker found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The checker.
    pub checker: &'static str,
    /// What it holds the cluster to.
    pub promise: &'static str,
    /// How many things it looked at. None is no proof of anything.
    pub checked: u64,
    /// How many it could not decide within its bounds.
    pub undecided: u64,
    /// How many promises were broken.
    pub violations: u64,
    /// The first of these, for people.
    pub examples: Vec<String>,
}

impl Verdict {
    pub(super) fn new(checker: &'static str, promise: &'static str) -> Self {
        Self {
            checker,
            promise,
            checked: 0,
            undecided: 0,
            violations: 0,
            examples: Vec::new(),
        }
    }

    /// Whether nothing is wrong.
    pub fn holds(&self) -> bool {
        self.violations == 0
    }

    /// Whether it looked at something, and could decide nearly all of it.
    pub fn proves(&self) -> bool {
        self.checked > 0 && 100 * self.undecided <= MOST_UNDECIDED * self.checked
    }

    pub(super) fn violated(&mut self, say: impl FnOnce() -> String) {
        self.violations += 1;
        if self.examples.len() < SPELLED_OUT {
            self.examples.push(say());
        }
    }
}

/// Asks every checker. None needs the cluster any more.
pub fn judge(history: &History, finals: &[FinalState]) -> Vec<Verdict> {
    vec![
        linearizable::judge(history, finals),
        set::judge(history, finals),
        feed::judge(history, finals),
        your_writes::judge(history),
        receipt::judge(history),
        session::judge(history),
        order::judge(history),
        key::judge(history),
        batch::judge(history, finals),
        alike::judge(finals),
    ]
}

/// Asks those who can judge what was broken off: nobody knows what the databases held, what became of mutations in doubt, and what
/// subscribers would have been sent.
pub fn judge_unfinished(history: &History) -> Vec<Verdict> {
    vec![
        linearizable::judge(history, &[]),
        your_writes::judge(history),
        receipt::judge(history),
        session::judge(history),
        order::judge(history),
        key::judge(history),
    ]
}

/// Judges a history again from its file.
pub fn judge_file(path: &Path) -> Result<Vec<Verdict>, HistoryError> {
    let (history, finals) = History::load(path)?;
    Ok(judge(&history, &finals))
}

#[cfg(test)]
mod testing;
