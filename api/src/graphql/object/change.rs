//! What the change feed brings.

use async_graphql::{SimpleObject, Union};
use threefold_replication::change;
use threefold_replication::feed::FeedEvent;
use uuid::Uuid;

use super::category::Category;
use super::expense::Expense;
use crate::graphql::scalar::{DateTime, Revision};

/// What the subscription `changes` brings.
#[derive(Union)]
pub(crate) enum ChangeEvent {
    ChangeBatch(ChangeBatch),
    Bookmark(Bookmark),
    ResyncRequired(ResyncRequired),
}

/// All changes of one revision, never split.
#[derive(SimpleObject)]
pub(crate) struct ChangeBatch {
    /// The revision they made.
    revision: Revision,
    /// When the mutation was made.
    committed_at: DateTime,
    /// The changes, in the order of the mutation.
    changes: Vec<Change>,
}

/// Nothing new up to here: sent at once when caught up, then every 10 seconds while idle.
#[derive(SimpleObject)]
pub(crate) struct Bookmark {
    /// Everything up to this revision has been sent.
    revision: Revision,
}

/// The revision asked for is no longer kept: read again, then follow from there. The stream ends after it.
#[derive(SimpleObject)]
pub(crate) struct ResyncRequired {
    /// The oldest revision that can be followed from.
    oldest_revision: Revision,
    /// The newest revision.
    head_revision: Revision,
}

/// One change of one expense or category.
#[derive(Union)]
pub(crate) enum Change {
    ExpenseAdded(ExpenseAdded),
    ExpenseUpdated(ExpenseUpdated),
    ExpenseDeleted(ExpenseDeleted),
    ExpenseRestored(ExpenseRestored),
    CategoryAdded(CategoryAdded),
    CategoryUpdated(CategoryUpdated),
    CategoryDeleted(CategoryDeleted),
}

/// A new expense.
#[derive(SimpleObject)]
pub(crate) struct ExpenseAdded {
    /// The expense.
    expense: Expense,
}

/// An edited expense.
#[derive(SimpleObject)]
pub(crate) struct ExpenseUpdated {
    /// As it is now.
    expense: Expense,
    /// As it was.
    before: Box<Expense>,
}

/// A deleted expense.
#[derive(SimpleObject)]
pub(crate) struct ExpenseDeleted {
    /// As it is now.
    expense: Expense,
}

/// A restored expense.
#[derive(SimpleObject)]
pub(crate) struct ExpenseRestored {
    /// As it is now.
    expense: Expense,
}

/// A new category.
#[derive(SimpleObject)]
pub(crate) struct CategoryAdded {
    /// The category.
    category: Category,
}

/// An edited category.
#[derive(SimpleObject)]
pub(crate) struct CategoryUpdated {
    /// As it is now.
    category: Category,
}

/// A deleted category; its expenses moved with it, without a change of their own.
#[derive(SimpleObject)]
pub(crate) struct CategoryDeleted {
    /// The category that is gone.
    category_id: Uuid,
    /// Where its expenses are now; null where they became uncategorised.
    merged_into: Option<Uuid>,
}

impl From<FeedEvent> for ChangeEvent {
    fn from(event: FeedEvent) -> Self {
        match event {
            FeedEvent::Changes(batch) => Self::ChangeBatch(ChangeBatch {
                revision: Revision(batch.revision),
                committed_at: DateTime(batch.committed_at),
                changes: batch.changes.iter().cloned().map(Change::from).collect(),
            }),
            FeedEvent::Bookmark(revision) => Self::Bookmark(Bookmark {
                revision: Revision(revision),
            }),
            FeedEvent::ResyncRequired { oldest, head } => Self::ResyncRequired(ResyncRequired {
                oldest_revision: Revision(oldest),
                head_revision: Revision(head),
            }),
        }
    }
}

impl From<change::Change> for Change {
    fn from(change: change::Change) -> Self {
        match change {
            change::Change::ExpenseAdded(expense) => Self::ExpenseAdded(ExpenseAdded {
                expense: Expense::new(expense),
            }),
            change::Change::ExpenseUpdated { expense, before } => {
                Self::ExpenseUpdated(ExpenseUpdated {
                    expense: Expense::new(expense),
                    before: Box::new(Expense::new(before)),
                })
            }
            change::Change::ExpenseDeleted(expense) => Self::ExpenseDeleted(ExpenseDeleted {
                expense: Expense::new(expense),
            }),
            change::Change::ExpenseRestored(expense) => Self::ExpenseRestored(ExpenseRestored {
                expense: Expense::new(expense),
            }),
            change::Change::CategoryAdded(category) => Self::CategoryAdded(CategoryAdded {
                category: Category(category),
            }),
            change::Change::CategoryUpdated(category) => Self::CategoryUpdated(CategoryUpdated {
                category: Category(category),
            }),
            change::Change::CategoryDeleted {
                category_id,
                merged_into,
            } => Self::CategoryDeleted(CategoryDeleted {
                category_id,
                merged_into,
            }),
        }
    }
}
