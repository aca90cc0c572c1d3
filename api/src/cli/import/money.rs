//! Amounts as people write them, checked exactly: integers only, nothing is rounded.

use iso_currency::Currency;

/// Most digits of an amount in minor units.
pub const MAX_DIGITS: usize = 15;

/// Why a text is not an amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("the amount {0:?} is not a plain decimal number like 12.50 or -3")]
    NotPlain(String),
    #[error("the amount {amount:?} has more than the {scale} decimals of {currency}")]
    TooManyDecimals {
        amount: String,
        scale: usize,
        currency: &'static str,
    },
    #[error("the amount is zero")]
    Zero,
    #[error("the amount {0:?} has more than {MAX_DIGITS} digits")]
    TooLarge(String),
}

/// Decimals of a currency: none if the code is not one of ISO 4217, in capitals, or has no minor unit (gold).
pub fn currency(code: &str) -> Option<(&'static str, usize)> {
    let currency = Currency::from_code(code)?;
    Some((currency.code(), usize::from(currency.exponent()?)))
}

/// Checks an amount and writes it with all decimals of its currency, so that `12.5` and `12.50` are the same.
///
/// # Errors
/// See [`AmountError`].
pub fn amount(text: &str, (currency, scale): (&'static str, usize)) -> Result<String, AmountError> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((_, "")) => return Err(AmountError::NotPlain(shown(text))),
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return Err(AmountError::NotPlain(shown(text)));
    }
    if decimals.len() > scale {
        return Err(AmountError::TooManyDecimals {
            amount: shown(text),
            scale,
            currency,
        });
    }
    let minor_units = format!("{whole}{decimals:0<scale$}");
    let minor_units = minor_units.trim_start_matches('0');
    if minor_units.is_empty() {
        return Err(AmountError::Zero);
    }
    if minor_units.len() > MAX_DIGITS {
        return Err(AmountError::TooLarge(shown(text)));
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if scale == 0 { "" } else { "." };
    Ok(format!("{sign}{whole}{point}{decimals:0<scale$}"))
}

/// The text for a message: its first characters, as a cell can hold anything.
pub fn shown(text: &str) -> String {
    const CHARS: usize = 40;
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str) -> Result<String, AmountError> {
        amount(text, currency(code).unwrap())
    }

    #[test]
    fn an_amount_gets_all_decimals_of_its_currency() {
        for (text, code, expected) in [
            ("12.5", "EUR", "12.50"),
            ("-3", "EUR", "-3.00"),
            ("0.01", "EUR", "0.01"),
            ("007", "EUR", "7.00"),
            ("1200", "JPY", "1200"),
            ("-0.005", "KWD", "-0.005"),
            ("9999999999999.99", "EUR", "9999999999999.99"),
            ("999999999999999", "JPY", "999999999999999"),
        ] {
            assert_eq!(check(text, code).as_deref(), Ok(expected), "{text} {code}");
        }
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for text in [
            "", "-", ".5", "5.", "+5", "1,50", "1.234,50", "1 000", "1e3", "$5", "--5", "1.2.3",
            "٣", "NaN",
        ] {
            assert!(
                matches!(check(text, "EUR"), Err(AmountError::NotPlain(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn limits_hold_on_both_sides() {
        assert!(matches!(
            check("1.234", "EUR"),
            Err(AmountError::TooManyDecimals { .. })
        ));
        assert!(matches!(
            check("12.500", "EUR"),
            Err(AmountError::TooManyDecimals { .. })
        ));
        assert!(matches!(
            check("1.0", "JPY"),
            Err(AmountError::TooManyDecimals { .. })
        ));
        for zero in ["0", "0.00", "-0", "-0.00"] {
            assert_eq!(check(zero, "EUR"), Err(AmountError::Zero), "{zero}");
        }
        for large in [
            "10000000000000.00",
            "-10000000000000",
            "1000000000000000000000000",
        ] {
            assert!(
                matches!(check(large, "EUR"), Err(AmountError::TooLarge(_))),
                "{large}"
            );
        }
    }

    #[test]
    fn only_currencies_with_a_minor_unit_count() {
        assert_eq!(currency("EUR"), Some(("EUR", 2)));
        assert_eq!(currency("JPY"), Some(("JPY", 0)));
        assert_eq!(currency("KWD"), Some(("KWD", 3)));
        for code in ["eur", "EURO", "", "XAU", "ZZZ"] {
            assert_eq!(currency(code), None, "{code}");
        }
    }
}
