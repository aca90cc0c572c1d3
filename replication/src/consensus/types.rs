//! openraft's types, bound to ours once.

use openraft::EntryPayload;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::consensus::snapshot::SnapshotData;
use crate::outcome::Outcome;
use crate::proposal::Batch;
use crate::trace::TraceContext;

openraft::declare_raft_types!(
    /// Everything generic in openraft, decided.
    pub TypeConfig:
        D = Batch,
        R = Outcomes,
        NodeId = u64,
        Node = Node,
        Entry = Entry,
        SnapshotData = SnapshotData,
);

/// The outcomes of one log entry, in the order of its proposals; one that is lost (see the state machine) is none.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes(pub(crate) Vec<Option<Outcome>>);

/// For logs: the engine writes answers there at its finer levels.
impl std::fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} outcomes", self.0.len())
    }
}

/// A replica in the membership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Base URL of its peer endpoint when it joined.
    pub(crate) peer_url: String,
    /// True where an operator gave that address, which then goes before a `--peer` flag.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) named: bool,
    /// What an operator wants of it; none: a vote, as soon as it can have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wanted: Option<Wanted>,
    /// Tells it from another one that had its number before; none where it came in with a build that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) birth_mark: Option<Uuid>,
}

/// What an operator wants of a replica. It is in the log, so that whoever leads brings it about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// It follows without a vote, until somebody says otherwise.
    Learner,
    /// It has a vote, once it has everything.
    Voter,
    /// It takes over the vote of that replica, once it has everything.
    InPlaceOf(u64),
    /// It leaves.
    Gone,
}

pub(crate) type Raft = openraft::Raft<TypeConfig>;
pub(crate) type Entry = openraft::Entry<TypeConfig>;

/// The traces to follow these entries in.
pub(crate) fn traces_of(entries: &[Entry]) -> impl Iterator<Item = TraceContext> {
    entries.iter().flat_map(|entry| match &entry.payload {
        EntryPayload::Normal(batch) => batch.traces().iter().copied(),
        _ => [].iter().copied(),
    })
}

/// Sets of voters in each membership among these entries: two in the first step of a change, one in the second.
#[cfg(feature = "failpoints")]
pub(crate) fn memberships(entries: &[Entry]) -> Vec<usize> {
    let sets = entries.iter().filter_map(|entry| match &entry.payload {
        EntryPayload::Membership(membership) => Some(membership.get_joint_config().len()),
        _ => None,
    });
    sets.collect()
}

pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type StorageError = openraft::StorageError<u64>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, Node>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, Node>;
