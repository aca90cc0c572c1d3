use async_graphql::{Enum, SimpleObject};
use threefold_replication::status::{self, ReplicaStatus};

use super::int;
use crate::graphql::scalar::{DateTime, Revision};

/// What a replica does in the cluster at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "status::Role")]
pub(crate) enum ReplicaRole {
    /// Orders all mutations.
    Leader,
    /// Follows the leader.
    Follower,
    /// Asks to be elected.
    Candidate,
    /// Follows without a vote.
    Learner,
    /// Nobody listens for it, or it has not been heard from within the in-sync timeout.
    Unreachable,
}

/// Which database holds a replica's rows.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "status::DatabaseKind")]
pub(crate) enum DatabaseKind {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// One replica, as the one that answers sees it.
#[derive(SimpleObject)]
pub(crate) struct Replica {
    /// Its number in the cluster.
    id: String,
    /// What it does.
    role: ReplicaRole,
    /// Address of its API; empty until it has been heard from.
    url: String,
    /// Its election term, as a decimal string.
    term: String,
    /// Last revision applied to this replica's database.
    revision: Revision,
    /// Revisions behind the leader.
    lag: i32,
    /// Heard from in time, and caught up: mutations wait for it.
    in_sync: bool,
    /// Hash of the whole history up to `revision`: equal on all replicas at equal revision.
    state_hash: String,
    /// Live expenses in its database.
    expense_count: i32,
    /// Its database.
    database: DatabaseKind,
    /// When it was last heard from; null if never.
    last_seen_at: Option<DateTime>,
    /// Why it serves nothing, if it is quarantined: its history or its tables differ from the others'.
    quarantine: Option<String>,
}

impl From<ReplicaStatus> for Replica {
    fn from(status: ReplicaStatus) -> Self {
        Self {
            id: status.id.to_string(),
            role: status.role.into(),
            url: status.url,
            term: status.term.to_string(),
            revision: Revision(status.revision),
            lag: int(status.lag),
            in_sync: status.in_sync,
            state_hash: status.state_hash.to_string(),
            expense_count: int(status.expense_count),
            database: status.database.into(),
            last_seen_at: status.last_seen_at.map(DateTime),
            quarantine: status.quarantine,
        }
    }
}
