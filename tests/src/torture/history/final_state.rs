//! What a replica's database holds when all is over, read behind the service's back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Row;
use crate::Cluster;
use crate::inspect::{self, Inspector};

/// What a replica's database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalState {
    /// The replica.
    pub replica: u16,
    /// Its revision.
    pub revision: u64,
    /// Hash of its history.
    pub history_hash: String,
    /// Everything else that clients can see.
    pub tables: BTreeMap<String, TableDigest>,
    /// The expenses that the workloads wrote, by id.
    pub rows: Arc<Vec<Row>>,
}

/// What a table holds, put shortly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDigest {
    /// How many rows.
    pub rows: u64,
    /// Digest over all of them, whatever their order.
    pub digest: String,
}

/// Waits until all running replicas stand at one revision, or come no further, and looks into each.
pub async fn final_states(cluster: &Cluster) -> Vec<FinalState> {
    let mut finals: Vec<FinalState> = Vec::new();
    inspect::at_one_revision(cluster).await;
    for replica in cluster
        .everybody()
        .iter()
        .filter(|replica| replica.is_running())
    {
        let inspector = Inspector::of(replica).await;
        let state = inspector.state().await;
        let mut rows = Arc::new(inspector.rows_of_marks().await);
        // Kept once, where they are alike.
        if let Some(first) = finals.first().filter(|first| first.rows == rows) {
            rows = Arc::clone(&first.rows);
        }
        finals.push(FinalState {
            replica: replica.id(),
            revision: state.revision,
            history_hash: state.history_hash,
            tables: inspector.digests().await,
            rows,
        });
    }
    finals
}
