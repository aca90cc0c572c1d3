//! Subscribers of the feed that reconnect to any replica with their last revision, whenever a connection breaks and at times
//! without a reason.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::target::Target;
use super::wire;
use super::worker::generator;
use crate::socket::{Socket, SocketError};
use crate::torture::history::{Change, ChangeKind, Recorder, WatchedEvent};

const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// Silence after which another replica is tried: a bookmark comes every ten seconds.
const SILENCE: Duration = Duration::from_secs(15);
/// Mean number of events after which it moves on by itself.
const RESTLESSNESS: u64 = 500;
/// Watchers draw from streams of their own, far from those of the workers.
const FIRST_STREAM: u16 = 30_000;
const CHANGES: &str = "subscription ($after: Revision) { changes(after: $after) { __typename \
    ... on ChangeBatch { revision changes { __typename \
      ... on ExpenseAdded { expense { ...E } } ... on ExpenseUpdated { expense { ...E } } \
      ... on ExpenseDeleted { expense { ...E } } ... on ExpenseRestored { expense { ...E } } } } \
    ... on Bookmark { revision } ... on ResyncRequired { oldestRevision headRevision } } } \
    fragment E on Expense { id version revision deletedAt description amount { minorUnits } }";

/// One subscriber.
pub(super) struct Watcher {
    number: u16,
    rng: ChaCha8Rng,
    target: Target,
    recorder: Arc<Recorder>,
    /// The last revision there is, once everything is over.
    head: watch::Receiver<Option<u64>>,
    position: u64,
}

impl Watcher {
    pub(super) fn new(
        number: u16,
        seed: u64,
        target: &Target,
        recorder: &Arc<Recorder>,
        head: watch::Receiver<Option<u64>>,
    ) -> Self {
        Self {
            number,
            rng: generator(seed, FIRST_STREAM + number),
            target: target.clone(),
            recorder: Arc::clone(recorder),
            head,
            position: 0,
        }
    }

    /// Follows until everything has come.
    pub(super) async fn run(mut self) {
        while !self.has_all() {
            let Err(_broken) = self.follow().await else {
                continue;
            };
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
        let head = (*self.head.borrow()).unwrap_or_default();
        self.recorder
            .watched(self.number, 0, WatchedEvent::Finished(head));
    }

    fn has_all(&mut self) -> bool {
        let head = *self.head.borrow_and_update();
        head.is_some_and(|head| self.position >= head)
    }

    async fn follow(&mut self) -> Result<(), SocketError> {
        let endpoint = self.target.pick(self.rng.next_u64());
        let connected = Socket::connect(&endpoint.url, json!({}));
        let mut socket = tokio::time::timeout(CONNECT_PATIENCE, connected)
            .await
            .map_err(|_| SocketError::Timeout)??;
        let after = self.position;
        socket
            .subscribe(CHANGES, json!({ "after": after.to_string() }))
            .await?;
        self.recorder
            .watched(self.number, endpoint.id, WatchedEvent::Subscribed(after));
        let mut left = self.rng.next_u64() % (2 * RESTLESSNESS);
        while !self.has_all() && left > 0 {
            left -= 1;
            let mut data = tokio::select! {
                data = tokio::time::timeout(SILENCE, socket.next()) => data.map_err(|_| SocketError::Timeout)??,
                // Told the last revision while it waits: looks whether that is all.
                Ok(()) = self.head.changed() => continue,
            };
            let event = data["changes"].take();
            let text = event.to_string();
            let event = self.understand(event).ok_or(SocketError::Protocol(text))?;
            match &event {
                WatchedEvent::Batch { revision, .. } | WatchedEvent::Bookmark(revision) => {
                    self.position = *revision;
                }
                // All that it can do is to read again; the judge sees whether it was told so rightly.
                WatchedEvent::ResyncRequired { head, .. } => self.position = *head,
                WatchedEvent::Subscribed(_) | WatchedEvent::Finished(_) => {}
            }
            self.recorder.watched(self.number, endpoint.id, event);
        }
        Ok(())
    }

    fn understand(&self, event: Value) -> Option<WatchedEvent> {
        match event["__typename"].as_str()? {
            "ChangeBatch" => {
                let changes: Option<Vec<Change>> =
                    event["changes"].as_array()?.iter().map(change).collect();
                let changes = changes?;
                let mut hasher = DefaultHasher::new();
                changes.hash(&mut hasher);
                Some(WatchedEvent::Batch {
                    revision: wire::revision(&event["revision"])?,
                    digest: hasher.finish(),
                    changes: if self.number == 0 {
                        changes
                    } else {
                        Vec::new()
                    },
                })
            }
            "Bookmark" => Some(WatchedEvent::Bookmark(wire::revision(&event["revision"])?)),
            "ResyncRequired" => Some(WatchedEvent::ResyncRequired {
                oldest: wire::revision(&event["oldestRevision"])?,
                head: wire::revision(&event["headRevision"])?,
            }),
            _ => None,
        }
    }
}

fn change(value: &Value) -> Option<Change> {
    let kind = match value["__typename"].as_str()? {
        "ExpenseAdded" => ChangeKind::Added,
        "ExpenseUpdated" => ChangeKind::Updated,
        "ExpenseDeleted" => ChangeKind::Deleted,
        "ExpenseRestored" => ChangeKind::Restored,
        _ => return None,
    };
    Some(Change {
        kind,
        row: wire::row(&value["expense"])?,
    })
}
