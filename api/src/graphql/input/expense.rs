use async_graphql::{InputObject, MaybeUndefined};
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use threefold_replication::command::{
    Command, ExpenseDraft, ExpenseEdit, Path, Refusal, RefusalCode,
};
use uuid::Uuid;

use super::{patch, required};
use crate::graphql::scalar::{CurrencyCode, Date, Decimal};

/// An expense to add.
#[derive(InputObject)]
pub(crate) struct AddExpenseInput {
    /// Chosen by the client, once for each thing it wants done: a retry with the same key never adds twice.
    pub(crate) idempotency_key: Option<Uuid>,
    /// Its identity, if the client wants to choose it.
    id: Option<Uuid>,
    /// The ledger it goes to; the default ledger if omitted.
    ledger_id: Option<Uuid>,
    /// What was bought: 1 to 255 characters.
    description: String,
    /// Not zero, with no more decimals than the currency has; negative for a refund.
    amount: Decimal,
    /// What the amount counts.
    currency: CurrencyCode,
    /// From 1900 to 2200.
    spent_on: Date,
    /// A category of the same ledger.
    category_id: Option<Uuid>,
    /// At most 32,768 characters.
    notes: Option<String>,
    /// At most 20, each 1 to 64 characters.
    tags: Option<Vec<String>>,
}

/// Expenses to add together, all or none.
#[derive(InputObject)]
pub(crate) struct AddExpensesInput {
    /// Chosen by the client: a retry with the same key never adds twice.
    pub(crate) idempotency_key: Option<Uuid>,
    /// The ledger they go to; the default ledger if omitted.
    ledger_id: Option<Uuid>,
    /// 1 to 1,000 expenses, without keys of their own.
    expenses: Vec<AddExpenseInput>,
}

/// What to change of an expense. An omitted field stays as it is; null clears it.
#[derive(InputObject)]
pub(crate) struct UpdateExpenseInput {
    /// Chosen by the client: a retry with the same key never changes twice.
    pub(crate) idempotency_key: Option<Uuid>,
    /// The expense.
    id: Uuid,
    /// Refused with VERSION_CONFLICT if the expense has moved on.
    expected_version: Option<i32>,
    /// New description; cannot be cleared.
    description: MaybeUndefined<String>,
    /// New amount, in the new currency or else the stored one; cannot be cleared.
    amount: MaybeUndefined<Decimal>,
    /// New currency; the amount keeps its number. Cannot be cleared.
    currency: MaybeUndefined<CurrencyCode>,
    /// New date; cannot be cleared.
    spent_on: MaybeUndefined<Date>,
    /// New category, of the same ledger; null for none.
    category_id: MaybeUndefined<Uuid>,
    /// New notes; null for none.
    notes: MaybeUndefined<String>,
    /// New tags, in place of all the old ones; null for none.
    tags: MaybeUndefined<Vec<String>>,
}

/// An expense to delete, restorably.
#[derive(InputObject)]
pub(crate) struct DeleteExpenseInput {
    /// Chosen by the client: a retry with the same key gets the first answer.
    pub(crate) idempotency_key: Option<Uuid>,
    /// The expense.
    id: Uuid,
    /// Refused with VERSION_CONFLICT if the expense has moved on.
    expected_version: Option<i32>,
}

/// A deleted expense to restore.
#[derive(InputObject)]
pub(crate) struct RestoreExpenseInput {
    /// Chosen by the client: a retry with the same key gets the first answer.
    pub(crate) idempotency_key: Option<Uuid>,
    /// The expense.
    id: Uuid,
}

impl AddExpenseInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        Command::add_expense(self.ledger_id.unwrap_or(DEFAULT_LEDGER_ID), self.draft())
    }

    fn draft(self) -> ExpenseDraft {
        ExpenseDraft {
            id: self.id,
            description: self.description,
            amount: self.amount.0,
            currency: self.currency.0,
            spent_on: self.spent_on.0,
            category_id: self.category_id,
            notes: self.notes,
            tags: self.tags.unwrap_or_default(),
        }
    }

    /// What an expense of a bulk may not say for itself.
    fn check_in_bulk(&self, index: usize, ledger_id: Uuid, faults: &mut Vec<Refusal>) {
        let path = Path::Element("expenses", index);
        if self.idempotency_key.is_some() {
            let message = "a bulk has one key for all its expenses: give it beside the list";
            faults.push(Refusal::at(
                RefusalCode::Invalid,
                &path,
                "idempotencyKey",
                message,
            ));
        }
        if self.ledger_id.is_some_and(|own| own != ledger_id) {
            let message = "all expenses of a bulk go to one ledger: give it beside the list";
            faults.push(Refusal::at(
                RefusalCode::Invalid,
                &path,
                "ledgerId",
                message,
            ));
        }
    }
}

