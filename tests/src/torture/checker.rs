//! Judges of a history. Each is a pure function of what clients saw and of what the databases hold at the end, so that
//! a judgement can be repeated.

use serde::Serialize;

use super::history::{FinalState, History};

/// Violations that a verdict spells out. All are counted.
const SPELLED_OUT: usize = 20;

/// What one checker found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The checker.
    pub checker: &'static str,
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
    fn new(checker: &'static str) -> Self {
        Self {
            checker,
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

    fn violated(&mut self, say: impl FnOnce() -> String) {
        self.violations += 1;
        if self.examples.len() < SPELLED_OUT {
            self.examples.push(say());
        }
    }
}

/// Asks every checker.
pub fn judge(_history: &History, _finals: &[FinalState]) -> Vec<Verdict> {
    Vec::new()
}
