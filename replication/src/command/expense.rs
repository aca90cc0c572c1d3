use std::collections::HashSet;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use threefold_entity::expense::{
    MAX_DESCRIPTION_CHARS, MAX_NOTES_CHARS, MAX_TAG_CHARS, MAX_TAGS, YEARS,
};
use threefold_entity::{CurrencyCode, Money};
use uuid::Uuid;

use super::{Command, Patch, Path, Refusal, RefusalCode, check_id, text};

/// Most expenses of one command.
pub const MAX_EXPENSES: usize = 1_000;

/// Add expenses, all or none, as one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddExpenses {
    /// The ledger they go to.
    pub ledger_id: Uuid,
    /// 1 to [`MAX_EXPENSES`] expenses.
    pub expenses: Vec<NewExpense>,
    /// True where the client gave a list, so that faults name the element.
    pub bulk: bool,
}

/// An expense to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewExpense {
    /// The id that the client chose, if it did.
    pub id: Option<Uuid>,
    /// What was bought.
    pub description: String,
    /// Exact amount, not zero.
    pub amount: Money,
    /// Calendar date.
    pub spent_on: NaiveDate,
    /// The category, if any; it must be of the same ledger.
    pub category_id: Option<Uuid>,
    /// Free text, if any.
    pub notes: Option<String>,
    /// Labels, none twice.
    pub tags: Vec<String>,
}

/// An expense as a client wrote it, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpenseDraft {
    /// See [`NewExpense::id`].
    pub id: Option<Uuid>,
    /// See [`NewExpense::description`].
    pub description: String,
    /// Decimal text.
    pub amount: String,
    /// ISO 4217 code.
    pub currency: String,
    /// See [`NewExpense::spent_on`].
    pub spent_on: NaiveDate,
    /// See [`NewExpense::category_id`].
    pub category_id: Option<Uuid>,
    /// See [`NewExpense::notes`].
    pub notes: Option<String>,
    /// See [`NewExpense::tags`].
    pub tags: Vec<String>,
}

/// Change fields of one expense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateExpense {
    /// The expense.
    pub id: Uuid,
    /// The version that the client saw, if it insists on it.
    pub expected_version: Option<i32>,
    /// New description.
    pub description: Option<String>,
    /// New decimal text; read in the new currency, or else in the stored one.
    pub amount: Option<String>,
    /// New currency; the amount keeps its number.
    pub currency: Option<CurrencyCode>,
    /// New date.
    pub spent_on: Option<NaiveDate>,
    /// New category, or none.
    pub category_id: Patch<Option<Uuid>>,
    /// New notes, or none.
    pub notes: Patch<Option<String>>,
    /// New tags.
    pub tags: Option<Vec<String>>,
}

/// An edit as a client wrote it, not yet checked; fields as in [`UpdateExpense`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpenseEdit {
    /// The expense.
    pub id: Uuid,
    /// The version that the client saw, if it insists on it.
    pub expected_version: Option<i32>,
    /// New description.
    pub description: Option<String>,
    /// New decimal text.
    pub amount: Option<String>,
    /// New ISO 4217 code.
    pub currency: Option<String>,
    /// New date.
    pub spent_on: Option<NaiveDate>,
    /// New category, or none.
    pub category_id: Patch<Option<Uuid>>,
    /// New notes, or none.
    pub notes: Patch<Option<String>>,
    /// New tags.
    pub tags: Option<Vec<String>>,
}

/// Delete one expense, restorably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteExpense {
    /// The expense.
    pub id: Uuid,
    /// The version that the client saw, if it insists on it.
    pub expected_version: Option<i32>,
}

/// Undo a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreExpense {
    /// The expense.
    pub id: Uuid,
}

impl Command {
    /// Adds one expense; faults name fields of the draft itself.
    ///
    /// # Errors
    /// Every fault of the draft.
    pub fn add_expense(ledger_id: Uuid, draft: ExpenseDraft) -> Result<Self, Vec<Refusal>> {
        let mut faults = Vec::new();
        let expense = NewExpense::check(draft, Path::Top, &mut faults);
        Self::added(ledger_id, expense.into_iter().collect(), false, faults)
    }

