use async_graphql::{Context, Object};
use uuid::Uuid;

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::object::outcome::Outcome;

#[derive(Default)]
pub(crate) struct OutcomeQuery;

#[Object]
impl OutcomeQuery {
    /// What became of a mutation that was sent with this key: null if it never took effect. After a TIMEOUT it may yet: send the mutation again with the same key.
    async fn outcome(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key that the mutation was sent with.")] idempotency_key: Uuid,
    ) -> Result<Option<Outcome>, ApiError> {
        ctx.read_barrier().await?;
        let settled = ctx.replica()?.outcome(idempotency_key).await?;
        Ok(settled.map(|settled| Outcome::new(idempotency_key, settled)))
    }
}
