//! The book that expenses and categories belong to.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

/// The ledger that exists from the first start; used where a request names none.
pub const DEFAULT_LEDGER_ID: Uuid = uuid!("7b1f5e0a-3f0d-4c56-9a52-0d7c3e1f0001");

/// One ledger.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "ledger")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// ISO 4217 code that its overview is kept in.
    pub base_currency: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Live expenses in it, kept here so that nothing counts them again.
    pub expense_count: i64,
    /// Deleted, restorable expenses in it.
    pub deleted_count: i64,
}

/// Ledgers are reached by their id alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
