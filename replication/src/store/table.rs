//! A table as the writer sees it, and the types of its columns in PostgreSQL.

use sea_orm::Value;
use sea_orm::sea_query::ArrayType;

/// A table as the writer sees it. The first `key` columns are its primary key.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: usize,
    pub(crate) columns: &'static [Column],
}

/// A row as values in the order of the columns.
pub(crate) type Row = Vec<Value>;

/// A column: its name, its PostgreSQL type, and whether it may be null.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// Types of columns. The driver's arrays hold no nulls, so each type names a value that stands for null in an
/// array and that no row ever holds.
#[derive(Clone, Copy, Debug)]
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
    pub(super) fn postgres(self) -> (&'static str, ArrayType) {
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

    pub(super) fn null_stand_in(self) -> (Value, &'static str) {
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

impl Table {
    pub(super) fn names(&self) -> String {
        names(self.columns)
    }

    pub(super) fn key_columns(&self) -> &'static [Column] {
        self.columns.get(..self.key).unwrap_or(self.columns)
    }

    /// What an `INSERT` does about rows that are there, if it is to put new ones in their place.
    pub(super) fn replace(&self) -> String {
        let others = self.columns.iter().skip(self.key);
        let set: Vec<String> = others
            .map(|c| format!("{0} = excluded.{0}", c.name))
            .collect();
        let key = names(self.key_columns());
        format!(" ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", "))
    }
}

/// Names of columns, in a list.
pub(super) fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.join(", ")
}
