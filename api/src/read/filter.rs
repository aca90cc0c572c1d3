//! Which expenses of a ledger are meant.
//!
//! Filters are put together of filters, by `and`, `or` and `not`. A filter lets an expense through or it does not: no
//! condition here is ever unknown to the database, as a comparison with a column that is null would be, so that `not`
//! means every other expense.

mod amount;
#[cfg(test)]
mod model;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition};
use threefold_entity::expense::{Column, MAX_TAGS};
use threefold_entity::value::search;
use threefold_entity::{CurrencyCode, category, expense_term};
use uuid::Uuid;

use super::{ReadError, ReadResult};

/// Most different words that the searches of a filter may have, all together.
pub const MAX_SEARCH_WORDS: usize = 16;
/// Most filters that one is made of, itself among them.
pub const MAX_FILTERS: usize = 32;
/// How deep filters may be in one another.
pub const MAX_NESTING: usize = 4;

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
    /// Deleted expenses instead of live ones. Said of the whole: a filter inside another one has nothing here.
    pub deleted: Option<bool>,
    /// All of these as well.
    pub and: Vec<ExpenseFilter>,
    /// At least one of these as well; an empty list asks for nothing in particular.
    pub or: Vec<ExpenseFilter>,
    /// This not.
    pub not: Option<Box<ExpenseFilter>>,
}

/// What filters inside one another share.
struct Budget {
    words: usize,
    categories: usize,
}

impl Budget {
    fn take(left: &mut usize, wanted: usize, most: usize, what: &str) -> Result<(), String> {
        let given = most - *left + wanted;
        *left = left.checked_sub(wanted).ok_or_else(|| {
            format!("{given} {what} were given in the whole filter, {most} are allowed")
        })?;
        Ok(())
    }
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

    /// How many filters this one is made of, and how deep they are in one another.
    fn extent(&self) -> (usize, usize) {
        let inner = self.and.iter().chain(&self.or).chain(self.not.as_deref());
        inner.fold((1, 0), |(count, depth), filter| {
            let (inner_count, inner_depth) = filter.extent();
            (count + inner_count, depth.max(inner_depth + 1))
        })
    }

    /// The condition on the table `expense`.
    ///
    /// # Errors
    /// What no expense could be compared with, and what is beyond a bound.
    pub fn condition(&self, ledger_id: Uuid) -> ReadResult<Condition> {
        let (filters, depth) = self.extent();
        check_extent(filters, depth).map_err(ReadError::Invalid)?;
        let deleted = if self.is_deleted() {
            Column::DeletedAt.is_not_null()
        } else {
            Column::DeletedAt.is_null()
        };
        let all = Condition::all()
            .add(Column::LedgerId.eq(ledger_id))
            .add(deleted);
        let mut budget = Budget {
            words: MAX_SEARCH_WORDS,
            categories: category::MAX_PER_LEDGER,
        };
        self.add_to(all, "filter", &mut budget)
    }

    /// True where deleted expenses are meant, and no live ones.
    pub fn is_deleted(&self) -> bool {
        self.deleted.unwrap_or(false)
    }

    /// A filter inside another one. `path` is where, for messages.
    fn inner(&self, path: &str, budget: &mut Budget) -> ReadResult<Condition> {
        if self.deleted.is_some() {
            let message = "say it once, at the top of the filter: it counts for the whole";
            return Err(invalid(path, "deleted", message));
        }
        let all = self.add_to(Condition::all(), path, budget)?;
        // One that asks for nothing lets everything through, also where that is turned round.
        Ok(if all.is_empty() {
            all.add(truth(true))
        } else {
            all
        })
    }

    /// Adds everything that is asked for, but `deleted`.
    fn add_to(&self, mut all: Condition, path: &str, budget: &mut Budget) -> ReadResult<Condition> {
        all = self.add_text(all, path, budget)?;
        all = self.add_categories(all, path, budget)?;
        all = self.add_tags(all, path)?;
        if let Some(code) = &self.currency {
            let currency: CurrencyCode = code.parse().map_err(|e| invalid(path, "currency", e))?;
            all = all.add(Column::Currency.eq(currency.as_str()));
        }
        if let Some(text) = &self.min_amount {
            all = all.add(amount::at_least(text).map_err(|e| invalid(path, "minAmount", e))?);
        }
        if let Some(text) = &self.max_amount {
            all = all.add(amount::at_most(text).map_err(|e| invalid(path, "maxAmount", e))?);
        }
        if let Some(from) = self.spent_from {
            all = all.add(Column::SpentOn.gte(from));
        }
        if let Some(to) = self.spent_to {
            all = all.add(Column::SpentOn.lte(to));
        }
        for (position, filter) in self.and.iter().enumerate() {
            all = all.add(filter.inner(&format!("{path}.and[{position}]"), budget)?);
        }
        if !self.or.is_empty() {
            let mut any = Condition::any();
            for (position, filter) in self.or.iter().enumerate() {
                any = any.add(filter.inner(&format!("{path}.or[{position}]"), budget)?);
            }
            all = all.add(any);
        }
        if let Some(filter) = &self.not {
            all = all.add(filter.inner(&format!("{path}.not"), budget)?.not());
        }
        Ok(all)
    }

