use async_graphql::{Enum, SimpleObject};
use threefold_replication::verify;
use uuid::Uuid;

use super::int;
use crate::graphql::scalar::{DateTime, Revision};

/// What a comparison of the replicas' tables came to.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "verify::VerificationState")]
pub(crate) enum VerificationState {
    /// It goes on: ask again for verification.
    Running,
    /// Every replica holds the same rows.
    Equal,
    /// Rows differ, and whose are wrong is known: those replicas are quarantined.
    Differs,
    /// Rows differ, and it cannot be told whose are right, so none is quarantined for those. The leader compares again.
    Undecided,
    /// No difference was found, but not every replica could be compared.
    Incomplete,
}

/// How a replica's tables compare to the others'.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "verify::TablesState")]
pub(crate) enum TablesState {
    /// It is reading them.
    Pending,
    /// They are what most replicas have.
    Equal,
    /// They are not what most replicas have.
    Differs,
    /// They are not what another replica has, and it cannot be told whose are right.
    Undecided,
    /// They could not be compared.
    Unanswered,
}

/// A comparison of the tables of all replicas, row by row, at one revision.
#[derive(SimpleObject)]
pub(crate) struct Verification {
    /// Names it.
    id: Uuid,
    /// What it came to.
    state: VerificationState,
    /// Why it came to nothing, if that has one reason.
    reason: Option<String>,
    /// When it began.
    began_at: DateTime,
    /// When it ended; null while it goes on.
    ended_at: Option<DateTime>,
    /// The revision that is compared; null until a replica has told.
    revision: Option<Revision>,
    /// The replicas, by id.
    replicas: Vec<VerifiedReplica>,
    /// The first rows that differ: at most 10 of a table.
    differences: Vec<RowDifference>,
    /// Rows differ of which it cannot be told whose are right; no replica is quarantined for them.
    undecided: bool,
}

/// One replica in a comparison.
#[derive(SimpleObject)]
pub(crate) struct VerifiedReplica {
    /// Its number in the cluster.
    id: String,
    /// What is known of its tables.
    state: TablesState,
    /// Why they could not be compared, or which of them differ.
    reason: Option<String>,
    /// Rows read so far.
    rows: i32,
    /// Hash over all its tables: equal where all rows are. Null until they are read.
    digest: Option<String>,
    /// Milliseconds that reading them took. Null until they are read.
    took_ms: Option<i32>,
    /// It has been quarantined for what was found.
    quarantined: bool,
}

/// A row that is not the same on every replica.
#[derive(SimpleObject)]
pub(crate) struct RowDifference {
    /// The table in the replicas' databases.
    table: String,
    /// Its primary key, as column=value.
    key: String,
    /// The columns that differ; all of them where some replica has no such row.
    columns: Vec<String>,
    /// What each replica has.
    versions: Vec<RowVersion>,
}

/// What one replica has of a row that differs.
#[derive(SimpleObject)]
pub(crate) struct RowVersion {
    /// The replica's number.
    replica_id: String,
    /// It has such a row.
    present: bool,
    /// The values in the order of the columns that differ, long ones cut; empty where there is no row.
    values: Vec<Option<String>>,
}

impl From<verify::Verification> for Verification {
    fn from(verification: verify::Verification) -> Self {
        let replicas = verification.replicas.into_iter();
        let differences = verification.differences.into_iter();
        Self {
            id: verification.id,
            state: verification.state.into(),
            reason: verification.reason,
            began_at: DateTime(verification.began_at),
            ended_at: verification.ended_at.map(DateTime),
            revision: verification.revision.map(Revision),
            replicas: replicas.map(VerifiedReplica::from).collect(),
            differences: differences.map(RowDifference::from).collect(),
            undecided: verification.undecided,
        }
    }
}

impl From<verify::VerifiedReplica> for VerifiedReplica {
    fn from(replica: verify::VerifiedReplica) -> Self {
        Self {
            id: replica.id.to_string(),
            state: replica.state.into(),
            reason: replica.reason,
            rows: int(replica.rows),
            digest: replica.digest,
            took_ms: replica.took.map(|took| int(took.as_millis())),
            quarantined: replica.quarantined,
        }
    }
}

impl From<verify::RowDifference> for RowDifference {
    fn from(difference: verify::RowDifference) -> Self {
        let version = |version: verify::RowVersion| RowVersion {
            replica_id: version.replica_id.to_string(),
            present: version.present,
            values: version.values,
        };
        Self {
            table: difference.table,
            key: difference.key,
            columns: difference.columns,
            versions: difference.versions.into_iter().map(version).collect(),
        }
    }
}
