//! Committed entries become rows: load what they touch, run the pure transition, store what it changed, all in one
//! transaction with the position that says so.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, Snapshot, StorageIOError};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    QueryFilter, TransactionTrait,
};
use threefold_entity::{Revision, idempotency_key, replica_state};
use tokio::sync::{Mutex, watch};

use super::log_store::LogStore;
use super::snapshot::{self, SnapshotData, SnapshotFault};
use super::types::{
    Entry, LogId, Outcomes, SnapshotMeta, StorageError, StoredMembership, TypeConfig,
};
use crate::change::ChangeBatch;
use crate::config::KEEP_REVISIONS;
use crate::database::{Database, is_transient};
use crate::feed::FeedPublisher;
use crate::history::HistoryHash;
use crate::outcome::Outcome;
use crate::proposal::Proposal;
use crate::store;
use crate::transition;
use crate::working_set::{Resident, WorkingSet};

/// Shortest and longest pause before a failed transaction is tried again.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

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

/// What all clones share.
pub struct Shared {
    pub(super) db: Database,
    pub(super) snapshots: PathBuf,
    log: LogStore,
    settings: Settings,
    standing: Mutex<Standing>,
    applied: watch::Sender<Applied>,
    feed: FeedPublisher,
}

/// What the state machine is told of the replica's configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) patience: Duration,
}

/// What is in the database, known without asking it.
pub(super) struct Standing {
    pub(super) last_applied: Option<LogId>,
    pub(super) membership: StoredMembership,
    pub(super) resident: Resident,
    /// A transaction failed: memory and database may differ until loaded anew.
    pub(super) stale: bool,
}

/// One entry, decoded before anything is written.
struct Step {
    log_id: LogId,
    membership: Option<StoredMembership>,
    proposals: Vec<Proposal>,
}

/// Why entries could not be applied.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyFault {
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error("the database is behind what it had confirmed, it lost its newest commits")]
    Regressed,
    #[error("the database lost commits that the log no longer holds; replace this replica")]
    Lost,
    #[error("log entry {0} cannot be read: {1}")]
    Unreadable(u64, String),
}

impl ApplyFault {
    fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => is_transient(error),
            Self::Regressed => true,
            Self::Lost | Self::Unreadable(..) => false,
        }
    }
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
        Ok(Self {
            shared: Arc::new(Shared {
                db,
                snapshots,
                log,
                settings,
                standing,
                applied,
                feed,
            }),
        })
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

    /// Follows how far the database is.
    pub(crate) fn applied(&self) -> watch::Receiver<Applied> {
        self.shared.applied.subscribe()
    }
}

impl Standing {
    fn applied(&self) -> Applied {
        Applied {
            index: self.last_applied.map(|log_id| log_id.index),
            revision: self.resident.revision,
            hash: self.resident.hash,
            expense_count: self.resident.expense_count,
        }
    }
}

fn index_column(log_id: Option<LogId>) -> i64 {
    log_id.map_or(-1, |log_id| i64::try_from(log_id.index).unwrap_or(i64::MAX))
}

/// The index of the last applied entry, as stored.
pub(crate) async fn stored_index<C: ConnectionTrait>(db: &C) -> Result<Option<u64>, DbErr> {
    let row = replica_state::Entity::find_by_id(replica_state::ONLY_ROW)
        .one(db)
        .await?;
    Ok(row.and_then(|row| u64::try_from(row.last_applied_index).ok()))
}

/// The position and the resident part, as stored.
pub(super) async fn load_standing<C: ConnectionTrait>(db: &C) -> Result<Standing, DbErr> {
    let row = replica_state::Entity::find_by_id(replica_state::ONLY_ROW)
        .one(db)
        .await?;
    let row =
        row.ok_or_else(|| DbErr::RecordNotFound("table replica_state has no row".to_owned()))?;
    let damaged = |what: &str| DbErr::Type(format!("table replica_state: {what} cannot be read"));
    let hash =
        HistoryHash::from_column(&row.history_hash).ok_or_else(|| damaged("history_hash"))?;
    let last_applied = row
        .last_applied
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    let membership = row
        .membership
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    let revision = Revision::from_column(row.revision);
    Ok(Standing {
        last_applied: last_applied.map_err(|_| damaged("last_applied"))?,
        membership: membership
            .map_err(|_| damaged("membership"))?
            .unwrap_or_default(),
        resident: store::load_resident(db, revision, hash, row.expense_count).await?,
        stale: false,
    })
}

