//! One running replica: the face of this crate.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use sea_orm::{DatabaseConnection, EntityTrait};
use threefold_entity::{Revision, idempotency_key};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant as Deadline, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::command::Command;
use crate::config::{Config, MAX_PROPOSAL_BYTES, MAX_WAITING_PROPOSALS, MAX_WAITING_READS};
use crate::consensus::{self, LogStore};
use crate::database::Database;
use crate::error::ServiceError;
use crate::feed::FeedEvent;
use crate::formation;
use crate::group_commit::{ProposeFault, Waiting};
use crate::identity::{self, Identity};
use crate::outcome::{Acknowledgement, Outcome, Receipt, Settled, Stage, Verdict};
use crate::peer::{PeerTransport, encode};
use crate::proposal::Proposal;
use crate::read_barrier::BarrierFault;
use crate::running::Running;
use crate::status::{ReplicaStatus, Role};
use crate::store;
use crate::transition;
use crate::wire::Wire;

/// Pause before a proposal looks for a leader again.
const LEADER_PAUSE: Duration = Duration::from_millis(20);
/// Shortest time between two views of the replicas: 20 a second.
const STATUS_INTERVAL: Duration = Duration::from_millis(50);
/// Longest time until a replica's silence is noticed in the view.
const STATUS_TICK: Duration = Duration::from_millis(250);

/// One running replica. Cheap to clone.
#[derive(Clone)]
pub struct Replica {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) db: Database,
    log: LogStore,
    wire: Arc<Wire>,
    /// Set once this replica belongs to a cluster.
    running: OnceLock<Arc<Running>>,
    /// Held while this replica adopts a cluster, so that it adopts one.
    adopting: Mutex<()>,
    fault: watch::Sender<Option<Fault>>,
    stop: CancellationToken,
}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadConsistency {
    /// Sees every mutation that had answered before the read began, on whichever replica.
    #[default]
    Linearizable,
    /// Sees this replica's database as it is.
    Local,
}

