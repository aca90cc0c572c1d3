//! Categories.

use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};
use threefold_entity::category::{Column, Entity, Model};
use uuid::Uuid;

use super::ReadResult;

/// These categories, in no order.
pub async fn by_ids(database: &DatabaseConnection, ids: &[Uuid]) -> ReadResult<Vec<Model>> {
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(database)
        .await?)
}

/// Every category of a ledger, by name without case and accents. A ledger bounds how many it has.
pub async fn of_ledger(database: &DatabaseConnection, ledger_id: Uuid) -> ReadResult<Vec<Model>> {
    let of_ledger = Entity::find().filter(Column::LedgerId.eq(ledger_id));
    Ok(of_ledger
        .order_by_asc(Column::NameKey)
        .all(database)
        .await?)
}
