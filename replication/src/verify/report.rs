//! A comparison, as callers of this crate see it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use threefold_entity::Revision;
use uuid::Uuid;

/// A comparison of the tables of all replicas: what is known of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Names it, and its checkpoint in the log.
    pub id: Uuid,
    /// What it came to.
    pub state: VerificationState,
    /// Why it came to nothing, if that has one reason; for people.
    pub reason: Option<String>,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it ended; none while it goes on.
    pub ended_at: Option<DateTime<Utc>>,
    /// The log position that is compared; none before the checkpoint is in the log.
    pub log_index: Option<u64>,
    /// The revision that is compared; none before a replica has told.
    pub revision: Option<Revision>,
    /// The replicas of the membership, by id.
    pub replicas: Vec<VerifiedReplica>,
    /// The first rows that differ, at most some tens, in the order of tables and keys.
    pub differences: Vec<RowDifference>,
    /// Rows differ of which it cannot be told whose are right.
    pub undecided: bool,
}

/// What a comparison came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationState {
    /// It goes on.
    Running,
    /// Every replica holds the same rows.
    Equal,
    /// Rows differ, and whose are wrong is known: those replicas are quarantined.
    Differs,
    /// Rows differ of which it cannot be told whose are right: no majority of all members has the same. Nobody is
    /// quarantined for those. The leader compares again before long.
    Undecided,
    /// No difference was found, but not every replica could be compared.
    Incomplete,
}

/// One replica in a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReplica {
    /// Its id.
    pub id: u64,
    /// What is known of its tables.
    pub state: TablesState,
    /// Why there is no digest, or in which tables it differs; for people.
    pub reason: Option<String>,
    /// Rows read so far.
    pub rows: u64,
    /// Hash over all its tables, in hexadecimal; equal where all rows are.
    pub digest: Option<String>,
    /// How long it took to read them.
    pub took: Option<Duration>,
    /// It has been quarantined for what was found.
    pub quarantined: bool,
}

/// How a replica's tables compare to the others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablesState {
    /// It is reading them.
    Pending,
    /// They are what most have.
    Equal,
    /// They are not what most have.
    Differs,
    /// They are not what another has, and it cannot be told whose are right.
    Undecided,
    /// It gave no digest.
    Unanswered,
}

/// A row that is not the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDifference {
    /// The table.
    pub table: String,
    /// Its primary key, as `column=value`.
    pub key: String,
    /// The columns that differ; all of them where some replica has no such row.
    pub columns: Vec<String>,
    /// What each replica has, by id.
    pub versions: Vec<RowVersion>,
}

/// What one replica has of a row that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowVersion {
    /// The replica.
    pub replica_id: u64,
    /// It has such a row.
    pub present: bool,
    /// The values of [`RowDifference::columns`], long ones cut; empty where there is no row.
    pub values: Vec<Option<String>>,
}

impl Verification {
    pub(super) fn new(members: Vec<u64>) -> Self {
        let replica = |id| VerifiedReplica {
            id,
            state: TablesState::Pending,
            reason: None,
            rows: 0,
            digest: None,
            took: None,
            quarantined: false,
        };
        Self {
            id: Uuid::now_v7(),
            state: VerificationState::Running,
            reason: None,
            began_at: Utc::now(),
            ended_at: None,
            log_index: None,
            revision: None,
            replicas: members.into_iter().map(replica).collect(),
            differences: Vec::new(),
            undecided: false,
        }
    }

    pub(super) fn replica_mut(&mut self, id: u64) -> Option<&mut VerifiedReplica> {
        self.replicas.iter_mut().find(|replica| replica.id == id)
    }
}
