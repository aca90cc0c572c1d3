use async_graphql::{Context, Error, Subscription};
use futures_util::{Stream, StreamExt};

use crate::graphql::context::ContextExt;
use crate::graphql::object::replica::Replica;

#[derive(Default)]
pub(crate) struct ReplicaSubscription;

#[Subscription]
impl ReplicaSubscription {
    /// The live replica view: the whole list again whenever any replica's state changes, at most 20 times a second.
    async fn replicas(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Vec<Replica>>, Error> {
        let lists = ctx.replica()?.watch_statuses();
        Ok(lists.map(|list| list.into_iter().map(Replica::from).collect()))
    }
}
