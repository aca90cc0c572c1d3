//! The change feed: every change after a revision, in order, then live; none dropped, none twice.
//!
//! Subscribers pull. Each has a position of its own; the newest changes are handed out from memory, older ones from
//! the change table. A subscriber that falls behind costs nothing but its own reads.

mod positions;
#[cfg(feature = "failpoints")]
pub(crate) mod spoil;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_stream::try_stream;
use futures_util::Stream;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use threefold_entity::{Revision, change};
use tokio::sync::watch;
use uuid::Uuid;

use self::positions::Positions;
use crate::change::ChangeBatch;
use crate::error::ServiceError;
use crate::history::HistoryHash;
use crate::store::read_changes;

/// Changes kept in memory: revisions, and single changes in them.
const RECENT_REVISIONS: usize = 4_096;
const RECENT_CHANGES: usize = 20_000;
/// Revisions read from the table at once; one may hold a thousand expenses.
const PAGE: u64 = 16;
/// Longest silence of an idle feed.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(10);

/// What a subscriber to the change feed receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEvent {
    /// All changes of one revision.
    Changes(Arc<ChangeBatch>),
    /// Nothing new up to this revision.
    Bookmark(Revision),
    /// The revision asked for is no longer kept; the stream ends.
    ResyncRequired {
        /// Oldest revision that can be followed from.
        oldest: Revision,
        /// Newest revision.
        head: Revision,
    },
}

/// The state machine's end of the feed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FeedPublisher {
    recent: Arc<Mutex<Recent>>,
    head: watch::Sender<Revision>,
    positions: Arc<Positions>,
}

#[derive(Default)]
struct Recent {
    batches: VecDeque<Arc<ChangeBatch>>,
    changes: usize,
}

impl Recent {
    fn push(&mut self, batch: ChangeBatch) {
        self.changes += batch.changes.len();
        self.batches.push_back(Arc::new(batch));
        while self.batches.len() > RECENT_REVISIONS
            || (self.changes > RECENT_CHANGES && self.batches.len() > 1)
        {
            if let Some(gone) = self.batches.pop_front() {
                self.changes -= gone.changes.len();
            }
        }
    }

    /// Where a revision stands, if it is here. Revisions have no gaps.
    fn position(&self, revision: Revision) -> Option<usize> {
        let first = self.batches.front()?.revision;
        let offset = usize::try_from(revision.get().checked_sub(first.get())?).ok()?;
        (offset < self.batches.len()).then_some(offset)
    }
}

impl FeedPublisher {
    pub(crate) fn new(head: Revision) -> Self {
        Self {
            recent: Arc::default(),
            head: watch::Sender::new(head),
            positions: Arc::default(),
        }
    }

    /// Hands out what a transaction committed, and wakes who waits for it.
    pub(crate) fn publish(&self, mut batches: Vec<ChangeBatch>) {
        let mut recent = self.lock();
        let known = recent
            .batches
            .back()
            .map_or_else(|| *self.head.borrow(), |batch| batch.revision);
        // Entries that are applied again after a crash of the database make revisions that were handed out already.
        batches.retain(|batch| batch.revision > known);
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return;
        };
        let head = last.revision;
        if first.revision != known.next() {
            *recent = Recent::default();
        }
        batches.into_iter().for_each(|batch| recent.push(batch));
        drop(recent);
        self.head.send_replace(head);
    }

    /// Starts anew after a snapshot: what lies between is not in memory.
    pub(crate) fn reset(&self, head: Revision) {
        *self.lock() = Recent::default();
        self.head.send_replace(head);
    }

    /// The hash after a revision, if it is recent.
    pub(crate) fn hash_at(&self, revision: Revision) -> Option<HistoryHash> {
        let recent = self.lock();
        let position = recent.position(revision)?;
        recent.batches.get(position).map(|batch| batch.hash)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent> {
        // Nothing panics while it is held; if it did, what is there is still what was committed.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent_after(&self, revision: Revision) -> Option<Vec<Arc<ChangeBatch>>> {
        let recent = self.lock();
        let position = recent.position(revision.next())?;
        Some(
            recent
                .batches
                .range(position..)
                .take(256)
                .cloned()
                .collect(),
        )
    }

    /// How many follow, and how many revisions the slowest of them is behind.
    pub(crate) fn subscribers(&self) -> (u64, u64) {
        let (count, slowest) = self.positions.count_and_slowest();
        let behind = slowest.map_or(0, |slowest| slowest.behind(*self.head.borrow()));
        (count, behind)
    }

    /// Everything after a revision, in order, then live; none: from now. With a ledger, only its changes.
    pub(crate) fn follow(
        &self,
        db: DatabaseConnection,
        after: Option<Revision>,
        ledger_id: Option<Uuid>,
    ) -> impl Stream<Item = Result<FeedEvent, ServiceError>> + Send + 'static {
        let feed = self.clone();
        let mut head = self.head.subscribe();
        try_stream! {
            let mut position = after.unwrap_or_else(|| *head.borrow());
            let place = feed.positions.enter(position);
            let mut bookmark_due = true;
            loop {
                let newest = *head.borrow_and_update();
                while position < newest {
                    let batches = match feed.recent_after(position) {
                        Some(batches) => batches,
                        None => read_page(&db, position).await?,
                    };
                    if batches.first().map(|batch| batch.revision) != Some(position.next()) {
                        yield FeedEvent::ResyncRequired { oldest: oldest(&db, newest).await?, head: newest };
                        return;
                    }
                    for batch in batches {
                        position = batch.revision;
                        place.moved(position);
                        if ledger_id.is_none_or(|id| id == batch.ledger_id) {
                            yield FeedEvent::Changes(batch);
                        }
                    }
                }
                // A subscriber may come from a replica that was ahead: no bookmark takes it back.
                if position <= newest && bookmark_due {
                    yield FeedEvent::Bookmark(position);
                    bookmark_due = false;
                }
                let idle = tokio::time::timeout(BOOKMARK_INTERVAL, head.changed()).await;
                bookmark_due |= idle.is_err();
                if matches!(idle, Ok(Err(_))) {
                    return;
                }
            }
        }
    }
}

