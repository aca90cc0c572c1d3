use async_graphql::{InputObject, MaybeUndefined};
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use threefold_replication::command::{AddCategory, Command, Refusal, UpdateCategory};
use uuid::Uuid;

use super::{patch, required};

/// A category to add.
#[derive(InputObject)]
pub(crate) struct AddCategoryInput {
    /// Chosen by the client: a retry with the same key never adds twice.
    pub(crate) idempotency_key: Option<Uuid>,
    /// Its identity, if the client wants to choose it.
    id: Option<Uuid>,
    /// The ledger it goes to; the default ledger if omitted.
    ledger_id: Option<Uuid>,
    /// 1 to 64 characters, unique in the ledger without regard to case and accents.
    name: String,
    /// `#rrggbb`.
    color: Option<String>,
}

/// What to change of a category. An omitted field stays as it is; null clears it.
#[derive(InputObject)]
pub(crate) struct UpdateCategoryInput {
    /// Chosen by the client: a retry with the same key never changes twice.
    pub(crate) idempotency_key: Option<Uuid>,
    /// The category.
    id: Uuid,
    /// Refused with VERSION_CONFLICT if the category has moved on.
    expected_version: Option<i32>,
    /// New name; cannot be cleared.
    name: MaybeUndefined<String>,
    /// New colour; null for none.
    color: MaybeUndefined<String>,
}

/// A category to delete.
#[derive(InputObject)]
pub(crate) struct DeleteCategoryInput {
    /// Chosen by the client: a retry with the same key gets the first answer.
    pub(crate) idempotency_key: Option<Uuid>,
    /// The category.
    id: Uuid,
    /// The category of the same ledger that takes its expenses; without it they become uncategorised.
    merge_into: Option<Uuid>,
}

impl AddCategoryInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        Command::add_category(AddCategory {
            id: self.id,
            ledger_id: self.ledger_id.unwrap_or(DEFAULT_LEDGER_ID),
            name: self.name,
            color: self.color,
        })
    }
}

impl UpdateCategoryInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        let mut faults = Vec::new();
        let update = UpdateCategory {
            id: self.id,
            expected_version: self.expected_version,
            name: required(self.name, "name", &mut faults),
            color: patch(self.color),
        };
        if faults.is_empty() {
            Command::update_category(update)
        } else {
            Err(faults)
        }
    }
}

impl DeleteCategoryInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        Command::delete_category(self.id, self.merge_into)
    }
}
