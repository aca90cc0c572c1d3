//! From an action to a request, and from a response to an answer.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::target::Endpoint;
use crate::client::{Client, ClientError};
use crate::torture::history::{Action, Answer, Freshness, Item, Receipt, ReplicaSet, Row};

/// A mutation of one expense: every payload has the same form.
macro_rules! mutation {
    ($input:literal, $field:literal, $expenses:literal) => {
        concat!(
            "mutation ($input: ", $input, "!) { ", $field, "(input: $input) { ", $expenses, " { ...E } userErrors { code } ",
            "receipt { revision replayed acknowledgedBy { replicaId state } } } } ",
            "fragment E on Expense { id version revision deletedAt description amount { minorUnits } }"
        )
    };
}

const ADD: &str = mutation!("AddExpenseInput", "addExpense", "expense");
const ADD_MANY: &str = mutation!("AddExpensesInput", "addExpenses", "expenses");
const EDIT: &str = mutation!("UpdateExpenseInput", "updateExpense", "expense");
const DELETE: &str = mutation!("DeleteExpenseInput", "deleteExpense", "expense");
const RESTORE: &str = mutation!("RestoreExpenseInput", "restoreExpense", "expense");
const READ: &str = "query ($id: UUID!) { expense(id: $id) \
    { id version revision deletedAt description amount { minorUnits } } }";
const LIST: &str = "query ($tag: String!) { expenses(first: 100, filter: { tags: [$tag] }) \
    { revision nodes { id version revision deletedAt description amount { minorUnits } } } }";

/// Asks one replica once.
pub(super) async fn ask(
    endpoint: &Endpoint,
    action: &Action,
    quorum: bool,
    patience: Duration,
) -> Answer {
    let (document, field, variables, client) = request(&endpoint.client, action);
    let client = if quorum { client.quorum() } else { client };
    match client
        .with_timeout(patience)
        .execute(document, variables)
        .await
    {
        Ok(mut data) => {
            let value = data[field].take();
            let text = value.to_string();
            understand(action, value)
                .unwrap_or_else(|| Answer::Lost(format!("out of shape: {text}")))
        }
        Err(error) => fault(&error),
    }
}

