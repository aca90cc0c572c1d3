//! Many rows in one statement: `UNNEST` of one array a column on PostgreSQL, so that the statement's text, and with
//! it its plan, is the same for any number of rows; lists of values on SQLite, in pieces of one, two, four rows and so on, up to a bound:
//! a connection keeps what it has prepared, and a statement for each number of rows would be much to keep.

use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, QueryFilter, Statement,
    Value,
};

/// Most values of one SQLite statement (its limit is 32,766).
const SQLITE_VALUES: usize = 4_096;
/// Most ids of one `IN` list.
const IN_LIST: usize = 1_024;

/// A table as the writer sees it. The first `key` columns are its primary key.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: usize,
    pub(crate) columns: &'static [Column],
}

/// A column: its name, its PostgreSQL type, and whether it may be null.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// Types of columns. The driver's arrays hold no nulls, so each type names a value that stands for null in an
/// array and that no row ever holds.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Uuid,
    Text,
    BigInt,
    Int,
    SmallInt,
    Bytes,
    Date,
    Timestamp,
}

impl Kind {
    fn postgres(self) -> (&'static str, ArrayType) {
        match self {
            Self::Uuid => ("uuid", ArrayType::Uuid),
            Self::Text => ("text", ArrayType::String),
            Self::BigInt => ("bigint", ArrayType::BigInt),
            Self::Int => ("integer", ArrayType::Int),
            Self::SmallInt => ("smallint", ArrayType::SmallInt),
            Self::Bytes => ("bytea", ArrayType::Bytes),
            Self::Date => ("date", ArrayType::ChronoDate),
            Self::Timestamp => ("timestamptz", ArrayType::ChronoDateTimeUtc),
        }
    }

    fn null_stand_in(self) -> (Value, &'static str) {
        match self {
            Self::Uuid => (
                uuid::Uuid::nil().into(),
                "'00000000-0000-0000-0000-000000000000'::uuid",
            ),
            Self::Text => (String::new().into(), "''"),
            Self::BigInt => (i64::MIN.into(), "(-9223372036854775808)::bigint"),
            Self::Int => (i32::MIN.into(), "(-2147483648)::integer"),
            Self::SmallInt => (i16::MIN.into(), "(-32768)::smallint"),
            Self::Bytes => (Vec::<u8>::new().into(), "''::bytea"),
            Self::Date => (chrono::NaiveDate::default().into(), "'1970-01-01'::date"),
            Self::Timestamp => (
                chrono::DateTime::UNIX_EPOCH.into(),
                "'1970-01-01 00:00:00+00'::timestamptz",
            ),
        }
    }
}

/// Inserts rows, or puts them in place of those with the same key.
pub(super) async fn upsert<C: ConnectionTrait>(
    db: &C,
    table: &Table,
    rows: Vec<Vec<Value>>,
) -> Result<(), DbErr> {
    let keys: Vec<&str> = table
        .columns
        .iter()
        .take(table.key)
        .map(|column| column.name)
        .collect();
    let set = table
        .columns
        .iter()
        .skip(table.key)
        .map(|c| format!("{0} = excluded.{0}", c.name));
    let set = set.collect::<Vec<_>>().join(", ");
    write(
        db,
        table,
        rows,
        &format!(" ON CONFLICT ({}) DO UPDATE SET {set}", keys.join(", ")),
    )
    .await
}

/// Inserts rows.
pub(super) async fn insert<C: ConnectionTrait>(
    db: &C,
    table: &Table,
    rows: Vec<Vec<Value>>,
) -> Result<(), DbErr> {
    write(db, table, rows, "").await
}

async fn write<C: ConnectionTrait>(
    db: &C,
    table: &Table,
    mut rows: Vec<Vec<Value>>,
    on_conflict: &str,
) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    if rows.is_empty() {
        return Ok(());
    }
    if backend == DatabaseBackend::Postgres {
        db.execute_raw(unnest(table, rows, on_conflict)).await?;
        return Ok(());
    }
    let most = SQLITE_VALUES / table.columns.len();
    while !rows.is_empty() {
        let rest = rows.split_off(piece(rows.len(), most));
        db.execute_raw(values(backend, table, rows, on_conflict))
            .await?;
        rows = rest;
    }
    Ok(())
}

