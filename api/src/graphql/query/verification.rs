use async_graphql::{Context, Object};

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::object::verification::Verification;

#[derive(Default)]
pub(crate) struct VerificationQuery;

#[Object]
impl VerificationQuery {
    /// The last comparison of all replicas' tables that this replica has begun, by the mutation verify or, leading, by itself; null if none since its start.
    async fn verification(&self, ctx: &Context<'_>) -> Result<Option<Verification>, ApiError> {
        Ok(ctx.replica()?.verification().map(Verification::from))
    }
}
