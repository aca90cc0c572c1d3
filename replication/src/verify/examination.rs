//! One replica's part: at a checkpoint it opens a read transaction on exactly that state and computes digests from it, in
//! the background, page by page and no more than half of the time. The transaction stays open for as long as somebody
//! asks, so that what differs can be looked into.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sea_orm::{DatabaseTransaction, DbErr, IsolationLevel, TransactionTrait, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::digest::{Digest, KeyHash, RowHash, Sums, TableDigest, schema, shown};
use super::message::Answer;
use super::table::{Row, Table};
use crate::database::{Database, is_transient, stored_index};
use crate::running::lock;
use crate::status::DatabaseKind;

/// Longest wait of the writer for the read transaction.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(1);
/// Nobody has asked for so long: whoever wanted the digests is gone.
pub(super) const ABANDONED: Duration = Duration::from_secs(60);
/// Longest pause between two pages.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// Most rows of a bucket that are told.
const MAX_ROWS: usize = 100_000;
/// Most looks at rows that wait.
const MAX_LOOKS: usize = 4;

/// See the module. One a replica; a newer checkpoint ends what is under way for an older one.
pub(crate) struct Examiner {
    db: Database,
    /// How long nobody has to ask for an examination to be abandoned.
    patience: Duration,
    current: Mutex<Option<Arc<Examination>>>,
}

/// The last checkpoint that this replica came to.
pub(super) struct Examination {
    pub(super) checkpoint: Uuid,
    stage: Mutex<Stage>,
    asked_at: Mutex<Instant>,
    patience: Duration,
    looks: mpsc::Sender<(Look, oneshot::Sender<Answer>)>,
    stop: CancellationToken,
}

#[derive(Clone)]
enum Stage {
    Reading { rows: u64 },
    Read(Arc<Digest>),
    Failed(String),
}

/// A look at rows of one bucket.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) table: String,
    pub(super) bucket: usize,
    /// The rows that are wanted as text; none: only hashes, of all.
    pub(super) keys: Option<BTreeSet<KeyHash>>,
}

impl Examiner {
    pub(crate) fn new(db: Database) -> Self {
        Self {
            db,
            patience: ABANDONED,
            current: Mutex::default(),
        }
    }

    /// Begins at the log position that the database is at. Called by whoever applies, before the next entry is: it waits
    /// for the transaction to have its snapshot, and no longer.
    pub(crate) async fn begin(&self, checkpoint: Uuid, index: u64) {
        self.end();
        let begun = Instant::now();
        let snapshot = tokio::time::timeout(SNAPSHOT_PATIENCE, snapshot(&self.db, index)).await;
        let snapshot = snapshot
            .unwrap_or_else(|_elapsed| Err("its database gave no snapshot in time".to_owned()));
        let (looks, waiting) = mpsc::channel(MAX_LOOKS);
        let examination = Arc::new(Examination {
            checkpoint,
            stage: Mutex::new(Stage::Reading { rows: 0 }),
            asked_at: Mutex::new(Instant::now()),
            patience: self.patience,
            looks,
            stop: CancellationToken::new(),
        });
        *lock(&self.current) = Some(examination.clone());
        match snapshot {
            Ok(tx) => {
                let stop = examination.stop.clone();
                let work = examination.clone().work(tx, index, begun, waiting);
                tokio::spawn(async move {
                    if stop.run_until_cancelled(work).await.is_none() {
                        examination.fail("another comparison has begun".to_owned());
                    }
                });
            }
            Err(reason) => examination.fail(reason),
        }
    }

    /// Ends what is under way, and keeps what it has found.
    fn end(&self) {
        if let Some(current) = &*lock(&self.current) {
            current.stop.cancel();
        }
    }

    /// The examination of that checkpoint, if it is the last one.
    pub(super) fn of(&self, checkpoint: Uuid) -> Option<Arc<Examination>> {
        let current = lock(&self.current).clone();
        current.filter(|current| current.checkpoint == checkpoint)
    }

    /// Log position and revision of what was seen at a checkpoint.
    #[cfg(test)]
    pub(crate) async fn seen(&self, checkpoint: Uuid) -> Option<(u64, u64)> {
        loop {
            let examination = self.of(checkpoint)?;
            match examination.progress() {
                Answer::Examining { .. } => tokio::time::sleep(Duration::from_millis(1)).await,
                Answer::Examined(digest) => return Some((digest.index, digest.revision)),
                _ => return None,
            }
        }
    }

