//! Log and vote in the replica's data folder, one flush an append, no thread hop.

mod durability;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader, StorageIOError};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::log_disk::LogDisk;
use super::state_machine::{StateMachine, WeakStateMachine};
use super::types::{Entry, LogId, StorageError, TypeConfig, Vote, traces_of};
use crate::database::Database as StateDatabase;
use crate::metrics::Metrics;
use crate::peer::{decode, encode};
use crate::running::lock;
use crate::trace::Step as TracedStep;

/// Most bytes of recent entries kept in memory for replication and apply.
const TAIL_BYTES: usize = 8 << 20;
/// Most bytes of one read, so that one AppendEntries stays small; at least one entry is read.
const READ_BYTES: usize = 1 << 20;

const VOTE: &str = "vote";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";

/// See the module. Cheap to clone; all clones share one log.
#[derive(Clone)]
pub(crate) struct LogStore {
    shared: Arc<Shared>,
}

struct Shared {
    disk: LogDisk,
    tail: Mutex<Tail>,
    /// Bytes of all entries appended since the log was opened.
    appended: AtomicU64,
    /// Below this index there is nothing, as far as is known.
    first: AtomicU64,
    /// Made durable before what could repeat it is purged.
    state: StateDatabase,
    /// The state holds everything below this index durably, as far as is known.
    durable: AtomicU64,
    /// What makes the state of the log; none where nobody does.
    machine: OnceLock<WeakStateMachine>,
    /// The state machine has given up: nothing waits for it any more.
    given_up: CancellationToken,
    /// How long a failing database is tried again.
    patience: Duration,
    metrics: Arc<Metrics>,
    /// The last vote that was read or saved, or is about to be saved.
    last_vote: Mutex<Option<Vote>>,
}

/// An end of the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

/// The newest entries, as they were appended.
#[derive(Default)]
struct Tail {
    entries: BTreeMap<u64, (Entry, usize)>,
    bytes: usize,
}

