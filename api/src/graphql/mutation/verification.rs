use async_graphql::{Context, Object};

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::object::verification::Verification;

#[derive(Default)]
pub(crate) struct VerificationMutation;

#[Object]
impl VerificationMutation {
    /// Begin to compare the tables of all replicas, row by row, at one revision. Answers at once; the query verification of the same replica tells the rest. One that is under way here is not begun anew. Changes no row; a replica whose tables are found to be wrong is quarantined.
    async fn verify(&self, ctx: &Context<'_>) -> Result<Verification, ApiError> {
        Ok(ctx.replica()?.verify().map(Verification::from)?)
    }
}
