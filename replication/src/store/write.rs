//! Writes of many rows at once, never a round trip a row. On PostgreSQL the rows are `UNNEST` of one array a column, so that the
//! statement's text, and with it its plan, is the same for any number of rows, and several writes can be one statement, as the parts
//! of a `WITH`. On SQLite they are lists of values, in pieces of one, two, four rows and so on, up to a bound: a connection keeps what
//! it has prepared, and a statement for each number of rows would be much to keep.

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement, Value};
use threefold_entity::{Revision, replica_state};
use uuid::Uuid;

use super::table::{Column, Row, Table, names};
use crate::working_set::Recategorise;

/// Most values of one SQLite statement (its limit is 32,766).
const SQLITE_VALUES: usize = 4_096;

/// A write to one table. Those of one stage touch different rows, so that their order does not matter.
#[derive(Debug)]
pub(crate) enum Write {
    /// Rows that are not there.
    Insert(&'static Table, Vec<Row>),
    /// Rows, in place of those with the same key.
    Upsert(&'static Table, Vec<Row>),
    /// Deletes rows by their keys, which are all that is given of them.
    Delete(&'static Table, Vec<Row>),
    /// Deletes rows of this revision and earlier ones.
    Forget(&'static Table, Revision),
    /// See there.
    Recategorise(Recategorise),
}

/// Where the database stands once the writes of a transaction are in it: the columns of the only row of `replica_state`.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) last_applied_index: i64,
    pub(crate) last_applied: Option<String>,
    pub(crate) membership: Option<String>,
    pub(crate) revision: i64,
    pub(crate) history_hash: Vec<u8>,
    pub(crate) expense_count: i64,
    /// Nothing is written unless the index that is stored is this one; none for any.
    pub(crate) expected: Option<i64>,
    /// Nothing is written if one of these idempotency keys is known.
    pub(crate) new_keys: Vec<Uuid>,
}

/// A statement that is being written.
struct Draft {
    backend: DatabaseBackend,
    sql: String,
    values: Vec<Value>,
}

impl Draft {
    fn new(backend: DatabaseBackend) -> Self {
        Self {
            backend,
            sql: String::new(),
            values: Vec::new(),
        }
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.sql.push_str(text);
        self
    }

    /// A placeholder, and what it stands for.
    fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        match self.backend {
            DatabaseBackend::Postgres => {
                let placeholder = format!("${}", self.values.len());
                self.text(&placeholder)
            }
            _ => self.text("?"),
        }
    }

    fn finish(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.sql, self.values)
    }
}

/// What a part of a `WITH` says where it is to do nothing unless the position was the expected one.
const IF_EXPECTED: &str = "EXISTS (SELECT FROM position)";

/// Writes of one stage as one PostgreSQL statement, with the position that they lead to, if it is known by now. Where it is not the
/// expected one, nothing is written. Answers with one number: how many positions were stored. None where there is nothing to write.
pub(super) fn together(writes: Vec<Write>, position: Option<&Position>) -> Option<Statement> {
    let mut draft = Draft::new(DatabaseBackend::Postgres);
    let mut separator = "WITH ";
    if let Some(position) = position {
        draft.text("WITH position AS (");
        position.draft(&mut draft);
        draft.text(" RETURNING id)");
        separator = ", ";
    }
    for (number, write) in writes.into_iter().enumerate() {
        draft.text(&format!("{separator}write{number} AS ("));
        write.draft(&mut draft, position.map(|_| IF_EXPECTED));
        draft.text(")");
        separator = ", ";
    }
    let stored = match position {
        Some(_) => " SELECT count(*) AS stored FROM position",
        None => " SELECT 0::bigint AS stored",
    };
    draft.text(stored);
    (separator == ", ").then(|| draft.finish())
}

impl Position {
    fn draft(&self, draft: &mut Draft) {
        let text = draft.text("UPDATE replica_state SET last_applied_index = ");
        text.value(self.last_applied_index);
        text.text(", last_applied = ")
            .value(self.last_applied.clone());
        text.text(", membership = ").value(self.membership.clone());
        text.text(", revision = ").value(self.revision);
        text.text(", history_hash = ")
            .value(self.history_hash.clone());
        text.text(", expense_count = ").value(self.expense_count);
        text.text(" WHERE id = ").value(replica_state::ONLY_ROW);
        if let Some(expected) = self.expected {
            text.text(" AND last_applied_index = ").value(expected);
        }
        if !self.new_keys.is_empty() {
            text.text(" AND NOT EXISTS (SELECT FROM idempotency_key WHERE key = ANY(");
            text.value(self.new_keys.clone()).text("))");
        }
    }

