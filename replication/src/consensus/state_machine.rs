//! Committed entries become rows: load what they touch, run the pure transition, store what it changed, all in one
//! transaction with the position that says so.

mod apply;
#[cfg(feature = "failpoints")]
mod foretell;
mod standing;

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use openraft::storage::RaftStateMachine;
use openraft::{OptionalSend, RaftSnapshotBuilder, Snapshot, StorageIOError};
use sea_orm::DbErr;
use threefold_entity::Revision;
use tokio::sync::{Mutex, watch};

pub(super) use self::standing::{Standing, load_standing};
use super::log_store::LogStore;
use super::snapshot::{self, Noted, SnapshotData};
use super::types::{
    Entry, LogId, Outcomes, SnapshotMeta, StorageError, StoredMembership, TypeConfig,
};
use crate::alarm::Alarm;
use crate::database::Database;
use crate::feed::FeedPublisher;
use crate::history::HistoryHash;
use crate::metrics::{Direction, Metrics};
use crate::running::lock;
use crate::verify::Examiner;

/// How far this replica's database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) index: Option<u64>,
    pub(crate) revision: Revision,
    pub(crate) hash: HistoryHash,
    pub(crate) expense_count: i64,
}

/// See the module. Cheap to clone; all clones share one state.
#[derive(Clone)]
pub(crate) struct StateMachine {
    shared: Arc<Shared>,
}

/// A state machine that this does not keep.
pub(super) struct WeakStateMachine(Weak<Shared>);

impl WeakStateMachine {
    /// None once it is gone.
    pub(super) fn upgrade(&self) -> Option<StateMachine> {
        let shared = self.0.upgrade()?;
        Some(StateMachine { shared })
    }
}

/// What all clones share.
pub struct Shared {
    pub(super) db: Database,
    pub(super) snapshots: PathBuf,
    log: LogStore,
    pub(super) settings: Settings,
    standing: Mutex<Standing>,
    /// Since when entries are being applied; none while there is nothing to apply.
    applying_since: std::sync::Mutex<Option<Instant>>,
    applied: watch::Sender<Applied>,
    feed: FeedPublisher,
    examiner: Arc<Examiner>,
}

/// What the state machine is told of the replica's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) patience: Duration,
    pub(crate) metrics: Arc<Metrics>,
    /// Tells whether this replica's rows are to be trusted.
    pub(crate) alarm: Arc<Alarm>,
}

impl StateMachine {
    /// Takes up where the database stands.
    pub(crate) async fn open(
        db: Database,
        log: LogStore,
        snapshots: PathBuf,
        settings: Settings,
        feed: FeedPublisher,
    ) -> Result<Self, DbErr> {
        let standing = load_standing(&db.writer).await?;
        let (applied, _) = watch::channel(standing.applied());
        let standing = Mutex::new(standing);
        let examiner = Arc::new(Examiner::new(db.clone()));
        Ok(Self {
            shared: Arc::new(Shared {
                db,
                snapshots,
                log,
                settings,
                standing,
                applying_since: std::sync::Mutex::default(),
                applied,
                feed,
                examiner,
            }),
        })
    }

    /// The same, for whom it keeps itself.
    pub(super) fn downgrade(&self) -> WeakStateMachine {
        WeakStateMachine(Arc::downgrade(&self.shared))
    }

    /// Looks whether the database still holds what it had confirmed, and applies again what a crash of it lost.
    ///
    /// # Errors
    /// A database that fails for good, or lost more than the log holds.
    pub(crate) async fn repair(&self) -> Result<(), String> {
        self.shared.standing.lock().await.stale = true;
        self.shared
            .apply(Vec::new())
            .await
            .map(|_| ())
            .map_err(|fault| fault.to_string())
    }

    /// Since when entries are being applied, or tried again; none while there is nothing to apply.
    pub(crate) fn applying_since(&self) -> Option<Instant> {
        *lock(&self.shared.applying_since)
    }

    /// Looks at the tables at every checkpoint that is applied.
    pub(crate) fn examiner(&self) -> Arc<Examiner> {
        self.shared.examiner.clone()
    }

    /// Follows how far the database is.
    pub(crate) fn applied(&self) -> watch::Receiver<Applied> {
        self.shared.applied.subscribe()
    }
}

fn storage_error(error: &(impl std::error::Error + 'static)) -> StorageError {
    StorageIOError::write_state_machine(error).into()
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let standing = self.shared.standing.lock().await;
        Ok((standing.last_applied, standing.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Outcomes>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().collect();
        self.shared
            .apply(entries)
            .await
            .map_err(|fault| storage_error(&fault))
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, StorageError> {
        // Chunks are put together by the peer endpoint, which hands over a whole file.
        let noted = Noted::of(&*self.shared.standing.lock().await);
        Ok(Box::new(SnapshotData::Current(self.shared.clone(), noted)))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<SnapshotData>,
    ) -> Result<(), StorageError> {
        let (begun, bytes) = (Instant::now(), snapshot.size());
        let installed = self.shared.install(meta, *snapshot).await;
        let snapshots = &self.shared.settings.metrics.snapshots;
        snapshots.ended(Direction::Installed, installed.is_ok(), bytes, begun);
        installed.map_err(|fault| {
            tracing::error!(error = %fault, "a snapshot cannot be installed");
            self.shared.log.give_up();
            storage_error(&fault)
        })
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<TypeConfig>>, StorageError> {
        let snapshot = self.build_snapshot().await?;
        Ok(snapshot.meta.last_log_id.is_some().then_some(snapshot))
    }
}

impl RaftSnapshotBuilder<TypeConfig> for StateMachine {
    /// The database is the snapshot: a file of it is written when a peer needs one.
    async fn build_snapshot(&mut self) -> Result<Snapshot<TypeConfig>, StorageError> {
        let standing = self.shared.standing.lock().await;
        let position = standing
            .last_applied
            .map(|log_id| (log_id.leader_id.term, log_id.index))
            .unwrap_or_default();
        let meta = SnapshotMeta {
            last_log_id: standing.last_applied,
            last_membership: standing.membership.clone(),
            snapshot_id: format!("{}-{}", position.0, position.1),
        };
        Ok(Snapshot {
            meta,
            snapshot: Box::new(SnapshotData::Current(
                self.shared.clone(),
                Noted::of(&standing),
            )),
        })
    }
}

#[cfg(test)]
mod tests;
