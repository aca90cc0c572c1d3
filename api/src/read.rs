//! Selects on this replica's own database: what the GraphQL resolvers read, and the only place that builds queries.
//!
//! Nothing here writes. A caller first waits for the read barrier, then asks here.

pub mod category;
pub mod cursor;
pub mod expense;
pub mod filter;
pub mod ledger;
pub mod order;
pub mod page;
pub mod summary;

use sea_orm::DbErr;
use threefold_entity::expense::UnreadableRow;

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The caller asked for something that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The answer is larger than an answer may be.
    #[error("{0}")]
    TooLarge(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// A row that this version cannot read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableRow),
}

/// What a read gives, or why not.
pub type ReadResult<T> = Result<T, ReadError>;

#[cfg(test)]
pub(crate) mod testing;