    /// Stores it. False where the stored one is not the expected one. New keys are assumed on PostgreSQL only.
    pub(crate) async fn store<C: ConnectionTrait>(&self, db: &C) -> Result<bool, DbErr> {
        let mut draft = Draft::new(db.get_database_backend());
        self.draft(&mut draft);
        let stored = db.execute_raw(draft.finish()).await?;
        Ok(stored.rows_affected() == 1)
    }
}

impl Write {
    /// True where there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Insert(_, rows) | Self::Upsert(_, rows) | Self::Delete(_, rows) => {
                rows.is_empty()
            }
            Self::Forget(..) | Self::Recategorise(_) => false,
        }
    }

    /// Carries it out, by itself.
    pub(super) async fn run<C: ConnectionTrait>(self, db: &C) -> Result<(), DbErr> {
        let backend = db.get_database_backend();
        for piece in self.pieces(backend) {
            let mut draft = Draft::new(backend);
            piece.draft(&mut draft, None);
            db.execute_raw(draft.finish()).await?;
        }
        Ok(())
    }

    /// The same in pieces that one statement takes.
    fn pieces(self, backend: DatabaseBackend) -> Vec<Self> {
        let (make, table, rows): (fn(_, _) -> Self, _, _) = match self {
            Self::Insert(table, rows) => (Self::Insert, table, rows),
            Self::Upsert(table, rows) => (Self::Upsert, table, rows),
            Self::Delete(table, rows) => (Self::Delete, table, rows),
            other => return vec![other],
        };
        let pieces = match backend {
            DatabaseBackend::Postgres => vec![rows],
            _ => cut(rows, SQLITE_VALUES / table.columns.len()),
        };
        let pieces = pieces.into_iter().filter(|rows| !rows.is_empty());
        pieces.map(|rows| make(table, rows)).collect()
    }

    fn draft(self, draft: &mut Draft, condition: Option<&str>) {
        match self {
            Self::Insert(table, rows) => insert(draft, table, rows, condition, ""),
            Self::Upsert(table, rows) => insert(draft, table, rows, condition, &table.replace()),
            Self::Delete(table, rows) => {
                draft.text(&format!("DELETE FROM {} WHERE ", table.name));
                let key = table.key_columns();
                draft.text(&format!("({}) IN (", names(key)));
                source(draft, key, rows);
                draft.text(")");
                and(draft, condition);
            }
            Self::Forget(table, last) => {
                // With both bounds a planner that does not know them expects few rows.
                draft.text(&format!(
                    "DELETE FROM {} WHERE revision BETWEEN 0 AND ",
                    table.name
                ));
                draft.value(last.to_column());
                and(draft, condition);
            }
            Self::Recategorise(all) => {
                let text = draft
                    .text("UPDATE expense SET category_id = ")
                    .value(all.to);
                text.text(", revision = ").value(all.revision.to_column());
                text.text(", updated_at = ").value(all.at);
                text.text(", version = version + 1 WHERE category_id = ");
                text.value(all.from);
                and(draft, condition);
            }
        }
    }
}

fn and(draft: &mut Draft, condition: Option<&str>) {
    if let Some(condition) = condition {
        draft.text(" AND ").text(condition);
    }
}

fn insert(
    draft: &mut Draft,
    table: &Table,
    rows: Vec<Row>,
    condition: Option<&str>,
    on_conflict: &str,
) {
    draft.text(&format!("INSERT INTO {} ({}) ", table.name, table.names()));
    source(draft, table.columns, rows);
    if let Some(condition) = condition {
        draft.text(" WHERE ").text(condition);
    }
    draft.text(on_conflict);
}

/// Rows of values as a query.
fn source(draft: &mut Draft, columns: &[Column], rows: Vec<Row>) {
    match draft.backend {
        DatabaseBackend::Postgres => unnest(draft, columns, rows),
        _ => list(draft, columns.len(), rows),
    }
}

