use async_graphql::{Context, Object};
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use uuid::Uuid;

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::object::category::Category;
use crate::read;

#[derive(Default)]
pub(crate) struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// Every category of a ledger, by name.
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The default ledger if omitted.")] ledger_id: Option<Uuid>,
    ) -> Result<Vec<Category>, ApiError> {
        ctx.read_barrier().await?;
        let database = ctx.replica()?.database();
        let categories =
            read::category::of_ledger(database, ledger_id.unwrap_or(DEFAULT_LEDGER_ID)).await?;
        Ok(categories.into_iter().map(Category).collect())
    }
}
