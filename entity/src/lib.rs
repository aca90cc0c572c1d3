//! What Threefold stores: one module a table, and the value types that keep its columns exact.
//!
//! Start with [`expense`], the row everything else is about, and [`value::Money`], which no
//! amount gets around. Nothing here reads a clock or makes a random number.

pub mod category;
pub mod change;
pub mod expense;
pub mod expense_term;
pub mod idempotency_key;
pub mod ledger;
pub mod replica_state;
pub mod value;

pub use value::{CurrencyCode, Money, Revision};
