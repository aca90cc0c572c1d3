//! Faults of the service, as callers of this crate see them. What a client may not have is a
//! [`Refusal`](crate::command::Refusal) instead.

use std::time::Duration;

use uuid::Uuid;

/// A request that could not be served. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// No leader was known, or none could be reached, for the whole wait. Nothing was done.
    #[error("no leader could be reached within {} ms, so nothing was done; try again", .0.as_millis())]
    NoLeader(Duration),
    /// This replica waits for the others, to form the cluster.
    #[error("this replica waits for the others to form the cluster; start them all, and try again")]
    Forming,
    /// Fewer replicas are in sync than the cluster asks for. Nothing was written.
    #[error(
        "{in_sync} replicas are in sync and {required} are required; nothing was written, try again when more are back"
    )]
    NotEnoughReplicas {
        /// How many are.
        in_sync: usize,
        /// How many must be.
        required: usize,
    },
    /// The mutation was sent to the leader and no answer came: it may or may not have been carried out.
    #[error("no answer within {} ms; send it again with idempotency key {key} to learn the outcome, it is never done twice", .waited.as_millis())]
    InDoubt {
        /// The key to ask with.
        key: Uuid,
        /// How long was waited.
        waited: Duration,
    },
    /// This replica did not reach the revision or the leader's position in time.
    #[error("this replica did not catch up within {} ms; try again, or ask another replica", .0.as_millis())]
    Behind(Duration),
    /// More is waiting than this replica takes on.
    #[error("{0} requests are waiting on this replica already; slow down and try again")]
    Overloaded(usize),
    /// The proposal is larger than a log entry may be. Nothing was written.
    #[error("the request has {size} bytes, a proposal may have {limit}; send it in smaller parts")]
    TooLarge {
        /// Its encoded size in bytes.
        size: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// This replica's history differs from the others'; it serves nothing until it is replaced.
    #[error("this replica is quarantined: {0}; use another replica")]
    Quarantined(String),
    /// The database failed a read.
    #[error("the replica's database failed: {0}")]
    Database(String),
    /// The replica is stopping.
    #[error("this replica is stopping; use another replica")]
    Stopping,
}

impl ServiceError {
    /// True where the same request may succeed later or on another replica.
    pub fn retryable(&self) -> bool {
        !matches!(self, Self::TooLarge { .. })
    }
}
