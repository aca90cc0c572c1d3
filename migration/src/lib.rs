//! The database schema, one frozen step a file: a step that has been released is never edited, a new one follows it.
//!
//! Steps name tables and columns by literals of their own and never import `threefold-entity`, so that a later
//! change of an entity cannot change what an earlier step did.

mod m0001_ledger;
mod m0002_category;
mod m0003_expense;
mod m0004_history;
mod m0005_replica_state;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// Brings a database to the newest schema, from whichever step it is at.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_ledger::Migration),
            Box::new(m0002_category::Migration),
            Box::new(m0003_expense::Migration),
            Box::new(m0004_history::Migration),
            Box::new(m0005_replica_state::Migration),
        ]
    }
}

/// A text column that compares byte by byte, whatever the server's locale, so that replicas order alike.
fn bytewise(column: &mut ColumnDef, manager: &SchemaManager<'_>) -> ColumnDef {
    if manager.get_database_backend() == sea_orm_migration::sea_orm::DatabaseBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column.take()
}

/// Runs statements that both databases understand alike.
async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        manager
            .get_connection()
            .execute_unprepared(statement)
            .await?;
    }
    Ok(())
}
