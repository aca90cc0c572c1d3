use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, string, string_null, uuid};

use crate::{bytewise, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("category")
            .col(uuid("id").primary_key())
            .col(uuid("ledger_id"))
            .col(string("name"))
            .col(bytewise(&mut string("name_key"), manager))
            .col(string_null("color"))
            .col(big_integer("expense_count"))
            .col(integer("version"))
            .col(big_integer("revision"))
            .to_owned();
        manager.create_table(table).await?;
        run(
            manager,
            &["CREATE UNIQUE INDEX category_name ON category (ledger_id, name_key)"],
        )
        .await
    }
}
