//! What can be done with a replica's log while it is not running.

use std::collections::BTreeMap;
use std::io;

use openraft::storage::{RaftLogReader, RaftLogStorage};
use openraft::{CommittedLeaderId, EntryPayload, Membership};
use threefold_entity::Revision;
use uuid::Uuid;

use super::log_store::LogStore;
use super::state_machine::load_standing;
use super::types::{Entry, LogId, Node, Vote};
use crate::database::Database;

/// How far a replica had come when it stopped.
pub(crate) struct StoredPosition {
    /// The sets of voters, by the last membership that it knows of.
    pub(crate) quorums: Vec<Vec<u64>>,
    /// Everybody in that membership.
    pub(crate) nodes: BTreeMap<u64, Node>,
    /// Term and index of the last entry, in the log or in the database.
    pub(crate) log_end: Option<(u64, u64)>,
    /// The last revision in its database.
    pub(crate) revision: Revision,
    /// Live expenses in its database.
    pub(crate) expense_count: i64,
    /// Entries of its log that are not in its database.
    pub(crate) entries_to_apply: u64,
}

/// Reads how far a replica had come.
pub(crate) async fn stored_position(db: &Database, log: &LogStore) -> io::Result<StoredPosition> {
    let standing = load_standing(&db.writer).await.map_err(io::Error::other)?;
    let applied = standing.last_applied.map(|log_id| log_id.index);
    let first = applied.map_or(0, |index| index + 1);
    let mut membership = standing.membership.membership().clone();
    let mut entries_to_apply = 0;
    let waiting = log.clone().try_get_log_entries(first..).await;
    for entry in waiting.map_err(io::Error::other)? {
        entries_to_apply += 1;
        if let EntryPayload::Membership(newer) = entry.payload {
            membership = newer;
        }
    }
    let last = log.clone().get_log_state().await;
    let last = last.map_err(io::Error::other)?.last_log_id;
    let last = last.max(standing.last_applied);
    let sets = membership.get_joint_config().iter();
    Ok(StoredPosition {
        quorums: sets.map(|set| set.iter().copied().collect()).collect(),
        nodes: membership
            .nodes()
            .map(|(id, node)| (*id, node.clone()))
            .collect(),
        log_end: last.map(|last| (last.leader_id.get_term(), last.index)),
        revision: standing.resident.revision,
        expense_count: standing.resident.expense_count,
        entries_to_apply,
    })
}

/// Makes a replica the only voter, by a membership at the end of its log, in a term of its own.
pub(crate) async fn make_only_voter(
    db: &Database,
    log: &LogStore,
    id: u64,
    peer_url: String,
    birth_mark: Uuid,
) -> io::Result<LogId> {
    let node = Node {
        peer_url,
        birth_mark: Some(birth_mark),
        ..Node::default()
    };
    let mut log = log.clone();
    let state = log.get_log_state().await.map_err(io::Error::other)?;
    let vote = log.read_vote().await.map_err(io::Error::other)?;
    let standing = load_standing(&db.writer).await.map_err(io::Error::other)?;
    let mut last = state.last_log_id;
    if standing.last_applied > last {
        // It stopped between a snapshot's installation and the cut of its log: the log goes on where the database is.
        if let Some(applied) = standing.last_applied {
            log.purge_offline(applied)?;
        }
        last = standing.last_applied;
    }
    let voted = vote.map_or(0, |vote| vote.leader_id().get_term());
    let term = last.map_or(0, |last| last.leader_id.get_term()).max(voted) + 1;
    let entry = Entry {
        log_id: LogId::new(
            CommittedLeaderId::new(term, id),
            last.map_or(0, |last| last.index + 1),
        ),
        payload: EntryPayload::Membership(Membership::new(
            vec![[id].into()],
            BTreeMap::from([(id, node)]),
        )),
    };
    log.save_vote(&Vote::new(term, id))
        .await
        .map_err(io::Error::other)?;
    let log_id = entry.log_id;
    log.append_offline(entry)?;
    Ok(log_id)
}
