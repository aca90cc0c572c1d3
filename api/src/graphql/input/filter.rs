use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{Enum, InputObject, InputType, InputValueError, InputValueResult, Value};
use uuid::Uuid;

use crate::graphql::scalar::{CurrencyCode, Date, Decimal};
use crate::read::{filter, order, summary};

/// Which expenses are meant: those that every given field lets through. By and, or and not, filters are put together: at most 32 in all, 4 deep in one another, with 16 words of text and 1000 categoryIds all together.
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
    /// Deleted expenses instead of live ones. Said once, at the top: it counts for the whole.
    deleted: Option<bool>,
    /// Every one of these must let it through, too.
    and: Option<Vec<ExpenseFilter>>,
    /// At least one of these must let it through, too. An empty list asks for nothing in particular.
    or: Option<Vec<ExpenseFilter>>,
    /// This one must not let it through. An expense without a category is not in a category.
    not: Option<Box<ExpenseFilter>>,
}

/// The filter of a whole list: looked at for its size before anything is made of it, since a small request can hold very
/// many filters.
pub(crate) struct WholeFilter(ExpenseFilter);

impl WholeFilter {
    /// How many filters the whole is made of, and so how much work it is: at least one, this.
    pub(crate) fn count(&self) -> usize {
        self.0.count()
    }
}

impl InputType for WholeFilter {
    type RawValueType = ExpenseFilter;

    fn type_name() -> Cow<'static, str> {
        <ExpenseFilter as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ExpenseFilter as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        if let Some(value) = &value {
            let (filters, depth) = extent(value);
            filter::check_extent(filters, depth).map_err(InputValueError::custom)?;
        }
        <ExpenseFilter as InputType>::parse(value)
            .map(Self)
            .map_err(InputValueError::propagate)
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn as_raw_value(&self) -> Option<&ExpenseFilter> {
        Some(&self.0)
    }
}

/// How many filters a value holds, and how deep they are in one another.
fn extent(value: &Value) -> (usize, usize) {
    let Value::Object(fields) = value else {
        return (0, 0);
    };
    ["and", "or", "not"]
        .into_iter()
        .filter_map(|name| fields.get(name))
        // One value stands for a list of one.
        .flat_map(|inner| match inner {
            Value::List(filters) => filters.as_slice(),
            filter => std::slice::from_ref(filter),
        })
        .map(extent)
        .fold((1, 0), |(count, depth), (inner_count, inner_depth)| {
            (count + inner_count, depth.max(inner_depth + 1))
        })
}

impl ExpenseFilter {
    fn count(&self) -> usize {
        let inner = self.and.iter().chain(&self.or).flatten();
        let inner = inner.chain(self.not.as_deref());
        1 + inner.map(Self::count).sum::<usize>()
    }
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
            deleted: input.deleted,
            and: inner(input.and),
            or: inner(input.or),
            not: input.not.map(|filter| Box::new((*filter).into())),
        }
    }
}

fn inner(filters: Option<Vec<ExpenseFilter>>) -> Vec<filter::ExpenseFilter> {
    filters.into_iter().flatten().map(Into::into).collect()
}

impl From<WholeFilter> for filter::ExpenseFilter {
    fn from(input: WholeFilter) -> Self {
        input.0.into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(value: serde_json::Value) -> Result<WholeFilter, String> {
        let value = Value::from_json(value).unwrap();
        WholeFilter::parse(Some(value))
            .map_err(|error| error.into_server_error(<_>::default()).message)
    }

    #[test]
    fn a_filter_is_counted_before_it_is_made() {
        let filter = parsed(json!({ "or": [{ "not": { "text": "a" } }, {}], "and": {} })).unwrap();
        assert_eq!(filter.count(), 5);
        let many = parsed(json!({ "or": vec![json!({}); 1_000_000] }));
        assert!(many.err().unwrap().contains("made of 1000001 filters"));
        let deep = (0..100).fold(json!({}), |inner, _| json!({ "not": inner }));
        let message = parsed(deep).err().unwrap();
        assert!(message.contains("made of 101 filters"), "{message}");
        let deep = (0..6).fold(json!({}), |inner, _| json!({ "and": [inner] }));
        assert!(parsed(deep).err().unwrap().contains("6 deep"));
    }
}
