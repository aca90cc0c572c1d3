//! The operations of the API that an import uses, and the shapes of their answers.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use threefold_entity::CurrencyCode;
use uuid::Uuid;

pub const REPLICAS: &str = "query Replicas { replicas { id url } }";

#[derive(Deserialize)]
pub struct Replicas {
    pub replicas: Vec<Replica>,
}

#[derive(Deserialize)]
pub struct Replica {
    pub url: String,
}

pub const LEDGERS: &str = "query Ledgers { ledgers { id name } }";

#[derive(Deserialize)]
pub struct Ledgers {
    pub ledgers: Vec<Named>,
}

pub const CATEGORIES: &str =
    "query Categories($ledgerId: UUID) { categories(ledgerId: $ledgerId) { id name } }";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerVariables {
    pub ledger_id: Uuid,
}

#[derive(Deserialize)]
pub struct Categories {
    pub categories: Vec<Named>,
}

/// A ledger or a category.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    pub id: Uuid,
    pub name: String,
}

pub const OUTCOME: &str = "query Outcome($idempotencyKey: UUID!) {
  outcome(idempotencyKey: $idempotencyKey) { receipt { replayed pending } userErrors { code message field } }
}";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeVariables {
    pub idempotency_key: Uuid,
}

#[derive(Deserialize)]
pub struct OutcomeData {
    pub outcome: Option<Payload>,
}

/// Variables of a mutation: every one takes a single `input`.
#[derive(Serialize)]
pub struct Input<T> {
    pub input: T,
}

pub const ADD_CATEGORY: &str = "mutation AddCategory($input: AddCategoryInput!) {
  addCategory(input: $input) { receipt { replayed pending } userErrors { code message field } }
}";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddCategory<'a> {
    pub idempotency_key: Uuid,
    pub id: Uuid,
    pub ledger_id: Uuid,
    pub name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddCategoryData {
    pub add_category: Payload,
}

pub const ADD_EXPENSES: &str = "mutation AddExpenses($input: AddExpensesInput!) {
  addExpenses(input: $input) { receipt { replayed pending } userErrors { code message field } }
}";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddExpenses<'a> {
    pub idempotency_key: Uuid,
    pub ledger_id: Uuid,
    pub expenses: Vec<AddExpense<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddExpense<'a> {
    pub id: Uuid,
    pub description: &'a str,
    pub amount: String,
    pub currency: CurrencyCode,
    pub spent_on: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<&'a str>,
    pub tags: &'a [String],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddExpensesData {
    pub add_expenses: Payload,
}

/// What every mutation answers, without the thing it changed: an import knows that already.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    pub receipt: Option<Receipt>,
    pub user_errors: Vec<UserError>,
}

#[derive(Debug, Deserialize)]
pub struct Receipt {
    pub replayed: bool,
    /// Replicas that had not acknowledged when the answer was sent.
    pub pending: Vec<String>,
}

/// Something that was asked for and may not be had.
#[derive(Debug, Clone, Deserialize)]
pub struct UserError {
    pub code: String,
    pub message: String,
    /// Path of the field that it is about: `input`, `expenses`, `3`, `amount`.
    pub field: Option<Vec<String>>,
}

impl UserError {
    /// Position in the list of expenses: the first number of the path, whatever stands before it.
    pub fn index(&self) -> Option<usize> {
        self.field
            .iter()
            .flatten()
            .find_map(|part| part.parse().ok())
    }

    /// True if an id is taken already.
    pub fn is_taken_id(&self) -> bool {
        let last = self.field.as_ref().and_then(|path| path.last());
        self.code == "ALREADY_EXISTS" && last.is_some_and(|part| part == "id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(field: &[&str]) -> UserError {
        let field = Some(field.iter().map(ToString::to_string).collect());
        UserError {
            code: "ALREADY_EXISTS".to_owned(),
            message: String::new(),
            field,
        }
    }

    #[test]
    fn the_row_of_an_error_is_the_first_number_of_its_path() {
        assert_eq!(
            error(&["input", "expenses", "3", "tags", "7"]).index(),
            Some(3)
        );
        assert_eq!(error(&["expenses", "12", "amount"]).index(), Some(12));
        assert_eq!(error(&["input", "ledgerId"]).index(), None);
    }

    #[test]
    fn only_the_id_itself_counts_as_taken() {
        assert!(error(&["input", "expenses", "0", "id"]).is_taken_id());
        assert!(!error(&["input", "name"]).is_taken_id());
    }
}
