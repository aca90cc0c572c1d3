//! What every client did and saw, in a form that can be written down and judged again.

mod file;
mod final_state;
mod operation;
mod recorder;
mod watched;

use serde::{Deserialize, Serialize};

pub use self::file::HistoryError;
pub use self::final_state::{FinalState, TableDigest, final_states};
pub use self::operation::{
    Action, Answer, Freshness, Item, Operation, Receipt, ReplicaSet, Row, Settlement,
};
pub(in crate::torture) use self::recorder::InDoubt;
pub use self::recorder::{Counts, Recorder};
pub use self::watched::{Change, ChangeKind, Watched, WatchedEvent};

/// Everything that the workloads recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// What clients asked for, in the order in which it ended.
    pub operations: Vec<Operation>,
    /// What subscribers were sent, each subscriber's in order.
    pub watched: Vec<Watched>,
    /// What was done to replicas that excuses them from promises made before it.
    pub disturbances: Vec<Disturbance>,
}

/// A replica lost what it had only in memory: its process or its database ended and came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disturbance {
    /// Nanoseconds since the workloads began.
    pub at: u64,
    /// The replica.
    pub replica: u16,
}

impl History {
    /// Whether that replica's process or database ended between two moments.
    pub fn disturbed(&self, replica: u16, from: u64, to: u64) -> bool {
        self.disturbances
            .iter()
            .any(|one| one.replica == replica && (from..=to).contains(&one.at))
    }
}
