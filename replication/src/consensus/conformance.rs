//! openraft's own suite for storages, run over ours. Built for tests only.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use openraft::StorageIOError;
use openraft::testing::{StoreBuilder, Suite};
use sea_orm::{ConnectionTrait, Database as SeaDatabase};
use uuid::Uuid;

use crate::consensus::state_machine::Settings;
use crate::consensus::types::{StorageError, TypeConfig};
use crate::consensus::{LogDisk, LogStore, StateMachine};
use crate::database::Database;
use crate::feed::FeedPublisher;
use crate::identity::{self, Identity};
use crate::metrics::Metrics;

/// Runs every case of the suite, each with a log folder and a database (or schema) of its own, below `folder`.
/// `postgres_url` is the URL of an empty PostgreSQL database; none: SQLite.
///
/// # Errors
/// The storage error that a case met. Cases that find a wrong answer panic, as tests do.
pub fn run(folder: PathBuf, postgres_url: Option<String>) -> Result<(), String> {
    let builder = Builder {
        folder,
        postgres_url,
        cases: AtomicUsize::new(0),
    };
    Suite::test_all(builder).map_err(|error| error.to_string())
}

struct Builder {
    folder: PathBuf,
    postgres_url: Option<String>,
    cases: AtomicUsize,
}

impl Builder {
    async fn database_url(
        &self,
        case: usize,
        folder: &std::path::Path,
    ) -> Result<String, sea_orm::DbErr> {
        let Some(url) = &self.postgres_url else {
            return Ok(format!("sqlite://{}", folder.join("state.db").display()));
        };
        let db = SeaDatabase::connect(url).await?;
        db.execute_unprepared(&format!("CREATE SCHEMA case_{case}"))
            .await?;
        db.close().await?;
        Ok(format!("{url}?options=-csearch_path%3Dcase_{case}"))
    }

    async fn open(
        &self,
    ) -> Result<(LogStore, StateMachine), Box<dyn std::error::Error + Send + Sync>> {
        let case = self.cases.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(case.to_string());
        std::fs::create_dir_all(&folder)?;
        let db = Database::open(&self.database_url(case, &folder).await?).await?;
        let identity = Identity {
            cluster_id: Uuid::nil(),
            replica_id: 1,
            birth_mark: Uuid::nil(),
        };
        identity::write(&folder, &db, &identity).await?;
        let metrics = Arc::new(Metrics::new(1, &[]));
        let log = LogStore::new(
            LogDisk::open(&folder.join("log"))?,
            db.clone(),
            std::time::Duration::from_secs(5),
            metrics.clone(),
        );
        let settings = Settings {
            patience: std::time::Duration::from_secs(5),
            metrics,
            alarm: Arc::default(),
        };
        let feed = FeedPublisher::new(threefold_entity::Revision::ZERO);
        let machine =
            StateMachine::open(db, log.clone(), folder.join("snapshots"), settings, feed).await?;
        Ok((log, machine))
    }
}

impl StoreBuilder<TypeConfig, LogStore, StateMachine, ()> for Builder {
    async fn build(&self) -> Result<((), LogStore, StateMachine), StorageError> {
        let (log, machine) = self
            .open()
            .await
            .map_err(|e| StorageError::from(StorageIOError::read(&std::io::Error::other(e))))?;
        Ok(((), log, machine))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_storage_conforms_on_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        super::run(folder.path().to_owned(), None).unwrap();
    }
}
