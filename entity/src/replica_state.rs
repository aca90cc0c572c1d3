//! Where this replica stands: one row, written in the transaction of the rows it speaks of.

use sea_orm::entity::prelude::*;

/// Primary key of the only row.
pub const ONLY_ROW: i32 = 1;

/// The row. Identity columns differ between replicas; `revision` and `history_hash` must not, at equal `revision`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replica_state")]
pub struct Model {
    /// Always [`ONLY_ROW`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The cluster this database belongs to.
    pub cluster_id: Uuid,
    /// The replica this database belongs to.
    pub replica_id: i64,
    /// Random mark shared with the replica's data folder: the two belong together.
    pub birth_mark: Uuid,
    /// Index of the last log entry applied, -1 before the first.
    pub last_applied_index: i64,
    /// The last applied log id as JSON, if any.
    pub last_applied: Option<String>,
    /// The last applied membership as JSON, if any.
    pub membership: Option<String>,
    /// Number of commands accepted.
    pub revision: i64,
    /// Hash of the whole history up to `revision`: 32 bytes.
    #[sea_orm(column_type = "Blob")]
    pub history_hash: Vec<u8>,
    /// Live expenses in all ledgers.
    pub expense_count: i64,
}

/// The row stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
