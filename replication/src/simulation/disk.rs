//! A disk for the log that can lose what was not flushed, as fjall on a real one can: batches are kept in order, each
//! whole or not at all, and a crash keeps those that were flushed and some of the next ones.

use std::collections::BTreeMap;
use std::io;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::running::lock;

/// One write of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Stores an entry by its index.
    Entry(u64, Bytes),
    /// Removes an entry.
    Remove(u64),
    /// Stores a mark by its name: `vote`, `committed`, `purged`.
    Mark(&'static str, Bytes),
}

/// What is on a disk.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Encoded entries by index.
    pub entries: BTreeMap<u64, Bytes>,
    /// Marks by name.
    pub marks: BTreeMap<&'static str, Bytes>,
}

impl Contents {
    fn take(&mut self, writes: &[Write]) {
        for write in writes {
            match write {
                Write::Entry(index, bytes) => {
                    self.entries.insert(*index, bytes.clone());
                }
                Write::Remove(index) => {
                    self.entries.remove(index);
                }
                Write::Mark(name, bytes) => {
                    self.marks.insert(name, bytes.clone());
                }
            }
        }
    }
}

/// Which writes a disk only claims to have flushed. Anything but [`Lie::None`] is a broken disk, to show that the
/// simulation notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    /// It is honest.
    #[default]
    None,
    /// It flushes nothing.
    Everything,
    /// It flushes no batch that holds this mark alone.
    Mark(&'static str),
}

type Observer = Box<dyn Fn(&Contents, &[Write]) + Send>;

#[derive(Default)]
struct State {
    /// What a process sees.
    seen: Contents,
    /// What survives a crash in any case.
    flushed: Contents,
    /// Batches since, in order.
    unflushed: Vec<Vec<Write>>,
    lie: Lie,
    observer: Option<Observer>,
}

/// See the module. Clones are the same disk; it outlives the replicas that use it.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl SimulatedDisk {
    /// An empty disk that lies as told.
    pub fn new(lie: Lie) -> Self {
        let disk = Self::default();
        lock(&disk.state).lie = lie;
        disk
    }

    /// Has every batch shown, with what was on the disk before it.
    pub fn observe(&self, observer: impl Fn(&Contents, &[Write]) + Send + 'static) {
        lock(&self.state).observer = Some(Box::new(observer));
    }

    /// The power fails. Of the batches that were not flushed, `keep` says how many survive, given how many there are.
    pub fn crash(&self, keep: impl FnOnce(usize) -> usize) {
        let mut state = lock(&self.state);
        let unflushed = std::mem::take(&mut state.unflushed);
        let kept = keep(unflushed.len());
        for batch in unflushed.iter().take(kept) {
            state.flushed.take(batch);
        }
        state.seen = state.flushed.clone();
    }

    /// Looks at what has been flushed.
    pub fn flushed<T>(&self, look: impl FnOnce(&Contents) -> T) -> T {
        look(&lock(&self.state).flushed)
    }

    /// Looks at what a process sees.
    pub fn seen<T>(&self, look: impl FnOnce(&Contents) -> T) -> T {
        look(&lock(&self.state).seen)
    }

    pub(crate) fn commit(&self, writes: Vec<Write>, durable: bool) -> io::Result<()> {
        let mut state = lock(&self.state);
        if let Some(observer) = &state.observer {
            observer(&state.seen, &writes);
        }
        state.seen.take(&writes);
        let ignored = match state.lie {
            Lie::None => false,
            Lie::Everything => true,
            Lie::Mark(lied) => {
                matches!(writes.as_slice(), [Write::Mark(name, _)] if *name == lied)
            }
        };
        state.unflushed.push(writes);
        if durable && !ignored {
            for batch in std::mem::take(&mut state.unflushed) {
                state.flushed.take(&batch);
            }
        }
        Ok(())
    }

    pub(crate) fn mark(&self, name: &str) -> Option<Bytes> {
        lock(&self.state).seen.marks.get(name).cloned()
    }

    pub(crate) fn last_entry(&self) -> Option<Bytes> {
        let state = lock(&self.state);
        let last = state.seen.entries.last_key_value();
        last.map(|(_, bytes)| bytes.clone())
    }

    pub(crate) fn entries(&self, range: Range<u64>) -> Vec<Bytes> {
        let state = lock(&self.state);
        let entries = state.seen.entries.range(range);
        entries.map(|(_, bytes)| bytes.clone()).collect()
    }

    pub(crate) fn indexes(
        &self,
        bounds: (Bound<u64>, Bound<u64>),
        newest_first: bool,
        most: usize,
    ) -> Vec<u64> {
        let state = lock(&self.state);
        let indexes = state.seen.entries.range(bounds).map(|(index, _)| *index);
        if newest_first {
            indexes.rev().take(most).collect()
        } else {
            indexes.take(most).collect()
        }
    }

    pub(crate) fn is_blank(&self) -> bool {
        let state = lock(&self.state);
        state.seen.entries.is_empty() && state.seen.marks.is_empty()
    }
}
