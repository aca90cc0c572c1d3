//! What can be asked of a ledger.
//!
//! A [`Command`] is valid by construction: its constructors check everything that can be judged without looking
//! at stored data, and name each fault with the path of the field. What depends on stored data is judged by
//! [`crate::transition`]. The serialised form of a command is part of the log: variants and fields may be added,
//! never renamed, retyped or removed.

mod category;
mod expense;
mod text;

pub use category::{AddCategory, DeleteCategory, UpdateCategory};
pub use expense::{
    AddExpenses, DeleteExpense, ExpenseDraft, ExpenseEdit, MAX_EXPENSES, NewExpense,
    RestoreExpense, UpdateExpense,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One thing a client wants done, validated.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Add expenses, all or none.
    AddExpenses(AddExpenses),
    /// Change fields of one expense.
    UpdateExpense(UpdateExpense),
    /// Delete one expense, restorably.
    DeleteExpense(DeleteExpense),
    /// Undo a deletion.
    RestoreExpense(RestoreExpense),
    /// Add a category.
    AddCategory(AddCategory),
    /// Change fields of one category.
    UpdateCategory(UpdateCategory),
    /// Delete a category and move its expenses.
    DeleteCategory(DeleteCategory),
}

/// For logs: what kind of command, never what it says.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AddExpenses(_) => "AddExpenses",
            Self::UpdateExpense(_) => "UpdateExpense",
            Self::DeleteExpense(_) => "DeleteExpense",
            Self::RestoreExpense(_) => "RestoreExpense",
            Self::AddCategory(_) => "AddCategory",
            Self::UpdateCategory(_) => "UpdateCategory",
            Self::DeleteCategory(_) => "DeleteCategory",
        })
    }
}

impl Command {
    /// Number of ids that the proposal must bring along, because the client chose none.
    pub(crate) fn fresh_ids(&self) -> usize {
        match self {
            Self::AddExpenses(add) => add.expenses.iter().filter(|new| new.id.is_none()).count(),
            Self::AddCategory(add) => usize::from(add.id.is_none()),
            _ => 0,
        }
    }
}

/// What an edit does to a field that may be empty. A plain nested `Option` would lose the difference between
/// "leave" and "clear" in the log's encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patch<T> {
    /// Leave the field as it is.
    #[default]
    Keep,
    /// Give the field this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Puts the new value, if there is one, in place of the old.
    pub fn apply_to(self, field: &mut T) {
        if let Self::Set(value) = self {
            *field = value;
        }
    }

    /// True where the edit says nothing about the field.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// Why a command was not carried out: something the client can change. Never a fault of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind of fault, for programs.
    pub code: RefusalCode,
    /// The fault and its remedy, for people.
    pub message: String,
    /// Path of the input field at fault, from the top of the input: `["expenses", "3", "amount"]`.
    pub field: Option<Vec<String>>,
}

/// Kinds of [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalCode {
    /// The input breaks a rule.
    Invalid,
    /// What the input names does not exist, or is deleted.
    NotFound,
    /// The id or name is taken.
    AlreadyExists,
    /// The entity has changed since the version that the client expected.
    VersionConflict,
    /// The idempotency key was used before, for something else.
    KeyReused,
    /// A bound is met.
    LimitReached,
    /// The actor may not do this.
    Forbidden,
}

impl Refusal {
    /// A refusal that points at a field of the input.
    pub fn at(code: RefusalCode, path: &Path<'_>, field: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: Some(path.to(field)),
        }
    }

    /// A refusal of the command as a whole.
    pub fn whole(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
        }
    }
}

/// Where in the input a value stands: at its top, or in one element of a list.
#[derive(Clone, Copy, Debug)]
pub enum Path<'a> {
    /// The fields of the input itself.
    Top,
    /// The fields of the element of a list field, counted from 0.
    Element(&'a str, usize),
}

impl Path<'_> {
    fn to(self, field: &str) -> Vec<String> {
        match self {
            Self::Top => vec![field.to_owned()],
            Self::Element(list, index) => {
                vec![list.to_owned(), index.to_string(), field.to_owned()]
            }
        }
    }
}

/// The id a client chose for what it adds: any but the nil UUID.
fn check_id(id: Option<Uuid>, path: Path<'_>, faults: &mut Vec<Refusal>) {
    if id.is_some_and(|id| id.is_nil()) {
        faults.push(Refusal::at(
            RefusalCode::Invalid,
            &path,
            "id",
            "the nil UUID cannot be an id",
        ));
    }
}
