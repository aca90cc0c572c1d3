//! The history: one row a revision, with all its changes and the hash of everything up to it.

use sea_orm::entity::prelude::*;

/// One revision.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
#[sea_orm(table_name = "change")]
pub struct Model {
    /// Number of the accepted command.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    /// The ledger that changed.
    pub ledger_id: Uuid,
    /// The proposal's time.
    pub committed_at: DateTimeUtc,
    /// The changes as JSON, byte for byte what the hash covers.
    pub payload: String,
    /// blake3 of the previous hash and this row: 32 bytes.
    #[sea_orm(column_type = "Blob")]
    pub hash: Vec<u8>,
}

/// Changes are reached by revision.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
