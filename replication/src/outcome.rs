//! What became of a proposal, and the proof of where it is stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use threefold_entity::Revision;

use crate::change::Change;
use crate::command::Refusal;

/// What the state machine made of one proposal: the same on every replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Term of the log entry that first carried the command.
    pub term: u64,
    /// True where the key was known, and the first outcome is repeated.
    pub replayed: bool,
    /// Carried out or refused.
    pub verdict: Verdict,
}

/// Carried out or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Carried out.
    Accepted {
        /// The revision it made.
        revision: Revision,
        /// What changed.
        changes: Arc<Vec<Change>>,
    },
    /// Refused, with nothing changed.
    Refused(Vec<Refusal>),
}

/// When a mutation answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Acknowledgement {
    /// Applied, and readable, on every replica that is in sync.
    #[default]
    All,
    /// Durable on a majority and applied on the leader.
    Quorum,
}

/// Which replica has a command, and how far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Replicas that have it, in order of their ids.
    pub acknowledged_by: Vec<(u64, Stage)>,
    /// Replicas that had not answered when this was written, in order of their ids.
    pub pending: Vec<u64>,
}

/// How far a command has come on a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Flushed to its log.
    Durable,
    /// Readable in its database.
    Applied,
}

/// A proposal that is settled: what became of it and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// What became of it.
    pub outcome: Outcome,
    /// Who has it. Empty where the command was refused.
    pub receipt: Receipt,
}
