//! The tables as the writer sees them, and each row as values in the order of the columns.

use threefold_entity::{category, change, expense, idempotency_key, ledger};
use uuid::Uuid;

use super::table::{Column, Kind, Row, Table};
use crate::change::ChangeBatch;

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
    }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: true,
    }
}

pub(crate) static EXPENSE: Table = Table {
    name: "expense",
    key: 1,
    columns: &[
        column("id", Kind::Uuid),
        column("ledger_id", Kind::Uuid),
        column("description", Kind::Text),
        column("description_key", Kind::Text),
        column("amount_minor", Kind::BigInt),
        column("currency", Kind::Text),
        column("amount_whole", Kind::BigInt),
        column("amount_fraction", Kind::SmallInt),
        column("spent_on", Kind::Date),
        nullable("category_id", Kind::Uuid),
        nullable("notes", Kind::Text),
        column("tags", Kind::Text),
        column("created_at", Kind::Timestamp),
        column("updated_at", Kind::Timestamp),
        column("version", Kind::Int),
        column("revision", Kind::BigInt),
        nullable("deleted_at", Kind::Timestamp),
    ],
};

pub(crate) fn expense(row: expense::Model) -> Row {
    vec![
        row.id.into(),
        row.ledger_id.into(),
        row.description.into(),
        row.description_key.into(),
        row.amount_minor.into(),
        row.currency.into(),
        row.amount_whole.into(),
        row.amount_fraction.into(),
        row.spent_on.into(),
        row.category_id.into(),
        row.notes.into(),
        row.tags.into(),
        row.created_at.into(),
        row.updated_at.into(),
        row.version.into(),
        row.revision.into(),
        row.deleted_at.into(),
    ]
}

pub(crate) static TERM: Table = Table {
    name: "expense_term",
    key: 2,
    columns: &[column("expense_id", Kind::Uuid), column("term", Kind::Text)],
};

pub(crate) fn term(expense_id: Uuid, term: &str) -> Row {
    vec![expense_id.into(), term.into()]
}

pub(crate) static CATEGORY: Table = Table {
    name: "category",
    key: 1,
    columns: &[
        column("id", Kind::Uuid),
        column("ledger_id", Kind::Uuid),
        column("name", Kind::Text),
        column("name_key", Kind::Text),
        nullable("color", Kind::Text),
        column("expense_count", Kind::BigInt),
        column("version", Kind::Int),
        column("revision", Kind::BigInt),
    ],
};

pub(crate) fn category(row: category::Model) -> Row {
    vec![
        row.id.into(),
        row.ledger_id.into(),
        row.name.into(),
        row.name_key.into(),
        row.color.into(),
        row.expense_count.into(),
        row.version.into(),
        row.revision.into(),
    ]
}

pub(crate) static LEDGER: Table = Table {
    name: "ledger",
    key: 1,
    columns: &[
        column("id", Kind::Uuid),
        column("name", Kind::Text),
        column("base_currency", Kind::Text),
        column("created_at", Kind::Timestamp),
        column("expense_count", Kind::BigInt),
        column("deleted_count", Kind::BigInt),
    ],
};

pub(crate) fn ledger(row: ledger::Model) -> Row {
    vec![
        row.id.into(),
        row.name.into(),
        row.base_currency.into(),
        row.created_at.into(),
        row.expense_count.into(),
        row.deleted_count.into(),
    ]
}

pub(crate) static CHANGE: Table = Table {
    name: "change",
    key: 1,
    columns: &[
        column("revision", Kind::BigInt),
        column("ledger_id", Kind::Uuid),
        column("committed_at", Kind::Timestamp),
        column("payload", Kind::Text),
        column("hash", Kind::Bytes),
    ],
};

pub(super) fn change(batch: &ChangeBatch, payload: String) -> Row {
    change_row(change::Model {
        revision: batch.revision.to_column(),
        ledger_id: batch.ledger_id,
        committed_at: batch.committed_at,
        payload,
        hash: batch.hash.as_bytes().to_vec(),
    })
}

pub(crate) fn change_row(row: change::Model) -> Row {
    vec![
        row.revision.into(),
        row.ledger_id.into(),
        row.committed_at.into(),
        row.payload.into(),
        row.hash.into(),
    ]
}

pub(crate) static KEY: Table = Table {
    name: "idempotency_key",
    key: 1,
    columns: &[
        column("key", Kind::Uuid),
        column("payload_hash", Kind::Bytes),
        column("revision", Kind::BigInt),
        column("term", Kind::BigInt),
        nullable("refusals", Kind::Text),
        column("created_at", Kind::Timestamp),
    ],
};

pub(crate) fn key(row: idempotency_key::Model) -> Row {
    vec![
        row.key.into(),
        row.payload_hash.into(),
        row.revision.into(),
        row.term.into(),
        row.refusals.into(),
        row.created_at.into(),
    ]
}
