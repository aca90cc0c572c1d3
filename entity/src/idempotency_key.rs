//! What became of each mutation that was sent with a key: a retry is answered from here.

use sea_orm::entity::prelude::*;

/// One key and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    /// The client's key, or the one its replica made for it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Uuid,
    /// blake3 of the command: tells a retry from another use of the key.
    #[sea_orm(column_type = "Blob")]
    pub payload_hash: Vec<u8>,
    /// The revision that the command made if it was accepted, whose changes are in the history; the newest
    /// revision at that moment if it was refused.
    pub revision: i64,
    /// Term of the log entry that carried it.
    pub term: i64,
    /// Why it was refused, as JSON; null if it was accepted.
    pub refusals: Option<String>,
    /// The proposal's time.
    pub created_at: DateTimeUtc,
}

/// Keys are reached by themselves.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
