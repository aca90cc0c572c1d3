//! Who this replica is. A replica is two things on disk, data folder and database; both carry the same mark, and it
//! does not start with halves that do not belong together: a lost vote or log must never come back as a blank one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use threefold_entity::replica_state;
use uuid::Uuid;

use crate::database::{Database, holds_rows};
use crate::format::{self, NewerFormat};
use crate::history::HistoryHash;
use crate::restore::mark;

/// The mark on both halves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) cluster_id: Uuid,
    pub(crate) replica_id: u64,
    /// Random, made once with the replica.
    pub(crate) birth_mark: Uuid,
}

/// The layout of data folders that this version reads and writes. It is written beside the mark where it is not the first.
const FOLDER_FORMAT: u32 = 1;

/// As much as can be read of the mark of any version.
#[derive(Deserialize)]
struct FolderFormat {
    #[serde(default = "first_folder_format")]
    format: u32,
}

fn first_folder_format() -> u32 {
    1
}

/// Why the halves cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityFault {
    #[error(
        "a restore into {0} was interrupted, so that this replica is not whole: repeat `threefold restore`, or empty data \
         folder and database"
    )]
    RestoreUnfinished(PathBuf),
    #[error(
        "the database holds rows, but neither it nor the data folder {0} says whose they are. Point --data and --database to \
         those of this replica, or empty the database"
    )]
    NobodysRows(PathBuf),
    #[error("{0} cannot be read: {1}")]
    Newer(PathBuf, NewerFormat),
    #[error("the data folder {0} failed: {1}")]
    Folder(PathBuf, std::io::Error),
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error(
        "{0} cannot be read: {1}; find the folder as it was last, never an older copy, or replace this replica: run \
         `threefold cluster replace` and its number with the settings of another one, empty folder and database, and start it \
         again"
    )]
    Unreadable(PathBuf, serde_json::Error),
    #[error(
        "the data folder {0} is empty, but the database belongs to replica {1} of cluster {2}: the replica's log and \
         vote are lost. Point --data to the right folder (never to an older copy of it), or replace this replica: run \
         `threefold cluster replace {1}` with the settings of another one, empty the database too, and start it again"
    )]
    FolderLost(PathBuf, i64, Uuid),
    #[error(
        "the database is empty, but the data folder {0} belongs to replica {1} of cluster {2}: the replica's rows are \
         lost. Point --database to the right database, or replace this replica: run `threefold cluster replace {1}` with \
         the settings of another one, empty the folder too, and start it again"
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