impl Tail {
    fn push(&mut self, entry: Entry, bytes: usize) {
        self.bytes += bytes;
        self.entries.insert(entry.log_id.index, (entry, bytes));
        while self.bytes > TAIL_BYTES && self.entries.len() > 1 {
            if let Some((_, (_, bytes))) = self.entries.pop_first() {
                self.bytes -= bytes;
            }
        }
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

/// How much is in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogSize {
    /// Index of the last entry, 0 where there is none.
    pub(crate) last_index: u64,
    pub(crate) entries: u64,
    /// On the disk.
    pub(crate) bytes: u64,
}

impl LogStore {
    /// The log on a disk.
    pub(crate) fn new(
        disk: LogDisk,
        state: StateDatabase,
        patience: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                disk,
                tail: Mutex::default(),
                appended: AtomicU64::new(0),
                first: AtomicU64::new(0),
                state,
                durable: AtomicU64::new(0),
                machine: OnceLock::new(),
                given_up: CancellationToken::new(),
                patience,
                metrics,
                last_vote: Mutex::default(),
            }),
        }
    }

    /// From here on nothing is purged that this state does not hold yet.
    pub(crate) fn follow(&self, machine: &StateMachine) {
        let _already = self.shared.machine.set(machine.downgrade());
    }

    /// The state machine will apply no more.
    pub(crate) fn give_up(&self) {
        self.shared.given_up.cancel();
    }

    /// The last vote that was read or saved, or is being saved; none where there was none.
    pub(super) fn last_vote(&self) -> Option<Vote> {
        *lock(&self.shared.last_vote)
    }

    /// True where nothing was ever written: a folder of a replica that never took part.
    pub(crate) fn is_blank(&self) -> io::Result<bool> {
        self.shared.disk.is_blank()
    }

    /// How much there is. What cannot be read counts as nothing: this is for people to look at.
    pub(crate) fn size(&self) -> LogSize {
        let last = self.last_entry_id().ok().flatten();
        let purged: Option<LogId> = self.read_meta(PURGED).ok().flatten();
        let [last_index, purged] =
            [last.max(purged), purged].map(|id| id.map_or(0, |id| id.index + 1));
        LogSize {
            last_index: last_index.saturating_sub(1),
            entries: last_index - purged,
            bytes: self.shared.disk.bytes(),
        }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        // It is a cache: after a panic elsewhere it is still what was appended.
        lock(&self.shared.tail)
    }

    fn read_meta<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, io::Error> {
        let read = |bytes: &[u8]| decode(bytes).map_err(other);
        self.shared.disk.mark(key, read)
    }

    fn write_meta<T: serde::Serialize>(
        &self,
        key: &'static str,
        value: &T,
        durable: bool,
    ) -> Result<(), io::Error> {
        let mut batch = self.shared.disk.batch(durable);
        batch.put_mark(key, &encode(value));
        batch.commit()
    }

    fn last_entry_id(&self) -> Result<Option<LogId>, io::Error> {
        if let Some((_, (entry, _))) = self.tail().entries.last_key_value() {
            return Ok(Some(entry.log_id));
        }
        let read = |bytes: &[u8]| decode::<Entry>(bytes).map_err(other);
        Ok(self.shared.disk.last_entry(read)?.map(|last| last.log_id))
    }

    fn read_range(&self, range: impl RangeBounds<u64>) -> Result<Vec<Entry>, io::Error> {
        let start = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(index) => index.saturating_add(1),
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        if start >= end {
            return Ok(Vec::new());
        }
        let mut read = 0;
        let mut within_bound = |bytes: usize| {
            let fits = read == 0 || read + bytes <= READ_BYTES;
            read += bytes;
            fits
        };
        let tail = self.tail();
        if tail
            .entries
            .first_key_value()
            .is_some_and(|(first, _)| *first <= start)
        {
            let entries = tail
                .entries
                .range(start..end)
                .take_while(|(_, (_, bytes))| within_bound(*bytes));
            return Ok(entries.map(|(_, (entry, _))| entry.clone()).collect());
        }
        drop(tail);
        let mut entries = Vec::new();
        self.shared.disk.each_entry(start..end, |bytes| {
            let fits = within_bound(bytes.len());
            if fits {
                entries.push(decode(bytes).map_err(other)?);
            }
            Ok(fits)
        })?;
        Ok(entries)
    }

    /// Entries by index, as many as fit one read; for a state machine that must repeat some.
    pub(crate) fn read(&self, range: impl RangeBounds<u64>) -> Result<Vec<Entry>, io::Error> {
        self.read_range(range)
    }

    /// Bytes of all entries that were appended since the log was opened.
    pub(crate) fn appended_bytes(&self) -> u64 {
        self.shared.appended.load(Ordering::Relaxed)
    }

    /// Index of the last entry before the newest ones that hold so many bytes together; none where the log holds fewer.
    /// Reads these entries.
    pub(crate) fn last_before_newest(&self, bytes: u64) -> io::Result<Option<u64>> {
        let (mut seen, mut last) = (0, None);
        self.shared.disk.each_size(|index, size| {
            if seen >= bytes {
                last = Some(index);
                return false;
            }
            seen += size;
            true
        })?;
        let purged: Option<LogId> = self.read_meta(PURGED)?;
        // After a crash in the middle of a purge there are some that no longer count.
        Ok(last.filter(|last| purged.is_none_or(|purged| *last > purged.index)))
    }

    fn append_entries(&self, entries: impl IntoIterator<Item = Entry>) -> Result<(), io::Error> {
        let mut batch = self.shared.disk.batch(true);
        let mut appended = Vec::new();
        for entry in entries {
            let bytes = encode(&entry);
            batch.put_entry(entry.log_id.index, &bytes);
            appended.push((entry, bytes.len()));
        }
        let begun = Instant::now();
        if !sabotaged!("sabotage.lose-append") {
            batch.commit()?;
        }
        self.shared.metrics.appended(appended.len(), begun);
        let bytes: usize = appended.iter().map(|(_, bytes)| bytes).sum();
        self.shared
            .appended
            .fetch_add(bytes as u64, Ordering::Relaxed);
        let mut tail = self.tail();
        for (entry, bytes) in appended {
            tail.push(entry, bytes);
        }
        Ok(())
    }

    /// Appends one entry where no engine is at work.
    pub(super) fn append_offline(&self, entry: Entry) -> Result<(), io::Error> {
        self.append_entries([entry])
    }

    /// Cuts the log off where no engine is at work, and the database is further.
    pub(super) fn purge_offline(&self, log_id: LogId) -> Result<(), io::Error> {
        self.purge_through(log_id)
    }

    fn truncate_from(&self, index: u64) -> Result<(), io::Error> {
        self.remove(index.., End::Last)?;
        let mut tail = self.tail();
        let removed = tail.entries.split_off(&index);
        tail.bytes -= removed.values().map(|(_, bytes)| bytes).sum::<usize>();
        Ok(())
    }

    /// Makes the state durable up to an index, before the engine is told to purge the log through it: the engine does nothing else
    /// while it purges, and a flush may take a while.
    pub(crate) async fn before_purge(&self, index: u64) -> io::Result<()> {
        self.wait_for_state(index).await
    }

    fn purge_through(&self, log_id: LogId) -> Result<(), io::Error> {
        // First the mark, then the entries: after a crash between the two, entries below the mark are ignored.
        self.write_meta(PURGED, &log_id, true)?;
        failpoint_blocking!("purge.marked");
        // What earlier purges have removed need not be looked through again.
        let first = self.shared.first.load(Ordering::Relaxed);
        if first <= log_id.index {
            self.remove(first..=log_id.index, End::First)?;
        }
        let next = log_id.index.saturating_add(1);
        self.shared.first.fetch_max(next, Ordering::Relaxed);
        let mut tail = self.tail();
        let kept = tail.entries.split_off(&next);
        tail.entries = kept;
        tail.bytes = tail.entries.values().map(|(_, bytes)| bytes).sum();
        if tail.entries.is_empty() {
            tail.clear();
        }
        Ok(())
    }

    /// Removes entries in pieces of bounded size, from the log's own end, so that a crash in between leaves no hole.
    fn remove(&self, range: impl RangeBounds<u64>, end: End) -> Result<(), io::Error> {
        let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
        loop {
            let indexes = self.shared.disk.indexes(bounds, end == End::Last, 1_000)?;
            if indexes.is_empty() {
                return Ok(());
            }
            let mut batch = self.shared.disk.batch(true);
            for index in indexes {
                batch.remove_entry(index);
            }
            batch.commit()?;
        }
    }
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

