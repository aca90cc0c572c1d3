//! A feed that does not keep its promises.

use async_stream::stream;
use futures_util::{Stream, StreamExt};

use super::FeedEvent;
use crate::error::ServiceError;

type Event = Result<FeedEvent, ServiceError>;

/// Drops, repeats and reorders changes while that is asked for.
pub(crate) fn spoil(
    feed: impl Stream<Item = Event> + Send + 'static,
) -> impl Stream<Item = Event> + Send + 'static {
    stream! {
        let mut feed = Box::pin(feed);
        let mut held_back: Option<Event> = None;
        while let Some(event) = feed.next().await {
            let Ok(FeedEvent::Changes(batch)) = &event else {
                yield event;
                continue;
            };
            if sabotaged!("sabotage.feed-drop") {
                continue;
            }
            if sabotaged!("sabotage.feed-repeat") {
                yield Ok(FeedEvent::Changes(batch.clone()));
            }
            if held_back.is_none() && sabotaged!("sabotage.feed-reorder") {
                held_back = Some(event);
                continue;
            }
            yield event;
            if let Some(event) = held_back.take() {
                yield event;
            }
        }
    }
}
