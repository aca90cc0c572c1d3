//! What a subscriber of `changes` was sent.

use serde::{Deserialize, Serialize};

use super::Row;

/// One event of one subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The subscriber.
    pub watcher: u16,
    /// The replica that it followed.
    pub replica: u16,
    /// When it came, in nanoseconds since the workloads began.
    pub at: u64,
    /// What came.
    pub event: WatchedEvent,
}

/// What a subscription goes through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WatchedEvent {
    /// It asked for what follows this revision, on a new connection.
    Subscribed(u64),
    /// All changes of a revision.
    Batch {
        /// The revision.
        revision: u64,
        /// Digest of the changes, alike for all subscribers.
        digest: u64,
        /// The changes. Only one subscriber keeps them: the digests say whether the others saw the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<Change>,
    },
    /// Nothing new up to here.
    Bookmark(u64),
    /// The revision is no longer kept.
    ResyncRequired {
        /// The oldest revision that can be followed from.
        oldest: u64,
        /// The newest.
        head: u64,
    },
    /// The workloads are over; everything up to this revision was to come.
    Finished(u64),
}

/// What became of one expense in a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    /// How.
    pub kind: ChangeKind,
    /// The expense after it.
    pub row: Row,
}

/// How an expense changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It was edited.
    Updated,
    /// It was deleted.
    Deleted,
    /// It was restored.
    Restored,
}
