use async_graphql::{Context, Object};
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use uuid::Uuid;

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::input::filter::{SummaryGroup, WholeFilter};
use crate::graphql::limits::filter_weight;
use crate::graphql::object::summary::SummaryRow;
use crate::read::summary;

#[derive(Default)]
pub(crate) struct SummaryQuery;

#[Object]
impl SummaryQuery {
    /// Totals per group and currency, computed in the database.
    #[graphql(complexity = "1 + filter_weight(filter.as_ref()) + 100 * child_complexity")]
    async fn summary(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The default ledger if omitted.")] ledger_id: Option<Uuid>,
        #[graphql(desc = "Which expenses; every live one if omitted.")] filter: Option<WholeFilter>,
        #[graphql(desc = "What to put together by; none for one total a currency.")] group_by: Vec<
            SummaryGroup,
        >,
    ) -> Result<Vec<SummaryRow>, ApiError> {
        let filter = filter.map(Into::into).unwrap_or_default();
        let groups: Vec<summary::Group> = group_by.into_iter().map(Into::into).collect();
        let ledger_id = ledger_id.unwrap_or(DEFAULT_LEDGER_ID);
        ctx.read_barrier().await?;
        let rows = summary::totals(ctx.replica()?.database(), ledger_id, &filter, &groups).await?;
        Ok(rows.into_iter().map(SummaryRow).collect())
    }
}
