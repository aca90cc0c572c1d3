//! What can be followed: one module a resource, merged into the type `Subscription`.

mod change;
mod replica;

use async_graphql::MergedSubscription;

/// Subscriptions, over WebSocket (graphql-transport-ws).
#[derive(MergedSubscription, Default)]
pub struct Subscription(change::ChangeSubscription, replica::ReplicaSubscription);
