//! Which expenses of a ledger are meant.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition};
use threefold_entity::expense::{Column, MAX_TAGS};
use threefold_entity::value::search;
use threefold_entity::{CurrencyCode, category, expense_term};
use uuid::Uuid;

use super::{ReadError, ReadResult};

/// Most different words that a search may have.
pub const MAX_SEARCH_WORDS: usize = 16;

/// Decimals that an amount is compared with: those of the finest currency.
const AMOUNT_DECIMALS: usize = 4;

/// Which expenses are meant. The default means every live one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpenseFilter {
    /// Every word must begin a word of the description, the notes or a tag.
    pub text: Option<String>,
    /// Any of these categories; an empty list asks for nothing in particular.
    pub category_ids: Option<Vec<Uuid>>,
    /// `true`: those without a category, beside `category_ids` if both are given. `false`: those with one.
    pub uncategorised: Option<bool>,
    /// All of these tags.
    pub tags: Option<Vec<String>>,
    /// This currency only.
    pub currency: Option<String>,
    /// At least this amount, as a number, in whichever currency.
    pub min_amount: Option<String>,
    /// At most this amount.
    pub max_amount: Option<String>,
    /// This day or later.
    pub spent_from: Option<NaiveDate>,
    /// This day or earlier.
    pub spent_to: Option<NaiveDate>,
    /// Deleted expenses instead of live ones.
    pub deleted: bool,
}

impl ExpenseFilter {
    /// True where nothing but `deleted` is asked for, so that the ledger's own counters know the number.
    pub fn is_whole(&self) -> bool {
        *self
            == Self {
                deleted: self.deleted,
                ..Self::default()
            }
    }

    /// The condition on the table `expense`.
    ///
    /// # Errors
    /// What no expense could be compared with.
    pub fn condition(&self, ledger_id: Uuid) -> ReadResult<Condition> {
        let deleted = if self.deleted {
            Column::DeletedAt.is_not_null()
        } else {
            Column::DeletedAt.is_null()
        };
        let mut all = Condition::all()
            .add(Column::LedgerId.eq(ledger_id))
            .add(deleted);
        all = self.add_text(all)?;
        all = self.add_categories(all)?;
        all = self.add_tags(all)?;
        if let Some(code) = &self.currency {
            let currency: CurrencyCode = code.parse().map_err(|e| invalid("currency", e))?;
            all = all.add(Column::Currency.eq(currency.as_str()));
        }
        if let Some(text) = &self.min_amount {
            let least = amount_bound(text).map_err(|e| invalid("minAmount", e))?;
            all = all.add(amount_columns().gte(amount_values(least)));
        }
        if let Some(text) = &self.max_amount {
            let most = amount_bound(text).map_err(|e| invalid("maxAmount", e))?;
            all = all.add(amount_columns().lte(amount_values(most)));
        }
        if let Some(from) = self.spent_from {
            all = all.add(Column::SpentOn.gte(from));
        }
        if let Some(to) = self.spent_to {
            all = all.add(Column::SpentOn.lte(to));
        }
        Ok(all)
    }

    fn add_text(&self, mut all: Condition) -> ReadResult<Condition> {
        let text = self.text.as_deref().unwrap_or_default();
        let words: BTreeSet<String> = search::words(text).into_iter().collect();
        if words.len() > MAX_SEARCH_WORDS {
            let message = format!(
                "{} words were given, {MAX_SEARCH_WORDS} are allowed",
                words.len()
            );
            return Err(invalid("text", message));
        }
        if words.is_empty() && !text.trim().is_empty() {
            // Punctuation alone is found nowhere.
            return Ok(all.add(Expr::value(1).eq(0)));
        }
        for word in words {
            let term = Expr::col(expense_term::Column::Term);
            let mut terms = Condition::all().add(term.clone().gte(word.as_str()));
            if let Some(end) = prefix_end(&word) {
                terms = terms.add(term.lt(end));
            }
            all = all.add(Column::Id.in_subquery(expenses_with(terms)));
        }
        Ok(all)
    }

