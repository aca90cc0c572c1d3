//! Where the log's bytes are: entries by index and a few marks by name, written in batches that are kept whole or not at
//! all. fjall in a replica that runs; in the simulation a disk that can lose what was not flushed.

use std::io;
use std::ops::{Bound, Range};
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};

#[cfg(feature = "simulation")]
use crate::simulation::disk::{SimulatedDisk, Write};

/// Block cache of the log: nearly all reads are served from memory above.
const CACHE_BYTES: u64 = 4 << 20;
/// Bytes of the log's write buffer.
const MEMTABLE_BYTES: u64 = 8 << 20;

/// Bounds of a range of indexes.
pub(super) type Bounds = (Bound<u64>, Bound<u64>);

/// See the module. A match and no dynamic call: a replica that runs has one variant only.
pub(crate) enum LogDisk {
    /// In a folder, which is locked.
    Fjall(FjallDisk),
    /// In memory, for the simulation.
    #[cfg(feature = "simulation")]
    Simulated(SimulatedDisk),
}

/// The two keyspaces in the data folder.
pub(crate) struct FjallDisk {
    db: Database,
    entries: Keyspace,
    marks: Keyspace,
}

/// Writes that are carried out together.
pub(super) enum Batch<'d> {
    Fjall(OwnedWriteBatch, &'d FjallDisk),
    #[cfg(feature = "simulation")]
    Simulated(Vec<Write>, bool, &'d SimulatedDisk),
}

impl LogDisk {
    /// Opens or creates the log in a folder. The folder is locked: two processes cannot share it.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let open = || -> Result<FjallDisk, fjall::Error> {
            let db = Database::builder(folder)
                .cache_size(CACHE_BYTES)
                .worker_threads(1)
                .manual_journal_persist(true)
                .open()?;
            let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
            let entries = db.keyspace("entries", options)?;
            let marks = db.keyspace("meta", options)?;
            Ok(FjallDisk { db, entries, marks })
        };
        open().map(Self::Fjall).map_err(io::Error::other)
    }

    /// Begins a batch. One that is durable flushes itself, and everything written before it.
    pub(super) fn batch(&self, durable: bool) -> Batch<'_> {
        match self {
            Self::Fjall(disk) => {
                let mode = if durable {
                    PersistMode::SyncData
                } else {
                    PersistMode::Buffer
                };
                Batch::Fjall(disk.db.batch().durability(Some(mode)), disk)
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(disk) => Batch::Simulated(Vec::new(), durable, disk),
        }
    }

    /// Reads a mark, if there is one.
    pub(super) fn mark<T>(
        &self,
        name: &str,
        read: impl FnOnce(&[u8]) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        match self {
            Self::Fjall(disk) => {
                let bytes = disk.marks.get(name).map_err(io::Error::other)?;
                bytes.map(|bytes| read(&bytes)).transpose()
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(disk) => disk.mark(name).map(|bytes| read(&bytes)).transpose(),
        }
    }

    /// Reads the last entry, if there is one.
    pub(super) fn last_entry<T>(
        &self,
        read: impl FnOnce(&[u8]) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        match self {
            Self::Fjall(disk) => {
                let Some(guard) = disk.entries.last_key_value() else {
                    return Ok(None);
                };
                read(&guard.value().map_err(io::Error::other)?).map(Some)
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(disk) => disk.last_entry().map(|bytes| read(&bytes)).transpose(),
        }
    }

    /// Reads entries in order, until `read` says false.
    pub(super) fn each_entry(
        &self,
        range: Range<u64>,
        mut read: impl FnMut(&[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        match self {
            Self::Fjall(disk) => {
                let keys = range.start.to_be_bytes()..range.end.to_be_bytes();
                for guard in disk.entries.range(keys) {
                    if !read(&guard.value().map_err(io::Error::other)?)? {
                        break;
                    }
                }
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(disk) => {
                for bytes in disk.entries(range) {
                    if !read(&bytes)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Indexes of entries, the newest or the oldest ones first.
    pub(super) fn indexes(
        &self,
        bounds: Bounds,
        newest_first: bool,
        most: usize,
    ) -> io::Result<Vec<u64>> {
        match self {
            Self::Fjall(disk) => {
                let (start, end) = bounds;
                let bounds = (start.map(u64::to_be_bytes), end.map(u64::to_be_bytes));
                let entries = disk.entries.range::<[u8; 8], _>(bounds);
                let index = |guard: fjall::Guard| {
                    let key = guard.key().map_err(io::Error::other)?;
                    let key = <[u8; 8]>::try_from(&key[..]).map_err(io::Error::other)?;
                    Ok(u64::from_be_bytes(key))
                };
                if newest_first {
                    entries.rev().take(most).map(index).collect()
                } else {
                    entries.take(most).map(index).collect()
                }
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(disk) => Ok(disk.indexes(bounds, newest_first, most)),
        }
    }

    /// Indexes of entries and their bytes, from the newest on, until `read` says false.
    pub(super) fn each_size(&self, mut read: impl FnMut(u64, u64) -> bool) -> io::Result<()> {
        match self {
            Self::Fjall(disk) => {
                for guard in disk.entries.iter().rev() {
                    let (key, value) = guard.into_inner().map_err(io::Error::other)?;
                    let key = <[u8; 8]>::try_from(&key[..]).map_err(io::Error::other)?;
                    if !read(u64::from_be_bytes(key), value.len() as u64) {
                        break;
                    }
                }
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(disk) => {
                for index in disk.indexes((Bound::Unbounded, Bound::Unbounded), true, usize::MAX) {
                    let entries = disk.entries(index..index.saturating_add(1));
                    let bytes = entries.iter().map(|entry| entry.len() as u64).sum();
                    if !read(index, bytes) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// True where nothing is stored.
    pub(super) fn is_blank(&self) -> io::Result<bool> {
        match self {
            Self::Fjall(disk) => {
                let blank = disk.marks.is_empty().map_err(io::Error::other)?;
                Ok(blank && disk.entries.is_empty().map_err(io::Error::other)?)
            }
            #[cfg(feature = "simulation")]
            Self::Simulated(disk) => Ok(disk.is_blank()),
        }
    }

    /// Bytes on the disk; 0 where that cannot be told.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Fjall(disk) => disk.db.disk_space().unwrap_or(0),
            #[cfg(feature = "simulation")]
            Self::Simulated(_) => 0,
        }
    }
}

impl Batch<'_> {
    pub(super) fn put_entry(&mut self, index: u64, bytes: &[u8]) {
        match self {
            Self::Fjall(batch, disk) => batch.insert(&disk.entries, index.to_be_bytes(), bytes),
            #[cfg(feature = "simulation")]
            Self::Simulated(writes, ..) => {
                writes.push(Write::Entry(index, bytes::Bytes::copy_from_slice(bytes)));
            }
        }
    }

    pub(super) fn put_mark(&mut self, name: &'static str, bytes: &[u8]) {
        match self {
            Self::Fjall(batch, disk) => batch.insert(&disk.marks, name, bytes),
            #[cfg(feature = "simulation")]
            Self::Simulated(writes, ..) => {
                writes.push(Write::Mark(name, bytes::Bytes::copy_from_slice(bytes)));
            }
        }
    }

    pub(super) fn remove_entry(&mut self, index: u64) {
        match self {
            Self::Fjall(batch, disk) => batch.remove(&disk.entries, index.to_be_bytes()),
            #[cfg(feature = "simulation")]
            Self::Simulated(writes, ..) => writes.push(Write::Remove(index)),
        }
    }

    /// Carries the writes out; where the batch is durable, returns when they are flushed.
    pub(super) fn commit(self) -> io::Result<()> {
        match self {
            Self::Fjall(batch, _) => batch.commit().map_err(io::Error::other),
            #[cfg(feature = "simulation")]
            Self::Simulated(writes, durable, disk) => disk.commit(writes, durable),
        }
    }
}