/// Runs a call that blocks for a disk flush on this thread, while the runtime moves its other tasks elsewhere: a
/// hop to another thread would cost as much as the flush.
fn on_this_thread<T>(call: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(call),
        _ => call(),
    }
}

fn write_fault(error: &io::Error) -> StorageError {
    StorageIOError::write_logs(error).into()
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        // Callers expect the whole range here; limited_get_log_entries is the bounded one.
        let mut entries = self
            .read_range(range.clone())
            .map_err(|e| StorageError::from(StorageIOError::read_logs(&e)))?;
        while let Some(last) = entries.last().map(|entry| entry.log_id.index) {
            let rest = (Bound::Excluded(last), range.end_bound().cloned());
            let more = self
                .read_range(rest)
                .map_err(|e| StorageError::from(StorageIOError::read_logs(&e)))?;
            if more.is_empty() {
                break;
            }
            entries.extend(more);
        }
        Ok(entries)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        let entries = self
            .read_range(start..end)
            .map_err(|e| StorageError::from(StorageIOError::read_logs(&e)))?;
        // What comes after a hole is of no use: the log has just been cut. The engine takes nothing for nothing to send.
        let is_there = entries
            .first()
            .is_some_and(|first| first.log_id.index == start);
        Ok(if is_there { entries } else { Vec::new() })
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        let read = || -> Result<_, io::Error> {
            let purged: Option<LogId> = self.read_meta(PURGED)?;
            Ok((purged, self.last_entry_id()?.max(purged)))
        };
        let (last_purged_log_id, last_log_id) =
            read().map_err(|e| StorageIOError::read_logs(&e))?;
        Ok(LogState {
            last_purged_log_id,
            last_log_id,
        })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        // Whoever must not act by the vote before is told first.
        *lock(&self.shared.last_vote) = Some(*vote);
        failpoint!("vote.before", |e| StorageIOError::write_vote(&e).into());
        let saved = on_this_thread(|| self.write_meta(VOTE, vote, true));
        saved.map_err(|e| StorageIOError::write_vote(&e))?;
        failpoint!("vote.saved");
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote = self.read_meta(VOTE);
        let vote = vote.map_err(|e| StorageError::from(StorageIOError::read_vote(&e)))?;
        *lock(&self.shared.last_vote) = vote;
        Ok(vote)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        if sabotaged!("sabotage.lose-append") {
            return Ok(());
        }
        // Not flushed: it only shortens the way after a restart, and the next append flushes it along.
        self.write_meta(COMMITTED, &committed, false)
            .map_err(|e| write_fault(&e))
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        let committed: Option<Option<LogId>> = self
            .read_meta(COMMITTED)
            .map_err(|e| StorageError::from(StorageIOError::read_logs(&e)))?;
        Ok(committed.flatten())
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<TypeConfig>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        failpoint!("append.before", |e| StorageIOError::write_logs(&e).into());
        #[cfg(feature = "failpoints")]
        let memberships = super::types::memberships(&entries);
        let step = TracedStep::begin("append", traces_of(&entries));
        if let Some(last) = entries.last() {
            step.note("log.index", last.log_id.index);
            step.note("log.entries", entries.len() as u64);
        }
        let appended = on_this_thread(|| self.append_entries(entries));
        if appended.is_err() {
            step.fail();
        }
        drop(step);
        appended.map_err(|e| write_fault(&e))?;
        failpoint!("append.flushed");
        #[cfg(feature = "failpoints")]
        for voter_sets in memberships {
            if voter_sets > 1 {
                failpoint!("membership.joint");
            } else {
                failpoint!("membership.uniform");
            }
        }
        callback.log_io_completed(Ok(()));
        failpoint!("append.acknowledged");
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        failpoint!("truncate.before");
        on_this_thread(|| self.truncate_from(log_id.index)).map_err(|e| write_fault(&e))?;
        failpoint!("truncate.after");
        Ok(())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        failpoint!("purge.before", |e| StorageIOError::write_logs(&e).into());
        self.wait_for_state(log_id.index)
            .await
            .map_err(|e| write_fault(&e))?;
        failpoint!("purge.flushed");
        on_this_thread(|| self.purge_through(log_id)).map_err(|e| write_fault(&e))?;
        failpoint!("purge.after");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
