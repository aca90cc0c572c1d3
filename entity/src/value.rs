//! Values that are right by construction: an amount, a currency and a revision that exist are valid.

mod currency;
mod money;
mod revision;
pub mod search;

pub use currency::{CurrencyCode, UnknownCurrency};
pub use money::{MAX_MINOR_UNITS, Money, MoneyError, decimal_text, parse_minor_units};
pub use revision::{Revision, RevisionError};
