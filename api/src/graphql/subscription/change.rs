use async_graphql::{Context, Error, Subscription};
use futures_util::{Stream, StreamExt};
use uuid::Uuid;

use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::object::change::ChangeEvent;
use crate::graphql::scalar::Revision;

#[derive(Default)]
pub(crate) struct ChangeSubscription;

#[Subscription]
impl ChangeSubscription {
    /// Every change after a revision, in order, then live. Null: from now.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The last revision that the client has; null to begin now.")]
        after: Option<Revision>,
        #[graphql(desc = "Changes of this ledger only; of all ledgers if omitted.")]
        ledger_id: Option<Uuid>,
    ) -> Result<impl Stream<Item = Result<ChangeEvent, Error>>, Error> {
        let events = ctx
            .replica()?
            .changes(after.map(|revision| revision.0), ledger_id);
        Ok(events.map(|event| {
            event
                .map(ChangeEvent::from)
                .map_err(|error| ApiError::from(error).into())
        }))
    }
}