    fn add_categories(&self, all: Condition) -> ReadResult<Condition> {
        let ids = self.category_ids.as_deref().unwrap_or_default();
        if ids.len() > category::MAX_PER_LEDGER {
            let message = format!(
                "{} were given, {} are allowed",
                ids.len(),
                category::MAX_PER_LEDGER
            );
            return Err(invalid("categoryIds", message));
        }
        let one_of = || Column::CategoryId.is_in(ids.iter().copied());
        Ok(match (ids.is_empty(), self.uncategorised) {
            (true, None) => all,
            (true, Some(true)) => all.add(Column::CategoryId.is_null()),
            (true, Some(false)) => all.add(Column::CategoryId.is_not_null()),
            (false, Some(true)) => all.add(
                Condition::any()
                    .add(one_of())
                    .add(Column::CategoryId.is_null()),
            ),
            (false, _) => all.add(one_of()),
        })
    }

    fn add_tags(&self, mut all: Condition) -> ReadResult<Condition> {
        let tags: BTreeSet<&String> = self.tags.iter().flatten().collect();
        if tags.len() > MAX_TAGS {
            return Err(invalid(
                "tags",
                format!("{} were given, {MAX_TAGS} are allowed", tags.len()),
            ));
        }
        for tag in tags {
            if tag.contains('\0') {
                return Err(invalid(
                    "tags",
                    "a tag holds a NUL character, which no stored tag has",
                ));
            }
            let term = Condition::all()
                .add(Expr::col(expense_term::Column::Term).eq(search::tag_term(tag)));
            all = all.add(Column::Id.in_subquery(expenses_with(term)));
        }
        Ok(all)
    }
}

fn invalid(field: &str, reason: impl std::fmt::Display) -> ReadError {
    ReadError::Invalid(format!("filter.{field}: {reason}"))
}

fn expenses_with(terms: Condition) -> SelectStatement {
    Query::select()
        .column(expense_term::Column::ExpenseId)
        .from(expense_term::Entity)
        .cond_where(terms)
        .take()
}

/// The first text after all texts that begin with `prefix`, byte by byte; none if there is no such text.
pub fn prefix_end(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            char::MAX => None,
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn amount_columns() -> Expr {
    let columns = [Column::AmountWhole, Column::AmountFraction];
    Expr::tuple(columns.map(|column| Expr::col(column.as_column_ref())))
}

fn amount_values((whole, fraction): (i64, i16)) -> Expr {
    Expr::tuple([Expr::value(whole), Expr::value(fraction)])
}

/// Whole part and ten-thousandths, both floored, of a decimal text.
fn amount_bound(text: &str) -> Result<(i64, i16), &'static str> {
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
    if decimals.len() > AMOUNT_DECIMALS {
        return Err("an amount to compare with has at most 4 decimals");
    }
    let whole: i64 = whole
        .parse()
        .ok()
        .filter(|n| *n <= 999_999_999_999_999)
        .ok_or("the amount is beyond 15 digits")?;
    let fraction: i64 = format!("{decimals:0<AMOUNT_DECIMALS$}")
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
    fn the_end_of_a_prefix_is_the_next_text() {
        assert_eq!(prefix_end("ca").as_deref(), Some("cb"));
        assert_eq!(prefix_end("寿").as_deref(), Some("\u{5C00}"));
        assert_eq!(prefix_end("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(prefix_end("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(prefix_end("\u{10FFFF}"), None);
    }

    #[test]
    fn amounts_are_compared_exactly() {
        assert_eq!(amount_bound("12.5"), Ok((12, 5000)));
        assert_eq!(amount_bound("-12.5"), Ok((-13, 5000)));
        assert_eq!(amount_bound("-0.0001"), Ok((-1, 9999)));
        assert_eq!(amount_bound("0"), Ok((0, 0)));
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
            assert!(amount_bound(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_trash_flag_leaves_a_filter_whole() {
        assert!(
            ExpenseFilter {
                deleted: true,
                ..Default::default()
            }
            .is_whole()
        );
        assert!(
            !ExpenseFilter {
                text: Some("a".into()),
                ..Default::default()
            }
            .is_whole()
        );
    }
}
