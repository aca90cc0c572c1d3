use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use sea_orm::DatabaseConnection;
use threefold_entity::ledger::Model;
use threefold_replication::ServiceError;
use uuid::Uuid;

use crate::read::ledger::by_ids;

pub(super) struct Ledgers(pub(super) DatabaseConnection);

impl Loader<Uuid> for Ledgers {
    type Value = Model;
    type Error = ServiceError;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, ServiceError> {
        let rows = by_ids(&self.0, keys)
            .await
            .map_err(|e| ServiceError::Database(e.to_string()))?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}
