use async_graphql::{Enum, SimpleObject};
use threefold_entity::Revision;
use threefold_replication::outcome::{Settled, Stage};

use crate::graphql::scalar;

/// Proof of what was stored where.
#[derive(SimpleObject)]
pub(crate) struct Receipt {
    /// The revision that the mutation made.
    revision: scalar::Revision,
    /// Term of the leader that took it, as a decimal string.
    term: String,
    /// True where the key was known and the first outcome is repeated.
    replayed: bool,
    /// Replicas that have it.
    acknowledged_by: Vec<ReplicaAcknowledgement>,
    /// Replicas that had not answered when this was sent.
    pending: Vec<String>,
}

/// A replica that has a mutation.
#[derive(SimpleObject)]
pub(crate) struct ReplicaAcknowledgement {
    /// The replica.
    replica_id: String,
    /// How far it has come there.
    state: AcknowledgementState,
}

/// How far a mutation has come on a replica.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Stage")]
pub(crate) enum AcknowledgementState {
    /// Flushed to its disk.
    Durable,
    /// Readable in its database.
    Applied,
}

impl Receipt {
    pub(crate) fn new(revision: Revision, settled: &Settled) -> Self {
        let acknowledged = settled.receipt.acknowledged_by.iter();
        Self {
            revision: scalar::Revision(revision),
            term: settled.outcome.term.to_string(),
            replayed: settled.outcome.replayed,
            acknowledged_by: acknowledged
                .map(|(id, stage)| ReplicaAcknowledgement {
                    replica_id: id.to_string(),
                    state: (*stage).into(),
                })
                .collect(),
            pending: settled.receipt.pending.iter().map(u64::to_string).collect(),
        }
    }
}
