use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, date, integer, small_integer, string, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

use crate::{bytewise, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let expense = Table::create()
            .table("expense")
            .col(uuid("id").primary_key())
            .col(uuid("ledger_id"))
            .col(text("description"))
            .col(bytewise(&mut text("description_key"), manager))
            .col(big_integer("amount_minor"))
            .col(string("currency"))
            .col(big_integer("amount_whole"))
            .col(small_integer("amount_fraction"))
            .col(date("spent_on"))
            .col(uuid_null("category_id"))
            .col(text_null("notes"))
            .col(text("tags"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .col(integer("version"))
            .col(big_integer("revision"))
            .col(timestamp_with_time_zone_null("deleted_at"))
            .to_owned();
        manager.create_table(expense).await?;
        let term = Table::create()
            .table("expense_term")
            .col(uuid("expense_id"))
            .col(bytewise(&mut string("term"), manager))
            .primary_key(Index::create().col("expense_id").col("term"))
            .to_owned();
        manager.create_table(term).await?;
        // One index an order of the list, and one a filter that leaves few rows; each ends in the id, so that a
        // page can start after any row. Live rows only, but for the trash and for merging categories.
        run(
            manager,
            &[
                "CREATE INDEX expense_by_date ON expense (ledger_id, spent_on, id) WHERE deleted_at IS NULL",
                "CREATE INDEX expense_by_amount ON expense (ledger_id, amount_whole, amount_fraction, id) WHERE deleted_at IS NULL",
                "CREATE INDEX expense_by_created ON expense (ledger_id, created_at, id) WHERE deleted_at IS NULL",
                "CREATE INDEX expense_by_description ON expense (ledger_id, description_key, id) WHERE deleted_at IS NULL",
                "CREATE INDEX expense_by_currency ON expense (ledger_id, currency, spent_on, id) WHERE deleted_at IS NULL",
                "CREATE INDEX expense_by_category ON expense (category_id, spent_on, id)",
                "CREATE INDEX expense_deleted ON expense (ledger_id, spent_on, id) WHERE deleted_at IS NOT NULL",
                "CREATE INDEX expense_term_lookup ON expense_term (term, expense_id)",
            ],
        )
        .await
    }
}
