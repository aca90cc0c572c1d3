//! Ledgers.

use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use threefold_entity::ledger::{Column, Entity, Model};
use uuid::Uuid;

use super::ReadResult;

/// Most ledgers that one answer lists.
const MAX_LISTED: u64 = 1_000;

/// One ledger.
pub async fn by_id(database: &DatabaseConnection, id: Uuid) -> ReadResult<Option<Model>> {
    Ok(Entity::find_by_id(id).one(database).await?)
}

/// These ledgers, in no order.
pub async fn by_ids(database: &DatabaseConnection, ids: &[Uuid]) -> ReadResult<Vec<Model>> {
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(database)
        .await?)
}

/// Every ledger, oldest first.
pub async fn all(database: &DatabaseConnection) -> ReadResult<Vec<Model>> {
    let sorted = Entity::find()
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id);
    Ok(sorted.limit(MAX_LISTED).all(database).await?)
}
