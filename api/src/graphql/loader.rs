//! Loaders: the edges of many objects are read with one select.

mod category;
mod ledger;

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::dataloader::DataLoader;
use sea_orm::DatabaseConnection;
use threefold_entity::{category as category_row, ledger as ledger_row};
use uuid::Uuid;

use self::category::Categories;
use self::ledger::Ledgers;
use super::error::ApiError;
use super::limits::MAX_LOADER_BATCH;

/// A loader of every edge. Nothing is cached: a loader gathers what is asked for at the same moment, and reads it
/// after it was asked for, so that it is never staler than the request's read barrier.
pub(super) struct Loaders {
    categories: DataLoader<Categories>,
    ledgers: DataLoader<Ledgers>,
}

impl Loaders {
    pub(super) fn new(database: &DatabaseConnection) -> Self {
        Self {
            categories: bounded(DataLoader::new(Categories(database.clone()), tokio::spawn)),
            ledgers: bounded(DataLoader::new(Ledgers(database.clone()), tokio::spawn)),
        }
    }

    /// The category, unless it is gone.
    pub(super) async fn category(&self, id: Uuid) -> Result<Option<category_row::Model>, ApiError> {
        self.categories.load_one(id).await.map_err(ApiError::from)
    }

    /// The categories that are not gone, by their ids.
    pub(super) async fn categories(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, category_row::Model>, ApiError> {
        self.categories.load_many(ids).await.map_err(ApiError::from)
    }

    /// The ledger, unless it is gone.
    pub(super) async fn ledger(&self, id: Uuid) -> Result<Option<ledger_row::Model>, ApiError> {
        self.ledgers.load_one(id).await.map_err(ApiError::from)
    }
}

fn bounded<L>(loader: DataLoader<L>) -> DataLoader<L> {
    loader
        .delay(Duration::ZERO)
        .max_batch_size(MAX_LOADER_BATCH)
}
