//! Selects on this replica's own database: what the GraphQL resolvers read, and the only place that builds queries.
//!
//! Nothing here writes. A caller first waits for the read barrier, then asks here.

pub mod category;
pub mod cursor;
pub mod expense;
pub mod filter;
pub mod ledger;
pub mod order;
pub mod page;
pub mod summary;

use sea_orm::DbErr;
use threefold_entity::expense::UnreadableRow;

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The caller asked for something that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The answer is larger than an answer may be.
    #[error("{0}")]
    TooLarge(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// A row that this version cannot read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableRow),
}

/// What a read gives, or why not.
pub type ReadResult<T> = Result<T, ReadError>;

#[cfg(test)]
pub(crate) mod testing {
    //! A database in memory with the real schema.

    use sea_orm::{
        ActiveModelTrait, ConnectOptions, Database, DatabaseConnection, IntoActiveModel, Set,
    };
    use sea_orm_migration::MigratorTrait;
    use threefold_entity::expense::Record;
    use threefold_entity::ledger::DEFAULT_LEDGER_ID;
    use threefold_entity::value::search;
    use threefold_entity::{Money, expense_term};
    use uuid::Uuid;

    /// An empty database of its own.
    pub async fn database() -> DatabaseConnection {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options.max_connections(1);
        let database = Database::connect(options).await.unwrap();
        threefold_migration::Migrator::up(&database, None)
            .await
            .unwrap();
        database
    }

    /// An expense with a number as its id.
    pub fn expense(id: u128, date: &str, amount: &str, currency: &str) -> Record {
        Record {
            id: Uuid::from_u128(id),
            ledger_id: DEFAULT_LEDGER_ID,
            description: format!("Expense {id}"),
            amount: Money::of_expense(amount, currency.parse().unwrap()).unwrap(),
            spent_on: date.parse().unwrap(),
            category_id: None,
            notes: None,
            tags: Vec::new(),
            created_at: chrono::DateTime::from_timestamp_micros(
                1_700_000_000_000_000 + i64::try_from(id).unwrap() * 500_000,
            )
            .unwrap(),
            updated_at: chrono::DateTime::UNIX_EPOCH,
            version: 1,
            revision: 1.into(),
            deleted_at: None,
        }
    }

    /// Stores expenses with their search terms, as the state machine does.
    pub async fn store(database: &DatabaseConnection, records: impl IntoIterator<Item = Record>) {
        for record in records {
            for term in search::terms(&record.description, record.notes.as_deref(), &record.tags) {
                let row = expense_term::ActiveModel {
                    expense_id: Set(record.id),
                    term: Set(term),
                };
                row.insert(database).await.unwrap();
            }
            record
                .into_row()
                .into_active_model()
                .insert(database)
                .await
                .unwrap();
        }
    }
}
