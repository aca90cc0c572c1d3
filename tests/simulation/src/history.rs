//! What clients asked for and were told, and what the feeds told them: judged as it comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use threefold_entity::Revision;
use threefold_replication::change::{Change, ChangeBatch};
use threefold_replication::command::Command;
use threefold_replication::history::HistoryHash;
use threefold_replication::outcome::{Outcome, Verdict};
use uuid::Uuid;

/// What became of an operation, as its client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// No answer yet, or none that says; it may be carried out at any time.
    InDoubt,
    /// Carried out, as this revision.
    Accepted(u64),
    /// Refused by the rules.
    Refused,
    /// Reported as certainly not written, by every attempt.
    NotWritten,
}

/// One mutation that a client wants.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its idempotency key.
    pub key: Uuid,
    /// What is to be done.
    pub command: Command,
    /// What became of it.
    pub fate: Fate,
    /// How many are waiting for its answer.
    pub under_way: u64,
    /// How often it has been sent.
    pub attempts: u64,
}

/// One revision, as it was first seen.
struct Seen {
    hash: Option<HistoryHash>,
    changes: Option<Arc<Vec<Change>>>,
}

/// A subscriber that moves from replica to replica.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subscriber {
    /// The last revision that it has.
    pub position: u64,
    /// It is on a replica.
    pub busy: bool,
}

/// See the module.
pub struct History {
    /// In the order in which they began.
    pub operations: Vec<Operation>,
    /// The expenses that clients know of.
    pub expenses: Vec<Uuid>,
    /// All subscribers.
    pub subscribers: Vec<Subscriber>,
    /// The newest revision that anybody has been told: a read that begins now must see it.
    pub floor: u64,
    revisions: BTreeMap<u64, Seen>,
    /// The revision of each change of each expense.
    versions: BTreeMap<Uuid, BTreeMap<u64, threefold_entity::expense::Record>>,
    serials: BTreeMap<String, u64>,
}

