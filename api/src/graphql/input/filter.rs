use async_graphql::{Enum, InputObject};
use uuid::Uuid;

use crate::graphql::scalar::{CurrencyCode, Date, Decimal};
use crate::read::{filter, order, summary};

/// Which expenses are meant: those that every given field lets through.
#[derive(InputObject)]
pub(crate) struct ExpenseFilter {
    /// Every word must begin a word of the description, the notes or a tag, without regard to case and accents.
    text: Option<String>,
    /// In any of these categories. An empty list asks for nothing in particular.
    category_ids: Option<Vec<Uuid>>,
    /// True: without a category, beside categoryIds if both are given. False: with one.
    uncategorised: Option<bool>,
    /// With all of these tags, exactly as they are written.
    tags: Option<Vec<String>>,
    /// In this currency.
    currency: Option<CurrencyCode>,
    /// At least this number, whichever the currency.
    min_amount: Option<Decimal>,
    /// At most this number, whichever the currency.
    max_amount: Option<Decimal>,
    /// On this day or later.
    spent_from: Option<Date>,
    /// On this day or earlier.
    spent_to: Option<Date>,
    /// Deleted expenses instead of live ones.
    deleted: Option<bool>,
}

/// In which order a list comes.
#[derive(InputObject)]
pub(crate) struct ExpenseOrder {
    /// What is sorted by; the id decides between equals.
    field: ExpenseOrderField,
    /// Which end comes first.
    direction: OrderDirection,
}

/// What expenses are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "order::OrderField")]
pub(crate) enum ExpenseOrderField {
    /// Calendar date.
    SpentOn,
    /// The number, whichever the currency.
    Amount,
    /// When it was added.
    CreatedAt,
    /// The description, without regard to case and accents.
    Description,
}

/// Which end of an order comes first.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum OrderDirection {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// What a summary puts expenses together by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "summary::Group")]
pub(crate) enum SummaryGroup {
    /// Calendar day.
    Day,
    /// Calendar month.
    Month,
    /// Calendar year.
    Year,
    /// Category, or none.
    Category,
    /// Tag, or none.
    Tag,
}

impl From<ExpenseFilter> for filter::ExpenseFilter {
    fn from(input: ExpenseFilter) -> Self {
        Self {
            text: input.text,
            category_ids: input.category_ids.filter(|ids| !ids.is_empty()),
            uncategorised: input.uncategorised,
            tags: input.tags.filter(|tags| !tags.is_empty()),
            currency: input.currency.map(|currency| currency.0),
            min_amount: input.min_amount.map(|amount| amount.0),
            max_amount: input.max_amount.map(|amount| amount.0),
            spent_from: input.spent_from.map(|date| date.0),
            spent_to: input.spent_to.map(|date| date.0),
            deleted: input.deleted.unwrap_or(false),
        }
    }
}

impl From<ExpenseOrder> for order::ExpenseOrder {
    fn from(input: ExpenseOrder) -> Self {
        Self {
            field: input.field.into(),
            descending: input.direction == OrderDirection::Desc,
        }
    }
}
