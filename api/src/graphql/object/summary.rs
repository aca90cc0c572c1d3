use async_graphql::{Context, Object};

use super::category::Category;
use super::int;
use super::money::Money;
use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::scalar::Date;
use crate::read::summary;

/// The total of one group in one currency. A group that was not asked for is null.
pub(crate) struct SummaryRow(pub(crate) summary::SummaryRow);

/// The total of one group in one currency. A group that was not asked for is null.
#[Object]
impl SummaryRow {
    /// Calendar day.
    async fn day(&self) -> Option<Date> {
        self.0.day.map(Date)
    }

    /// Calendar month, such as 2026-11.
    async fn month(&self) -> Option<&str> {
        self.0.month.as_deref()
    }

    /// Calendar year.
    async fn year(&self) -> Option<i32> {
        self.0.year
    }

    /// Null also where the expenses have no category.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>, ApiError> {
        let Some(id) = self.0.category_id else {
            return Ok(None);
        };
        Ok(ctx.loaders()?.category(id).await?.map(Category))
    }

    /// Null also where the expenses have no tag. An expense with two tags counts under both.
    async fn tag(&self) -> Option<&str> {
        self.0.tag.as_deref()
    }

    /// Sum of the amounts.
    async fn total(&self) -> Money {
        Money::new(self.0.minor_units, self.0.currency)
    }

    /// Number of expenses.
    async fn count(&self) -> i32 {
        int(self.0.count)
    }
}
