use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::CurrencyCode;

/// Largest magnitude of an amount, in minor units of its currency: 15 digits.
pub const MAX_MINOR_UNITS: i64 = 999_999_999_999_999;

/// An exact amount: a count of the currency's smallest units (cents, yen, fils).
///
/// Negative amounts are refunds; zero can be represented (a total may be zero), but no expense has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor_units: i64,
    currency: CurrencyCode,
}

/// Why a text is no amount of a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Something else than digits, a leading minus and one point.
    #[error(
        "an amount is written with digits and at most one decimal point, such as 12.50; this is not: {0:?}"
    )]
    NotANumber(String),
    /// More decimals than the currency has; never rounded.
    #[error("{currency} has {scale} decimals, this amount has {given}")]
    TooManyDecimals {
        /// The currency asked for.
        currency: CurrencyCode,
        /// Its number of decimals.
        scale: u32,
        /// The number of decimals written.
        given: u32,
    },
    /// Beyond [`MAX_MINOR_UNITS`].
    #[error("the amount is beyond 15 digits of {0}'s smallest unit")]
    TooLarge(CurrencyCode),
    /// An expense of nothing.
    #[error("an expense needs an amount other than zero")]
    Zero,
}

impl Money {
    /// The amount of an expense, from its decimal text.
    ///
    /// # Errors
    /// Everything [`parse_minor_units`] refuses, and zero.
    pub fn of_expense(text: &str, currency: CurrencyCode) -> Result<Self, MoneyError> {
        let minor_units = parse_minor_units(text, currency)?;
        if minor_units == 0 {
            return Err(MoneyError::Zero);
        }
        Ok(Self {
            minor_units,
            currency,
        })
    }

    /// The amount of a row that was validated when it was written.
    pub fn from_minor_units(minor_units: i64, currency: CurrencyCode) -> Self {
        Self {
            minor_units,
            currency,
        }
    }

    /// Count of the currency's smallest units.
    pub fn minor_units(self) -> i64 {
        self.minor_units
    }

    /// The currency counted in.
    pub fn currency(self) -> CurrencyCode {
        self.currency
    }

    /// Exact decimal text with all of the currency's decimals: `12.50`, `-3`, `0.005`.
    pub fn amount(self) -> String {
        decimal_text(i128::from(self.minor_units), self.currency)
    }

    /// Whole part and ten-thousandths, both floored towards negative infinity: compares like the number
    /// itself, across currencies of different scale, in two integers that never overflow.
    pub fn sort_key(self) -> (i64, i16) {
        let unit = 10_i64.pow(self.currency.scale());
        let whole = self.minor_units.div_euclid(unit);
        let fraction = self.minor_units.rem_euclid(unit) * (10_000 / unit);
        // Below 10,000 by construction.
        (whole, i16::try_from(fraction).unwrap_or(i16::MAX))
    }
}

/// Decimal text of a count of minor units; sums may be larger than any single amount.
pub fn decimal_text(minor_units: i128, currency: CurrencyCode) -> String {
    let unit = 10_u128.pow(currency.scale());
    let (sign, magnitude) = (
        if minor_units < 0 { "-" } else { "" },
        minor_units.unsigned_abs(),
    );
    match currency.scale() as usize {
        0 => format!("{sign}{magnitude}"),
        width => format!("{sign}{}.{:0width$}", magnitude / unit, magnitude % unit),
    }
}

/// Minor units of a decimal text, zero included.
///
/// # Errors
/// What is no plain decimal number, has more decimals than the currency, or is beyond [`MAX_MINOR_UNITS`].
pub fn parse_minor_units(text: &str, currency: CurrencyCode) -> Result<i64, MoneyError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(decimals) {
        return Err(MoneyError::NotANumber(text.chars().take(40).collect()));
    }
    let too_large = || MoneyError::TooLarge(currency);
    let scale = currency.scale();
    let given = match digits.split_once('.') {
        Some((_, decimals)) => u32::try_from(decimals.len()).map_err(|_| too_large())?,
        None => 0,
    };
    if given > scale {
        return Err(MoneyError::TooManyDecimals {
            currency,
            scale,
            given,
        });
    }
    let mut number = Decimal::from_str_exact(text).map_err(|_| too_large())?;
    if number.trunc().abs() > Decimal::from(MAX_MINOR_UNITS) {
        return Err(too_large());
    }
    number.rescale(scale);
    let minor_units = i64::try_from(number.mantissa()).map_err(|_| too_large())?;
    if minor_units.abs() > MAX_MINOR_UNITS {
        Err(too_large())
    } else {
        Ok(minor_units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> CurrencyCode {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_are_exact() {
        for (text, code, minor) in [
            ("12.50", "EUR", 1250),
            ("12.5", "EUR", 1250),
            ("-0.01", "EUR", -1),
            ("7", "JPY", 7),
            ("0.005", "KWD", 5),
            ("9999999999999.99", "EUR", MAX_MINOR_UNITS),
            ("0001.00", "EUR", 100),
        ] {
            assert_eq!(
                Money::of_expense(text, currency(code))
                    .unwrap()
                    .minor_units(),
                minor,
                "{text} {code}"
            );
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        use MoneyError::*;
        let eur = currency("EUR");
        for text in [
            "", "-", ".", "1.", ".5", "+1", "1e3", "1_000", "1,50", " 1", "NaN", "١", "--1",
            "1.2.3",
        ] {
            assert!(
                matches!(parse_minor_units(text, eur), Err(NotANumber(_))),
                "{text:?}"
            );
        }
        assert!(matches!(
            parse_minor_units("1.005", eur),
            Err(TooManyDecimals {
                scale: 2,
                given: 3,
                ..
            })
        ));
        assert!(matches!(
            parse_minor_units("1.0", currency("JPY")),
            Err(TooManyDecimals { .. })
        ));
        for text in [
            "10000000000000.00",
            "99999999999999999999999999999999999999999",
            "-10000000000000",
        ] {
            assert_eq!(parse_minor_units(text, eur), Err(TooLarge(eur)), "{text}");
        }
        assert_eq!(Money::of_expense("0.00", eur), Err(Zero));
        assert_eq!(Money::of_expense("-0", eur), Err(Zero));
    }

    proptest! {
        #[test]
        fn text_and_minor_units_agree(minor in -MAX_MINOR_UNITS..=MAX_MINOR_UNITS, code in prop::sample::select(vec!["JPY", "EUR", "KWD", "CLF"])) {
            let money = Money::from_minor_units(minor, currency(code));
            prop_assert_eq!(parse_minor_units(&money.amount(), currency(code)), Ok(minor));
        }

        #[test]
        fn sort_keys_compare_like_the_numbers(
            a in -MAX_MINOR_UNITS..=MAX_MINOR_UNITS, b in -MAX_MINOR_UNITS..=MAX_MINOR_UNITS,
            x in prop::sample::select(vec!["JPY", "EUR", "KWD", "CLF"]), y in prop::sample::select(vec!["JPY", "EUR", "KWD", "CLF"]),
        ) {
            let (a, b) = (Money::from_minor_units(a, currency(x)), Money::from_minor_units(b, currency(y)));
            let number = |m: Money| Decimal::from_str_exact(&m.amount()).unwrap();
            prop_assert_eq!(a.sort_key().cmp(&b.sort_key()), number(a).cmp(&number(b)));
        }
    }
}
