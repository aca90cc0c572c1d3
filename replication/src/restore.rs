//! The way back from a backup: an empty replica becomes a cluster of its own with everything that the backup holds, and empty
//! replicas join it as they join any ([`admission`](crate::admission)).
//!
//! The cluster has a new id: replicas of the one that the backup was taken from, should they still live, are strangers to it.
//! Rows, history and idempotency keys are as they were, so that the revision and its hash are the same and subscriptions go
//! on after it.
//!
//! Everything is checked before anything is changed. From then on a [`mark`] lies in the data folder until all is done: a
//! replica that finds it does not start, and a restore that finds it begins anew.

pub(crate) mod mark;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use threefold_entity::replica_state;
use uuid::Uuid;

use crate::backup::{self, Content};
use crate::config::Config;
use crate::consensus;
use crate::consensus::snapshot::install_backup;
use crate::database::{self, Database, Occupant};
use crate::identity::{self, Identity};
use crate::metrics::Metrics;
use crate::replica::{self, Fault};

/// A backup and an empty replica that can take it.
#[derive(Debug)]
pub struct Restore {
    config: Config,
    file: PathBuf,
    content: Content,
    /// Left by an attempt that was interrupted.
    earlier: Option<Identity>,
}

impl Restore {
    /// Reads the whole backup, and looks whether data folder and database are empty, or hold no more than an attempt that was
    /// interrupted. Changes nothing. `progress` hears of rows and bytes read so far.
    ///
    /// # Errors
    /// A backup that cannot be used, and a folder or database that holds something.
    pub async fn prepare(
        config: Config,
        file: PathBuf,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<Self, Fault> {
        let from = file.clone();
        let verified = tokio::task::spawn_blocking(move || {
            let source = File::open(&from).map_err(backup::UnusableBackup::Io)?;
            backup::verify(source, progress)
        });
        let verified = verified.await.map_err(|e| Fault(e.to_string()))?;
        let (content, _) =
            verified.map_err(|e| Fault(format!("{}: {e}; nothing was changed", file.display())))?;
        let earlier = mark::read(&config.data)?;
        if earlier.is_none() && identity::is_marked(&config.data) {
            return Err(not_empty(&format!(
                "the data folder {} belongs to a replica",
                config.data.display()
            )));
        }
        let occupant = database::occupant(&config.database_url).await;
        let occupant = occupant.map_err(|e| {
            Fault(format!(
                "the database cannot be looked into: {e}; nothing was changed"
            ))
        })?;
        match occupant {
            Occupant::Nobody => {}
            Occupant::Replica { birth_mark, .. }
                if earlier.as_ref().map(|earlier| earlier.birth_mark) == Some(birth_mark) => {}
            Occupant::Replica { id, cluster_id, .. } => {
                return Err(not_empty(&format!(
                    "the database belongs to replica {id} of cluster {cluster_id}"
                )));
            }
            Occupant::Rows => return Err(not_empty("the database holds expenses")),
            Occupant::Stranger(table) => {
                return Err(not_empty(&format!(
                    "the database holds a table {table:?} that is not Threefold's"
                )));
            }
        }
        Ok(Self {
            config,
            file,
            content,
            earlier,
        })
    }

    /// What the backup holds.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Puts everything in place, and returns the id of the new cluster. After a crash in the middle it is to be repeated; the
    /// replica does not start before.
    ///
    /// # Errors
    /// A folder or database that cannot be written, is in use, or turns out to hold a log.
    pub async fn carry_out(self) -> Result<Uuid, Fault> {
        let Self {
            config,
            file,
            earlier,
            ..
        } = self;
        let data = &config.data;
        let folder = |e: std::io::Error| Fault(format!("the data folder {}: {e}", data.display()));
        fs::create_dir_all(data).map_err(folder)?;
        let db = replica::open_database(&config).await?;
        if let Some(earlier) = &earlier {
            clear(data, &db, earlier).await?;
        }
        let metrics = Arc::new(Metrics::new(config.id, &config.peers));
        // From here on nobody else can use the folder.
        let log = replica::open_log(&config, &db, metrics)?;
        if !log.is_blank().map_err(|e| Fault(e.to_string()))? {
            return Err(not_empty(&format!(
                "the log in {} is not empty",
                data.display()
            )));
        }
        let identity = Identity {
            cluster_id: Uuid::new_v4(),
            replica_id: config.id,
            birth_mark: Uuid::new_v4(),
        };
        mark::write(data, &identity)?;
        let written = identity::write(data, &db, &identity).await;
        written.map_err(|e| Fault(e.to_string()))?;
        let source = File::open(&file)
            .map_err(|e| Fault(format!("{} cannot be read: {e}", file.display())))?;
        let installed = install_backup(&db, source).await;
        installed.map_err(|e| Fault(format!("{e}; repeat the command")))?;
        let own = config.peers.iter().find(|peer| peer.id == config.id);
        let address = own.map(|peer| peer.url.clone()).unwrap_or_default();
        consensus::make_only_voter(&db, &log, config.id, address, identity.birth_mark)
            .await
            .map_err(|e| {
                Fault(format!(
                    "the log cannot be written: {e}; repeat the command"
                ))
            })?;
        mark::remove(data)?;
        db.close().await;
        Ok(identity.cluster_id)
    }
}

fn not_empty(what: &str) -> Fault {
    Fault(format!(
        "{what}: a backup is restored into an empty data folder and an empty database, never over what is there; nothing was changed"
    ))
}

/// Removes what an attempt that was interrupted has left.
async fn clear(data: &Path, db: &Database, earlier: &Identity) -> Result<(), Fault> {
    let row = replica_state::Entity::delete_many()
        .filter(replica_state::Column::BirthMark.eq(earlier.birth_mark));
    row.exec(&db.writer)
        .await
        .map_err(|e| Fault(format!("the database failed: {e}")))?;
    identity::forget(data).map_err(|e| Fault(e.to_string()))?;
    match fs::remove_dir_all(data.join("log")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault(format!(
            "what an interrupted restore left in {} cannot be removed: {error}",
            data.display()
        ))),
        _ => Ok(()),
    }
}
