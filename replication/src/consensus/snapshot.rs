//! The whole state as one file: versioned, compressed, checksummed, the same from either database. It is written when
//! a peer needs it, or somebody takes a backup, from one repeatable-read transaction, and installed in one transaction;
//! neither holds it in memory.

mod audit;
mod backup;
mod frames;
mod outgoing;
mod rows;
mod seal;

use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait};
use threefold_entity::{
    Revision, category, change, expense, expense_term, idempotency_key, ledger,
};
use uuid::Uuid;

pub(crate) use self::backup::{install_backup, verify_backup, write_backup};
pub(crate) use self::frames::Header;
use self::frames::{Frame, FrameReader};
pub(crate) use self::outgoing::Outgoing;
use super::state_machine::{Shared, Standing, load_standing};
use super::types::{LogId, SnapshotMeta};
use crate::database::{Database, is_transient};
use crate::format::NewerFormat;
use crate::history::HistoryHash;
use crate::store;

/// A snapshot that is not written yet, or one that has arrived.
pub enum SnapshotData {
    /// The state of this replica's own database at the moment it is asked for, no older than what was noted.
    Current(Arc<Shared>, Noted),
    /// A received file; removed when dropped.
    File(SnapshotFile),
}

/// Where the state stood when a snapshot was promised. The engine takes the one who receives it to have everything up to there,
/// and counts that towards what is committed.
#[derive(Clone, Copy, Debug)]
pub struct Noted {
    last_applied: Option<LogId>,
    revision: Revision,
    hash: HistoryHash,
}

impl Noted {
    pub(super) fn of(standing: &Standing) -> Self {
        Self {
            last_applied: standing.last_applied,
            revision: standing.resident.revision,
            hash: standing.resident.hash,
        }
    }

    /// Looks whether the rows that are about to be written keep the promise: a database that has crashed may have lost its
    /// newest commits, and one that was changed behind our back is no state of this log.
    fn check(&self, header: &Header) -> Result<(), SnapshotFault> {
        let stopped = |reason: &str| Err(SnapshotFault::Stopped(reason.to_owned()));
        if header.last_applied < self.last_applied || header.revision < self.revision {
            return stopped("the database has lost its newest commits and is catching up");
        }
        let is_same = header.last_applied == self.last_applied;
        if is_same && (header.revision, header.hash) != (self.revision, self.hash) {
            return stopped(
                "the database says another revision or history than this replica has applied",
            );
        }
        Ok(())
    }
}

/// A snapshot file that is removed when it is no longer needed.
#[derive(Debug)]
pub struct SnapshotFile(PathBuf);

impl SnapshotFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Its bytes; 0 if nobody can say.
    pub(crate) fn size(&self) -> u64 {
        std::fs::metadata(&self.0).map_or(0, |file| file.len())
    }
}

impl Drop for SnapshotFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::debug!(%error, "a snapshot file was not removed");
        }
    }
}

/// Why a snapshot could not be written or installed.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFault {
    /// The file system failed.
    #[error("the snapshot file failed: {0}")]
    Io(#[from] io::Error),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    /// The file is not what it should be.
    #[error("the snapshot is damaged: {0}")]
    Damaged(String),
    /// A newer version wrote it.
    #[error("the snapshot cannot be read: {0}")]
    Newer(#[from] NewerFormat),
    /// The database crashed before it was flushed.
    #[error("the database lost the snapshot that it had just taken")]
    Lost,
    /// A snapshot that is being written, or a backup that is being taken, cannot go on.
    #[error("{0}")]
    Stopped(String),
    /// The rows here are not to be trusted.
    #[error("this replica is quarantined: {0}")]
    Quarantined(String),
}

impl SnapshotFault {
    /// True where the database failed, and may be back soon.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if is_transient(error))
    }
}

impl SnapshotData {
    /// Bytes of the file; 0 where none is written yet.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Current(..) => 0,
            Self::File(file) => file.size(),
        }
    }

    /// The file to send or install; written now, in that format, if there is none yet.
    pub(crate) async fn into_file(self, format: u32) -> Result<SnapshotFile, SnapshotFault> {
        match self {
            Self::File(file) => Ok(file),
            // What is wrong here must not go anywhere else.
            Self::Current(shared, noted) => match shared.settings.alarm.quarantine() {
                Some(reason) => Err(SnapshotFault::Quarantined(reason)),
                None => write(&shared.db, &shared.snapshots, format, &noted).await,
            },
        }
    }
}

