//! A database in memory with the real schema.

use sea_orm::{
    ActiveModelTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    IntoActiveModel, Set,
};
use sea_orm_migration::MigratorTrait;
use threefold_entity::expense::Record;
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use threefold_entity::value::search;
use threefold_entity::{Money, expense_term};
use uuid::Uuid;

/// URL of a PostgreSQL server on which these tests make databases of their own; without it they use SQLite.
const SERVER_VARIABLE: &str = "THREEFOLD_TEST_POSTGRES";

/// An empty database of its own.
pub async fn database() -> DatabaseConnection {
    let url = match std::env::var(SERVER_VARIABLE) {
        Err(_) => "sqlite::memory:".to_owned(),
        Ok(server) => {
            let name = format!("read_{}", Uuid::new_v4().simple());
            let maker = Database::connect(format!("{server}/postgres"))
                .await
                .unwrap();
            let create = format!("CREATE DATABASE {name}");
            maker.execute_unprepared(&create).await.unwrap();
            format!("{server}/{name}")
        }
    };
    let mut options = ConnectOptions::new(url);
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
