//! What an accepted command did: the changes of one revision, as stored, hashed and fed to subscribers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use threefold_entity::{Revision, category, expense};
use uuid::Uuid;

/// One change of one row. Its JSON is part of the stored history: variants and fields may be added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A new expense.
    ExpenseAdded(expense::Record),
    /// An edited expense.
    ExpenseUpdated {
        /// As it is now.
        expense: expense::Record,
        /// As it was.
        before: expense::Record,
    },
    /// A deleted expense, as it is now.
    ExpenseDeleted(expense::Record),
    /// A restored expense, as it is now.
    ExpenseRestored(expense::Record),
    /// A new category.
    CategoryAdded(category::Model),
    /// An edited category.
    CategoryUpdated(category::Model),
    /// A deleted category; its expenses moved with it, without a change of their own.
    CategoryDeleted {
        /// The category that is gone.
        category_id: Uuid,
        /// Where its expenses are now, if anywhere.
        merged_into: Option<Uuid>,
    },
}

/// All changes of one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeBatch {
    /// The revision they made.
    pub revision: Revision,
    /// The ledger they happened in.
    pub ledger_id: Uuid,
    /// The proposal's time.
    pub committed_at: DateTime<Utc>,
    /// The changes, in the order of the command.
    pub changes: Arc<Vec<Change>>,
    /// Hash of the history up to and including this revision.
    pub hash: crate::history::HistoryHash,
}
