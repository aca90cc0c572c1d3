//! Writers that keep a cluster busy, and remember what they were promised; and an import that fills one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::binary;
use crate::client::{Client, NewExpense};
use crate::cluster::Cluster;
use crate::wait::until;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// What the writers did.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Descriptions of expenses whose mutation was answered: each must be there exactly once.
    pub answered: BTreeSet<String>,
    /// Descriptions of expenses that were sent and never answered: each may be there once.
    pub in_doubt: BTreeSet<String>,
    /// Revisions of the answers.
    pub revisions: Vec<u64>,
}

/// Writers at work in the background. Each sends one expense after the other, to one replica after the other, and sends
/// it again under the same key where no answer came.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    record: Arc<Mutex<Record>>,
    writers: JoinSet<()>,
}

impl Load {
    /// Starts that many writers.
    pub fn start(clients: &[Client], writers: usize) -> Self {
        let load = Self {
            stop: Arc::default(),
            answers: Arc::default(),
            record: Arc::default(),
            writers: JoinSet::new(),
        };
        let clients: Vec<Client> = clients
            .iter()
            .map(|client| client.with_timeout(REQUEST_TIMEOUT))
            .collect();
        (0..writers).fold(load, |mut load, writer| {
            load.writers.spawn(write(
                writer,
                clients.clone(),
                Arc::clone(&load.stop),
                Arc::clone(&load.answers),
                Arc::clone(&load.record),
            ));
            load
        })
    }

    /// How many mutations were answered so far.
    pub fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    /// Waits until so many more mutations were answered than at the call.
    pub async fn wait_for_answers(&self, more: usize, timeout: Duration) {
        let wanted = self.answers() + more;
        until("answers to the writers", timeout, async || {
            match self.answers() {
                answers if answers >= wanted => Ok(()),
                answers => Err(format!("{answers} of {wanted}")),
            }
        })
        .await;
    }

    /// Lets the writers finish what they have begun, and returns what they were promised.
    pub async fn finish(mut self) -> Record {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(result) = self.writers.join_next().await {
            result.expect("a writer");
        }
        let record = self.record.lock().expect("the record");
        record.clone()
    }
}

async fn write(
    writer: usize,
    clients: Vec<Client>,
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    record: Arc<Mutex<Record>>,
) {
    let mut turn = writer;
    let mut number = 0_usize;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let expense = NewExpense::described(format!("writer {writer}, expense {number}"));
        let mut answer = None;
        // What has been begun is asked of everybody once more: some may be gone for good.
        let mut left = clients.len();
        while answer.is_none() && left > 0 {
            turn += 1;
            if stop.load(Ordering::Relaxed) {
                left -= 1;
            }
            match clients[turn % clients.len()].add_expense(&expense).await {
                Ok(payload) => answer = Some(payload.accepted().1),
                Err(_) => tokio::time::sleep(RETRY_DELAY).await,
            }
        }
        let mut record = record.lock().expect("the record");
        match answer {
            Some(receipt) => {
                record.answered.insert(expense.description);
                record.revisions.push(receipt.revision);
                answers.fetch_add(1, Ordering::Relaxed);
            }
            None => {
                record.in_doubt.insert(expense.description);
            }
        }
    }
}

/// Fills a cluster by `threefold import`, and returns how long that took.
pub async fn import(cluster: &Cluster, rows: u64) -> Duration {
    let csv = cluster.file("expenses.csv");
    let sample = binary::run(&["sample", "--rows", &rows.to_string()]).await;
    std::fs::write(&csv, sample).expect("a file of expenses");
    let begun = Instant::now();
    let file = csv.to_str().expect("a path in UTF-8");
    binary::run(&["import", file, "--url", cluster.replica(1).url()]).await;
    let took = begun.elapsed();
    std::fs::remove_file(&csv).expect("the file goes");
    took
}
