//! Subscribers to the feed, which move from replica to replica with the last revision that they have.

use std::time::Duration;

use futures_util::StreamExt;
use rand::RngExt;
use threefold_replication::Replica;
use threefold_replication::feed::FeedEvent;

use crate::breakage::Breakage;
use crate::history::revision;
use crate::world::Shared;

/// A place for one subscriber on one replica: takes one that is nowhere, follows for a while, and lets it go.
pub async fn run(shared: Shared, replica: Replica) {
    loop {
        let (pause, stay) = {
            let mut world = shared.lock();
            let pause = world.rng.random_range(1..300);
            (
                Duration::from_millis(pause),
                Duration::from_millis(world.rng.random_range(50..1_500)),
            )
        };
        tokio::time::sleep(pause).await;
        let Some(visit) = Visit::begin(&shared) else {
            continue;
        };
        let position = shared.lock().history.subscribers[visit.subscriber].position;
        let events = replica.changes(Some(revision(position)), None);
        // The stay may be cut short anywhere, as a lost connection would.
        let _over = tokio::time::timeout(stay, visit.follow(events)).await;
    }
}

/// A subscriber on a replica; it leaves when this is dropped, also in a crash.
struct Visit {
    shared: Shared,
    subscriber: usize,
}

impl Visit {
    fn begin(shared: &Shared) -> Option<Self> {
        let mut world = shared.lock();
        let free: Vec<usize> = (0..world.history.subscribers.len())
            .filter(|place| !world.history.subscribers[*place].busy)
            .collect();
        let chosen = world.rng.random_range(0..free.len().max(1));
        let subscriber = *free.get(chosen)?;
        world.history.subscribers[subscriber].busy = true;
        Some(Self {
            shared: shared.clone(),
            subscriber,
        })
    }

    async fn follow<E>(
        &self,
        mut events: impl futures_util::Stream<Item = Result<FeedEvent, E>> + Unpin,
    ) {
        while let Some(event) = events.next().await {
            let mut world = self.shared.lock();
            match event {
                Ok(FeedEvent::Changes(batch)) => {
                    let leaves_out = world.breakage == Some(Breakage::Feed);
                    if leaves_out && batch.revision.get() % 23 == 0 {
                        continue;
                    }
                    let right = world.history.fed(self.subscriber, &batch);
                    world.judge(right);
                }
                Ok(FeedEvent::Bookmark(at)) => {
                    let position = world.history.subscribers[self.subscriber].position;
                    if at.get() != position {
                        let detail = format!("a bookmark of {at} came after {position}");
                        world.violated("the feed skips and repeats nothing", detail);
                    }
                }
                Ok(FeedEvent::ResyncRequired { oldest, head }) => {
                    let position = world.history.subscribers[self.subscriber].position;
                    let detail = format!("{position} is said to be gone, of {oldest} to {head}");
                    world.violated("the feed skips and repeats nothing", detail);
                }
                Err(_) => return,
            }
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.shared.lock().history.subscribers[self.subscriber].busy = false;
    }
}
