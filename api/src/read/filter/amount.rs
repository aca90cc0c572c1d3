//! Amounts as numbers to compare with, whichever the currency.

use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, ExprTrait};
use threefold_entity::expense::Column;

/// Decimals that an amount is compared with: those of the finest currency.
const DECIMALS: usize = 4;

/// True for expenses of at least this amount.
pub(super) fn at_least(text: &str) -> Result<Expr, &'static str> {
    Ok(columns().gte(values(bound(text)?)))
}

/// True for expenses of at most this amount.
pub(super) fn at_most(text: &str) -> Result<Expr, &'static str> {
    Ok(columns().lte(values(bound(text)?)))
}

fn columns() -> Expr {
    let columns = [Column::AmountWhole, Column::AmountFraction];
    Expr::tuple(columns.map(|column| Expr::col(column.as_column_ref())))
}

fn values((whole, fraction): (i64, i16)) -> Expr {
    Expr::tuple([Expr::value(whole), Expr::value(fraction)])
}

/// Whole part and ten-thousandths, both floored, of a decimal text.
fn bound(text: &str) -> Result<(i64, i16), &'static str> {
    const SHAPE: &str =
        "an amount is written with digits and at most one decimal point, such as 12.50";
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(decimals) {
        return Err(SHAPE);
    }
    if decimals.len() > DECIMALS {
        return Err("an amount to compare with has at most 4 decimals");
    }
    let whole: i64 = whole
        .parse()
        .ok()
        .filter(|n| *n <= 999_999_999_999_999)
        .ok_or("the amount is beyond 15 digits")?;
    let fraction: i64 = format!("{decimals:0<DECIMALS$}")
        .parse()
        .map_err(|_| SHAPE)?;
    let number = whole * 10_000 + fraction;
    let number = if negative { -number } else { number };
    let fraction = i16::try_from(number.rem_euclid(10_000)).map_err(|_| SHAPE)?;
    Ok((number.div_euclid(10_000), fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_exactly() {
        assert_eq!(bound("12.5"), Ok((12, 5000)));
        assert_eq!(bound("-12.5"), Ok((-13, 5000)));
        assert_eq!(bound("-0.0001"), Ok((-1, 9999)));
        assert_eq!(bound("0"), Ok((0, 0)));
        for text in [
            "",
            ".5",
            "5.",
            "1e3",
            "1.00001",
            "+1",
            "--1",
            "99999999999999999",
            "٣",
        ] {
            assert!(bound(text).is_err(), "{text}");
        }
    }
}
