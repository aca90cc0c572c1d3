use async_graphql::{Context, Object};
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use uuid::Uuid;

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::input::filter::{ExpenseOrder, WholeFilter};
use crate::graphql::limits::{filter_weight, page_weight};
use crate::graphql::object::connection::ExpenseConnection;
use crate::graphql::object::expense::Expense;
use crate::read;
use crate::read::expense::ExpenseList;
use crate::read::page::PageArgs;

#[derive(Default)]
pub(crate) struct ExpenseQuery;

#[Object]
impl ExpenseQuery {
    /// Newest first by default. first or last: 1 to 100, 50 if neither is given.
    #[graphql(
        complexity = "1 + filter_weight(filter.as_ref()) + page_weight(first, last).saturating_mul(child_complexity)"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of a Relay connection"
    )]
    async fn expenses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The default ledger if omitted.")] ledger_id: Option<Uuid>,
        #[graphql(desc = "Which expenses; every live one if omitted.")] filter: Option<WholeFilter>,
        #[graphql(desc = "SPENT_ON DESC if omitted.")] order_by: Option<ExpenseOrder>,
        #[graphql(desc = "So many expenses from the start.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many expenses from the end.")] last: Option<i32>,
        #[graphql(desc = "Only those ahead of this cursor.")] before: Option<String>,
    ) -> Result<ExpenseConnection, ApiError> {
        let order = order_by.map(Into::into).unwrap_or_default();
        let page = PageArgs {
            first,
            after,
            last,
            before,
        }
        .check(order)?;
        let filter = filter.map(Into::into).unwrap_or_default();
        let list = ExpenseList::new(ledger_id.unwrap_or(DEFAULT_LEDGER_ID), filter, page)?;
        // Taken before the rows are read, so that changes(after:) misses nothing.
        let revision = ctx.read_barrier().await?;
        let rows = list.rows(ctx.replica()?.database()).await?;
        Ok(ExpenseConnection::new(list, rows, revision))
    }

    /// One expense, deleted or not; null if there is none with this id.
    async fn expense(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identity.")] id: Uuid,
    ) -> Result<Option<Expense>, ApiError> {
        ctx.read_barrier().await?;
        Ok(read::expense::by_id(ctx.replica()?.database(), id)
            .await?
            .map(Expense::new))
    }
}
