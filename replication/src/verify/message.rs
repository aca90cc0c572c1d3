//! What replicas ask of each other while they compare their tables.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::digest::{Digest, KeyHash};
use super::judgement::Evidence;

/// A question about one checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Asked {
    /// Put the checkpoint into the log; for the leader.
    Begin { checkpoint: Uuid },
    /// How far are you with it?
    Progress { checkpoint: Uuid },
    /// The hashes of the rows in one bucket of a table.
    Rows {
        checkpoint: Uuid,
        table: String,
        bucket: usize,
    },
    /// The rows with these keys, as text.
    Versions {
        checkpoint: Uuid,
        table: String,
        bucket: usize,
        keys: Vec<KeyHash>,
    },
    /// Your table differs: see for yourself, and serve no more.
    Accuse(Evidence),
    /// It is over, and this is what it came to.
    Release {
        checkpoint: Uuid,
        conclusion: Conclusion,
    },
}

/// An answer to [`Asked`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The checkpoint is in the log, at this index.
    Begun { index: u64 },
    /// It will not be done, and why; for people.
    Refused(String),
    /// This replica has not looked at that checkpoint; so far it has come.
    NotReached { applied_index: Option<u64> },
    /// So many rows have been read.
    Examining { rows: u64 },
    /// The whole digest.
    Examined(Box<Digest>),
    /// Key and row hashes of a bucket.
    Rows(Vec<(KeyHash, [u8; 32])>),
    /// Rows as text, those that are there.
    Versions(Vec<(KeyHash, Vec<Option<String>>)>),
    /// What was asked is done.
    Done,
}

/// What a comparison came to, in numbers; every replica keeps the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conclusion {
    /// The revision that was compared.
    pub(crate) revision: u64,
    /// Replicas that differ, as far as that can be told.
    pub(crate) differing: u64,
    /// Rows differ, and it cannot be told whose are right.
    pub(crate) undecided: bool,
    /// Replicas that gave no digest.
    pub(crate) unanswered: u64,
    /// Those of the differing ones that could not be told, and may be serving.
    #[serde(default)]
    pub(crate) at_large: u64,
}

impl Conclusion {
    /// All replicas were compared, and none differs.
    pub(crate) fn is_equal(&self) -> bool {
        self.differing == 0 && !self.undecided && self.unanswered == 0
    }
}
