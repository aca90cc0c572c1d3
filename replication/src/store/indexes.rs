//! Indexes put aside while a table is filled from nothing: to sort all entries once is many times faster than to find the
//! place of each. (PostgreSQL manual, "Populating a Database"; the same holds for SQLite.)

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, FromQueryResult, Statement};

/// Indexes that are to be made again, in the transaction in which they were dropped.
#[must_use = "indexes that are dropped have to be made again"]
pub(crate) struct PutAside(Vec<Index>);

#[derive(FromQueryResult)]
struct Index {
    name: String,
    /// The statement that makes it.
    definition: String,
}

/// Drops the indexes of a table, but for those that keep keys unique.
pub(crate) async fn put_aside<C: ConnectionTrait>(db: &C, table: &str) -> Result<PutAside, DbErr> {
    let backend = db.get_database_backend();
    // The catalogues know what the steps of the migration have made of them.
    let sql = match backend {
        DatabaseBackend::Postgres => {
            "SELECT quote_ident(class.relname) AS name, pg_get_indexdef(class.oid) AS definition \
             FROM pg_index JOIN pg_class class ON class.oid = pg_index.indexrelid \
             WHERE pg_index.indrelid = to_regclass($1) AND NOT pg_index.indisunique"
        }
        _ => {
            "SELECT '\"' || name || '\"' AS name, sql AS definition FROM sqlite_master \
             WHERE type = 'index' AND tbl_name = ?1 AND sql LIKE 'CREATE INDEX%'"
        }
    };
    let query = Statement::from_sql_and_values(backend, sql, [table.into()]);
    let indexes = Index::find_by_statement(query).all(db).await?;
    for index in &indexes {
        let drop = format!("DROP INDEX {}", index.name);
        db.execute_unprepared(&drop).await?;
    }
    Ok(PutAside(indexes))
}

impl PutAside {
    /// Makes them again.
    pub(crate) async fn make<C: ConnectionTrait>(self, db: &C) -> Result<(), DbErr> {
        for index in self.0 {
            db.execute_unprepared(&index.definition).await?;
        }
        Ok(())
    }
}