/// The largest power of two that is no larger than either; 1 at least.
fn piece(left: usize, most: usize) -> usize {
    1 << left.min(most).checked_ilog2().unwrap_or(0)
}

fn column_names(table: &Table) -> String {
    table
        .columns
        .iter()
        .map(|column| column.name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn unnest(table: &Table, rows: Vec<Vec<Value>>, on_conflict: &str) -> Statement {
    let mut arrays: Vec<Vec<Value>> = table
        .columns
        .iter()
        .map(|_| Vec::with_capacity(rows.len()))
        .collect();
    for row in rows {
        for ((array, value), column) in arrays.iter_mut().zip(row).zip(table.columns) {
            let is_null = column.nullable && value == value.as_null();
            array.push(if is_null {
                column.kind.null_stand_in().0
            } else {
                value
            });
        }
    }
    let mut selected = Vec::new();
    let mut sources = Vec::new();
    for (n, column) in table.columns.iter().enumerate() {
        let source = format!("u.{}", column.name);
        selected.push(match column.nullable {
            true => format!("NULLIF({source}, {})", column.kind.null_stand_in().1),
            false => source,
        });
        sources.push(format!("${}::{}[]", n + 1, column.kind.postgres().0));
    }
    let sql = format!(
        "INSERT INTO {} ({names}) SELECT {} FROM UNNEST({}) AS u ({names}){on_conflict}",
        table.name,
        selected.join(", "),
        sources.join(", "),
        names = column_names(table),
    );
    let values = arrays.into_iter().zip(table.columns);
    let values =
        values.map(|(array, column)| Value::Array(column.kind.postgres().1, Some(Box::new(array))));
    Statement::from_sql_and_values(DatabaseBackend::Postgres, sql, values)
}

fn values(
    backend: DatabaseBackend,
    table: &Table,
    rows: Vec<Vec<Value>>,
    on_conflict: &str,
) -> Statement {
    let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
    let list = vec![row.as_str(); rows.len()].join(", ");
    let sql = format!(
        "INSERT INTO {} ({}) VALUES {list}{on_conflict}",
        table.name,
        column_names(table)
    );
    Statement::from_sql_and_values(backend, sql, rows.into_iter().flatten())
}

/// Rows whose column is one of the values.
pub(super) async fn find_in<E, C>(
    db: &C,
    column: E::Column,
    values: Vec<uuid::Uuid>,
) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    if values.is_empty() {
        return Ok(Vec::new());
    }
    if db.get_database_backend() == DatabaseBackend::Postgres {
        // One parameter, whatever the number of values: the statement stays prepared.
        let any = sea_orm::sea_query::Expr::cust_with_values(
            format!("{} = ANY($1)", sea_orm::Iden::to_string(&column)),
            [Value::from(values)],
        );
        return E::find().filter(any).all(db).await;
    }
    let mut rows = Vec::new();
    for chunk in values.chunks(IN_LIST) {
        // The last one again and again, up to the next power of two.
        let again = chunk.last().into_iter().cycle();
        let padded = chunk.iter().chain(again).copied();
        let padded = padded.take(chunk.len().next_power_of_two());
        rows.extend(E::find().filter(column.is_in(padded)).all(db).await?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_few_sizes_and_leave_nothing() {
        assert_eq!(piece(1, 0), 1);
        assert_eq!(piece(1, 227), 1);
        assert_eq!(piece(100, 227), 64);
        assert_eq!(piece(1_000, 227), 128);
        let mut left = 1_000;
        let mut sizes = Vec::new();
        while left > 0 {
            sizes.push(piece(left, 227));
            left -= piece(left, 227);
        }
        assert_eq!(sizes, [128, 128, 128, 128, 128, 128, 128, 64, 32, 8]);
    }
}
