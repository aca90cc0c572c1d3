//! Where the database stands: the position that is stored with the rows.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use threefold_entity::{Revision, replica_state};

use super::Applied;
use crate::consensus::types::{LogId, StoredMembership};
use crate::history::HistoryHash;
use crate::store;
use crate::working_set::Resident;

/// What is in the database, known without asking it.
pub(in crate::consensus) struct Standing {
    pub(in crate::consensus) last_applied: Option<LogId>,
    pub(in crate::consensus) membership: StoredMembership,
    pub(in crate::consensus) resident: Resident,
    /// A transaction failed: memory and database may differ until loaded anew.
    pub(in crate::consensus) stale: bool,
}

impl Standing {
    pub(super) fn applied(&self) -> Applied {
        Applied {
            index: self.last_applied.map(|log_id| log_id.index),
            revision: self.resident.revision,
            hash: self.resident.hash,
            expense_count: self.resident.expense_count,
        }
    }
}

pub(super) fn index_column(log_id: Option<LogId>) -> i64 {
    log_id.map_or(-1, |log_id| i64::try_from(log_id.index).unwrap_or(i64::MAX))
}

/// The position and the resident part, as stored.
pub(in crate::consensus) async fn load_standing<C: ConnectionTrait>(
    db: &C,
) -> Result<Standing, DbErr> {
    let row = replica_state::Entity::find_by_id(replica_state::ONLY_ROW)
        .one(db)
        .await?;
    let row =
        row.ok_or_else(|| DbErr::RecordNotFound("table replica_state has no row".to_owned()))?;
    let damaged = |what: &str| DbErr::Type(format!("table replica_state: {what} cannot be read"));
    let hash =
        HistoryHash::from_column(&row.history_hash).ok_or_else(|| damaged("history_hash"))?;
    let last_applied = row
        .last_applied
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    let membership = row
        .membership
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    let revision = Revision::from_column(row.revision);
    Ok(Standing {
        last_applied: last_applied.map_err(|_| damaged("last_applied"))?,
        membership: membership
            .map_err(|_| damaged("membership"))?
            .unwrap_or_default(),
        resident: store::load_resident(db, revision, hash, row.expense_count).await?,
        stale: false,
    })
}

/// Stores a position, provided that the stored one is the expected one.
pub(in crate::consensus) async fn store_standing<C: ConnectionTrait>(
    db: &C,
    standing: &Standing,
    expected: Option<i64>,
) -> Result<bool, DbErr> {
    // Serialising these plain types into memory has no failing case.
    let row = replica_state::ActiveModel {
        last_applied_index: Set(index_column(standing.last_applied)),
        last_applied: Set(standing
            .last_applied
            .map(|log_id| serde_json::to_string(&log_id).unwrap_or_default())),
        membership: Set(Some(
            serde_json::to_string(&standing.membership).unwrap_or_default(),
        )),
        revision: Set(standing.resident.revision.to_column()),
        history_hash: Set(standing.resident.hash.as_bytes().to_vec()),
        expense_count: Set(standing.resident.expense_count),
        ..Default::default()
    };
    let mut update = replica_state::Entity::update_many().set(row);
    update = update.filter(replica_state::Column::Id.eq(replica_state::ONLY_ROW));
    if let Some(expected) = expected {
        update = update.filter(replica_state::Column::LastAppliedIndex.eq(expected));
    }
    Ok(update.exec(db).await?.rows_affected == 1)
}
