//! What the replicas send and take, as far as the tests use it.

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// The input of `addExpense`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewExpense {
    /// Under which a retry is recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Uuid>,
    /// The expense's id, where the client chooses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What was bought.
    pub description: String,
    /// A decimal.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// ISO 8601.
    pub spent_on: String,
    /// Labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl NewExpense {
    /// An expense that differs from others by its description, with a key of its own.
    pub fn described(description: impl Into<String>) -> Self {
        Self {
            idempotency_key: Some(Uuid::new_v4()),
            id: None,
            description: description.into(),
            amount: "12.50".to_owned(),
            currency: "EUR".to_owned(),
            spent_on: "2026-11-22".to_owned(),
            tags: Vec::new(),
        }
    }
}

/// What every mutation of an expense returns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// The expense as it is now.
    pub expense: Option<Expense>,
    /// Proof of what was stored where.
    pub receipt: Option<Receipt>,
    /// Why not.
    pub user_errors: Vec<UserError>,
}

impl Payload {
    /// The expense and its receipt; the test fails where the mutation was refused.
    #[track_caller]
    pub fn accepted(self) -> (Expense, Receipt) {
        match self {
            Self {
                expense: Some(expense),
                receipt: Some(receipt),
                user_errors,
            } if user_errors.is_empty() => (expense, receipt),
            refused => panic!("the mutation was refused: {refused:?}"),
        }
    }
}

/// An expense.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expense {
    /// Identity.
    pub id: Uuid,
    /// What was bought.
    pub description: String,
    /// How much it cost.
    pub amount: Money,
    /// The calendar date.
    pub spent_on: String,
    /// Free text.
    pub notes: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Counts its changes.
    pub version: i64,
    /// Revision of its last change.
    #[serde(deserialize_with = "decimal")]
    pub revision: u64,
    /// When it was deleted.
    pub deleted_at: Option<String>,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// A decimal.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// The amount in the currency's smallest units.
    pub minor_units: String,
}

/// One page of expenses.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpensePage {
    /// The expenses.
    pub nodes: Vec<Expense>,
    /// How many there are on all pages.
    pub total_count: u64,
    /// What the list was read at.
    #[serde(deserialize_with = "decimal")]
    pub revision: u64,
}

/// Proof of what was stored where.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The revision that the mutation made.
    #[serde(deserialize_with = "decimal")]
    pub revision: u64,
    /// The leader's term.
    #[serde(deserialize_with = "decimal")]
    pub term: u64,
    /// Whether this is the first outcome once more.
    pub replayed: bool,
    /// Who has it, and how far.
    pub acknowledged_by: Vec<Acknowledgement>,
    /// Who had not answered.
    pub pending: Vec<String>,
}

impl Receipt {
    /// The ids of the replicas that have applied it, in order.
    pub fn applied_by(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self
            .acknowledged_by
            .iter()
            .filter(|acknowledgement| acknowledgement.state == "APPLIED")
            .map(|acknowledgement| acknowledgement.replica_id.as_str())
            .collect();
        ids.sort_unstable();
        ids
    }
}

/// Who has it, and how far.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// The replica.
    pub replica_id: String,
    /// `DURABLE` or `APPLIED`.
    pub state: String,
}

/// What a client may not have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserError {
    /// Its kind.
    pub code: String,
    /// For people.
    pub message: String,
    /// Where in the input.
    pub field: Option<Vec<String>>,
}

/// A fault of the service or of the request.
#[derive(Debug, Clone, Deserialize)]
pub struct GraphqlError {
    /// For people.
    pub message: String,
    /// Holds its kind.
    #[serde(default)]
    pub extensions: serde_json::Value,
}

impl GraphqlError {
    /// Its kind.
    pub fn code(&self) -> Option<&str> {
        self.extensions.get("code")?.as_str()
    }
}

/// What became of a mutation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The key that it was sent with.
    pub idempotency_key: Uuid,
    /// Proof of what was stored where.
    pub receipt: Option<Receipt>,
    /// Why not.
    pub user_errors: Vec<UserError>,
}

/// A replica as a replica sees it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaView {
    /// Its number.
    pub id: String,
    /// `LEADER` and so on.
    pub role: String,
    /// Its public address.
    pub url: String,
    /// Its term.
    #[serde(deserialize_with = "decimal")]
    pub term: u64,
    /// What it has applied.
    #[serde(deserialize_with = "decimal")]
    pub revision: u64,
    /// Revisions behind the leader.
    pub lag: i64,
    /// Whether writes wait for it.
    pub in_sync: bool,
    /// Hash of its whole history.
    pub state_hash: String,
    /// Live expenses.
    pub expense_count: i64,
    /// `POSTGRES` or `SQLITE`.
    pub database: String,
}

/// Numbers that JSON cannot carry exactly come as strings, and only so.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| {
        serde::de::Error::custom(format!("{text:?} is no decimal number: {error}"))
    })
}
