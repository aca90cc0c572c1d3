//! The whole state as one file: versioned, compressed, checksummed, the same from either database. It is written when
//! a peer needs it, from one repeatable-read transaction, and installed in one transaction; neither holds it in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IsolationLevel, QueryFilter,
    QueryOrder, QuerySelect, TransactionTrait,
};
use serde::{Deserialize, Serialize};
use threefold_entity::{
    Revision, category, change, expense, expense_term, idempotency_key, ledger,
};
use uuid::Uuid;

use super::state_machine::{Shared, Standing, load_standing, store_standing};
use super::types::{LogId, SnapshotMeta, StoredMembership};
use crate::database::Database;
use crate::history::HistoryHash;
use crate::peer::{decode, encode};
use crate::store;

/// The version of the format written here.
const FORMAT: u32 = 1;
/// Rows read or written at once.
const PAGE: u64 = 2_000;
/// Revisions read or written at once; each is at most one proposal.
const CHANGE_PAGE: u64 = 16;
/// Longest frame that is read: the largest change row fits.
const MAX_FRAME: u32 = 256 << 20;
/// Fast, and a third of the size.
const COMPRESSION_LEVEL: i32 = 1;

/// A snapshot that is not written yet, or one that has arrived.
pub enum SnapshotData {
    /// The state of this replica's own database at the moment it is asked for.
    Current(Arc<Shared>),
    /// A received file; removed when dropped.
    File(SnapshotFile),
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
    /// The rows here are not to be trusted.
    #[error("this replica is quarantined: {0}")]
    Quarantined(String),
}

/// First frame.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) last_applied: Option<LogId>,
    pub(crate) membership: StoredMembership,
    pub(crate) revision: Revision,
    pub(crate) hash: HistoryHash,
    pub(crate) expense_count: i64,
}

impl Header {
    pub(crate) fn meta(&self) -> SnapshotMeta {
        let id = self
            .last_applied
            .map(|log_id| (log_id.leader_id.term, log_id.index))
            .unwrap_or_default();
        SnapshotMeta {
            last_log_id: self.last_applied,
            last_membership: self.membership.clone(),
            snapshot_id: format!("{}-{}", id.0, id.1),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum Frame {
    Header(Header),
    Ledgers(Vec<ledger::Model>),
    Categories(Vec<category::Model>),
    Expenses(Vec<expense::Record>),
    Changes(Vec<change::Model>),
    Keys(Vec<idempotency_key::Model>),
    /// Last frame: blake3 of all frames before it.
    End([u8; 32]),
}

impl SnapshotData {
    /// Bytes of the file; 0 where none is written yet.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Current(_) => 0,
            Self::File(file) => file.size(),
        }
    }

    /// The file to send or install; written now if there is none yet.
    pub(crate) async fn into_file(self) -> Result<SnapshotFile, SnapshotFault> {
        match self {
            Self::File(file) => Ok(file),
            // What is wrong here must not go anywhere else.
            Self::Current(shared) => match shared.settings.alarm.quarantine() {
                Some(reason) => Err(SnapshotFault::Quarantined(reason)),
                None => write(&shared.db, &shared.snapshots).await,
            },
        }
    }
}

struct Writer {
    out: zstd::Encoder<'static, BufWriter<File>>,
    hasher: blake3::Hasher,
}

impl Writer {
    fn put(&mut self, frame: &Frame) -> Result<(), io::Error> {
        let bytes = encode(frame);
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        if length > MAX_FRAME {
            return Err(io::Error::other("a frame of the snapshot is too long"));
        }
        self.hasher.update(&bytes);
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&bytes)
    }
}

/// Writes the state as it is now.
async fn write(db: &Database, folder: &Path) -> Result<SnapshotFile, SnapshotFault> {
    std::fs::create_dir_all(folder)?;
    let file = SnapshotFile::new(folder.join(format!("outgoing-{}.snapshot", Uuid::now_v7())));
    let out = zstd::Encoder::new(
        BufWriter::new(File::create(file.path())?),
        COMPRESSION_LEVEL,
    )?;
    let mut writer = Writer {
        out,
        hasher: blake3::Hasher::new(),
    };
    let tx = db
        .reader
        .begin_with_config(
            Some(IsolationLevel::RepeatableRead),
            Some(AccessMode::ReadOnly),
        )
        .await?;
    let standing = load_standing(&tx).await?;
    writer.put(&Frame::Header(Header {
        format: FORMAT,
        last_applied: standing.last_applied,
        membership: standing.membership,
        revision: standing.resident.revision,
        hash: standing.resident.hash,
        expense_count: standing.resident.expense_count,
    }))?;
    writer.put(&Frame::Ledgers(
        ledger::Entity::find()
            .order_by_asc(ledger::Column::Id)
            .all(&tx)
            .await?,
    ))?;
    writer.put(&Frame::Categories(
        category::Entity::find()
            .order_by_asc(category::Column::Id)
            .all(&tx)
            .await?,
    ))?;
    let mut after = Uuid::nil();
    loop {
        let query = expense::Entity::find()
            .filter(expense::Column::Id.gt(after))
            .order_by_asc(expense::Column::Id);
        let rows = query.limit(PAGE).all(&tx).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        failpoint!("snapshot.write", |e| SnapshotFault::Io(io::Error::from(e)));
        let records = rows
            .into_iter()
            .map(expense::Record::try_from)
            .collect::<Result<Vec<_>, _>>();
        writer.put(&Frame::Expenses(
            records.map_err(|e| SnapshotFault::Damaged(e.to_string()))?,
        ))?;
    }
    let mut after = 0;
    loop {
        let query = change::Entity::find().filter(change::Column::Revision.gt(after));
        let rows = query
            .order_by_asc(change::Column::Revision)
            .limit(CHANGE_PAGE)
            .all(&tx)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.revision;
        writer.put(&Frame::Changes(rows))?;
    }
    let mut after = Uuid::nil();
    loop {
        let query = idempotency_key::Entity::find().filter(idempotency_key::Column::Key.gt(after));
        let rows = query
            .order_by_asc(idempotency_key::Column::Key)
            .limit(PAGE)
            .all(&tx)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.key;
        writer.put(&Frame::Keys(rows))?;
    }
    tx.rollback().await?;
    let digest = *writer.hasher.clone().finalize().as_bytes();
    writer.put(&Frame::End(digest))?;
    writer
        .out
        .finish()?
        .into_inner()
        .map_err(|e| e.into_error())?
        .sync_all()?;
    failpoint!("snapshot.written");
    Ok(file)
}

