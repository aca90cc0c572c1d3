//! Where the database stands: the position that is stored with the rows.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use threefold_entity::{Revision, replica_state};

use super::Applied;
use crate::consensus::types::{LogId, StoredMembership};
use crate::history::HistoryHash;
use crate::store::{self, Position};
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

    /// As it is stored, in place of the one with the index `expected`; of any, where that is none.
    pub(in crate::consensus) fn position(&self, expected: Option<i64>) -> Position {
        // Serialising these plain types into memory has no failing case.
        let last_applied = self
            .last_applied
            .map(|log_id| serde_json::to_string(&log_id));
        let membership = serde_json::to_string(&self.membership);
        Position {
            last_applied_index: index_column(self.last_applied),
            last_applied: last_applied.map(Result::unwrap_or_default),
            membership: Some(membership.unwrap_or_default()),
            revision: self.resident.revision.to_column(),
            history_hash: self.resident.hash.as_bytes().to_vec(),
            expense_count: self.resident.expense_count,
            expected,
            new_keys: Vec::new(),
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