    /// Closes the read transaction of a checkpoint that nobody will ask about.
    pub(super) fn release(&self, checkpoint: Uuid) {
        if self.of(checkpoint).is_some() {
            self.end();
        }
    }

    /// True while somebody waits for the digests of a checkpoint.
    pub(super) fn is_at_work(&self) -> bool {
        let current = lock(&self.current).clone();
        current.is_some_and(|current| {
            let reading = matches!(&*lock(&current.stage), Stage::Reading { .. });
            reading && !current.stop.is_cancelled() && !current.is_abandoned()
        })
    }
}

/// A transaction that sees the database as it is after the entry with that index.
async fn snapshot(db: &Database, index: u64) -> Result<DatabaseTransaction, String> {
    let failed = |e: DbErr| format!("its database failed: {e}");
    // A transaction of SQLite always sees one state.
    let isolation = (db.kind == DatabaseKind::Postgres).then_some(IsolationLevel::RepeatableRead);
    let begun = db.examiner.begin_with_config(isolation, None).await;
    let tx = begun.map_err(failed)?;
    // The first select is what takes the snapshot.
    let stored = stored_index(&tx).await.map_err(failed)?;
    if stored == Some(index) {
        Ok(tx)
    } else {
        Err(format!(
            "its database says that it is at log position {stored:?}, and not at {index}"
        ))
    }
}

impl Examination {
    /// What is known, for whoever waits for it.
    pub(super) fn progress(&self) -> Answer {
        self.touch();
        match lock(&self.stage).clone() {
            Stage::Reading { rows } => Answer::Examining { rows },
            Stage::Read(digest) => Answer::Examined(Box::new((*digest).clone())),
            Stage::Failed(reason) => Answer::Refused(reason),
        }
    }

    /// The digest, once there is one.
    pub(super) fn digest(&self) -> Option<Arc<Digest>> {
        match &*lock(&self.stage) {
            Stage::Read(digest) => Some(digest.clone()),
            Stage::Reading { .. } | Stage::Failed(_) => None,
        }
    }

    /// Looks at rows, as they were at the checkpoint. For as long as this waits, somebody asks.
    pub(super) async fn look(&self, look: Look) -> Answer {
        self.touch();
        let (answer, seen) = oneshot::channel();
        let sent = self.looks.try_send((look, answer));
        match sent {
            Ok(()) => seen.await.unwrap_or_else(|_dropped| closed()),
            Err(_full_or_closed) => closed(),
        }
    }

    fn touch(&self) {
        *lock(&self.asked_at) = Instant::now();
    }

    fn is_abandoned(&self) -> bool {
        lock(&self.asked_at).elapsed() > self.patience
    }

    /// Only what is not found yet can fail.
    fn fail(&self, reason: String) {
        let mut stage = lock(&self.stage);
        if let Stage::Reading { .. } = *stage {
            tracing::debug!(reason, "the tables were not read");
            *stage = Stage::Failed(reason);
        }
    }

    async fn work(
        self: Arc<Self>,
        tx: DatabaseTransaction,
        index: u64,
        begun: Instant,
        mut looks: mpsc::Receiver<(Look, oneshot::Sender<Answer>)>,
    ) {
        match self.read_all(&tx, index, begun).await {
            Ok(digest) => {
                tracing::debug!(
                    rows = digest.rows(),
                    took_ms = digest.took_ms,
                    "the tables have been read"
                );
                *lock(&self.stage) = Stage::Read(Arc::new(digest));
            }
            Err(reason) => return self.fail(reason),
        }
        while !self.is_abandoned() {
            let Ok(look) = tokio::time::timeout(self.patience, looks.recv()).await else {
                continue;
            };
            let Some((look, answer)) = look else { break };
            // The whole table is read, page by page, for as long as that takes and the asker waits.
            let wanted = || {
                self.touch();
                !answer.is_closed()
            };
            let seen = self.look_at(&tx, &look, wanted).await;
            let _gone = answer.send(seen);
        }
    }