/// Stores a position, provided that the stored one is the expected one.
pub(super) async fn store_standing<C: ConnectionTrait>(
    db: &C,
    standing: &Standing,
    expected: Option<i64>,
) -> Result<bool, DbErr> {
    // Serialising these plain types into memory has no failing case.
    let row = replica_state::ActiveModel {
        last_applied_index: Set(index_column(standing.last_applied)),
        last_applied: Set(standing
            .last_applied
            .map(|log_id| serde_json::to_string(&log_id).unwrap_or_default())),
        membership: Set(Some(
            serde_json::to_string(&standing.membership).unwrap_or_default(),
        )),
        revision: Set(standing.resident.revision.to_column()),
        history_hash: Set(standing.resident.hash.as_bytes().to_vec()),
        expense_count: Set(standing.resident.expense_count),
        ..Default::default()
    };
    let mut update = replica_state::Entity::update_many().set(row);
    update = update.filter(replica_state::Column::Id.eq(replica_state::ONLY_ROW));
    if let Some(expected) = expected {
        update = update.filter(replica_state::Column::LastAppliedIndex.eq(expected));
    }
    Ok(update.exec(db).await?.rows_affected == 1)
}

impl Shared {
    async fn apply(&self, entries: Vec<Entry>) -> Result<Vec<Outcomes>, ApplyFault> {
        let steps = entries
            .into_iter()
            .map(Step::decode)
            .collect::<Result<Vec<_>, _>>()?;
        let started = Instant::now();
        let mut pause = RETRY_PAUSE.0;
        let mut standing = self.standing.lock().await;
        loop {
            match self.attempt(&mut standing, &steps).await {
                Ok(outcomes) => {
                    self.announce(&standing);
                    return Ok(outcomes);
                }
                Err(fault)
                    if fault.is_transient() && started.elapsed() < self.settings.patience =>
                {
                    tracing::warn!(error = %fault, retry_in_ms = pause.as_millis(), "applying failed, trying again");
                    standing.stale = true;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_PAUSE.1);
                }
                Err(fault) => {
                    standing.stale = true;
                    tracing::error!(error = %fault, "applying failed for good");
                    self.log.give_up();
                    return Err(fault);
                }
            }
        }
    }

    /// Tells how far the database is, if it is further than was told: after a transaction whose confirmation was lost.
    fn announce(&self, standing: &Standing) {
        let now = standing.applied();
        if now.index > self.applied.borrow().index {
            self.feed.reset(now.revision);
            self.applied.send_replace(now);
        }
    }

    /// One try. Whatever fails leaves the database as it was, and memory to be loaded anew.
    async fn attempt(
        &self,
        standing: &mut Standing,
        steps: &[Step],
    ) -> Result<Vec<Outcomes>, ApplyFault> {
        let repeated = if standing.stale {
            self.reload(standing).await?
        } else {
            Vec::new()
        };
        let done = standing.last_applied;
        let skipped = steps
            .iter()
            .take_while(|step| Some(step.log_id) <= done)
            .count();
        let (before, ahead) = steps.split_at(skipped);
        let mut outcomes = self.recall(before).await?;
        if repeated.is_empty() && ahead.is_empty() {
            return Ok(outcomes);
        }
        standing.stale = true;
        let expected = index_column(standing.last_applied);
        let tx = self.db.writer.begin().await?;
        let mut batches = Vec::new();
        self.run(&tx, standing, &repeated, &mut batches).await?;
        outcomes.extend(self.run(&tx, standing, ahead, &mut batches).await?);
        store::forget(&tx, standing.resident.revision, KEEP_REVISIONS).await?;
        if !store_standing(&tx, standing, Some(expected)).await? {
            return Err(ApplyFault::Regressed);
        }
        tx.commit().await?;
        standing.stale = false;
        // The feed first: whoever sees the new position finds its changes there.
        self.feed.publish(batches);
        self.applied.send_replace(standing.applied());
        Ok(outcomes)
    }

    /// Loads the standing after a failure. A database that crashed may have lost its newest commits, which were not
    /// flushed: the entries that made them are returned, to be applied again.
    async fn reload(&self, standing: &mut Standing) -> Result<Vec<Step>, ApplyFault> {
        let confirmed = self.applied.borrow().index;
        *standing = load_standing(&self.db.writer).await?;
        let stored = standing.last_applied.map(|log_id| log_id.index);
        let Some(confirmed) = confirmed.filter(|_| stored < confirmed) else {
            return Ok(Vec::new());
        };
        let mut next = stored.map_or(0, |stored| stored + 1);
        let mut steps = Vec::new();
        while next <= confirmed {
            let entries = self
                .log
                .read(next..=confirmed)
                .map_err(|_| ApplyFault::Lost)?;
            if entries.first().map(|entry| entry.log_id.index) != Some(next) {
                return Err(ApplyFault::Lost);
            }
            next += entries.len() as u64;
            steps.extend(
                entries
                    .into_iter()
                    .map(Step::decode)
                    .collect::<Result<Vec<_>, _>>()?,
            );
        }
        tracing::warn!(
            entries = steps.len(),
            "the database lost commits in a crash; applying them again from the log"
        );
        Ok(steps)
    }

    /// Outcomes of entries that were applied by a transaction whose confirmation was lost. A refusal of a key that no
    /// client knows is not kept: its place stays empty, and the proposer asks again.
    async fn recall(&self, steps: &[Step]) -> Result<Vec<Outcomes>, ApplyFault> {
        let db = &self.db.writer;
        let mut all = Vec::with_capacity(steps.len());
        for step in steps {
            let mut outcomes = Vec::with_capacity(step.proposals.len());
            for proposal in &step.proposals {
                let known = idempotency_key::Entity::find_by_id(proposal.key)
                    .one(db)
                    .await?;
                let known = known.filter(|known| known.payload_hash == proposal.payload_hash);
                outcomes.push(match known {
                    Some(known) => {
                        let revision = Revision::from_column(known.revision);
                        let changes = store::load_changes(db, revision).await?;
                        let first = transition::recall(&known, |_| changes);
                        Some(Outcome {
                            replayed: false,
                            ..first
                        })
                    }
                    None => None,
                });
            }
            all.push(Outcomes(outcomes));
        }
        Ok(all)
    }

    /// Runs entries in the transaction, in pieces that each need one load and one store.
    async fn run(
        &self,
        tx: &DatabaseTransaction,
        standing: &mut Standing,
        steps: &[Step],
        batches: &mut Vec<ChangeBatch>,
    ) -> Result<Vec<Outcomes>, ApplyFault> {
        let mut outcomes: Vec<Outcomes> = steps.iter().map(|_| Outcomes::default()).collect();
        let mut piece: Vec<(usize, u64, &Proposal)> = Vec::new();
        for (position, step) in steps.iter().enumerate() {
            for proposal in &step.proposals {
                let alone = transition::stands_alone(&proposal.command);
                if alone {
                    self.run_piece(tx, standing, &mut piece, &mut outcomes, batches)
                        .await?;
                }
                piece.push((position, step.log_id.leader_id.term, proposal));
                if alone {
                    self.run_piece(tx, standing, &mut piece, &mut outcomes, batches)
                        .await?;
                }
            }
            standing.last_applied = Some(step.log_id);
            if let Some(membership) = &step.membership {
                standing.membership = membership.clone();
            }
        }
        self.run_piece(tx, standing, &mut piece, &mut outcomes, batches)
            .await?;
        Ok(outcomes)
    }

    async fn run_piece(
        &self,
        tx: &DatabaseTransaction,
        standing: &mut Standing,
        piece: &mut Vec<(usize, u64, &Proposal)>,
        outcomes: &mut [Outcomes],
        batches: &mut Vec<ChangeBatch>,
    ) -> Result<(), ApplyFault> {
        if piece.is_empty() {
            return Ok(());
        }
        let mut set = WorkingSet::new(&mut standing.resident);
        store::load(tx, &mut set, piece.iter().map(|(_, _, proposal)| *proposal)).await?;
        for (position, term, proposal) in piece.drain(..) {
            let outcome: Outcome = transition::decide(&mut set, proposal, term, KEEP_REVISIONS);
            if let Some(outcomes) = outcomes.get_mut(position) {
                outcomes.0.push(Some(outcome));
            }
        }
        store::store(tx, &set).await?;
        batches.extend(set.batches.into_iter().map(|(batch, _)| batch));
        Ok(())
    }
}

