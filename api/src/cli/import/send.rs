//! Sends the chunks of a file, in order, one at a time, each as often as it takes.

use std::collections::BTreeSet;

use tokio::sync::mpsc;
use uuid::Uuid;

use super::chunk::Chunk;
use super::cluster::{Cluster, ClusterError};
use super::keys::{Keys, MAX_ATTEMPTS};
use super::ledger::{Categories, LedgerError};
use super::progress::Progress;
use super::verdict::{Verdict, verdict};
use super::wire::{self, AddExpense, UserError};

/// User errors that are shown; the others are only counted.
const SHOWN_ERRORS: usize = 20;

/// Why an import stops.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the cluster refused lines {first} to {last} as they stand:{details}")]
    Refused {
        first: u64,
        last: u64,
        details: String,
    },
    #[error(
        "lines {first} to {last} were sent by somebody else at the same time, under the same key {key}, with \
         other categories; import the file again to add what is missing"
    )]
    KeyReused { first: u64, last: u64, key: Uuid },
    #[error("lines {first} to {last} were refused {MAX_ATTEMPTS} times already")]
    TooManyAttempts { first: u64, last: u64 },
    #[error("the answer for lines {first} to {last} has neither a receipt nor an error")]
    NoReceipt { first: u64, last: u64 },
}

/// What became of the rows so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows that this import added.
    pub added: u64,
    /// Rows that an earlier import of the same file had added.
    pub already_there: u64,
    /// Replicas that had not acknowledged a chunk when it was answered.
    pub pending: BTreeSet<String>,
}

/// One import on its way.
pub struct Sender {
    pub cluster: Cluster,
    pub ledger_id: Uuid,
    pub keys: Keys,
    pub categories: Categories,
    pub progress: Progress,
    pub totals: Totals,
}

impl Sender {
    /// Sends all chunks; `totals` counts them, also when it ends early.
    ///
    /// # Errors
    /// See [`SendError`]; the chunk in question added nothing, unless no replica could say so.
    pub async fn send_all(&mut self, mut chunks: mpsc::Receiver<Chunk>) -> Result<(), SendError> {
        while let Some(chunk) = chunks.recv().await {
            let rows = chunk.rows.len();
            // What is there is not sent again: its categories may have been renamed or deleted since, which makes
            // no new expense of an old one.
            let added = match self.unused_key(&chunk).await? {
                Some(key) => self.send(&chunk, key).await?,
                None => false,
            };
            if added {
                self.totals.added += rows as u64;
            } else {
                self.totals.already_there += rows as u64;
            }
            self.progress.advance(rows);
        }
        Ok(())
    }

    /// The first key that was not refused; none if the chunk was added under it.
    async fn unused_key(&mut self, chunk: &Chunk) -> Result<Option<Uuid>, SendError> {
        for key in self.keys.chunk(chunk.number) {
            match verdict(&mut self.cluster, key).await? {
                Some(Verdict::Refused) => {}
                Some(Verdict::Accepted) => return Ok(None),
                None => return Ok(Some(key)),
            }
        }
        let (first, last) = lines(chunk);
        Err(SendError::TooManyAttempts { first, last })
    }

    /// Returns whether the chunk was added; if not, it was there.
    async fn send(&mut self, chunk: &Chunk, idempotency_key: Uuid) -> Result<bool, SendError> {
        let mut expenses = Vec::with_capacity(chunk.rows.len());
        for (number, (_, row)) in (chunk.first_row..).zip(&chunk.rows) {
            let category_id = match &row.category {
                Some(name) => Some(self.categories.id(&mut self.cluster, name).await?),
                None => None,
            };
            expenses.push(AddExpense {
                id: self.keys.expense(number),
                description: &row.description,
                amount: row.amount.amount(),
                currency: row.amount.currency(),
                spent_on: row.spent_on,
                category_id,
                notes: row.notes.as_deref(),
                tags: &row.tags,
            });
        }
        let input = wire::AddExpenses {
            idempotency_key,
            ledger_id: self.ledger_id,
            expenses,
        };
        let answer = self
            .cluster
            .request::<wire::AddExpensesData>(wire::ADD_EXPENSES, &wire::Input { input })
            .await?;
        let payload = answer.data.add_expenses;
        let (first, last) = lines(chunk);
        match payload.receipt {
            _ if !payload.user_errors.is_empty() => {
                refusal(chunk, &payload.user_errors, idempotency_key).map(|()| false)
            }
            Some(receipt) => {
                self.totals.pending.extend(receipt.pending);
                // A repeated outcome after a repeated request is that of our own first request.
                Ok(!receipt.replayed || answer.resent)
            }
            None => Err(SendError::NoReceipt { first, last }),
        }
    }
}

/// What the errors of a chunk mean: no error at all if its expenses exist, whose ids come from the file.
fn refusal(chunk: &Chunk, errors: &[UserError], key: Uuid) -> Result<(), SendError> {
    let (first, last) = lines(chunk);
    if errors.iter().all(UserError::is_taken_id) {
        // The key was forgotten, the expenses were not. A chunk goes as a whole, so one stands for all.
        return Ok(());
    }
    if errors.iter().any(|error| error.code == "KEY_REUSED") {
        return Err(SendError::KeyReused { first, last, key });
    }
    let mut details = String::new();
    for error in errors.iter().take(SHOWN_ERRORS) {
        details += &match error.index().and_then(|index| chunk.rows.get(index)) {
            Some((line, _)) => format!("\n  line {line}: {}", error.message),
            None => format!("\n  {}", error.message),
        };
    }
    if let Some(more) = errors
        .len()
        .checked_sub(SHOWN_ERRORS)
        .filter(|more| *more > 0)
    {
        details += &format!("\n  and {more} more");
    }
    Err(SendError::Refused {
        first,
        last,
        details,
    })
}

/// First and last line of a chunk.
fn lines(chunk: &Chunk) -> (u64, u64) {
    let line = |row: Option<&(u64, _)>| row.map_or(0, |(line, _)| *line);
    (line(chunk.rows.first()), line(chunk.rows.last()))
}