    fn add_text(
        &self,
        mut all: Condition,
        path: &str,
        budget: &mut Budget,
    ) -> ReadResult<Condition> {
        let text = self.text.as_deref().unwrap_or_default();
        let words: BTreeSet<String> = search::words(text).into_iter().collect();
        Budget::take(&mut budget.words, words.len(), MAX_SEARCH_WORDS, "words")
            .map_err(|e| invalid(path, "text", e))?;
        if words.is_empty() && !text.trim().is_empty() {
            // Punctuation alone is found nowhere.
            return Ok(all.add(truth(false)));
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

    fn add_categories(
        &self,
        all: Condition,
        path: &str,
        budget: &mut Budget,
    ) -> ReadResult<Condition> {
        let ids = self.category_ids.as_deref().unwrap_or_default();
        Budget::take(
            &mut budget.categories,
            ids.len(),
            category::MAX_PER_LEDGER,
            "ids",
        )
        .map_err(|e| invalid(path, "categoryIds", e))?;
        let one_of = || {
            // Without the first, an expense without a category would be neither in these nor not in these.
            Condition::all()
                .add(Column::CategoryId.is_not_null())
                .add(Column::CategoryId.is_in(ids.iter().copied()))
        };
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

    fn add_tags(&self, mut all: Condition, path: &str) -> ReadResult<Condition> {
        let tags: BTreeSet<&String> = self.tags.iter().flatten().collect();
        if tags.len() > MAX_TAGS {
            return Err(invalid(
                path,
                "tags",
                format!("{} were given, {MAX_TAGS} are allowed", tags.len()),
            ));
        }
        for tag in tags {
            if tag.contains('\0') {
                return Err(invalid(
                    path,
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

/// Refuses what is made of too many filters, or of filters too deep in one another.
///
/// # Errors
/// The bound that is broken, for people.
pub fn check_extent(filters: usize, depth: usize) -> Result<(), String> {
    if filters > MAX_FILTERS {
        Err(format!(
            "filter: it is made of {filters} filters, {MAX_FILTERS} are allowed"
        ))
    } else if depth > MAX_NESTING {
        Err(format!(
            "filter: and, or and not are {depth} deep in one another, {MAX_NESTING} are allowed"
        ))
    } else {
        Ok(())
    }
}

fn invalid(path: &str, field: &str, reason: impl std::fmt::Display) -> ReadError {
    ReadError::Invalid(format!("{path}.{field}: {reason}"))
}

/// A condition that holds for every expense, or for none.
fn truth(holds: bool) -> Expr {
    Expr::value(1).eq(i32::from(holds))
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
    fn only_the_trash_flag_leaves_a_filter_whole() {
        assert!(
            ExpenseFilter {
                deleted: Some(true),
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
        for inner in [
            ExpenseFilter {
                and: vec![ExpenseFilter::default()],
                ..Default::default()
            },
            ExpenseFilter {
                or: vec![ExpenseFilter::default()],
                ..Default::default()
            },
            ExpenseFilter {
                not: Some(Box::default()),
                ..Default::default()
            },
        ] {
            assert!(!inner.is_whole());
        }
    }

    fn refusal(filter: &ExpenseFilter) -> String {
        match filter.condition(Uuid::nil()) {
            Err(ReadError::Invalid(message)) => message,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn nested(depth: usize) -> ExpenseFilter {
        (0..depth).fold(ExpenseFilter::default(), |inner, _| ExpenseFilter {
            not: Some(Box::new(inner)),
            ..Default::default()
        })
    }

    fn any_of(filters: impl IntoIterator<Item = ExpenseFilter>) -> ExpenseFilter {
        ExpenseFilter {
            or: filters.into_iter().collect(),
            ..Default::default()
        }
    }

    #[test]
    fn filters_in_one_another_are_bounded_as_a_whole() {
        assert!(nested(MAX_NESTING).condition(Uuid::nil()).is_ok());
        assert_eq!(
            refusal(&nested(MAX_NESTING + 1)),
            "filter: and, or and not are 5 deep in one another, 4 are allowed"
        );
        let many = |count| any_of(vec![ExpenseFilter::default(); count]);
        assert!(many(MAX_FILTERS - 1).condition(Uuid::nil()).is_ok());
        assert_eq!(
            refusal(&many(MAX_FILTERS)),
            "filter: it is made of 33 filters, 32 are allowed"
        );

        let words = |count: usize| ExpenseFilter {
            text: Some((0..count).map(|n| format!("w{n} ")).collect()),
            ..Default::default()
        };
        assert!(any_of([words(8), words(8)]).condition(Uuid::nil()).is_ok());
        assert_eq!(
            refusal(&any_of([words(8), words(9)])),
            "filter.or[1].text: 17 words were given in the whole filter, 16 are allowed"
        );
        let categories = |count: usize| ExpenseFilter {
            category_ids: Some(vec![Uuid::nil(); count]),
            ..Default::default()
        };
        assert_eq!(
            refusal(&any_of([categories(600), categories(401)])),
            "filter.or[1].categoryIds: 1001 ids were given in the whole filter, 1000 are allowed"
        );
    }

    #[test]
    fn what_is_wrong_inside_says_where() {
        let deleted = ExpenseFilter {
            deleted: Some(false),
            ..Default::default()
        };
        let inner = ExpenseFilter {
            not: Some(Box::new(deleted)),
            ..Default::default()
        };
        let and = ExpenseFilter {
            and: vec![ExpenseFilter::default(), inner],
            ..Default::default()
        };
        assert_eq!(
            refusal(&and),
            "filter.and[1].not.deleted: say it once, at the top of the filter: it counts for the whole"
        );
        let amount = ExpenseFilter {
            max_amount: Some("x".into()),
            ..Default::default()
        };
        assert!(refusal(&any_of([amount])).starts_with("filter.or[0].maxAmount: "));
    }
}