impl Shared {
    async fn install(
        &self,
        meta: &SnapshotMeta,
        snapshot: SnapshotData,
    ) -> Result<(), SnapshotFault> {
        let file = snapshot.into_file().await?;
        let mut standing = self.standing.lock().await;
        standing.stale = true;
        let started = Instant::now();
        loop {
            match snapshot::install(&self.db, &file, meta).await {
                Ok(installed) => {
                    *standing = installed;
                    break;
                }
                Err(SnapshotFault::Database(error))
                    if is_transient(&error) && started.elapsed() < self.settings.patience =>
                {
                    tracing::warn!(%error, "installing a snapshot failed, trying again");
                    tokio::time::sleep(RETRY_PAUSE.1).await;
                }
                Err(fault) => return Err(fault),
            }
        }
        self.feed.reset(standing.resident.revision);
        self.applied.send_replace(standing.applied());
        Ok(())
    }
}

impl Step {
    fn decode(entry: Entry) -> Result<Self, ApplyFault> {
        let log_id = entry.log_id;
        let unreadable =
            |e: &dyn std::fmt::Display| ApplyFault::Unreadable(log_id.index, e.to_string());
        Ok(match entry.payload {
            EntryPayload::Blank => Self {
                log_id,
                membership: None,
                proposals: Vec::new(),
            },
            EntryPayload::Membership(membership) => {
                let membership = StoredMembership::new(Some(log_id), membership);
                Self {
                    log_id,
                    membership: Some(membership),
                    proposals: Vec::new(),
                }
            }
            EntryPayload::Normal(batch) => Self {
                log_id,
                membership: None,
                proposals: batch.decode().map_err(|e| unreadable(&e))?,
            },
        })
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
        Ok(Box::new(SnapshotData::Current(self.shared.clone())))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<SnapshotData>,
    ) -> Result<(), StorageError> {
        let installed = self.shared.install(meta, *snapshot).await;
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
            snapshot: Box::new(SnapshotData::Current(self.shared.clone())),
        })
    }
}
