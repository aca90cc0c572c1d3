//! Takes down what workers do, while they do it: to a file, so that memory does not grow with the length of a run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::file::Line;
use super::{
    Action, Answer, Disturbance, HistoryError, Operation, Settlement, Watched, WatchedEvent,
};

/// Operations by kind and answer.
pub type Counts = BTreeMap<(&'static str, String), u64>;

/// The clock and the file of a run. Shared by all workers.
#[derive(Debug)]
pub struct Recorder {
    start: Instant,
    path: PathBuf,
    inner: Mutex<Inner>,
}

/// A mutation whose answer was lost.
#[derive(Debug, Clone, Copy)]
pub(in crate::torture) struct InDoubt {
    /// Its operation.
    pub(in crate::torture) number: u64,
    /// What to ask with.
    pub(in crate::torture) key: Uuid,
    /// When its client gave up, in nanoseconds since the start.
    pub(in crate::torture) end: u64,
}

#[derive(Debug)]
struct Inner {
    file: BufWriter<File>,
    number: u64,
    counts: Counts,
    in_doubt: Vec<InDoubt>,
    last_write: Duration,
    longest_silence: Duration,
}

impl Recorder {
    /// Starts the clock, and a new file.
    pub fn create(path: &Path) -> Result<Self, HistoryError> {
        let file = File::create(path).map_err(|error| HistoryError::Io {
            path: path.to_owned(),
            error,
        })?;
        Ok(Self {
            start: Instant::now(),
            path: path.to_owned(),
            inner: Mutex::new(Inner {
                file: BufWriter::new(file),
                number: 0,
                counts: Counts::new(),
                in_doubt: Vec::new(),
                last_write: Duration::ZERO,
                longest_silence: Duration::ZERO,
            }),
        })
    }

    /// Where the history goes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Nanoseconds since the start.
    pub fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Takes down an operation that has ended just now.
    pub fn operation(&self, worker: u16, replica: u16, begin: u64, action: Action, answer: Answer) {
        let mut inner = self.inner();
        // Under the lock, so that the file is in the order of the ends.
        let end = self.now();
        inner.number += 1;
        let number = inner.number;
        let count = (action.name(), answer.name().to_owned());
        *inner.counts.entry(count).or_default() += 1;
        if matches!(answer, Answer::Accepted { .. }) {
            let now = Duration::from_nanos(end);
            inner.longest_silence = inner
                .longest_silence
                .max(now.saturating_sub(inner.last_write));
            inner.last_write = now;
        }
        if let (Answer::Lost(_), Some(key)) = (&answer, action.key()) {
            inner.in_doubt.push(InDoubt { number, key, end });
        }
        inner.write(&Line::Operation(Operation {
            number,
            worker,
            replica,
            begin,
            end,
            action,
            answer,
            settlement: None,
        }));
    }

    /// Takes down what a subscriber was sent.
    pub fn watched(&self, watcher: u16, replica: u16, event: WatchedEvent) {
        let mut inner = self.inner();
        let at = self.now();
        inner.write(&Line::Watched(Watched {
            watcher,
            replica,
            at,
            event,
        }));
    }

    /// Takes down that a replica's process or database ended: call it when it is back, and when it goes.
    pub fn disturbed(&self, replica: u16) {
        let mut inner = self.inner();
        let at = self.now();
        inner.write(&Line::Disturbance(Disturbance { at, replica }));
    }

    /// Operations so far, by kind and answer.
    pub fn counts(&self) -> Counts {
        self.inner().counts.clone()
    }

    /// The longest time without an answered write so far, up to now.
    pub fn longest_silence(&self) -> Duration {
        let inner = self.inner();
        inner
            .longest_silence
            .max(self.start.elapsed().saturating_sub(inner.last_write))
    }

    /// How long ago the last write was answered.
    pub fn silence(&self) -> Duration {
        self.start.elapsed().saturating_sub(self.inner().last_write)
    }

    /// The mutations whose answer was lost, which are to be asked for; they are handed out once.
    pub(in crate::torture) fn take_in_doubt(&self) -> Vec<InDoubt> {
        std::mem::take(&mut self.inner().in_doubt)
    }

    /// Takes down what became of a mutation whose answer was lost.
    pub(in crate::torture) fn settled(&self, number: u64, settlement: Settlement) {
        self.inner().write(&Line::Settled { number, settlement });
    }

    /// Brings everything to the file.
    pub(in crate::torture) fn flush(&self) -> Result<(), HistoryError> {
        self.inner().file.flush().map_err(|error| HistoryError::Io {
            path: self.path.clone(),
            error,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("the recorder")
    }
}

impl Inner {
    /// A history with holes judges nothing: the run ends at once.
    fn write(&mut self, line: &Line) {
        serde_json::to_writer(&mut self.file, line).expect("the history takes a line");
        self.file
            .write_all(b"\n")
            .expect("the history takes a line");
    }
}