async fn read_page(
    db: &DatabaseConnection,
    after: Revision,
) -> Result<Vec<Arc<ChangeBatch>>, ServiceError> {
    let rows = change::Entity::find()
        .filter(change::Column::Revision.gt(after.to_column()))
        .order_by_asc(change::Column::Revision)
        .limit(PAGE)
        .all(db)
        .await
        .map_err(database)?;
    rows.into_iter()
        .map(|row| from_row(row).map(Arc::new).map_err(database))
        .collect()
}

fn from_row(row: change::Model) -> Result<ChangeBatch, DbErr> {
    let hash = HistoryHash::from_column(&row.hash);
    Ok(ChangeBatch {
        revision: Revision::from_column(row.revision),
        ledger_id: row.ledger_id,
        committed_at: row.committed_at,
        changes: Arc::new(read_changes(&row.payload)?),
        hash: hash.ok_or_else(|| DbErr::Type("table change: hash has not 32 bytes".to_owned()))?,
    })
}

/// The oldest revision that can be followed from: the one before the first that is kept.
async fn oldest(db: &DatabaseConnection, head: Revision) -> Result<Revision, ServiceError> {
    let query = change::Entity::find()
        .select_only()
        .column(change::Column::Revision);
    let first: Option<i64> = query
        .order_by_asc(change::Column::Revision)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
        .map_err(database)?;
    Ok(first.map_or(head, |first| Revision::from_column(first.saturating_sub(1))))
}

fn database(error: DbErr) -> ServiceError {
    ServiceError::Database(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(revision: u64) -> ChangeBatch {
        ChangeBatch {
            revision: revision.into(),
            ledger_id: Uuid::nil(),
            committed_at: chrono::DateTime::UNIX_EPOCH,
            changes: Arc::default(),
            hash: HistoryHash::EMPTY.extend(
                revision.into(),
                Uuid::nil(),
                chrono::DateTime::UNIX_EPOCH,
                "",
            ),
        }
    }

    fn revisions(feed: &FeedPublisher, after: u64) -> Option<Vec<u64>> {
        let batches = feed.recent_after(after.into())?;
        Some(batches.iter().map(|batch| batch.revision.get()).collect())
    }

    #[test]
    fn what_is_applied_again_is_not_handed_out_again() {
        let feed = FeedPublisher::new(Revision::ZERO);
        feed.publish(vec![batch(1), batch(2), batch(3)]);
        feed.publish(vec![batch(2), batch(3), batch(4)]);
        assert_eq!(revisions(&feed, 0), Some(vec![1, 2, 3, 4]));
    }

    #[test]
    fn a_gap_in_memory_is_left_to_the_table() {
        let feed = FeedPublisher::new(Revision::ZERO);
        feed.publish(vec![batch(1), batch(2)]);
        feed.publish(vec![batch(5), batch(6)]);
        assert_eq!(revisions(&feed, 1), None);
        assert_eq!(revisions(&feed, 4), Some(vec![5, 6]));
        assert_eq!(feed.hash_at(3.into()), None);
        assert_eq!(feed.hash_at(6.into()), Some(batch(6).hash));
    }
}