/// The revision of an accepted list, for anyone who reads one.
pub(super) fn revision(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

/// The document, its root field, its variables, and the client with its headers.
fn request(client: &Client, action: &Action) -> (&'static str, &'static str, Value, Client) {
    let input = |input: Value| json!({ "input": input });
    let writer = client.clone();
    match action {
        Action::Add { key, item } => {
            let mut fields = new_expense(item, None);
            fields["idempotencyKey"] = json!(key);
            (ADD, "addExpense", input(fields), writer)
        }
        Action::AddMany { key, tag, items } => {
            let expenses: Vec<Value> = items
                .iter()
                .map(|item| new_expense(item, Some(*tag)))
                .collect();
            let fields = json!({ "idempotencyKey": key, "expenses": expenses });
            (ADD_MANY, "addExpenses", input(fields), writer)
        }
        Action::Edit {
            key,
            id,
            amount,
            label,
            expected,
        } => {
            let mut fields = with_version(json!({ "idempotencyKey": key, "id": id }), *expected);
            if let Some(amount) = amount {
                fields["amount"] = json!(amount.to_string());
            }
            if let Some(label) = label {
                fields["description"] = json!(format!("m{label}"));
            }
            (EDIT, "updateExpense", input(fields), writer)
        }
        Action::Delete { key, id, expected } => {
            let fields = with_version(json!({ "idempotencyKey": key, "id": id }), *expected);
            (DELETE, "deleteExpense", input(fields), writer)
        }
        Action::Restore { key, id } => {
            let fields = json!({ "idempotencyKey": key, "id": id });
            (RESTORE, "restoreExpense", input(fields), writer)
        }
        Action::Read { id, freshness } => (
            READ,
            "expense",
            json!({ "id": id }),
            as_fresh(client, *freshness),
        ),
        Action::List { tag, freshness } => (
            LIST,
            "expenses",
            json!({ "tag": tag_text(*tag) }),
            as_fresh(client, *freshness),
        ),
        Action::Position { .. } => {
            let document = "{ expenses(first: 1) { revision nodes { id } } }";
            (document, "expenses", json!({}), client.local())
        }
    }
}

fn as_fresh(client: &Client, freshness: Freshness) -> Client {
    match freshness {
        Freshness::Linearizable => client.clone(),
        Freshness::Local => client.local(),
        Freshness::AtLeast(revision) => client.at_least(revision),
    }
}

/// Yen have no decimals: the amount is the mark.
fn new_expense(item: &Item, tag: Option<u64>) -> Value {
    let mut fields = json!({
        "description": format!("m{}", item.mark),
        "amount": item.mark.to_string(),
        "currency": "JPY",
        "spentOn": "2026-11-22",
    });
    if let Some(id) = item.id {
        fields["id"] = json!(id);
    }
    if let Some(tag) = tag {
        fields["tags"] = json!([tag_text(tag)]);
    }
    fields
}

fn tag_text(tag: u64) -> String {
    format!("b{tag}")
}

fn with_version(mut fields: Value, expected: Option<u32>) -> Value {
    if let Some(version) = expected {
        fields["expectedVersion"] = json!(version);
    }
    fields
}

fn understand(action: &Action, mut value: Value) -> Option<Answer> {
    match action {
        Action::Read { .. } if value.is_null() => Some(Answer::Saw(None)),
        Action::Read { .. } => Some(Answer::Saw(Some(row(&value)?))),
        Action::List { .. } => Some(Answer::Listed {
            revision: revision(&value["revision"])?,
            rows: rows(&value["nodes"])?,
        }),
        Action::Position { .. } => Some(Answer::Listed {
            revision: revision(&value["revision"])?,
            rows: Vec::new(),
        }),
        _ => {
            if let Some(error) = value["userErrors"].as_array()?.first() {
                return Some(Answer::Refused(error["code"].as_str()?.to_owned()));
            }
            let receipt = receipt(&value["receipt"].take())?;
            let rows = match value["expenses"].take() {
                Value::Null => vec![row(&value["expense"])?],
                several => rows(&several)?,
            };
            Some(Answer::Accepted { receipt, rows })
        }
    }
}

fn rows(values: &Value) -> Option<Vec<Row>> {
    values.as_array()?.iter().map(row).collect()
}

/// An expense as it stands in any answer or change.
pub(super) fn row(value: &Value) -> Option<Row> {
    Some(Row {
        id: Uuid::parse_str(value["id"].as_str()?).ok()?,
        version: value["version"].as_u64()?.try_into().ok()?,
        amount: value["amount"]["minorUnits"].as_str()?.parse().ok()?,
        label: value["description"]
            .as_str()?
            .strip_prefix('m')?
            .parse()
            .ok()?,
        deleted: !value["deletedAt"].is_null(),
        revision: revision(&value["revision"])?,
    })
}

fn receipt(value: &Value) -> Option<Receipt> {
    let (mut applied, mut durable) = (ReplicaSet::default(), ReplicaSet::default());
    for acknowledgement in value["acknowledgedBy"].as_array()? {
        let id = acknowledgement["replicaId"].as_str()?.parse().ok()?;
        match acknowledgement["state"].as_str()? {
            "APPLIED" => applied.insert(id),
            "DURABLE" => durable.insert(id),
            _ => return None,
        }
    }
    Some(Receipt {
        revision: revision(&value["revision"])?,
        replayed: value["replayed"].as_bool()?,
        applied,
        durable,
    })
}

/// What an error promises. Those that say that nothing was done are taken at their word, and the word is checked.
fn fault(error: &ClientError) -> Answer {
    match error.code() {
        Some(
            code @ ("NO_LEADER"
            | "NOT_ENOUGH_REPLICAS"
            | "RATE_LIMITED"
            | "TOO_LARGE"
            | "BAD_USER_INPUT"
            | "UNAUTHENTICATED"),
        ) => Answer::NotDone(code.to_owned()),
        Some(code) => Answer::Lost(code.to_owned()),
        None => match error {
            ClientError::Transport(fault) if fault.is_connect() => {
                Answer::NotDone("no connection".to_owned())
            }
            ClientError::Transport(fault) if fault.is_timeout() => {
                Answer::Lost("no answer in time".to_owned())
            }
            ClientError::Transport(_) => Answer::Lost("the connection broke".to_owned()),
            other => Answer::Lost(other.to_string()),
        },
    }
}
