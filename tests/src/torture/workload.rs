//! Clients at work on a cluster that may break at any time, and what they did as a [`History`].
//!
//! Each worker is one logical client: it does one thing after the other, on replicas drawn by chance, and what it draws
//! depends on the seed alone.

mod add;
mod batch;
mod hot;
mod local;
mod settle;
mod target;
mod twin;
mod watch;
mod wire;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as channel;
use tokio::task::JoinSet;

use super::history::{History, HistoryError, Recorder};
use crate::wait::{Unreached, ended};
pub use target::{Endpoint, Target};
use worker::Worker;

/// Longest wait for a worker to end what it has begun.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// How many workers of each kind, and how busy. The default makes some 300 operations a second.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Clients that add, edit, delete, restore and read the same few expenses, in groups of up to ten.
    pub hot: u16,
    /// Clients that only add.
    pub add: u16,
    /// Clients that write and read elsewhere what they wrote, by revision and locally.
    pub local: u16,
    /// Clients that send one thing twice at once, and sometimes something else under the same key.
    pub twin: u16,
    /// Clients that add several expenses at once, and look whether they appear at once.
    pub batch: u16,
    /// Subscribers of the feed.
    pub watch: u16,
    /// The mean time that a client waits between two things, in milliseconds.
    pub pause_ms: u64,
    /// How long a client waits for an answer before it asks another replica, in milliseconds.
    pub patience_ms: u64,
    /// How many in a hundred mutations are acknowledged by a majority only.
    pub quorum_percent: u64,
    /// How long a replica may go on with a mutation whose client has gone, in milliseconds: `--write-timeout-ms`, and some more.
    pub settle_ms: u64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            hot: 10,
            add: 4,
            local: 4,
            twin: 2,
            batch: 2,
            watch: 3,
            pause_ms: 50,
            patience_ms: 3_000,
            quorum_percent: 25,
            settle_ms: 11_000,
        }
    }
}

/// Why there is no history, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// Clients do not come to an end, or are not answered.
    #[error(transparent)]
    Unreached(#[from] Unreached),
    /// It cannot be read or written.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// The workers at work.
#[derive(Debug)]
pub struct Workloads {
    recorder: Arc<Recorder>,
    target: Target,
    load: Load,
    stop: channel::Sender<bool>,
    head: channel::Sender<Option<u64>>,
    workers: JoinSet<()>,
    watchers: JoinSet<()>,
}

impl Workloads {
    /// Starts the workers; the history goes to that file.
    pub fn start(
        target: &Target,
        seed: u64,
        path: &Path,
        load: Load,
    ) -> Result<Self, HistoryError> {
        let recorder = Arc::new(Recorder::create(path)?);
        let (stop, stopped) = channel::channel(false);
        let (head, last) = channel::channel(None);
        let mut workers = JoinSet::new();
        let mut number = 0;
        let mut next = || {
            let worker = Worker::new(number, seed, target, &recorder, &stopped, load);
            number += 1;
            worker
        };
        let mut left = load.hot;
        while left > 0 {
            let group = left.min(hot::GROUP);
            left -= group;
            let shared = hot::Shared::new(seed ^ u64::from(left));
            (0..group).for_each(|_| drop(workers.spawn(hot::run(next(), Arc::clone(&shared)))));
        }
        (0..load.add).for_each(|_| drop(workers.spawn(add::run(next()))));
        (0..load.local).for_each(|_| drop(workers.spawn(local::run(next()))));
        (0..load.twin).for_each(|_| drop(workers.spawn(twin::run(next()))));
        (0..load.batch).for_each(|_| drop(workers.spawn(batch::run(next()))));
        let mut watchers = JoinSet::new();
        for watcher in 0..load.watch {
            let subscriber = watch::Watcher::new(watcher, seed, target, &recorder, last.clone());
            watchers.spawn(subscriber.run());
        }
        Ok(Self {
            recorder,
            target: target.clone(),
            load,
            stop,
            head,
            workers,
            watchers,
        })
    }

    /// The clock, the counts, and where disturbances are taken down.
    pub fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Ends the workers, asks what became of every mutation whose answer was lost, lets the subscribers come to the end of the feed,
    /// and reads the history from its file. Everything must have healed before: this waits for answers, for a minute each time.
    ///
    /// # Errors
    /// Not all of that could be done; [`Workloads::abandon`] reads what there is.
    pub async fn finish(&mut self) -> Result<History, FinishError> {
        self.end_workers().await?;
        settle::settle(&self.target, &self.recorder, self.load.settle_ms).await;
        let head = settle::last_revision(&self.target).await?;
        self.head.send_replace(Some(head));
        let last = join(&mut self.watchers);
        ended("the subscribers' last changes", STOP_TIMEOUT, last).await?;
        self.read().await
    }

    /// Ends workers and subscribers where the cluster does not heal, and reads what they have seen.
    ///
    /// # Errors
    /// The workers do not end, or the history cannot be read.
    pub async fn abandon(&mut self) -> Result<History, FinishError> {
        self.end_workers().await?;
        self.watchers.shutdown().await;
        self.read().await
    }

    async fn end_workers(&mut self) -> Result<(), Unreached> {
        self.stop.send_replace(true);
        let last = join(&mut self.workers);
        ended("the workers' last operations", STOP_TIMEOUT, last).await
    }

    async fn read(&self) -> Result<History, FinishError> {
        self.recorder.flush()?;
        let path = self.recorder.path().to_owned();
        let (history, _) = tokio::task::spawn_blocking(move || History::load(&path))
            .await
            .expect("the task that reads the history")?;
        Ok(history)
    }
}

async fn join(tasks: &mut JoinSet<()>) {
    while let Some(result) = tasks.join_next().await {
        result.expect("a worker that does not panic");
    }
}
