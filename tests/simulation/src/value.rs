//! Values between SeaORM and SQLite, as the driver of a real replica has them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::types::{Value as Stored, ValueRef};
use sea_orm::{DbErr, RuntimeErr, Value};
use uuid::Uuid;

/// A failure, in SeaORM's words.
pub fn failed(error: impl std::fmt::Display) -> DbErr {
    DbErr::Exec(RuntimeErr::Internal(error.to_string()))
}

/// A parameter, as it is stored.
pub fn stored(value: &Value) -> Result<Stored, DbErr> {
    let null = || Stored::Null;
    Ok(match value {
        Value::Bool(value) => value.map_or_else(null, |it| Stored::Integer(it.into())),
        Value::SmallInt(value) => value.map_or_else(null, |it| Stored::Integer(it.into())),
        Value::Int(value) => value.map_or_else(null, |it| Stored::Integer(it.into())),
        Value::BigInt(value) => value.map_or_else(null, Stored::Integer),
        Value::BigUnsigned(value) => {
            let value = value.map(i64::try_from).transpose().map_err(failed)?;
            value.map_or_else(null, Stored::Integer)
        }
        Value::String(value) => value.clone().map_or_else(null, Stored::Text),
        Value::Bytes(value) => value.clone().map_or_else(null, Stored::Blob),
        Value::Uuid(value) => value.map_or_else(null, |it| Stored::Blob(it.as_bytes().to_vec())),
        Value::ChronoDate(value) => value.map_or_else(null, |it| Stored::Text(it.to_string())),
        Value::ChronoDateTimeUtc(value) => {
            value.map_or_else(null, |it| Stored::Text(it.to_rfc3339()))
        }
        other => return Err(failed(format!("no parameter of this kind yet: {other:?}"))),
    })
}

/// The columns of a result: name and declared type.
pub fn columns(statement: &rusqlite::Statement<'_>) -> Vec<(String, String)> {
    let columns = statement.columns();
    let column = |column: &rusqlite::Column<'_>| {
        let declared = column.decl_type().unwrap_or_default().to_lowercase();
        (column.name().to_owned(), declared)
    };
    columns.iter().map(column).collect()
}

/// One row of a result.
pub fn row(
    columns: &[(String, String)],
    row: &rusqlite::Row<'_>,
) -> Result<BTreeMap<String, Value>, DbErr> {
    let mut values = BTreeMap::new();
    for (place, (name, declared)) in columns.iter().enumerate() {
        let value = read(name, declared, row.get_ref(place).map_err(failed)?)?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn read(name: &str, declared: &str, stored: ValueRef<'_>) -> Result<Value, DbErr> {
    let value = match declared {
        _ if declared.starts_with("uuid") => {
            let id = stored.as_blob_or_null().map_err(failed)?;
            Value::Uuid(id.map(Uuid::from_slice).transpose().map_err(failed)?)
        }
        _ if declared.starts_with("timestamp") => {
            let text = stored.as_str_or_null().map_err(failed)?;
            let time = text.map(DateTime::parse_from_rfc3339).transpose();
            Value::ChronoDateTimeUtc(time.map_err(failed)?.map(|it| it.with_timezone(&Utc)))
        }
        _ if declared.starts_with("date") => {
            let text = stored.as_str_or_null().map_err(failed)?;
            let date = text.map(str::parse::<NaiveDate>).transpose();
            Value::ChronoDate(date.map_err(failed)?)
        }
        "smallint" => Value::SmallInt(integer(stored)?),
        // SQLite has one kind of integers, SeaORM reads each as one kind only.
        "integer" if ["id", "version"].contains(&name) => Value::Int(integer(stored)?),
        "integer" => Value::BigInt(stored.as_i64_or_null().map_err(failed)?),
        _ => match stored {
            // What is computed has no declared type.
            ValueRef::Integer(it) if name.starts_with("has_") => Value::Bool(Some(it != 0)),
            ValueRef::Integer(it) => Value::BigInt(Some(it)),
            ValueRef::Blob(it) => Value::Bytes(Some(it.to_vec())),
            ValueRef::Text(it) => Value::String(Some(String::from_utf8_lossy(it).into_owned())),
            ValueRef::Real(it) => Value::Double(Some(it)),
            ValueRef::Null => Value::String(None),
        },
    };
    Ok(value)
}

fn integer<T: TryFrom<i64>>(stored: ValueRef<'_>) -> Result<Option<T>, DbErr>
where
    T::Error: std::fmt::Display,
{
    let value = stored.as_i64_or_null().map_err(failed)?;
    value.map(T::try_from).transpose().map_err(failed)
}
