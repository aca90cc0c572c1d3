use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary, text, text_null, timestamp_with_time_zone, uuid,
};

use crate::run;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let change = Table::create()
            .table("change")
            .col(big_integer("revision").primary_key())
            .col(uuid("ledger_id"))
            .col(timestamp_with_time_zone("committed_at"))
            .col(text("payload"))
            .col(binary("hash"))
            .to_owned();
        manager.create_table(change).await?;
        let key = Table::create()
            .table("idempotency_key")
            .col(uuid("key").primary_key())
            .col(binary("payload_hash"))
            .col(big_integer("revision"))
            .col(big_integer("term"))
            .col(text_null("refusals"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(key).await?;
        run(
            manager,
            &["CREATE INDEX idempotency_key_age ON idempotency_key (revision)"],
        )
        .await
    }
}
