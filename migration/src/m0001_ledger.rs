use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, timestamp_with_time_zone, uuid};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("ledger")
            .col(uuid("id").primary_key())
            .col(string("name"))
            .col(string("base_currency"))
            .col(timestamp_with_time_zone("created_at"))
            .col(big_integer("expense_count"))
            .col(big_integer("deleted_count"))
            .to_owned();
        manager.create_table(table).await?;
        // The ledger of the first start: a constant, so that every replica begins from the same state.
        let id = sea_orm_migration::sea_orm::prelude::Uuid::from_u128(
            0x7b1f5e0a_3f0d_4c56_9a52_0d7c3e1f0001,
        );
        let created_at = sea_orm_migration::sea_orm::prelude::DateTimeUtc::UNIX_EPOCH;
        let ledger = Query::insert()
            .into_table("ledger")
            .columns([
                "id",
                "name",
                "base_currency",
                "created_at",
                "expense_count",
                "deleted_count",
            ])
            .values_panic([
                id.into(),
                "Household".into(),
                "EUR".into(),
                created_at.into(),
                0_i64.into(),
                0_i64.into(),
            ])
            .to_owned();
        manager.execute(ledger).await
    }
}