fn unnest(draft: &mut Draft, columns: &[Column], rows: Vec<Row>) {
    let selected = columns.iter().map(|column| match column.nullable {
        true => format!(
            "NULLIF(u.{}, {})",
            column.name,
            column.kind.null_stand_in().1
        ),
        false => format!("u.{}", column.name),
    });
    let selected: Vec<String> = selected.collect();
    draft.text(&format!("SELECT {} FROM UNNEST(", selected.join(", ")));
    let mut separator = "";
    for (column, values) in columns.iter().zip(transposed(columns, rows)) {
        let (name, kind) = column.kind.postgres();
        draft.text(separator);
        draft.value(Value::Array(kind, Some(Box::new(values))));
        draft.text(&format!("::{name}[]"));
        separator = ", ";
    }
    draft.text(&format!(") AS u ({})", names(columns)));
}

/// The values of each column. Each row holds as many as there are columns.
fn transposed(columns: &[Column], rows: Vec<Row>) -> Vec<Vec<Value>> {
    let empty = || Vec::with_capacity(rows.len());
    let mut arrays: Vec<Vec<Value>> = columns.iter().map(|_| empty()).collect();
    for row in rows {
        for ((array, value), column) in arrays.iter_mut().zip(row).zip(columns) {
            let is_null = column.nullable && value == value.as_null();
            array.push(if is_null {
                column.kind.null_stand_in().0
            } else {
                value
            });
        }
    }
    arrays
}

fn list(draft: &mut Draft, columns: usize, rows: Vec<Row>) {
    let row = format!("({})", vec!["?"; columns].join(", "));
    draft.text("VALUES ");
    draft.text(&vec![row.as_str(); rows.len()].join(", "));
    draft.values.extend(rows.into_iter().flatten());
}

/// Cuts rows into pieces whose sizes are powers of two, of `most` rows at most.
fn cut(mut rows: Vec<Row>, most: usize) -> Vec<Vec<Row>> {
    let mut pieces = Vec::new();
    while !rows.is_empty() {
        let rest = rows.split_off(piece(rows.len(), most));
        pieces.push(rows);
        rows = rest;
    }
    pieces
}

/// The largest power of two that is no larger than either; 1 at least.
fn piece(left: usize, most: usize) -> usize {
    1 << left.min(most).checked_ilog2().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::rows;

    #[test]
    fn pieces_have_few_sizes_and_leave_nothing() {
        assert_eq!(piece(1, 0), 1);
        assert_eq!(piece(1, 227), 1);
        let rows: Vec<Row> = (0..1_000).map(|number: i64| vec![number.into()]).collect();
        let pieces = cut(rows.clone(), 227);
        let sizes: Vec<usize> = pieces.iter().map(Vec::len).collect();
        assert_eq!(sizes, [128, 128, 128, 128, 128, 128, 128, 64, 32, 8]);
        assert_eq!(pieces.concat(), rows);
    }

    fn position() -> Position {
        Position {
            last_applied_index: 8,
            last_applied: None,
            membership: None,
            revision: 3,
            history_hash: Vec::new(),
            expense_count: 2,
            expected: Some(7),
            new_keys: vec![Uuid::nil()],
        }
    }

    #[test]
    fn a_stage_is_one_statement_on_postgresql() {
        let terms = |count: u128| {
            let id = Uuid::from_u128;
            (0..count).map(|n| rows::term(id(n), "bread")).collect()
        };
        let text = |count| {
            let writes = vec![
                Write::Insert(&rows::TERM, terms(count)),
                Write::Delete(&rows::TERM, terms(count)),
            ];
            together(writes, Some(&position())).unwrap()
        };
        let one = text(1);
        assert_eq!(one.sql, text(100).sql, "whatever the number of rows");
        assert_eq!(
            one.sql,
            "WITH position AS (UPDATE replica_state SET last_applied_index = $1, last_applied = $2, membership = $3, \
             revision = $4, history_hash = $5, expense_count = $6 WHERE id = $7 AND last_applied_index = $8 \
             AND NOT EXISTS (SELECT FROM idempotency_key WHERE key = ANY($9)) RETURNING id), \
             write0 AS (INSERT INTO expense_term (expense_id, term) SELECT u.expense_id, u.term \
             FROM UNNEST($10::uuid[], $11::text[]) AS u (expense_id, term) WHERE EXISTS (SELECT FROM position)), \
             write1 AS (DELETE FROM expense_term WHERE (expense_id, term) IN (SELECT u.expense_id, u.term \
             FROM UNNEST($12::uuid[], $13::text[]) AS u (expense_id, term)) AND EXISTS (SELECT FROM position)) \
             SELECT count(*) AS stored FROM position"
        );
        assert_eq!(one.values.unwrap().0.len(), 13);
        assert!(together(Vec::new(), None).is_none());
    }
}
