//! Who this replica is. A replica is two things on disk, data folder and database; both carry the same mark, and it
//! does not start with halves that do not belong together: a lost vote or log must never come back as a blank one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait};
use serde::{Deserialize, Serialize};
use threefold_entity::replica_state;
use uuid::Uuid;

use crate::history::HistoryHash;

/// The mark on both halves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) cluster_id: Uuid,
    pub(crate) replica_id: u64,
    /// Random, made once with the replica.
    pub(crate) birth_mark: Uuid,
}

/// Why the halves cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityFault {
    #[error("the data folder {0} failed: {1}")]
    Folder(PathBuf, std::io::Error),
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error(
        "{0} cannot be read: {1}; restore the data folder from where it was lost, or replace this replica"
    )]
    Unreadable(PathBuf, serde_json::Error),
    #[error(
        "the data folder {0} is empty, but the database belongs to replica {1} of cluster {2}: the replica's log and \
         vote are lost. Point --data to the right folder, or empty the database too and replace this replica with \
         `threefold cluster replace`"
    )]
    FolderLost(PathBuf, i64, Uuid),
    #[error(
        "the database is empty, but the data folder {0} belongs to replica {1} of cluster {2}: the replica's rows are \
         lost. Point --database to the right database, or empty the folder too and replace this replica with \
         `threefold cluster replace`"
    )]
    DatabaseLost(PathBuf, u64, Uuid),
    #[error(
        "the data folder {0} (replica {1}) and the database (replica {2}) do not belong together. Each replica has a \
         data folder and a database of its own; check --data and --database"
    )]
    Mismatch(PathBuf, u64, i64),
    #[error(
        "the data folder {0} belongs to replica {1}, and this one was started with --id {2}; check --id and --data"
    )]
    OtherReplica(PathBuf, u64, u64),
}

/// Reads the mark of both halves; none if both are blank.
pub(crate) async fn read(
    folder: &Path,
    db: &DatabaseConnection,
    replica_id: u64,
) -> Result<Option<Identity>, IdentityFault> {
    let row = replica_state::Entity::find_by_id(replica_state::ONLY_ROW)
        .one(db)
        .await?;
    let of_folder = read_folder(folder)?;
    match (of_folder, row) {
        (None, None) => Ok(None),
        (None, Some(row)) => Err(IdentityFault::FolderLost(
            folder.to_owned(),
            row.replica_id,
            row.cluster_id,
        )),
        (Some(own), None) => Err(IdentityFault::DatabaseLost(
            folder.to_owned(),
            own.replica_id,
            own.cluster_id,
        )),
        (Some(own), Some(row))
            if own.birth_mark != row.birth_mark || own.cluster_id != row.cluster_id =>
        {
            Err(IdentityFault::Mismatch(
                folder.to_owned(),
                own.replica_id,
                row.replica_id,
            ))
        }
        (Some(own), Some(_)) if own.replica_id != replica_id => Err(IdentityFault::OtherReplica(
            folder.to_owned(),
            own.replica_id,
            replica_id,
        )),
        (Some(own), Some(_)) => Ok(Some(own)),
    }
}

/// Marks both halves. After a crash between the two, the database is marked and the folder is not; a database that
/// holds nothing but the mark is then simply marked anew.
pub(crate) async fn write(
    folder: &Path,
    db: &DatabaseConnection,
    identity: &Identity,
) -> Result<(), IdentityFault> {
    let row = replica_state::ActiveModel {
        id: Set(replica_state::ONLY_ROW),
        cluster_id: Set(identity.cluster_id),
        replica_id: Set(i64::try_from(identity.replica_id).unwrap_or(i64::MAX)),
        birth_mark: Set(identity.birth_mark),
        last_applied_index: Set(-1),
        last_applied: Set(None),
        membership: Set(None),
        revision: Set(0),
        history_hash: Set(HistoryHash::EMPTY.as_bytes().to_vec()),
        expense_count: Set(0),
    };
    replica_state::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    write_folder(folder, identity)
}

fn file(folder: &Path) -> PathBuf {
    folder.join("replica.json")
}

fn read_folder(folder: &Path) -> Result<Option<Identity>, IdentityFault> {
    match fs::read(file(folder)) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| IdentityFault::Unreadable(file(folder), e)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(IdentityFault::Folder(folder.to_owned(), error)),
    }
}

/// Whole or not at all: a temporary file, flushed, then renamed, then the folder flushed.
fn write_folder(folder: &Path, identity: &Identity) -> Result<(), IdentityFault> {
    let put = || -> std::io::Result<()> {
        let temporary = folder.join("replica.json.new");
        let mut out = fs::File::create(&temporary)?;
        serde_json::to_writer_pretty(&mut out, identity)?;
        out.write_all(b"\n")?;
        out.sync_all()?;
        fs::rename(&temporary, file(folder))?;
        fs::File::open(folder)?.sync_all()
    };
    put().map_err(|error| IdentityFault::Folder(folder.to_owned(), error))
}
