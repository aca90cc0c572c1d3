//! The types of the schema that are answered with: one module a resource.

pub(super) mod category;
pub(super) mod change;
pub(super) mod connection;
pub(super) mod expense;
pub(super) mod ledger;
pub(super) mod money;
pub(super) mod outcome;
pub(super) mod payload;
pub(super) mod receipt;
pub(super) mod replica;
pub(super) mod summary;
pub(super) mod user_error;
pub(super) mod verification;

/// A count as GraphQL's 32-bit `Int`; beyond it, the largest.
pub(super) fn int(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}
