//! Reads that are as fresh as they say, outcomes of earlier mutations, and the feed.

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use sea_orm::EntityTrait;
use threefold_entity::{Revision, idempotency_key};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::Replica;
use super::propose::LEADER_PAUSE;
use crate::config::MAX_WAITING_READS;
use crate::error::ServiceError;
use crate::feed::FeedEvent;
use crate::metrics::outcome_of;
use crate::outcome::{Outcome, Receipt, Settled, Stage, Verdict};
use crate::read_barrier::BarrierFault;
use crate::running::Running;
use crate::store;
use crate::transition;

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadConsistency {
    /// Sees every mutation that had answered before the read began, on whichever replica.
    #[default]
    Linearizable,
    /// Sees this replica's database as it is.
    Local,
}

impl Replica {
    /// Waits until this replica's database is as fresh as asked, at most `read_timeout`, and returns the revision it
    /// then has. Rows read afterwards are of that revision or a later one.
    ///
    /// # Errors
    /// No leader to ask, or not caught up in time.
    pub async fn read(
        &self,
        consistency: ReadConsistency,
        min_revision: Option<Revision>,
    ) -> Result<Revision, ServiceError> {
        let local = consistency == ReadConsistency::Local;
        let begun = self.inner.metrics.reads.begin(local);
        let revision = self.freshen(consistency, min_revision).await;
        match &revision {
            Ok(_) => begun.settled("ok"),
            Err(error) => begun.failed(outcome_of(error)),
        }
        revision
    }

    async fn freshen(
        &self,
        consistency: ReadConsistency,
        min_revision: Option<Revision>,
    ) -> Result<Revision, ServiceError> {
        #[cfg(feature = "failpoints")]
        let consistency = match sabotaged!("sabotage.stale-read") {
            true => ReadConsistency::Local,
            false => consistency,
        };
        #[cfg(feature = "failpoints")]
        let min_revision = min_revision.filter(|_| !sabotaged!("sabotage.min-revision-ignored"));
        let wait = self.inner.config.read_timeout;
        let deadline = Instant::now() + wait;
        let running = loop {
            match self.serving()? {
                Some(running) => break running,
                None if Instant::now() >= deadline => return Err(ServiceError::NoLeader(wait)),
                None => tokio::time::sleep(LEADER_PAUSE).await,
            }
        };
        let index = match consistency {
            ReadConsistency::Local => None,
            ReadConsistency::Linearizable => {
                let index = timeout_at(deadline, running.barrier.read_index()).await;
                index
                    .map_err(|_elapsed| ServiceError::NoLeader(wait))?
                    .map_err(|fault| match fault {
                        BarrierFault::Overloaded => ServiceError::Overloaded(MAX_WAITING_READS),
                        BarrierFault::Stopping => ServiceError::Stopping,
                    })?
            }
        };
        let mut applied = running.applied.clone();
        let fresh = applied.wait_for(|applied| {
            applied.index >= index && min_revision.is_none_or(|least| applied.revision >= least)
        });
        let revision = match timeout_at(deadline, fresh).await {
            Ok(Ok(applied)) => applied.revision,
            Ok(Err(_closed)) => return Err(ServiceError::Stopping),
            Err(_elapsed) => return Err(ServiceError::Behind(wait)),
        };
        let looked = timeout_at(deadline, running.look_after_database()).await;
        looked
            .map_err(|_elapsed| ServiceError::Behind(wait))?
            .map_err(ServiceError::Database)?;
        #[cfg(feature = "failpoints")]
        if sabotaged!("sabotage.revision-slips") {
            return Ok(Revision::from_column(revision.to_column() / 2));
        }
        Ok(revision)
    }

    /// What became of a mutation that a client sent with this key, as this replica's database knows it; none if it
    /// never took effect. Call [`read`](Self::read) first.
    ///
    /// # Errors
    /// The database's.
    pub async fn outcome(&self, key: Uuid) -> Result<Option<Settled>, ServiceError> {
        let Some(running) = self.serving()? else {
            return Ok(None);
        };
        if sabotaged!("sabotage.wrong-outcome") {
            return Ok(None);
        }
        let failed = |e: sea_orm::DbErr| ServiceError::Database(e.to_string());
        let db = self.database();
        let Some(known) = idempotency_key::Entity::find_by_id(key)
            .one(db)
            .await
            .map_err(failed)?
        else {
            return Ok(None);
        };
        let revision = Revision::from_column(known.revision);
        let changes = store::load_changes(db, revision).await.map_err(failed)?;
        let outcome = transition::recall(&known, |_| changes);
        let receipt = receipt_now(running, &outcome);
        Ok(Some(Settled { outcome, receipt }))
    }

    /// Every change after a revision, in order, then live; none: from now. With a ledger, only its changes.
    pub fn changes(
        &self,
        after: Option<Revision>,
        ledger_id: Option<Uuid>,
    ) -> BoxStream<'static, Result<FeedEvent, ServiceError>> {
        let running = match self.serving() {
            Ok(Some(running)) => running,
            Ok(None) => return stream::iter([Err(ServiceError::Forming)]).boxed(),
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let alarm = running.alarm.clone();
        let feed = running
            .feed
            .follow(self.inner.db.reader.clone(), after, ledger_id);
        #[cfg(feature = "failpoints")]
        let feed = crate::feed::spoil::spoil(feed);
        // What turned out to be wrong is not told any further.
        let feed = feed.take_until(alarm.raised());
        let end = stream::once(async move { alarm.quarantine() });
        let end = end.filter_map(async |reason| Some(Err(ServiceError::Quarantined(reason?))));
        let feed = feed.chain(end);
        feed.take_until(self.inner.stop.clone().cancelled_owned())
            .boxed()
    }
}

/// Who has an outcome, told from what the replicas last reported.
fn receipt_now(running: &Running, outcome: &Outcome) -> Receipt {
    let Verdict::Accepted { revision, .. } = &outcome.verdict else {
        return Receipt::default();
    };
    let mut receipt = Receipt::default();
    for status in running.statuses() {
        if status.revision >= *revision {
            // The database of a quarantined replica is not to be trusted, its log is.
            let stage = match status.quarantine {
                Some(_) => Stage::Durable,
                None => Stage::Applied,
            };
            receipt.acknowledged_by.push((status.id, stage));
        } else {
            receipt.pending.push(status.id);
        }
    }
    receipt
}
