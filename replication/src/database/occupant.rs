//! Whose rows are in a database, for whoever is about to put some there.

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as SeaDatabase, DatabaseBackend, DatabaseConnection,
    DbErr, EntityName, EntityTrait, RuntimeErr, Statement,
};
use threefold_entity::{category, change, expense, expense_term, idempotency_key, replica_state};
use uuid::Uuid;

use super::{ACQUIRE_TIMEOUT, kind_of};
use crate::status::DatabaseKind;

/// Who has rows in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Occupant {
    /// Nobody: it is new, or a replica that never took part has made its tables.
    Nobody,
    /// A replica.
    Replica {
        id: i64,
        cluster_id: Uuid,
        birth_mark: Uuid,
    },
    /// Nobody who says so, and yet there are rows.
    Rows,
    /// Somebody else, who has this table.
    Stranger(String),
}

/// Looks who has rows in a database, and changes nothing there.
pub(crate) async fn occupant(url: &str) -> Result<Occupant, DbErr> {
    let kind = kind_of(url)?;
    let mut looking = ConnectOptions::new(url);
    looking
        .max_connections(1)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| sqlite.read_only(true).create_if_missing(false))
        .map_sqlx_postgres_opts(|postgres| {
            postgres.options([("default_transaction_read_only", "on")])
        });
    let db = match SeaDatabase::connect(looking).await {
        // There is no such file.
        Err(error) if kind == DatabaseKind::Sqlite && sqlite_code(&error) == Some(14) => {
            return Ok(Occupant::Nobody);
        }
        connected => connected?,
    };
    let occupant = occupant_of(&db).await;
    db.close().await?;
    occupant
}

async fn occupant_of(db: &DatabaseConnection) -> Result<Occupant, DbErr> {
    let tables = match db.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT tablename AS name FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
        }
        _ => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    };
    let tables = Statement::from_string(db.get_database_backend(), tables);
    let mut names = Vec::new();
    for row in db.query_all_raw(tables).await? {
        names.push(row.try_get::<String>("", "name")?);
    }
    // Steps of the schema are counted in a table of their own; where it is, the tables are ours.
    if !names.iter().any(|name| name == "seaql_migrations") {
        return Ok(names.pop().map_or(Occupant::Nobody, Occupant::Stranger));
    }
    let has = |table: &str| names.iter().any(|name| name == table);
    if has("replica_state")
        && let Some(row) = replica_state::Entity::find().one(db).await?
    {
        return Ok(Occupant::Replica {
            id: row.replica_id,
            cluster_id: row.cluster_id,
            birth_mark: row.birth_mark,
        });
    }
    Ok(if holds_rows(db, has).await? {
        Occupant::Rows
    } else {
        Occupant::Nobody
    })
}

/// True where some of the tables that are there hold rows; not `ledger`, of which a step of the schema makes one. No row is
/// read for it: it may be damaged, and is one all the same.
pub(crate) async fn holds_rows(
    db: &DatabaseConnection,
    is_there: impl Fn(&str) -> bool,
) -> Result<bool, DbErr> {
    let tables = [
        change::Entity.table_name(),
        expense::Entity.table_name(),
        expense_term::Entity.table_name(),
        category::Entity.table_name(),
        idempotency_key::Entity.table_name(),
    ];
    for table in tables.into_iter().filter(|table| is_there(table)) {
        let sql = format!("SELECT 1 AS one FROM {table} LIMIT 1");
        let statement = Statement::from_string(db.get_database_backend(), sql);
        if db.query_one_raw(statement).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// SQLite's number for a failure, without its extension.
fn sqlite_code(error: &DbErr) -> Option<u32> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error)) => {
            let code = error.as_database_error()?.code()?;
            Some(code.parse::<u32>().ok()? & 0xff)
        }
        _ => None,
    }
}
