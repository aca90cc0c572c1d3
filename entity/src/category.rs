//! What expenses are sorted into.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 64;
/// Most categories of one ledger.
pub const MAX_PER_LEDGER: usize = 1_000;

/// One category.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "category")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The ledger it belongs to.
    pub ledger_id: Uuid,
    /// What people call it, 1 to [`MAX_NAME_CHARS`] characters.
    pub name: String,
    /// The name without case and accents, unique in its ledger.
    pub name_key: String,
    /// `#rrggbb`, if chosen.
    pub color: Option<String>,
    /// Live expenses in it, kept here so that nothing counts them again.
    pub expense_count: i64,
    /// Counts its edits; starts at 1.
    pub version: i32,
    /// Revision of its last edit.
    pub revision: i64,
}

/// Categories are reached by their id or their ledger's.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
