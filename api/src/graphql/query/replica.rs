use async_graphql::{Context, Object};

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::object::replica::Replica;
use threefold_replication::ServiceError;

#[derive(Default)]
pub(crate) struct ReplicaQuery;

#[Object]
impl ReplicaQuery {
    /// The replica that answers.
    async fn replica(&self, ctx: &Context<'_>) -> Result<Replica, ApiError> {
        let replica = ctx.replica()?;
        let own = replica
            .statuses()
            .into_iter()
            .find(|status| status.id == replica.id());
        own.map(Replica::from)
            .ok_or(ApiError::Service(ServiceError::Forming))
    }

    /// Every replica as this one sees it.
    async fn replicas(&self, ctx: &Context<'_>) -> Result<Vec<Replica>, ApiError> {
        Ok(ctx
            .replica()?
            .statuses()
            .into_iter()
            .map(Replica::from)
            .collect())
    }
}