/// What is wrong with something that was seen: the promise and the detail.
pub type Wrong = (&'static str, String);

impl History {
    /// Nothing has happened.
    pub fn new(subscribers: usize) -> Self {
        Self {
            operations: Vec::new(),
            expenses: Vec::new(),
            subscribers: vec![Subscriber::default(); subscribers],
            floor: 0,
            revisions: BTreeMap::new(),
            versions: BTreeMap::new(),
            serials: BTreeMap::new(),
        }
    }

    /// Somebody was told that this is the hash at a revision.
    pub fn hash_at(&mut self, revision: u64, hash: HistoryHash) -> Result<(), Wrong> {
        let seen = self.revisions.entry(revision).or_insert(Seen {
            hash: None,
            changes: None,
        });
        let known = *seen.hash.get_or_insert(hash);
        if known == hash {
            Ok(())
        } else {
            let detail = format!("revision {revision} has hash {hash} and {known}");
            Err(("equal revision, equal hash", detail))
        }
    }

    /// Somebody was told what a revision changed.
    pub fn changes_at(&mut self, revision: u64, changes: &Arc<Vec<Change>>) -> Result<(), Wrong> {
        let seen = self.revisions.entry(revision).or_insert(Seen {
            hash: None,
            changes: None,
        });
        if let Some(known) = &seen.changes {
            return if known == changes {
                Ok(())
            } else {
                let detail = format!("revision {revision} is {changes:?} and {known:?}");
                Err(("a revision is one command", detail))
            };
        }
        seen.changes = Some(changes.clone());
        for change in changes.iter() {
            let record = match change {
                Change::ExpenseAdded(record)
                | Change::ExpenseUpdated {
                    expense: record, ..
                }
                | Change::ExpenseDeleted(record)
                | Change::ExpenseRestored(record) => record,
                _ => continue,
            };
            let versions = self.versions.entry(record.id).or_default();
            versions.insert(revision, record.clone());
            // Each operation writes a text of its own.
            if matches!(
                change,
                Change::ExpenseAdded(_) | Change::ExpenseUpdated { .. }
            ) {
                let serial = record.description.clone();
                let first = *self.serials.entry(serial.clone()).or_insert(revision);
                if first != revision {
                    let detail = format!("{serial} is in revisions {first} and {revision}");
                    return Err(("never applied twice", detail));
                }
            }
        }
        Ok(())
    }

    /// An answer, or an outcome that was asked for.
    pub fn told(&mut self, place: usize, outcome: &Outcome) -> Result<(), Wrong> {
        let key = self.operations[place].key;
        let fate = match &outcome.verdict {
            Verdict::Accepted { revision, changes } => {
                let revision = revision.get();
                self.floor = self.floor.max(revision);
                self.changes_at(revision, changes)?;
                Fate::Accepted(revision)
            }
            Verdict::Refused(_) => Fate::Refused,
        };
        let operation = &mut self.operations[place];
        let settled = matches!(operation.fate, Fate::Accepted(_) | Fate::Refused);
        if settled && operation.fate != fate {
            let detail = format!("{key} was {:?} and is {fate:?}", operation.fate);
            return Err(("the same key, the same outcome", detail));
        }
        operation.fate = fate;
        if let Command::AddExpenses(add) = &operation.command
            && matches!(operation.fate, Fate::Accepted(_))
        {
            let new = add.expenses.iter().filter_map(|expense| expense.id);
            let known: BTreeSet<Uuid> = self.expenses.iter().copied().collect();
            let new: Vec<Uuid> = new.filter(|id| !known.contains(id)).collect();
            self.expenses.extend(new);
        }
        Ok(())
    }

    /// What a read of one expense must show at least, if it began now: the revision of its last known change.
    pub fn least(&self, expense: Uuid) -> u64 {
        let versions = self.versions.get(&expense);
        let newest = versions.and_then(|versions| versions.range(..=self.floor).next_back());
        newest.map_or(0, |(revision, _)| *revision)
    }

    /// A read showed this row.
    pub fn read(
        &mut self,
        least: u64,
        row: Option<&threefold_entity::expense::Record>,
        expense: Uuid,
    ) -> Result<(), Wrong> {
        let Some(row) = row else {
            let detail = format!("expense {expense} of revision {least} was not there");
            return Err(("reads see what was answered", detail));
        };
        let revision = row.revision.get();
        if revision < least {
            let detail = format!(
                "expense {expense} was read as of revision {revision}, revision {least} had been told"
            );
            return Err(("reads see what was answered", detail));
        }
        let known = self.versions.get(&expense).and_then(|it| it.get(&revision));
        match known {
            Some(known) if known != row => {
                let detail = format!("expense {expense} at {revision}: {row:?} and {known:?}");
                Err(("a revision is one command", detail))
            }
            _ => Ok(()),
        }
    }

    /// A subscriber received a batch.
    pub fn fed(&mut self, subscriber: usize, batch: &ChangeBatch) -> Result<(), Wrong> {
        let revision = batch.revision.get();
        let position = self.subscribers[subscriber].position;
        if revision != position + 1 {
            let detail = format!("revision {revision} came after {position}");
            return Err(("the feed skips and repeats nothing", detail));
        }
        self.subscribers[subscriber].position = revision;
        self.floor = self.floor.max(revision);
        self.hash_at(revision, batch.hash)?;
        self.changes_at(revision, &batch.changes)
    }

    /// How many operations there are of each fate: in doubt, accepted, refused, not written.
    pub fn counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for operation in &self.operations {
            let place = match operation.fate {
                Fate::InDoubt => 0,
                Fate::Accepted(_) => 1,
                Fate::Refused => 2,
                Fate::NotWritten => 3,
            };
            counts[place] += 1;
        }
        counts
    }
}

/// A revision as the replication crate has it.
pub fn revision(number: u64) -> Revision {
    number.into()
}
