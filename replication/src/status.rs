//! How the replicas are: what each reports of itself, and how one replica sees them all.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use threefold_entity::Revision;
use uuid::Uuid;

use crate::format::Formats;
use crate::history::HistoryHash;
pub use crate::succession::LostLeader;

/// What a replica does in the cluster at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Orders all mutations.
    Leader,
    /// Follows a leader.
    Follower,
    /// Asks to be elected.
    Candidate,
    /// Follows without a vote.
    Learner,
    /// Nobody listens for it, or it has not been heard from within the in-sync timeout.
    Unreachable,
}

/// Which database holds a replica's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DatabaseKind {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl DatabaseKind {
    /// Its name, as traces have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// One replica, as another (or itself) sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// Its id.
    pub id: u64,
    /// What it does.
    pub role: Role,
    /// Address of its public API; empty until it has been heard from.
    pub url: String,
    /// Its term.
    pub term: u64,
    /// Last revision in its database.
    pub revision: Revision,
    /// Revisions behind the newest one known.
    pub lag: u64,
    /// Heard from in time, and caught up.
    pub in_sync: bool,
    /// Hash of its history up to `revision`.
    pub state_hash: HistoryHash,
    /// Live expenses in its database.
    pub expense_count: i64,
    /// Its database.
    pub database: DatabaseKind,
    /// When it was last heard from; none if never. For the replica itself: now.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Why it serves nothing, if it is quarantined; as last heard.
    pub quarantine: Option<String>,
}

/// What a replica tells its peers of itself, whenever it changes and at least every
/// [`REPORT_INTERVAL`](crate::config::REPORT_INTERVAL).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The cluster it belongs to.
    pub cluster_id: Uuid,
    /// Its id.
    pub replica_id: u64,
    /// What it does.
    pub role: Role,
    /// The leader it knows of.
    pub leader_id: Option<u64>,
    /// Its term.
    pub term: u64,
    /// Address of its public API.
    pub url: String,
    /// Index of the last log entry in its database; none before the first.
    pub applied_index: Option<u64>,
    /// Last revision in its database.
    pub revision: Revision,
    /// Hash of its history up to `revision`.
    pub state_hash: HistoryHash,
    /// Live expenses in its database.
    pub expense_count: i64,
    /// Its database.
    pub database: DatabaseKind,
    /// Why it serves nothing, if it is quarantined.
    pub quarantine: Option<String>,
    /// What it reads.
    #[serde(default)]
    pub formats: Formats,
    /// Set while nobody listens for the leader that it knew last; none from a version that did not say.
    #[serde(default)]
    pub lost_leader: Option<LostLeader>,
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// What a follower that has come so far reports.
    pub(crate) fn report(replica_id: u64, applied_index: u64) -> Report {
        Report {
            cluster_id: Uuid::nil(),
            replica_id,
            role: Role::Follower,
            leader_id: Some(1),
            term: 1,
            url: String::new(),
            applied_index: Some(applied_index),
            revision: applied_index.into(),
            state_hash: HistoryHash::EMPTY,
            expense_count: 0,
            database: DatabaseKind::Sqlite,
            quarantine: None,
            formats: Formats::OWN,
            lost_leader: None,
        }
    }
}
