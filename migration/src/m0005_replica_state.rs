use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, integer, text_null, uuid};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("replica_state")
            .col(integer("id").primary_key())
            .col(uuid("cluster_id"))
            .col(big_integer("replica_id"))
            .col(uuid("birth_mark"))
            .col(big_integer("last_applied_index"))
            .col(text_null("last_applied"))
            .col(text_null("membership"))
            .col(big_integer("revision"))
            .col(binary("history_hash"))
            .col(big_integer("expense_count"))
            .to_owned();
        manager.create_table(table).await
    }
}
