//! What answered mutations made of each expense: the yardstick for reads.

use std::collections::HashMap;

use uuid::Uuid;

use crate::torture::history::{Answer, History};

/// The revisions that are known to have changed each expense, ascending.
#[derive(Debug, Default)]
pub(super) struct Written {
    revisions: HashMap<Uuid, Vec<u64>>,
}

impl Written {
    pub(super) fn of(history: &History) -> Self {
        let mut revisions: HashMap<Uuid, Vec<u64>> = HashMap::new();
        for operation in &history.operations {
            if let Answer::Accepted { receipt, rows } = &operation.answer {
                for row in rows {
                    revisions.entry(row.id).or_default().push(receipt.revision);
                }
            }
        }
        for revisions in revisions.values_mut() {
            revisions.sort_unstable();
        }
        Self { revisions }
    }

    /// The last revision up to that one that is known to have changed the expense.
    pub(super) fn last(&self, id: Uuid, up_to: u64) -> Option<u64> {
        let revisions = self.revisions.get(&id)?;
        let count = revisions.partition_point(|revision| *revision <= up_to);
        Some(*revisions.get(count.checked_sub(1)?)?)
    }
}