/// Why a replica stopped by itself, or could not start; for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl Replica {
    /// Opens data folder and database, and takes part in the cluster. Returns before a cluster is formed or a leader
    /// known: that goes on in the background, and needs the peer endpoint to be served.
    ///
    /// # Errors
    /// What must be mended by a person before this replica can run.
    pub async fn start(config: Config, transport: Arc<dyn PeerTransport>) -> Result<Self, Fault> {
        std::fs::create_dir_all(&config.data).map_err(|e| {
            Fault(format!(
                "the data folder {} cannot be made: {e}",
                config.data.display()
            ))
        })?;
        let db = open_database(&config).await?;
        let identity = identity::read(&config.data, &db, config.id).await;
        let identity = identity.map_err(|e| Fault(e.to_string()))?;
        let log_folder = config.data.join("log");
        let log_fault = |e: fjall::Error| {
            Fault(format!(
                "the log in {} cannot be opened: {e}",
                log_folder.display()
            ))
        };
        let log =
            LogStore::open(&log_folder, db.clone(), config.database_patience).map_err(log_fault)?;
        if identity.is_none() && !log.is_blank().map_err(log_fault)? {
            let message = "holds a log, but no replica.json that says whose it is; restore that file, or replace this replica";
            return Err(Fault(format!(
                "the data folder {} {message}",
                config.data.display()
            )));
        }
        let wire = Arc::new(Wire::new(transport, config.id, &config.peers));
        let inner = Inner {
            config,
            db,
            log,
            wire,
            running: OnceLock::new(),
            adopting: Mutex::default(),
            fault: watch::Sender::new(None),
            stop: CancellationToken::new(),
        };
        let replica = Self {
            inner: Arc::new(inner),
        };
        if let Some(identity) = identity {
            replica.run(identity).await?;
        }
        let taking_part = replica.clone().take_part();
        tokio::spawn(
            replica
                .inner
                .stop
                .clone()
                .run_until_cancelled_owned(taking_part),
        );
        Ok(replica)
    }

    /// This replica's id.
    pub fn id(&self) -> u64 {
        self.inner.config.id
    }

    /// This replica's own database, for selects only.
    pub fn database(&self) -> &DatabaseConnection {
        &self.inner.db.reader
    }

    /// Has a command carried out by the cluster, from whichever replica, exactly once.
    ///
    /// `key` is the client's idempotency key, if it gave one: the same key with the same command is carried out once
    /// and answered alike. `actor` is on whose behalf. Waits for a leader and for the acknowledgement asked for, at
    /// most `write_timeout`.
    ///
    /// # Errors
    /// Faults of the service. [`ServiceError::InDoubt`] is the only one after which the command may be carried out.
    pub async fn propose(
        &self,
        command: Command,
        key: Option<Uuid>,
        actor: &str,
        acknowledgement: Acknowledgement,
    ) -> Result<Settled, ServiceError> {
        let proposal = Proposal::new(command, key, actor);
        let key = proposal.key;
        let waiting = Waiting {
            proposal: encode(&proposal),
            acknowledgement,
        };
        let size = waiting.proposal.len();
        if size > MAX_PROPOSAL_BYTES {
            return Err(ServiceError::TooLarge {
                size,
                limit: MAX_PROPOSAL_BYTES,
            });
        }
        let wait = self.inner.config.write_timeout;
        let deadline = Deadline::now() + wait;
        // Once an attempt may have reached a log, no answer may claim that nothing was written.
        let mut in_doubt = false;
        while Deadline::now() < deadline {
            let attempt = match self.attempt(&waiting) {
                Ok(Some(attempt)) => attempt,
                Err(_) if in_doubt => break,
                Err(error) => return Err(error),
                Ok(None) => {
                    tokio::time::sleep(LEADER_PAUSE).await;
                    continue;
                }
            };
            match timeout_at(deadline, attempt).await {
                Ok(Ok(settled)) => return Ok(settled),
                Ok(Err(ProposeFault::NotEnough { in_sync, required })) if !in_doubt => {
                    return Err(ServiceError::NotEnoughReplicas { in_sync, required });
                }
                Ok(Err(ProposeFault::Overloaded)) if !in_doubt => {
                    return Err(ServiceError::Overloaded(MAX_WAITING_PROPOSALS));
                }
                Ok(Err(ProposeFault::InDoubt(reason))) => {
                    tracing::debug!(%reason, "a proposal is in doubt, sending it again under its key");
                    in_doubt = true;
                }
                Ok(Err(_)) => {}
                Err(_elapsed) => in_doubt = true,
            }
            tokio::time::sleep(LEADER_PAUSE).await;
        }
        Err(if in_doubt {
            ServiceError::InDoubt { key, waited: wait }
        } else {
            ServiceError::NoLeader(wait)
        })
    }

    /// One attempt, if there is somebody to attempt it with.
    fn attempt(
        &self,
        waiting: &Waiting,
    ) -> Result<
        Option<futures_util::future::BoxFuture<'static, Result<Settled, ProposeFault>>>,
        ServiceError,
    > {
        let Some(running) = self.serving()? else {
            return Ok(None);
        };
        let view = consensus::view(&running.raft);
        let (running, waiting) = (running.clone(), waiting.clone());
        Ok(match view.leader {
            Some(leader) if leader == self.id() && view.role == Role::Leader => {
                Some(async move { running.group.submit(waiting).await }.boxed())
            }
            Some(leader) if leader != self.id() => {
                Some(async move { running.forwarder.submit(leader, waiting).await }.boxed())
            }
            _ => None,
        })
    }

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
        let wait = self.inner.config.read_timeout;
        let deadline = Deadline::now() + wait;
        let running = loop {
            match self.serving()? {
                Some(running) => break running,
                None if Deadline::now() >= deadline => return Err(ServiceError::NoLeader(wait)),
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
            Ok(None) => return stream::iter([Err(ServiceError::NoLeader(Duration::ZERO))]).boxed(),
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let feed = running
            .feed
            .follow(self.inner.db.reader.clone(), after, ledger_id);
        feed.take_until(self.inner.stop.clone().cancelled_owned())
            .boxed()
    }

    /// Every replica as this one sees it, in order of ids. Empty until this replica belongs to a cluster.
    pub fn statuses(&self) -> Vec<ReplicaStatus> {
        let mut statuses = self
            .inner
            .running
            .get()
            .map(|running| running.statuses())
            .unwrap_or_default();
        statuses.sort_by_key(|status| status.id);
        statuses
    }

    /// The same now, and again whenever it changes, at most 20 times a second.
    pub fn watch_statuses(&self) -> BoxStream<'static, Vec<ReplicaStatus>> {
        let replica = self.clone();
        let statuses = async_stream::stream! {
            let mut last: Option<Vec<ReplicaStatus>> = None;
            loop {
                let now = replica.statuses();
                if last.as_ref().is_none_or(|last| differ(last, &now)) {
                    yield now.clone();
                    last = Some(now);
                }
                let Some(running) = replica.inner.running.get() else {
                    tokio::time::sleep(STATUS_TICK).await;
                    continue;
                };
                let mut reports = running.board.subscribe();
                let mut applied = running.applied.clone();
                let changed = async {
                    tokio::select! {
                        _ = reports.changed() => {}
                        _ = applied.changed() => {}
                    }
                };
                let started = Instant::now();
                let _woken = tokio::time::timeout(STATUS_TICK, changed).await;
                tokio::time::sleep(STATUS_INTERVAL.saturating_sub(started.elapsed())).await;
            }
        };
        statuses
            .take_until(self.inner.stop.clone().cancelled_owned())
            .boxed()
    }

    /// Ok when this replica has a leader and serves; otherwise why not, for people.
    ///
    /// # Errors
    /// The reason.
    pub fn ready(&self) -> Result<(), String> {
        let running = self.serving().map_err(|e| e.to_string())?;
        let running = running.ok_or("waiting for the other replicas, to form the cluster")?;
        let view = consensus::view(&running.raft);
        // A leader that is cut off does not know it has been deposed.
        let silence = self.inner.config.election_timeout * 4;
        let cut_off =
            view.role == Role::Leader && view.majority_heard.is_none_or(|ago| ago > silence);
        match view.leader {
            Some(_) if cut_off => Err("this leader does not hear from a majority".to_owned()),
            Some(_) => Ok(()),
            None => Err("there is no leader at the moment".to_owned()),
        }
    }

    /// Resolves when the replica has stopped by itself, or never does.
    pub async fn failed(&self) -> Fault {
        let mut fault = self.inner.fault.subscribe();
        loop {
            if let Some(fault) = fault.borrow_and_update().clone() {
                return fault;
            }
            if fault.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Stops cleanly: ends subscriptions, takes no more, lets the log finish, closes the database.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        if let Some(running) = self.inner.running.get()
            && let Err(error) = running.raft.shutdown().await
        {
            tracing::warn!(%error, "the consensus engine did not stop cleanly");
        }
        self.inner.db.close().await;
    }

    /// The running replica; none while it waits for a cluster.
    fn serving(&self) -> Result<Option<&Arc<Running>>, ServiceError> {
        if self.inner.stop.is_cancelled() {
            return Err(ServiceError::Stopping);
        }
        let running = self.inner.running.get();
        match running.and_then(|running| running.alarm.quarantine()) {
            Some(reason) => Err(ServiceError::Quarantined(reason)),
            None => Ok(running),
        }
    }

    /// Resolves when this replica stops.
    pub(crate) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        self.inner.stop.clone().cancelled_owned()
    }

    pub(crate) fn running(&self) -> Option<&Arc<Running>> {
        self.inner.running.get()
    }

    /// Makes this empty replica a member of a cluster that is being founded.
    pub(crate) async fn adopt(&self, cluster_id: Uuid) -> Result<(), Fault> {
        let _one_at_a_time = self.inner.adopting.lock().await;
        if self.inner.running.get().is_some() {
            return Ok(());
        }
        let identity = Identity {
            cluster_id,
            replica_id: self.id(),
            birth_mark: Uuid::new_v4(),
        };
        let written = identity::write(&self.inner.config.data, &self.inner.db, &identity).await;
        written.map_err(|e| Fault(e.to_string()))?;
        self.run(identity).await
    }

    async fn run(&self, identity: Identity) -> Result<(), Fault> {
        let inner = &self.inner;
        let (config, db, log) = (inner.config.clone(), inner.db.clone(), inner.log.clone());
        let running = Running::start(
            config,
            identity,
            db,
            log,
            inner.wire.clone(),
            inner.stop.clone(),
        )
        .await?;
        let watching = watch_engine(running.clone(), inner.fault.clone());
        tokio::spawn(inner.stop.clone().run_until_cancelled_owned(watching));
        let _first = inner.running.set(running);
        Ok(())
    }

    /// Forms the cluster if there is none yet; see [`formation`].
    async fn take_part(self) {
        let founder = self.inner.config.peers.iter().map(|peer| peer.id).min() == Some(self.id());
        let result = if founder {
            self.found().await
        } else {
            self.wait_to_be_founded().await
        };
        if let Err(fault) = result {
            self.inner.fault.send_replace(Some(fault));
        }
    }

    async fn found(&self) -> Result<(), Fault> {
        let wire = &self.inner.wire;
        if self.inner.running.get().is_none() {
            formation::wait_for_empty_peers(wire)
                .await
                .map_err(|e| Fault(e.to_string()))?;
            self.adopt(Uuid::new_v4()).await?;
        }
        match self.inner.running.get() {
            Some(running) if !running.at_work().await? => {
                formation::found(wire).await;
                running.initialize().await
            }
            _ => Ok(()),
        }
    }

    async fn wait_to_be_founded(&self) -> Result<(), Fault> {
        if self.inner.running.get().is_some() {
            return Ok(());
        }
        let met = formation::watch_for_cluster(&self.inner.wire).await;
        // The cluster may be the one that this replica has joined meanwhile.
        if self.inner.running.get().is_some() {
            Ok(())
        } else {
            Err(Fault(met.to_string()))
        }
    }
}

