//! Committed entries become rows, in one transaction, tried again for as long as a failure may pass.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use openraft::EntryPayload;
use sea_orm::{DbErr, EntityTrait};
use threefold_entity::{Revision, idempotency_key};
use uuid::Uuid;

use super::standing::{Standing, index_column, load_standing};
use super::{Shared, snapshot};
use crate::change::ChangeBatch;
use crate::config::KEEP_REVISIONS;
use crate::consensus::snapshot::{SnapshotData, SnapshotFault};
use crate::consensus::types::{Entry, LogId, Outcomes, SnapshotMeta, StoredMembership, traces_of};
use crate::database::is_transient;
use crate::format::Formats;
use crate::outcome::Outcome;
use crate::proposal::Proposal;
use crate::running::lock;
use crate::store::{self, Position, Unit};
use crate::trace::Step as TracedStep;
use crate::transition;
use crate::working_set::WorkingSet;

/// Shortest and longest pause before a failed transaction is tried again.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How often a snapshot is installed again that a crash of the database took, each time at its end.
const MOST_RELAPSES: u32 = 10;

/// One entry, decoded before anything is written.
struct Step {
    log_id: LogId,
    membership: Option<StoredMembership>,
    proposals: Vec<Proposal>,
    /// Set where the tables are to be looked at before anything more is applied.
    checkpoint: Option<Uuid>,
}

/// Why entries could not be applied.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyFault {
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error("the database is behind what it had confirmed, it lost its newest commits")]
    Regressed,
    #[error(
        "a key is known that was taken for a new one, or the database is behind what it had confirmed"
    )]
    Mistaken,
    #[error("the database lost commits that the log no longer holds; replace this replica")]
    Lost,
    #[error("log entry {0} cannot be read: {1}")]
    Unreadable(u64, String),
}

impl ApplyFault {
    fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => is_transient(error),
            Self::Regressed | Self::Mistaken => true,
            Self::Lost | Self::Unreadable(..) => false,
        }
    }
}

/// While it lives, entries are being applied.
struct Applying<'a>(&'a Shared);

impl Drop for Applying<'_> {
    fn drop(&mut self) {
        *lock(&self.0.applying_since) = None;
    }
}

impl Shared {
    /// Applies entries, and before them what a crash of the database took. After a failure nobody applies any more.
    pub(super) async fn apply(&self, entries: Vec<Entry>) -> Result<Vec<Outcomes>, ApplyFault> {
        let applied = self.apply_all(entries).await;
        if applied.is_err() {
            // A purge that is queued behind it must not wait for it.
            self.log.give_up();
        }
        applied
    }

    async fn apply_all(&self, entries: Vec<Entry>) -> Result<Vec<Outcomes>, ApplyFault> {
        let traced = TracedStep::begin("apply", traces_of(&entries));
        traced.note("log.entries", entries.len() as u64);
        if let Some(last) = entries.last() {
            traced.note("log.index", last.log_id.index);
        }
        let steps = entries
            .into_iter()
            .map(Step::decode)
            .collect::<Result<Vec<_>, _>>()?;
        let mut standing = self.standing.lock().await;
        let mut outcomes = Vec::with_capacity(steps.len());
        // What comes after a checkpoint is another transaction.
        let mut pieces = steps.chunk_by(|step, _| step.checkpoint.is_none());
        // Without entries there may yet be some to repeat.
        let first = pieces.next().unwrap_or_default();
        for piece in std::iter::once(first).chain(pieces) {
            outcomes.extend(self.apply_piece(&mut standing, piece, &traced).await?);
            if let Some((checkpoint, index)) = piece.last().and_then(Step::checkpoint) {
                self.examiner.begin(checkpoint, index).await;
            }
        }
        Ok(outcomes)
    }