struct Reader {
    input: zstd::Decoder<'static, BufReader<File>>,
    hasher: blake3::Hasher,
    ended: bool,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, SnapshotFault> {
        let input = zstd::Decoder::new(File::open(path)?)?;
        Ok(Self {
            input,
            hasher: blake3::Hasher::new(),
            ended: false,
        })
    }

    fn next(&mut self) -> Result<Option<Frame>, SnapshotFault> {
        if self.ended {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.input.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > MAX_FRAME {
            return Err(SnapshotFault::Damaged(format!(
                "a frame claims {length} bytes"
            )));
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.input.read_exact(&mut bytes)?;
        let frame = decode(&bytes).map_err(|e| SnapshotFault::Damaged(e.to_string()))?;
        if let Frame::End(digest) = &frame {
            self.ended = true;
            if self.hasher.finalize().as_bytes() != digest {
                return Err(SnapshotFault::Damaged(
                    "its checksum does not match".to_owned(),
                ));
            }
            return Ok(None);
        }
        self.hasher.update(&bytes);
        Ok(Some(frame))
    }
}

/// Reads the whole file, and returns its header if nothing is damaged: what the engine is given, it must install.
pub(crate) fn verify(path: &Path) -> Result<Header, SnapshotFault> {
    let header = read_header(path)?;
    let mut reader = Reader::open(path)?;
    while reader.next()?.is_some() {}
    Ok(header)
}

/// Reads the header, and no more.
fn read_header(path: &Path) -> Result<Header, SnapshotFault> {
    match Reader::open(path)?.next()? {
        Some(Frame::Header(header)) if header.format == FORMAT => Ok(header),
        Some(Frame::Header(header)) => Err(SnapshotFault::Damaged(format!(
            "its format is {}, this version reads {FORMAT}",
            header.format
        ))),
        _ => Err(SnapshotFault::Damaged(
            "it does not begin with a header".to_owned(),
        )),
    }
}

/// Puts the snapshot in place of everything in the database, but for the replica's identity.
pub(super) async fn install(
    db: &Database,
    file: &SnapshotFile,
    meta: &SnapshotMeta,
) -> Result<Standing, SnapshotFault> {
    let header = read_header(file.path())?;
    if header.last_applied < meta.last_log_id {
        return Err(SnapshotFault::Damaged(
            "it is older than announced".to_owned(),
        ));
    }
    failpoint!("snapshot.install", |e| DbErr::from(e).into());
    let tx = db.writer.begin().await?;
    let indexes = store::begin_to_fill(&tx).await?;
    expense_term::Entity::delete_many().exec(&tx).await?;
    expense::Entity::delete_many().exec(&tx).await?;
    category::Entity::delete_many().exec(&tx).await?;
    ledger::Entity::delete_many().exec(&tx).await?;
    change::Entity::delete_many().exec(&tx).await?;
    idempotency_key::Entity::delete_many().exec(&tx).await?;
    failpoint!("snapshot.cleared");
    let mut reader = Reader::open(file.path())?;
    while let Some(frame) = reader.next()? {
        install_frame(&tx, frame).await?;
    }
    store::make_indexes(&tx, indexes).await?;
    let mut standing = load_standing(&tx).await?;
    standing.last_applied = header.last_applied;
    standing.membership = header.membership;
    standing.resident.revision = header.revision;
    standing.resident.hash = header.hash;
    standing.resident.expense_count = header.expense_count;
    store_standing(&tx, &standing, None).await?;
    failpoint!("snapshot.commit", |e| DbErr::from(e).into());
    tx.commit().await?;
    failpoint!("snapshot.committed");
    // The log below the snapshot goes away next.
    db.flush().await?;
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