/// Connects to the database, which may still be starting.
async fn open_database(config: &Config) -> Result<Database, Fault> {
    let started = Instant::now();
    loop {
        match Database::open(&config.database_url).await {
            Ok(db) => return Ok(db),
            Err(error)
                if crate::database::is_transient(&error)
                    && started.elapsed() < config.database_patience =>
            {
                tracing::warn!(%error, "the database cannot be reached, trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => return Err(Fault(format!("the database cannot be opened: {error}"))),
        }
    }
}

/// Reports the consensus engine's end, if it comes.
async fn watch_engine(running: Arc<Running>, fault: watch::Sender<Option<Fault>>) {
    let mut metrics = running.raft.metrics();
    loop {
        if let Some(fatal) = consensus::view(&running.raft).fatal {
            let message = format!(
                "the replica cannot go on: {fatal}. Mend what it names and start it again; nothing acknowledged is lost"
            );
            fault.send_replace(Some(Fault(message)));
            return;
        }
        if metrics.changed().await.is_err() {
            let message = "the consensus engine ended unexpectedly; start the replica again, nothing acknowledged is lost";
            fault.send_replace(Some(Fault(message.to_owned())));
            return;
        }
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
            receipt.acknowledged_by.push((status.id, Stage::Applied));
        } else {
            receipt.pending.push(status.id);
        }
    }
    receipt
}

/// True where more has changed than when a replica was last heard from.
fn differ(before: &[ReplicaStatus], now: &[ReplicaStatus]) -> bool {
    let ageless = |status: &ReplicaStatus| ReplicaStatus {
        last_seen_at: None,
        ..status.clone()
    };
    before.len() != now.len()
        || before
            .iter()
            .zip(now)
            .any(|(a, b)| ageless(a) != ageless(b))
}
