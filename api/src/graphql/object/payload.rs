//! What mutations answer with: what was made of it, the receipt, and the reasons if it was refused.

use async_graphql::SimpleObject;
use threefold_replication::change::Change;
use uuid::Uuid;

use super::category::Category;
use super::expense::Expense;
use super::receipt::Receipt;
use super::user_error::UserError;

/// A mutation that is settled: its changes and receipt, or why there are none.
pub(crate) struct Settlement {
    pub(crate) changes: Vec<Change>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) user_errors: Vec<UserError>,
}

macro_rules! payload {
    ($(#[$doc:meta] $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty = $read:expr })+) => {$(
        #[$doc]
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            $(#[$field_doc])*
            $field: Option<$type>,
            /// Proof of what was stored where; null where the mutation was refused.
            receipt: Option<Receipt>,
            /// Why it was refused; empty where it was carried out.
            user_errors: Vec<UserError>,
        }

        impl From<Settlement> for $name {
            fn from(settlement: Settlement) -> Self {
                let Settlement { changes, receipt, user_errors } = settlement;
                let $field = if receipt.is_some() { $read(changes) } else { None };
                Self { $field, receipt, user_errors }
            }
        }
    )+};
}

payload! {
    /// Answer of addExpense.
    AddExpensePayload {
        /// The new expense; null where it was refused.
        expense: Expense = first_expense
    }
    /// Answer of addExpenses.
    AddExpensesPayload {
        /// The new expenses, in the order of the input; null where they were refused.
        expenses: Vec<Expense> = every_expense
    }
    /// Answer of updateExpense.
    UpdateExpensePayload {
        /// The expense as it is now; null where the update was refused.
        expense: Expense = first_expense
    }
    /// Answer of deleteExpense.
    DeleteExpensePayload {
        /// The deleted expense; null where the deletion was refused.
        expense: Expense = first_expense
    }
    /// Answer of restoreExpense.
    RestoreExpensePayload {
        /// The expense, live again; null where that was refused.
        expense: Expense = first_expense
    }
    /// Answer of addCategory.
    AddCategoryPayload {
        /// The new category; null where it was refused.
        category: Category = first_category
    }
    /// Answer of updateCategory.
    UpdateCategoryPayload {
        /// The category as it is now; null where the update was refused.
        category: Category = first_category
    }
    /// Answer of deleteCategory.
    DeleteCategoryPayload {
        /// The category that is gone; null where the deletion was refused.
        deleted_category_id: Uuid = deleted_category
    }
}

fn expenses(changes: Vec<Change>) -> impl Iterator<Item = Expense> {
    changes.into_iter().filter_map(|change| match change {
        Change::ExpenseAdded(expense)
        | Change::ExpenseUpdated { expense, .. }
        | Change::ExpenseDeleted(expense)
        | Change::ExpenseRestored(expense) => Some(Expense::new(expense)),
        _ => None,
    })
}

fn first_expense(changes: Vec<Change>) -> Option<Expense> {
    expenses(changes).next()
}

fn every_expense(changes: Vec<Change>) -> Option<Vec<Expense>> {
    Some(expenses(changes).collect())
}

fn first_category(changes: Vec<Change>) -> Option<Category> {
    changes.into_iter().find_map(|change| match change {
        Change::CategoryAdded(category) | Change::CategoryUpdated(category) => {
            Some(Category(category))
        }
        _ => None,
    })
}

fn deleted_category(changes: Vec<Change>) -> Option<Uuid> {
    changes.into_iter().find_map(|change| match change {
        Change::CategoryDeleted { category_id, .. } => Some(category_id),
        _ => None,
    })
}