    /// Adds up to [`MAX_EXPENSES`] expenses; faults name `expenses`, the index and the field.
    ///
    /// # Errors
    /// Every fault of every draft, an empty list, and one that is too long.
    pub fn add_expenses(ledger_id: Uuid, drafts: Vec<ExpenseDraft>) -> Result<Self, Vec<Refusal>> {
        let count = drafts.len();
        if count == 0 || count > MAX_EXPENSES {
            let message =
                format!("{count} expenses were given, 1 to {MAX_EXPENSES} can be added at once");
            let code = if count == 0 {
                RefusalCode::Invalid
            } else {
                RefusalCode::LimitReached
            };
            return Err(vec![Refusal::at(code, &Path::Top, "expenses", message)]);
        }
        let mut faults = Vec::new();
        let mut ids = HashSet::new();
        let mut expenses = Vec::with_capacity(count);
        for (index, draft) in drafts.into_iter().enumerate() {
            let path = Path::Element("expenses", index);
            if draft.id.is_some_and(|id| !ids.insert(id)) {
                let message = "the same id stands twice in this list";
                faults.push(Refusal::at(
                    RefusalCode::AlreadyExists,
                    &path,
                    "id",
                    message,
                ));
            }
            expenses.extend(NewExpense::check(draft, path, &mut faults));
        }
        Self::added(ledger_id, expenses, true, faults)
    }

    fn added(
        ledger_id: Uuid,
        expenses: Vec<NewExpense>,
        bulk: bool,
        faults: Vec<Refusal>,
    ) -> Result<Self, Vec<Refusal>> {
        if faults.is_empty() {
            Ok(Self::AddExpenses(AddExpenses {
                ledger_id,
                expenses,
                bulk,
            }))
        } else {
            Err(faults)
        }
    }

    /// Changes fields of one expense.
    ///
    /// # Errors
    /// Every fault of the edit, and one that changes nothing.
    pub fn update_expense(edit: ExpenseEdit) -> Result<Self, Vec<Refusal>> {
        let mut faults = Vec::new();
        let path = Path::Top;
        if let Some(description) = &edit.description {
            check_description(description, path, &mut faults);
        }
        let currency = edit
            .currency
            .and_then(|code| check_currency(&code, path, &mut faults));
        if let (Some(amount), Some(currency)) = (&edit.amount, currency) {
            check_amount(amount, currency, path, &mut faults);
        }
        if let Some(spent_on) = edit.spent_on {
            check_date(spent_on, path, &mut faults);
        }
        let notes = match edit.notes {
            Patch::Set(notes) => Patch::Set(check_notes(notes, path, &mut faults)),
            Patch::Keep => Patch::Keep,
        };
        if let Some(tags) = &edit.tags {
            check_tags(tags, path, &mut faults);
        }
        let update = UpdateExpense {
            id: edit.id,
            expected_version: edit.expected_version,
            description: edit.description,
            amount: edit.amount,
            currency,
            spent_on: edit.spent_on,
            category_id: edit.category_id,
            notes,
            tags: edit.tags,
        };
        if faults.is_empty() && update.changes_nothing() {
            faults.push(Refusal::whole(
                RefusalCode::Invalid,
                "the update names no field to change",
            ));
        }
        if faults.is_empty() {
            Ok(Self::UpdateExpense(update))
        } else {
            Err(faults)
        }
    }

    /// Deletes one expense, restorably.
    pub fn delete_expense(id: Uuid, expected_version: Option<i32>) -> Self {
        Self::DeleteExpense(DeleteExpense {
            id,
            expected_version,
        })
    }

    /// Undoes a deletion.
    pub fn restore_expense(id: Uuid) -> Self {
        Self::RestoreExpense(RestoreExpense { id })
    }
}

impl UpdateExpense {
    fn changes_nothing(&self) -> bool {
        self.description.is_none()
            && self.amount.is_none()
            && self.currency.is_none()
            && self.spent_on.is_none()
            && self.category_id.is_keep()
            && self.notes.is_keep()
            && self.tags.is_none()
    }
}

impl NewExpense {
    fn check(draft: ExpenseDraft, path: Path<'_>, faults: &mut Vec<Refusal>) -> Option<Self> {
        check_id(draft.id, path, faults);
        check_description(&draft.description, path, faults);
        check_date(draft.spent_on, path, faults);
        check_tags(&draft.tags, path, faults);
        let notes = check_notes(draft.notes, path, faults);
        let currency = check_currency(&draft.currency, path, faults)?;
        let amount = check_amount(&draft.amount, currency, path, faults)?;
        Some(Self {
            id: draft.id,
            description: draft.description,
            amount,
            spent_on: draft.spent_on,
            category_id: draft.category_id,
            notes,
            tags: draft.tags,
        })
    }
}

fn check_description(description: &str, path: Path<'_>, faults: &mut Vec<Refusal>) {
    text::check(
        description,
        1,
        MAX_DESCRIPTION_CHARS,
        path,
        "description",
        faults,
    );
}

/// Empty notes are no notes.
fn check_notes(notes: Option<String>, path: Path<'_>, faults: &mut Vec<Refusal>) -> Option<String> {
    let notes = notes.filter(|notes| !notes.is_empty())?;
    text::check(&notes, 0, MAX_NOTES_CHARS, path, "notes", faults);
    Some(notes)
}

