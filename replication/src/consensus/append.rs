//! What an AppendEntries must be before it is sent, and before it is taken.
//!
//! The engine leaves the tasks that replicate for a leader to themselves when it is deposed. One of them may then read a log that is
//! being cut, or has another leader's entries in place of its own, and send what it finds under the old vote, behind an entry that it
//! knew there before; a peer that has not heard of the new leader would take that. So a leader sends nothing that it read after its
//! vote had changed, and nobody takes what is no piece of one log (Raft, 5.3: log matching).

use openraft::CommittedLeaderId;
use openraft::raft::AppendEntriesRequest;

use super::log_store::LogStore;
use super::types::TypeConfig;

/// Why entries are not sent, or not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsound {
    /// They were read when this replica did not lead any more.
    #[error("this replica does not lead any more")]
    Deposed,
    /// There is a hole before one of them.
    #[error("entry {expected} is missing before entry {found}")]
    Missing {
        /// What should be there.
        expected: u64,
        /// What is.
        found: u64,
    },
    /// It is of another leader than it can be, by those before it and by who sends it.
    #[error("entry {0} does not belong there")]
    Misplaced(u64),
}

/// Looks whether the entries, which this replica has just read from its log, are those of the leader whose vote the request has.
/// While the vote is the same nobody else writes the log: votes only grow, so that it was the same when they were read.
pub(super) fn may_send(
    log: &LogStore,
    request: &AppendEntriesRequest<TypeConfig>,
) -> Result<(), Unsound> {
    match log.last_vote() == Some(request.vote) {
        true => may_take(request),
        false => Err(Unsound::Deposed),
    }
}

/// Looks whether the entries follow on the one before them, and on each other, in a log that the sender may have.
pub(super) fn may_take(request: &AppendEntriesRequest<TypeConfig>) -> Result<(), Unsound> {
    let mut before = request.prev_log_id;
    let sender = request.vote.leader_id();
    let sender = Some(CommittedLeaderId::new(sender.term, sender.node_id));
    for entry in &request.entries {
        let id = entry.log_id;
        let expected = before.map_or(0, |before| before.index.saturating_add(1));
        if id.index != expected {
            let found = id.index;
            return Err(Unsound::Missing { expected, found });
        }
        let leader = Some(id.leader_id);
        if leader < before.map(|before| before.leader_id) || leader > sender {
            return Err(Unsound::Misplaced(id.index));
        }
        before = Some(id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use openraft::EntryPayload;

    use super::*;
    use crate::consensus::types::{Entry, LogId, Vote};

    fn id((term, index): (u64, u64)) -> LogId {
        LogId::new(CommittedLeaderId::new(term, 1), index)
    }

    fn request(
        term: u64,
        before: Option<(u64, u64)>,
        entries: &[(u64, u64)],
    ) -> AppendEntriesRequest<TypeConfig> {
        let entry = |at: &(u64, u64)| Entry {
            log_id: id(*at),
            payload: EntryPayload::Blank,
        };
        AppendEntriesRequest {
            vote: Vote::new_committed(term, 1),
            prev_log_id: before.map(id),
            entries: entries.iter().map(entry).collect(),
            leader_commit: None,
        }
    }

    #[test]
    fn pieces_of_a_log_are_taken() {
        for (before, entries) in [
            (None, &[][..]),
            (Some((2, 7)), &[]),
            (None, &[(1, 0), (1, 1), (3, 2)]),
            (Some((2, 7)), &[(2, 8), (3, 9)]),
        ] {
            assert_eq!(may_take(&request(3, before, entries)), Ok(()));
        }
    }

    #[test]
    fn what_is_no_piece_of_a_log_is_not() {
        let missing = |expected, found| Err(Unsound::Missing { expected, found });
        let refused = |before, entries| may_take(&request(3, before, entries));
        assert_eq!(refused(None, &[(1, 1)]), missing(0, 1));
        assert_eq!(refused(Some((2, 7)), &[(2, 20)]), missing(8, 20));
        assert_eq!(refused(Some((2, 7)), &[(2, 8), (2, 10)]), missing(9, 10));
        let misplaced = |index| Err(Unsound::Misplaced(index));
        assert_eq!(refused(Some((2, 7)), &[(1, 8)]), misplaced(8));
        assert_eq!(refused(Some((2, 7)), &[(3, 8), (2, 9)]), misplaced(9));
        assert_eq!(refused(Some((2, 7)), &[(3, 8), (4, 9)]), misplaced(9));
    }
}
