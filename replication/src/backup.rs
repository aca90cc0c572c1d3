//! Backups: the whole state at one revision, as one sealed file, taken from any replica while it serves.
//!
//! A backup is a snapshot with a seal. It is read from one repeatable-read transaction, after a linearizable barrier, so
//! that it holds everything that had been answered when it was asked for; and it is handed out in pieces as it is read:
//! nothing of it is written to this replica's disk, and little is held in memory. [`restore`](crate::restore) is the way back.

use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use threefold_entity::Revision;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::consensus::snapshot::{Header, Outgoing, SnapshotFault, verify_backup, write_backup};
use crate::error::ServiceError;
use crate::format::NewerFormat;
use crate::history::HistoryHash;
use crate::replica::{ReadConsistency, Replica};

/// Pieces that wait to be taken; with the one being made, a bound of memory.
const PIECES: usize = 4;
/// Longest time that one backup may take: the transaction it reads from holds back the database's own cleaning.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Longest wait to say why a backup ends early.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Version of the format; see [`Formats::snapshot`](crate::format::Formats::snapshot).
    pub format: u32,
    /// The cluster it was taken from, if it says.
    pub cluster_id: Option<Uuid>,
    /// When it was taken, by the clock of the replica, if it says.
    pub taken_at: Option<DateTime<Utc>>,
    /// The revision it holds.
    pub revision: Revision,
    /// Hash of the history up to there.
    pub hash: HistoryHash,
    /// Expenses that are not deleted.
    pub expense_count: i64,
}

impl From<Header> for Content {
    fn from(header: Header) -> Self {
        Self {
            format: header.format,
            cluster_id: header.cluster_id,
            taken_at: header.taken_at,
            revision: header.revision,
            hash: header.hash,
            expense_count: header.expense_count,
        }
    }
}

/// Why a file is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub enum UnusableBackup {
    /// It could not be read from where it is.
    #[error("the backup cannot be read: {0}")]
    Io(io::Error),
    /// It is not what was written.
    #[error("the backup is damaged, or none: {0}")]
    Damaged(String),
    /// A newer version wrote it.
    #[error(
        "the backup's format is {}, this version reads up to {}: use a newer version of Threefold", .0.format, .0.newest
    )]
    Newer(NewerFormat),
}

impl From<SnapshotFault> for UnusableBackup {
    fn from(fault: SnapshotFault) -> Self {
        match fault {
            SnapshotFault::Io(error) => Self::Io(error),
            SnapshotFault::Newer(newer) => Self::Newer(newer),
            SnapshotFault::Damaged(what) => Self::Damaged(what),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Reads a whole backup and checks every bit of it: the seal, the checksum of its rows, the chain of its history. Returns what it
/// holds, and its length in bytes. `progress` hears of rows and bytes read so far.
///
/// # Errors
/// Whatever is not as it was written, or newer than this version knows.
pub fn verify(
    source: impl Read,
    progress: impl FnMut(u64, u64),
) -> Result<(Content, u64), UnusableBackup> {
    let (header, length) = verify_backup(source, progress)?;
    Ok((header.into(), length))
}

/// A backup that is being taken.
pub struct Backup {
    /// What it will hold.
    pub content: Content,
    /// The file, piece by piece. An error is its end, and means that the pieces before it are of no use.
    pub pieces: BoxStream<'static, Result<Bytes, String>>,
}

/// Why no backup was begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// One at a time: each holds a transaction of the database open.
    #[error(
        "a backup is being taken from this replica already; wait for its end, or use another replica"
    )]
    Busy,
    /// The replica does not serve.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Replica {
    /// Begins a backup: linearizable, of everything that had been answered before the call; local, of what this replica has,
    /// which needs no leader. Ends early when its pieces are not taken for
    /// half a minute, when `stopping` resolves, or with this replica.
    ///
    /// # Errors
    /// A backup that is under way, or a replica that does not serve.
    pub async fn backup(
        &self,
        consistency: ReadConsistency,
        stopping: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Backup, BackupError> {
        let turn = self.inner.backups.clone().try_acquire_owned();
        let turn = turn.map_err(|_| BackupError::Busy)?;
        let at_least = self.read(consistency, None).await?;
        let cluster_id = match self.serving()? {
            Some(running) => running.identity.cluster_id,
            None => return Err(ServiceError::Forming.into()),
        };
        let (to, pieces) = mpsc::channel(PIECES);
        let (told, header) = oneshot::channel();
        let serving = self.clone();
        let may_go_on = move || serving.serving().map(|_| ()).map_err(|e| e.to_string());
        let outgoing = Outgoing::new(to.clone(), Box::new(may_go_on));
        let (db, stopped) = (self.inner.db.clone(), self.stopping());
        tokio::spawn(async move {
            let _turn = turn;
            let fault = tokio::select! {
                written = write_backup(&db, cluster_id, at_least, outgoing, told) => match written {
                    Ok(()) => return,
                    Err(fault) => fault.to_string(),
                },
                () = to.closed() => "whoever asked for it is gone".to_owned(),
                () = tokio::time::sleep(LONGEST) => format!("it took longer than {} s", LONGEST.as_secs()),
                () = stopped => "this replica is stopping".to_owned(),
                () = stopping => "this replica is stopping".to_owned(),
            };
            tracing::warn!(%fault, "a backup was not finished");
            // Who hears nothing finds no seal.
            let _gone = to.send_timeout(Err(fault), LAST_WORD).await;
        });
        match header.await {
            Ok(header) => Ok(Backup {
                content: header.into(),
                pieces: pieces_of(pieces),
            }),
            Err(_never_begun) => Err(BackupError::Service(ServiceError::Database(
                "a backup could not be begun; the log of this replica says why".to_owned(),
            ))),
        }
    }
}

fn pieces_of(
    pieces: mpsc::Receiver<Result<Bytes, String>>,
) -> BoxStream<'static, Result<Bytes, String>> {
    // Whoever stops without an error has sent the seal; a broken stream has none, and is told by that.
    stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    })
    .boxed()
}