impl AddExpensesInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        let ledger_id = self.ledger_id.unwrap_or(DEFAULT_LEDGER_ID);
        let mut faults = Vec::new();
        for (index, expense) in self.expenses.iter().enumerate() {
            expense.check_in_bulk(index, ledger_id, &mut faults);
        }
        let drafts = self
            .expenses
            .into_iter()
            .map(AddExpenseInput::draft)
            .collect();
        with(faults, Command::add_expenses(ledger_id, drafts))
    }
}

impl UpdateExpenseInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        let mut faults = Vec::new();
        let edit = ExpenseEdit {
            id: self.id,
            expected_version: self.expected_version,
            description: required(self.description, "description", &mut faults),
            amount: required(self.amount, "amount", &mut faults).map(|amount| amount.0),
            currency: required(self.currency, "currency", &mut faults).map(|currency| currency.0),
            spent_on: required(self.spent_on, "spentOn", &mut faults).map(|date| date.0),
            category_id: patch(self.category_id),
            notes: patch(self.notes),
            tags: match self.tags {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(Vec::new()),
                MaybeUndefined::Value(tags) => Some(tags),
            },
        };
        if faults.is_empty() {
            Command::update_expense(edit)
        } else {
            Err(faults)
        }
    }
}

impl DeleteExpenseInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        Ok(Command::delete_expense(self.id, self.expected_version))
    }
}

impl RestoreExpenseInput {
    pub(crate) fn command(self) -> Result<Command, Vec<Refusal>> {
        Ok(Command::restore_expense(self.id))
    }
}

/// The command, unless there are faults beside its own.
fn with(
    mut faults: Vec<Refusal>,
    command: Result<Command, Vec<Refusal>>,
) -> Result<Command, Vec<Refusal>> {
    match command {
        Ok(command) if faults.is_empty() => Ok(command),
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{InputType, Value, value};

    fn update(fields: Value) -> Result<Command, Vec<Refusal>> {
        let Value::Object(mut fields) = fields else {
            panic!("no object")
        };
        fields.insert(
            async_graphql::Name::new("id"),
            Uuid::from_u128(1).to_string().into(),
        );
        <UpdateExpenseInput as InputType>::parse(Some(Value::Object(fields)))
            .ok()
            .unwrap()
            .command()
    }

    fn paths(result: Result<Command, Vec<Refusal>>) -> Vec<String> {
        let faults = result.err().unwrap_or_default();
        faults
            .into_iter()
            .map(|fault| fault.field.unwrap_or_default().join("."))
            .collect()
    }

    #[test]
    fn null_clears_what_can_be_empty() {
        let Ok(Command::UpdateExpense(edit)) =
            update(value!({ "notes": null, "categoryId": null, "tags": null }))
        else {
            panic!("refused");
        };
        assert_eq!(edit.notes, threefold_replication::command::Patch::Set(None));
        assert_eq!(
            edit.category_id,
            threefold_replication::command::Patch::Set(None)
        );
        assert_eq!(edit.tags, Some(Vec::new()));
        assert_eq!(edit.description, None);
    }

    #[test]
    fn null_is_refused_where_a_value_must_be() {
        let faults = update(
            value!({ "description": null, "amount": null, "currency": null, "spentOn": null }),
        );
        assert_eq!(
            paths(faults),
            ["description", "amount", "currency", "spentOn"]
        );
    }

    #[test]
    fn a_bulk_has_one_key_and_one_ledger() {
        let expense = |ledger: Option<Uuid>, key: Option<Uuid>| AddExpenseInput {
            idempotency_key: key,
            id: None,
            ledger_id: ledger,
            description: "Bread".into(),
            amount: Decimal("1".into()),
            currency: CurrencyCode("EUR".into()),
            spent_on: Date("2026-11-22".parse().unwrap()),
            category_id: None,
            notes: None,
            tags: None,
        };
        let id = Some(Uuid::from_u128(5));
        let bulk = |expenses| AddExpensesInput {
            idempotency_key: None,
            ledger_id: id,
            expenses,
        };
        assert!(
            bulk(vec![expense(None, None), expense(id, None)])
                .command()
                .is_ok()
        );
        let faults = bulk(vec![
            expense(None, id),
            expense(Some(Uuid::from_u128(6)), None),
        ])
        .command();
        assert_eq!(
            paths(faults),
            ["expenses.0.idempotencyKey", "expenses.1.ledgerId"]
        );
    }
}