/// Reads the mark of both halves; none if both are blank. Finishes what a crash in [`write`] left half done.
pub(crate) async fn read(
    folder: &Path,
    db: &Database,
    replica_id: u64,
) -> Result<Option<Identity>, IdentityFault> {
    if mark::is_unfinished(folder) {
        return Err(IdentityFault::RestoreUnfinished(folder.to_owned()));
    }
    let row = replica_state::Entity::find_by_id(replica_state::ONLY_ROW)
        .one(&db.writer)
        .await?;
    let of_folder = match (
        read_file(&file(folder))?,
        // One that is not whole was never written to the end, and no row speaks of it.
        read_file(&unfinished(folder)).unwrap_or_default(),
        &row,
    ) {
        (_, Some(begun), Some(row)) if begun.birth_mark == row.birth_mark => {
            finish_folder(folder)?;
            Some(begun)
        }
        (of_folder, _, _) => of_folder,
    };
    match (of_folder, row) {
        // Whoever took them for none would found a cluster on rows that no log has.
        (None, None) if holds_rows(&db.writer, |_| true).await? => {
            Err(IdentityFault::NobodysRows(folder.to_owned()))
        }
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

/// Marks both halves: a file under another name, the row, both flushed, then the file gets its name. Wherever a crash
/// comes between, [`read`] finds either nothing or enough to finish.
pub(crate) async fn write(
    folder: &Path,
    db: &Database,
    identity: &Identity,
) -> Result<(), IdentityFault> {
    begin_folder(folder, identity)?;
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
    // In one transaction: there may be rows of an attempt before, and they are never without the row that says whose they are.
    let tx = db.begin_flushed().await?;
    // The mark of an attempt that failed here, before anything was applied, or of the restore that goes on here.
    let earlier = Condition::any()
        .add(replica_state::Column::LastAppliedIndex.eq(-1))
        .add(replica_state::Column::BirthMark.eq(identity.birth_mark));
    let earlier = replica_state::Entity::delete_many().filter(earlier);
    earlier.exec(&tx).await?;
    replica_state::Entity::insert(row)
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    db.flush().await?;
    finish_folder(folder)
}

/// Gives both halves of a replica that is not running another mark; wherever a crash comes between, [`read`] finds the
/// old mark or the new one.
pub(crate) async fn rename(
    folder: &Path,
    db: &Database,
    identity: &Identity,
) -> Result<(), IdentityFault> {
    begin_folder(folder, identity)?;
    let row = replica_state::ActiveModel {
        cluster_id: Set(identity.cluster_id),
        birth_mark: Set(identity.birth_mark),
        ..Default::default()
    };
    let update = replica_state::Entity::update_many().set(row);
    let update = update.filter(replica_state::Column::Id.eq(replica_state::ONLY_ROW));
    let tx = db.begin_flushed().await?;
    update.exec(&tx).await?;
    tx.commit().await?;
    db.flush().await?;
    finish_folder(folder)
}

/// True where the folder carries a mark, whole or begun.
pub(crate) fn is_marked(folder: &Path) -> bool {
    file(folder).exists() || unfinished(folder).exists()
}

/// True where the folder carries a mark, whole or begun, that is not this one.
pub(crate) fn is_anothers(folder: &Path, birth_mark: Uuid) -> Result<bool, IdentityFault> {
    let whole = read_file(&file(folder))?;
    // One that is not whole was never written to the end, and no row speaks of it.
    let begun = read_file(&unfinished(folder)).unwrap_or_default();
    let mut marks = whole.into_iter().chain(begun);
    Ok(marks.any(|mark| mark.birth_mark != birth_mark))
}

/// Takes the mark off a folder that never became a replica's. Look first whose it is: [`is_anothers`].
pub(crate) fn forget(folder: &Path) -> Result<(), IdentityFault> {
    for path in [file(folder), unfinished(folder)] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(IdentityFault::Folder(folder.to_owned(), error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn file(folder: &Path) -> PathBuf {
    folder.join("replica.json")
}

fn unfinished(folder: &Path) -> PathBuf {
    folder.join("replica.json.new")
}

fn read_file(path: &Path) -> Result<Option<Identity>, IdentityFault> {
    match fs::read(path) {
        Ok(bytes) => {
            let unreadable = |e| IdentityFault::Unreadable(path.to_owned(), e);
            let folder: FolderFormat = serde_json::from_slice(&bytes).map_err(unreadable)?;
            format::check(folder.format, FOLDER_FORMAT)
                .map_err(|newer| IdentityFault::Newer(path.to_owned(), newer))?;
            serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(IdentityFault::Folder(path.to_owned(), error)),
    }
}

fn begin_folder(folder: &Path, identity: &Identity) -> Result<(), IdentityFault> {
    let put = || -> std::io::Result<()> {
        let mut out = fs::File::create(unfinished(folder))?;
        serde_json::to_writer_pretty(&mut out, identity)?;
        out.write_all(b"\n")?;
        out.sync_all()?;
        fs::File::open(folder)?.sync_all()
    };
    put().map_err(|error| IdentityFault::Folder(folder.to_owned(), error))
}

fn finish_folder(folder: &Path) -> Result<(), IdentityFault> {
    let put = || -> std::io::Result<()> {
        fs::rename(unfinished(folder), file(folder))?;
        fs::File::open(folder)?.sync_all()
    };
    put().map_err(|error| IdentityFault::Folder(folder.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::*;

    async fn blank() -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let db = Database::open(&url).await.unwrap();
        (folder, db)
    }

    fn identity() -> Identity {
        Identity {
            cluster_id: Uuid::from_u128(1),
            replica_id: 2,
            birth_mark: Uuid::from_u128(3),
        }
    }

    #[tokio::test]
    async fn halves_that_belong_together_are_taken() {
        let (folder, db) = blank().await;
        assert_eq!(read(folder.path(), &db, 2).await.unwrap(), None);
        write(folder.path(), &db, &identity()).await.unwrap();
        assert_eq!(read(folder.path(), &db, 2).await.unwrap(), Some(identity()));
        assert!(matches!(
            read(folder.path(), &db, 1).await,
            Err(IdentityFault::OtherReplica(..))
        ));
    }

    #[tokio::test]
    async fn a_lost_half_is_not_started_with() {
        let (folder, db) = blank().await;
        write(folder.path(), &db, &identity()).await.unwrap();
        fs::remove_file(file(folder.path())).unwrap();
        assert!(matches!(
            read(folder.path(), &db, 2).await,
            Err(IdentityFault::FolderLost(..))
        ));
        let (other, other_db) = blank().await;
        let stranger = Identity {
            birth_mark: Uuid::from_u128(9),
            ..identity()
        };
        write(other.path(), &other_db, &stranger).await.unwrap();
        assert!(matches!(
            read(other.path(), &db, 2).await,
            Err(IdentityFault::Mismatch(..))
        ));
        let (_, blank_db) = blank().await;
        assert!(matches!(
            read(other.path(), &blank_db, 2).await,
            Err(IdentityFault::DatabaseLost(..))
        ));
    }

    #[tokio::test]
    async fn rows_that_are_nobodys_are_not_started_with() {
        let (folder, db) = blank().await;
        write(folder.path(), &db, &identity()).await.unwrap();
        let sql = "DELETE FROM replica_state; \
                   INSERT INTO expense_term (expense_id, term) VALUES (x'01', 'coffee')";
        db.writer.execute_unprepared(sql).await.unwrap();
        fs::remove_file(file(folder.path())).unwrap();
        let refused = read(folder.path(), &db, 2).await.unwrap_err();
        assert!(
            matches!(refused, IdentityFault::NobodysRows(..)),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn rows_of_an_attempt_before_are_never_without_their_owner() {
        let (folder, db) = blank().await;
        write(folder.path(), &db, &identity()).await.unwrap();
        let sql = "UPDATE replica_state SET last_applied_index = 7";
        db.writer.execute_unprepared(sql).await.unwrap();
        // Another's is not replaced, nor taken away.
        let stranger = Identity {
            birth_mark: Uuid::from_u128(9),
            ..identity()
        };
        write(folder.path(), &db, &stranger).await.unwrap_err();
        let row = || replica_state::Entity::find_by_id(replica_state::ONLY_ROW).one(&db.writer);
        let kept = row().await.unwrap().unwrap();
        assert_eq!(
            (kept.birth_mark, kept.last_applied_index),
            (identity().birth_mark, 7)
        );
        // One's own is, at once.
        write(folder.path(), &db, &identity()).await.unwrap();
        assert_eq!(row().await.unwrap().unwrap().last_applied_index, -1);
    }

    #[tokio::test]
    async fn a_folder_of_a_newer_version_is_not_guessed_at() {
        let (folder, db) = blank().await;
        write(folder.path(), &db, &identity()).await.unwrap();
        fs::write(file(folder.path()), r#"{"format":2,"home":"elsewhere"}"#).unwrap();
        let refused = read(folder.path(), &db, 2).await.unwrap_err();
        assert!(matches!(refused, IdentityFault::Newer(..)));
        assert!(refused.to_string().contains("upgrade this replica"));
    }

    #[tokio::test]
    async fn another_mark_is_on_both_halves_or_on_none() {
        let (folder, db) = blank().await;
        write(folder.path(), &db, &identity()).await.unwrap();
        let renamed = Identity {
            cluster_id: Uuid::from_u128(7),
            birth_mark: Uuid::from_u128(8),
            ..identity()
        };
        begin_folder(folder.path(), &renamed).unwrap();
        assert_eq!(
            read(folder.path(), &db, 2).await.unwrap(),
            Some(identity()),
            "before the row"
        );
        fs::write(unfinished(folder.path()), "").unwrap();
        assert_eq!(
            read(folder.path(), &db, 2).await.unwrap(),
            Some(identity()),
            "before the mark was whole"
        );
        rename(folder.path(), &db, &renamed).await.unwrap();
        assert_eq!(
            read(folder.path(), &db, 2).await.unwrap(),
            Some(renamed.clone())
        );
        fs::rename(file(folder.path()), unfinished(folder.path())).unwrap();
        fs::write(
            file(folder.path()),
            serde_json::to_vec(&identity()).unwrap(),
        )
        .unwrap();
        assert_eq!(
            read(folder.path(), &db, 2).await.unwrap(),
            Some(renamed),
            "before the name"
        );
    }

    #[tokio::test]
    async fn a_crash_between_the_halves_is_finished() {
        let (folder, db) = blank().await;
        begin_folder(folder.path(), &identity()).unwrap();
        assert_eq!(
            read(folder.path(), &db, 2).await.unwrap(),
            None,
            "before the row"
        );
        write(folder.path(), &db, &identity()).await.unwrap();
        fs::rename(file(folder.path()), unfinished(folder.path())).unwrap();
        assert_eq!(
            read(folder.path(), &db, 2).await.unwrap(),
            Some(identity()),
            "before the name"
        );
        assert!(file(folder.path()).exists());
    }
}