fn check_currency(code: &str, path: Path<'_>, faults: &mut Vec<Refusal>) -> Option<CurrencyCode> {
    let currency = code.parse::<CurrencyCode>();
    currency
        .map_err(|e| {
            faults.push(Refusal::at(
                RefusalCode::Invalid,
                &path,
                "currency",
                e.to_string(),
            ))
        })
        .ok()
}

fn check_amount(
    amount: &str,
    currency: CurrencyCode,
    path: Path<'_>,
    faults: &mut Vec<Refusal>,
) -> Option<Money> {
    let money = Money::of_expense(amount, currency);
    money
        .map_err(|e| {
            faults.push(Refusal::at(
                RefusalCode::Invalid,
                &path,
                "amount",
                e.to_string(),
            ))
        })
        .ok()
}

fn check_date(date: NaiveDate, path: Path<'_>, faults: &mut Vec<Refusal>) {
    if !YEARS.contains(&date.year()) {
        let message = format!(
            "spentOn must lie in the years {} to {}",
            YEARS.start(),
            YEARS.end()
        );
        faults.push(Refusal::at(RefusalCode::Invalid, &path, "spentOn", message));
    }
}

fn check_tags(tags: &[String], path: Path<'_>, faults: &mut Vec<Refusal>) {
    let mut fault = |code, message: String| faults.push(Refusal::at(code, &path, "tags", message));
    if tags.len() > MAX_TAGS {
        fault(
            RefusalCode::LimitReached,
            format!("{} tags were given, {MAX_TAGS} are allowed", tags.len()),
        );
        return;
    }
    let distinct: HashSet<&String> = tags.iter().collect();
    if distinct.len() < tags.len() {
        fault(RefusalCode::Invalid, "a tag stands twice".to_owned());
    }
    for tag in tags {
        text::check(tag, 1, MAX_TAG_CHARS, path, "tags", faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> ExpenseDraft {
        ExpenseDraft {
            description: "Bread".into(),
            amount: "3.20".into(),
            currency: "EUR".into(),
            spent_on: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
            ..ExpenseDraft::default()
        }
    }

    fn faults(change: impl FnOnce(&mut ExpenseDraft)) -> Vec<String> {
        let mut draft = draft();
        change(&mut draft);
        let faults = Command::add_expense(Uuid::from_u128(1), draft)
            .err()
            .unwrap_or_default();
        faults
            .into_iter()
            .map(|fault| fault.field.unwrap_or_default().join("."))
            .collect()
    }

    #[test]
    fn each_rule_names_its_field() {
        assert_eq!(faults(|_| ()), [] as [&str; 0]);
        assert_eq!(faults(|d| d.description = "  ".into()), ["description"]);
        assert_eq!(faults(|d| d.description = "ü".repeat(256)), ["description"]);
        assert_eq!(faults(|d| d.description = "ü".repeat(255)), [] as [&str; 0]);
        assert_eq!(faults(|d| d.description = "a\0b".into()), ["description"]);
        assert_eq!(faults(|d| d.amount = "3.201".into()), ["amount"]);
        assert_eq!(faults(|d| d.amount = "0.00".into()), ["amount"]);
        assert_eq!(faults(|d| d.currency = "XXX".into()), ["currency"]);
        assert_eq!(faults(|d| d.notes = Some("n".repeat(32_769))), ["notes"]);
        assert_eq!(faults(|d| d.tags = vec!["t".repeat(65)]), ["tags"]);
        assert_eq!(
            faults(|d| d.tags = (0..21).map(|n| n.to_string()).collect()),
            ["tags"]
        );
        assert_eq!(faults(|d| d.tags = vec!["a".into(), "a".into()]), ["tags"]);
        assert_eq!(
            faults(|d| d.spent_on = NaiveDate::from_ymd_opt(1899, 12, 31).unwrap()),
            ["spentOn"]
        );
        assert_eq!(
            faults(|d| d.spent_on = NaiveDate::from_ymd_opt(2201, 1, 1).unwrap()),
            ["spentOn"]
        );
    }

    #[test]
    fn a_bulk_names_the_element() {
        let drafts = vec![
            draft(),
            ExpenseDraft {
                amount: "x".into(),
                ..draft()
            },
        ];
        let faults = Command::add_expenses(Uuid::from_u128(1), drafts).unwrap_err();
        assert_eq!(
            faults[0].field.as_deref().unwrap(),
            ["expenses", "1", "amount"]
        );
        assert!(Command::add_expenses(Uuid::from_u128(1), vec![draft(); 1000]).is_ok());
        let faults = Command::add_expenses(Uuid::from_u128(1), vec![draft(); 1001]).unwrap_err();
        assert_eq!(faults[0].code, RefusalCode::LimitReached);
    }
}
