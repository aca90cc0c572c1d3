use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use threefold_entity::Revision;

use super::expense::Expense;
use super::int;
use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::scalar;
use crate::read::cursor;
use crate::read::expense::{ExpenseList, ExpenseRows};

/// One page of a list of expenses.
pub(crate) struct ExpenseConnection {
    page: Arc<Page>,
    revision: Revision,
}

struct Page {
    list: ExpenseList,
    rows: ExpenseRows,
}

impl Page {
    fn cursor(&self, index: Option<usize>) -> Option<String> {
        let record = self.rows.records.get(index?)?;
        Some(cursor::encode(
            self.list.page().order,
            &self.list.position(record),
        ))
    }
}

impl ExpenseConnection {
    /// A page that was read no earlier than at this revision.
    pub(crate) fn new(list: ExpenseList, rows: ExpenseRows, revision: Revision) -> Self {
        Self {
            page: Arc::new(Page { list, rows }),
            revision,
        }
    }
}

/// One page of a list of expenses.
#[Object]
impl ExpenseConnection {
    /// The expenses with their cursors.
    async fn edges(&self, ctx: &Context<'_>) -> Result<Vec<ExpenseEdge>, ApiError> {
        let wanted = ctx.look_ahead().field("node").field("category").exists();
        let records = self.page.rows.records.iter();
        let nodes = Expense::all(records.clone(), wanted, ctx).await?;
        let order = self.page.list.page().order;
        let edge = |(record, node)| ExpenseEdge {
            cursor: cursor::encode(order, &self.page.list.position(record)),
            node,
        };
        Ok(records.zip(nodes).map(edge).collect())
    }

    /// The expenses alone.
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Vec<Expense>, ApiError> {
        let wanted = ctx.look_ahead().field("category").exists();
        Expense::all(self.page.rows.records.iter(), wanted, ctx).await
    }

    /// Where the page stands in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo(self.page.clone())
    }

    /// Expenses on all pages; counted only when asked for.
    #[graphql(complexity = 20)]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(int(self.page.list.count(ctx.replica()?.database()).await?))
    }

    /// Pass to changes(after:) to follow on without a gap.
    async fn revision(&self) -> scalar::Revision {
        scalar::Revision(self.revision)
    }
}

/// An expense and where it stands in the list.
#[derive(SimpleObject)]
pub(crate) struct ExpenseEdge {
    /// Pass it as after or before, in a list of the same order.
    cursor: String,
    /// The expense.
    node: Expense,
}

/// Where a page stands in its list.
pub(crate) struct PageInfo(Arc<Page>);

/// Where a page stands in its list.
#[Object]
impl PageInfo {
    /// True where the list goes on behind this page.
    async fn has_next_page(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(self
            .0
            .list
            .has_next(&self.0.rows, ctx.replica()?.database())
            .await?)
    }

    /// True where the list has expenses ahead of this page.
    async fn has_previous_page(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(self
            .0
            .list
            .has_previous(&self.0.rows, ctx.replica()?.database())
            .await?)
    }

    /// Cursor of the first expense of the page.
    async fn start_cursor(&self) -> Option<String> {
        self.0.cursor(Some(0))
    }

    /// Cursor of the last expense of the page.
    async fn end_cursor(&self) -> Option<String> {
        self.0.cursor(self.0.rows.records.len().checked_sub(1))
    }
}