    async fn apply_piece(
        &self,
        standing: &mut Standing,
        steps: &[Step],
        traced: &TracedStep,
    ) -> Result<Vec<Outcomes>, ApplyFault> {
        let _applying = self.begin_applying();
        let started = Instant::now();
        let mut pause = RETRY_PAUSE.0;
        loop {
            let begun = Instant::now();
            let transaction = traced.transaction(self.db.kind.name());
            let mut attempt = self.attempt(standing, steps, Keys::TakenForNew).await;
            if matches!(attempt, Err(ApplyFault::Mistaken)) {
                attempt = self.attempt(standing, steps, Keys::LookedUp).await;
            }
            match attempt {
                Ok(outcomes) => {
                    self.settings.metrics.applied(steps.len(), begun);
                    self.announce(standing);
                    return Ok(outcomes);
                }
                Err(fault)
                    if fault.is_transient() && started.elapsed() < self.settings.patience =>
                {
                    self.settings.metrics.apply_failed();
                    tracing::warn!(error = %fault, retry_in_ms = pause.as_millis(), "applying failed, trying again");
                    transaction.fail();
                    drop(transaction);
                    standing.stale = true;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_PAUSE.1);
                }
                Err(fault) => {
                    standing.stale = true;
                    self.settings.metrics.apply_failed();
                    transaction.fail();
                    traced.fail();
                    tracing::error!(error = %fault, "applying failed for good");
                    return Err(fault);
                }
            }
        }
    }

    /// Says that entries are being applied, until what is returned is dropped.
    fn begin_applying(&self) -> Applying<'_> {
        *lock(&self.applying_since) = Some(Instant::now());
        Applying(self)
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
        keys: Keys,
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
        failpoint!("apply.begin", |e| DbErr::from(e).into());
        let expected = index_column(standing.last_applied);
        let before = standing.resident.revision;
        let proposals = ahead.iter().flat_map(|step| &step.proposals);
        let new_keys = match keys {
            Keys::TakenForNew if repeated.is_empty() => {
                store::only_new_keys(&self.db.writer, proposals)
            }
            _ => None,
        };
        let mut run = Run {
            unit: Unit::new(&self.db.writer),
            keys: match new_keys {
                Some(_) => Keys::TakenForNew,
                None => Keys::LookedUp,
            },
            batches: Vec::new(),
        };
        run.steps(standing, &repeated).await?;
        outcomes.extend(run.steps(standing, ahead).await?);
        let Run {
            mut unit, batches, ..
        } = run;
        let head = standing.resident.revision;
        store::forget(&mut unit, before, head, KEEP_REVISIONS).await?;
        failpoint!("apply.commit", |e| DbErr::from(e).into());
        let assumes = new_keys.is_some();
        let position = Position {
            new_keys: new_keys.unwrap_or_default(),
            ..standing.position(Some(expected))
        };
        if !unit.commit(&position).await? {
            return Err(match assumes {
                true => ApplyFault::Mistaken,
                false => ApplyFault::Regressed,
            });
        }
        failpoint!("apply.committed", |e| DbErr::from(e).into());
        standing.stale = false;
        // The feed first: whoever sees the new position finds its changes there.
        self.feed.publish(batches);
        self.applied.send_replace(standing.applied());
        failpoint!("apply.published");
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
    /// client knows is not kept: its place stays empty, and the proposer asks again. Only the first entry with a key, if that key
    /// was not known before, is told that it was the first.
    async fn recall(&self, steps: &[Step]) -> Result<Vec<Outcomes>, ApplyFault> {
        let db = &self.db.writer;
        let confirmed = self.applied.borrow().revision;
        let mut keys = BTreeSet::new();
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
                        let was_known = known.refusals.is_none() && revision <= confirmed;
                        Some(Outcome {
                            replayed: !keys.insert(proposal.key) || was_known,
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
}

impl Shared {
    pub(super) async fn install(
        &self,
        meta: &SnapshotMeta,
        snapshot: SnapshotData,
    ) -> Result<(), SnapshotFault> {
        let file = snapshot.into_file(Formats::OWN.snapshot).await?;
        let mut standing = self.standing.lock().await;
        standing.stale = true;
        let (mut failing_since, mut relapses) = (Instant::now(), 0);
        loop {
            match snapshot::install(&self.db, &file, meta).await {
                Ok(installed) => {
                    *standing = installed;
                    break;
                }
                Err(SnapshotFault::Lost) if relapses < MOST_RELAPSES => {
                    relapses += 1;
                    tracing::warn!("{}, installing it again", SnapshotFault::Lost);
                    // It had come to the end, however long that took.
                    failing_since = Instant::now();
                    tokio::time::sleep(RETRY_PAUSE.1).await;
                }
                Err(fault)
                    if fault.is_transient() && failing_since.elapsed() < self.settings.patience =>
                {
                    tracing::warn!(error = %fault, "installing a snapshot failed, trying again");
                    tokio::time::sleep(RETRY_PAUSE.1).await;
                }
                Err(fault) => return Err(fault),
            }
        }
        self.feed.reset(standing.resident.revision);
        self.applied.send_replace(standing.applied());
        failpoint!("snapshot.installed");
        Ok(())
    }
}

/// How it is known whether a proposal's key is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// By asking the database first.
    LookedUp,
    /// It is taken for a new one until the database says otherwise, as it stores what came of that.
    TakenForNew,
}

/// One run over entries, in one unit of work.
struct Run<'a> {
    unit: Unit<'a>,
    keys: Keys,
    /// What was accepted.
    batches: Vec<ChangeBatch>,
}