    async fn read_all(
        &self,
        tx: &DatabaseTransaction,
        index: u64,
        begun: Instant,
    ) -> Result<Digest, String> {
        let mut tables = Vec::with_capacity(Table::ALL.len());
        let (mut before, mut revision) = (0, 0);
        for table in Table::ALL {
            let (mut sums, mut rows) = (Sums::new(), 0);
            let wanted = || !self.is_abandoned();
            let read = self.scan(tx, table, wanted, |row, hash| {
                sums.add(hash);
                rows += 1;
                if table == Table::ReplicaState
                    && let Some(Value::BigInt(Some(stored))) = row.get(1)
                {
                    revision = u64::try_from(*stored).unwrap_or_default();
                }
            });
            let progress = |rows| *lock(&self.stage) = Stage::Reading { rows };
            let unreadable = match read.await {
                Ok(()) => None,
                Err(Unread::Row(reason)) => Some(reason),
                Err(Unread::Failed(reason)) => return Err(reason),
            };
            before += rows;
            progress(before);
            tables.push(TableDigest {
                name: table.name().to_owned(),
                rows,
                buckets: match unreadable {
                    None => sums.finish(),
                    Some(_) => Vec::new(),
                },
                unreadable,
            });
        }
        Ok(Digest {
            schema: schema(),
            index,
            revision,
            tables,
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Reads a whole table while it is wanted, and rests between its pages for as long as each took.
    async fn scan(
        &self,
        tx: &DatabaseTransaction,
        table: Table,
        wanted: impl Fn() -> bool,
        mut each: impl FnMut(&Row, &RowHash),
    ) -> Result<(), Unread> {
        let mut after: Option<Vec<Value>> = None;
        let mut limit = table.page_size();
        loop {
            if !wanted() {
                return Err(Unread::Failed("nobody asks for it any more".to_owned()));
            }
            let begun = Instant::now();
            let rows = match table.page(tx, after.as_deref(), limit).await {
                Ok(rows) => rows,
                Err(error) if is_transient(&error) => {
                    return Err(Unread::Failed(format!("its database failed: {error}")));
                }
                // Once more, one by one, to tell which row it is.
                Err(_) if limit > 1 => {
                    limit = 1;
                    continue;
                }
                Err(error) => return Err(Unread::Row(unreadable(after.as_deref(), &error))),
            };
            for row in &rows {
                each(row, &RowHash::of(table, row));
            }
            if let Stage::Reading { rows: read } = &mut *lock(&self.stage) {
                *read += rows.len() as u64;
            }
            let Some(last) = rows.last().filter(|_| rows.len() as u64 == limit) else {
                return Ok(());
            };
            after = Some(last.iter().take(table.key()).cloned().collect());
            tokio::time::sleep(begun.elapsed().min(LONGEST_PAUSE)).await;
        }
    }

    async fn look_at(
        &self,
        tx: &DatabaseTransaction,
        look: &Look,
        wanted: impl Fn() -> bool,
    ) -> Answer {
        let Some(table) = Table::named(&look.table) else {
            return Answer::Refused("there is no such table".to_owned());
        };
        let (mut hashes, mut versions) = (Vec::new(), Vec::new());
        let read = self.scan(tx, table, wanted, |row, hash| {
            if hash.bucket() != look.bucket || hashes.len() > MAX_ROWS {
                return;
            }
            match &look.keys {
                None => hashes.push((hash.key, hash.row)),
                Some(keys) if keys.contains(&hash.key) => versions.push((hash.key, shown(row))),
                Some(_) => {}
            }
        });
        match read.await {
            Err(Unread::Row(reason) | Unread::Failed(reason)) => Answer::Refused(reason),
            Ok(()) if hashes.len() > MAX_ROWS => {
                Answer::Refused(format!("the bucket has more than {MAX_ROWS} rows"))
            }
            Ok(()) if look.keys.is_some() => Answer::Versions(versions),
            Ok(()) => Answer::Rows(hashes),
        }
    }
}

/// Why a table was not read to its end.
enum Unread {
    /// It holds a row that no replica writes.
    Row(String),
    /// The database or the asker went away.
    Failed(String),
}

/// Keys that are ids or numbers are told, words are not: the reason may come into a log.
fn unreadable(after: Option<&[Value]>, error: &DbErr) -> String {
    let place = match after {
        None => "its first row".to_owned(),
        Some([Value::Uuid(Some(id)), ..]) => format!("the row after {id}"),
        Some([Value::BigInt(Some(number)), ..]) => format!("the row after {number}"),
        Some(_) => "a row".to_owned(),
    };
    tracing::debug!(%error, "a row cannot be read");
    format!("{place} cannot be read: a column holds what this version does not write")
}

fn closed() -> Answer {
    Answer::Refused("it no longer holds the state of that checkpoint".to_owned())
}

#[cfg(test)]
mod tests;