/// Writes the state as it is now, which must be no older than what was noted.
async fn write(
    db: &Database,
    folder: &Path,
    format: u32,
    noted: &Noted,
) -> Result<SnapshotFile, SnapshotFault> {
    std::fs::create_dir_all(folder)?;
    let file = SnapshotFile::new(folder.join(format!("outgoing-{}.snapshot", Uuid::now_v7())));
    let out = BufWriter::new(File::create(file.path())?);
    let tx = rows::begin(db).await?;
    let header = rows::header(&tx, format).await?;
    noted.check(&header)?;
    let out = rows::write(tx, header, out).await?;
    out.into_inner().map_err(|e| e.into_error())?.sync_all()?;
    failpoint!("snapshot.written");
    Ok(file)
}

/// Reads the whole file, and returns its header if nothing is damaged: what the engine is given, it must install.
pub(crate) fn verify(path: &Path) -> Result<Header, SnapshotFault> {
    let (header, mut reader) = FrameReader::open(File::open(path)?)?;
    while reader.next()?.is_some() {}
    Ok(header)
}

/// Puts the snapshot in place of everything in the database, but for the replica's identity.
pub(super) async fn install(
    db: &Database,
    file: &SnapshotFile,
    meta: &SnapshotMeta,
) -> Result<Standing, SnapshotFault> {
    let (header, reader) = FrameReader::open(File::open(file.path())?)?;
    if header.last_applied < meta.last_log_id {
        return Err(SnapshotFault::Damaged(
            "it is older than announced".to_owned(),
        ));
    }
    failpoint!("snapshot.install", |e| DbErr::from(e).into());
    let tx = db.begin_flushed().await?;
    replace_rows(&tx, reader).await?;
    let standing = take_standing(tx, header).await?;
    // The log below the snapshot goes away next.
    let durable = db.flush().await?;
    match durable < standing.last_applied.map(|log_id| log_id.index) {
        true => Err(SnapshotFault::Lost),
        false => Ok(standing),
    }
}

/// Puts all rows of a snapshot in place of those in the database, and returns what they were read from.
async fn replace_rows<R: Read + Send>(
    tx: &DatabaseTransaction,
    mut reader: FrameReader<R>,
) -> Result<R, SnapshotFault> {
    let indexes = store::begin_to_fill(tx).await?;
    expense_term::Entity::delete_many().exec(tx).await?;
    expense::Entity::delete_many().exec(tx).await?;
    category::Entity::delete_many().exec(tx).await?;
    ledger::Entity::delete_many().exec(tx).await?;
    change::Entity::delete_many().exec(tx).await?;
    idempotency_key::Entity::delete_many().exec(tx).await?;
    failpoint!("snapshot.cleared");
    while let Some(frame) = reader.next()? {
        install_frame(tx, frame).await?;
    }
    store::make_indexes(tx, indexes).await?;
    Ok(reader.into_source())
}

/// Stores where the rows stand, and commits.
async fn take_standing(tx: DatabaseTransaction, header: Header) -> Result<Standing, SnapshotFault> {
    let mut standing = load_standing(&tx).await?;
    standing.last_applied = header.last_applied;
    standing.membership = header.membership;
    standing.resident.revision = header.revision;
    standing.resident.hash = header.hash;
    standing.resident.expense_count = header.expense_count;
    standing.position(None).store(&tx).await?;
    failpoint!("snapshot.commit", |e| DbErr::from(e).into());
    tx.commit().await?;
    failpoint!("snapshot.committed");
    Ok(standing)
}

async fn install_frame<C: ConnectionTrait>(db: &C, frame: Frame) -> Result<(), SnapshotFault> {
    match frame {
        Frame::Header(_) | Frame::End(_) => {}
        Frame::Ledgers(rows) => store::restore_ledgers(db, rows).await?,
        Frame::Categories(rows) => store::restore_categories(db, rows).await?,
        Frame::Expenses(records) => store::restore_expenses(db, records).await?,
        Frame::Changes(rows) => store::restore_changes(db, rows).await?,
        Frame::Keys(rows) => store::restore_keys(db, rows).await?,
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
