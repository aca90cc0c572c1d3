use async_graphql::SimpleObject;
use threefold_entity::{CurrencyCode, value};

use crate::graphql::scalar;

/// An exact amount of a currency.
#[derive(SimpleObject)]
pub(crate) struct Money {
    /// With all of the currency's decimals: 12.50 EUR, 1250 JPY.
    amount: scalar::Decimal,
    /// What is counted.
    currency: scalar::CurrencyCode,
    /// The amount in the currency's smallest units, as a decimal string: 1250 for 12.50 EUR.
    minor_units: String,
}

impl Money {
    /// A sum may be larger than any single amount.
    pub(crate) fn new(minor_units: impl Into<i128>, currency: CurrencyCode) -> Self {
        let minor_units = minor_units.into();
        Self {
            amount: scalar::Decimal(value::decimal_text(minor_units, currency)),
            currency: currency.into(),
            minor_units: minor_units.to_string(),
        }
    }
}