impl Run<'_> {
    /// Runs entries, in pieces that each need one load and one store.
    async fn steps(
        &mut self,
        standing: &mut Standing,
        steps: &[Step],
    ) -> Result<Vec<Outcomes>, ApplyFault> {
        let mut outcomes: Vec<Outcomes> = steps.iter().map(|_| Outcomes::default()).collect();
        let mut piece: Vec<(usize, u64, &Proposal)> = Vec::new();
        for (position, step) in steps.iter().enumerate() {
            let skip = !step.proposals.is_empty() && sabotaged!("sabotage.skip-entry");
            for proposal in step.proposals.iter().filter(|_| !skip) {
                let alone = transition::stands_alone(&proposal.command);
                if alone {
                    self.piece(standing, &mut piece, &mut outcomes).await?;
                }
                piece.push((position, step.log_id.leader_id.term, proposal));
                if alone {
                    self.piece(standing, &mut piece, &mut outcomes).await?;
                }
            }
            standing.last_applied = Some(step.log_id);
            if let Some(membership) = &step.membership {
                standing.membership = membership.clone();
            }
        }
        self.piece(standing, &mut piece, &mut outcomes).await?;
        Ok(outcomes)
    }

    async fn piece(
        &mut self,
        standing: &mut Standing,
        piece: &mut Vec<(usize, u64, &Proposal)>,
        outcomes: &mut [Outcomes],
    ) -> Result<(), ApplyFault> {
        if piece.is_empty() {
            return Ok(());
        }
        let mut set = WorkingSet::new(&mut standing.resident);
        if self.keys == Keys::LookedUp {
            let proposals = piece.iter().map(|(_, _, proposal)| *proposal);
            store::load(&mut self.unit, &mut set, proposals).await?;
        }
        for (position, term, proposal) in piece.drain(..) {
            let outcome: Outcome = transition::decide(&mut set, proposal, term, KEEP_REVISIONS);
            if let Some(outcomes) = outcomes.get_mut(position) {
                outcomes.0.push(Some(outcome));
            }
        }
        store::store(&mut self.unit, &set).await?;
        let batches = set.batches.into_iter();
        self.batches.extend(batches.map(|(batch, _)| batch));
        Ok(())
    }
}

impl Step {
    fn checkpoint(&self) -> Option<(Uuid, u64)> {
        Some((self.checkpoint?, self.log_id.index))
    }

    fn decode(entry: Entry) -> Result<Self, ApplyFault> {
        let log_id = entry.log_id;
        let unreadable =
            |e: &dyn std::fmt::Display| ApplyFault::Unreadable(log_id.index, e.to_string());
        Ok(match entry.payload {
            EntryPayload::Blank => Self {
                log_id,
                membership: None,
                proposals: Vec::new(),
                checkpoint: None,
            },
            EntryPayload::Membership(membership) => {
                let membership = StoredMembership::new(Some(log_id), membership);
                Self {
                    log_id,
                    membership: Some(membership),
                    proposals: Vec::new(),
                    checkpoint: None,
                }
            }
            EntryPayload::Normal(batch) => Self {
                log_id,
                membership: None,
                proposals: batch.decode().map_err(|e| unreadable(&e))?,
                checkpoint: batch.is_checkpoint(),
            },
        })
    }
}
