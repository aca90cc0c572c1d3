use async_graphql::{Context, Object};
use uuid::Uuid;

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::object::ledger::Ledger;
use crate::read;

#[derive(Default)]
pub(crate) struct LedgerQuery;

#[Object]
impl LedgerQuery {
    /// Every ledger, oldest first.
    async fn ledgers(&self, ctx: &Context<'_>) -> Result<Vec<Ledger>, ApiError> {
        ctx.read_barrier().await?;
        let ledgers = read::ledger::all(ctx.replica()?.database()).await?;
        Ok(ledgers.into_iter().map(Ledger).collect())
    }

    /// One ledger; null if there is none with this id.
    async fn ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identity.")] id: Uuid,
    ) -> Result<Option<Ledger>, ApiError> {
        ctx.read_barrier().await?;
        Ok(read::ledger::by_id(ctx.replica()?.database(), id)
            .await?
            .map(Ledger))
    }
}
