//! One running replica: the face of this crate. What it does for callers is in the modules below, one a concern.

mod joining;
mod propose;
mod read;
mod view;

pub use self::read::ReadConsistency;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use sea_orm::DatabaseConnection;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::consensus::{LogDisk, LogSize, LogStore};
use crate::database::Database;
use crate::error::ServiceError;
use crate::handover::{self, UnderWay};
use crate::identity;
use crate::metrics::{Metrics, ReplicaCollector};
use crate::peer::PeerTransport;
use crate::running::Running;
use crate::wire::Wire;

/// One running replica. Cheap to clone.
#[derive(Clone)]
pub struct Replica {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    /// As both halves carry it, or will once this replica belongs to a cluster.
    pub(crate) birth_mark: Uuid,
    pub(crate) db: Database,
    log: LogStore,
    wire: Arc<Wire>,
    metrics: Arc<Metrics>,
    /// Set once this replica belongs to a cluster.
    running: OnceLock<Arc<Running>>,
    /// Held while a backup is taken: one at a time.
    pub(crate) backups: Arc<Semaphore>,
    /// Held while this replica adopts a cluster, so that it adopts one.
    adopting: Mutex<()>,
    fault: watch::Sender<Option<Fault>>,
    stop: CancellationToken,
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
        Self::assemble(config, transport, db, open_disk).await
    }

    /// Puts the parts together: the log is opened once it is clear whose it is.
    pub(crate) async fn assemble(
        config: Config,
        transport: Arc<dyn PeerTransport>,
        db: Database,
        open_disk: impl FnOnce(&Config) -> Result<LogDisk, Fault>,
    ) -> Result<Self, Fault> {
        let identity = identity::read(&config.data, &db, config.id).await;
        let identity = identity.map_err(|e| Fault(e.to_string()))?;
        let metrics = Arc::new(Metrics::new(config.id, &config.peers));
        let disk = open_disk(&config)?;
        let log = log_on(disk, &config, &db, metrics.clone());
        if identity.is_none() && !log.is_blank().map_err(|e| log_fault(&config, &e))? {
            let message = "holds a log, but no replica.json that says whose it is; restore that file, or replace this replica";
            return Err(Fault(format!(
                "the data folder {} {message}",
                config.data.display()
            )));
        }
        let wire = Arc::new(Wire::new(
            transport,
            config.id,
            &config.peers,
            metrics.clone(),
        ));
        let birth_mark = identity.as_ref().map(|identity| identity.birth_mark);
        let inner = Inner {
            config,
            birth_mark: birth_mark.unwrap_or_else(Uuid::new_v4),
            db,
            log,
            wire,
            metrics,
            running: OnceLock::new(),
            backups: Arc::new(Semaphore::new(1)),
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

    /// The folder of this replica's log, vote and identity.
    pub fn data_folder(&self) -> &std::path::Path {
        &self.inner.config.data
    }

    /// Makes everything that this replica measures known to a registry.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.inner.metrics.register(registry);
        registry.register_collector(Box::new(ReplicaCollector(self.clone())));
    }

    pub(crate) fn log_size(&self) -> LogSize {
        self.inner.log.size()
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

    /// Lets [`Replica::failed`] resolve.
    pub(crate) fn fail(&self, fault: Fault) {
        self.inner.fault.send_replace(Some(fault));
    }

    /// Prepares for [`Replica::shutdown`]: hands leadership over if this replica leads. Requests go on being answered, by the new leader where they need one. Takes three seconds at most.
    pub async fn retire(&self) {
        if let Some(running) = self.inner.running.get() {
            handover::hand_over(running, UnderWay::Finish).await;
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
    pub(crate) fn serving(&self) -> Result<Option<&Arc<Running>>, ServiceError> {
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
}

/// Opens the log, which no other process may have open.
pub(crate) fn open_log(
    config: &Config,
    db: &Database,
    metrics: Arc<Metrics>,
) -> Result<LogStore, Fault> {
    let disk = open_disk(config)?;
    Ok(log_on(disk, config, db, metrics))
}

fn open_disk(config: &Config) -> Result<LogDisk, Fault> {
    LogDisk::open(&config.data.join("log")).map_err(|e| log_fault(config, &e))
}

fn log_on(disk: LogDisk, config: &Config, db: &Database, metrics: Arc<Metrics>) -> LogStore {
    LogStore::new(disk, db.clone(), config.database_patience, metrics)
}

fn log_fault(config: &Config, error: &std::io::Error) -> Fault {
    let folder = config.data.join("log");
    Fault(format!(
        "the log in {} cannot be opened: {error}",
        folder.display()
    ))
}

/// Connects to the database, which may still be starting.
pub(crate) async fn open_database(config: &Config) -> Result<Database, Fault> {
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
