//! What a run of proposals touches: loaded at once, changed in memory by the transition, stored at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use threefold_entity::{Revision, category, expense, idempotency_key, ledger};
use uuid::Uuid;

use crate::change::{Change, ChangeBatch};
use crate::history::HistoryHash;

/// The small part of the state that stays in memory between applies. This crate is the only writer of the database,
/// so what is here is what is stored, until a transaction fails and it is loaded anew.
#[derive(Clone, Debug)]
pub(crate) struct Resident {
    pub(crate) revision: Revision,
    pub(crate) hash: HistoryHash,
    pub(crate) expense_count: i64,
    pub(crate) ledgers: HashMap<Uuid, ledger::Model>,
    pub(crate) categories: HashMap<Uuid, category::Model>,
    /// Category ids by ledger and folded name.
    pub(crate) category_names: HashMap<(Uuid, String), Uuid>,
}

impl Resident {
    pub(crate) fn new(
        revision: Revision,
        hash: HistoryHash,
        expense_count: i64,
        ledgers: Vec<ledger::Model>,
        categories: Vec<category::Model>,
    ) -> Self {
        let names = categories
            .iter()
            .map(|c| ((c.ledger_id, c.name_key.clone()), c.id))
            .collect();
        Self {
            revision,
            hash,
            expense_count,
            ledgers: ledgers.into_iter().map(|l| (l.id, l)).collect(),
            categories: categories.into_iter().map(|c| (c.id, c)).collect(),
            category_names: names,
        }
    }
}

/// All expenses of one category move to another, or to none: carried out by the database, not row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recategorise {
    pub(crate) from: Uuid,
    pub(crate) to: Option<Uuid>,
    pub(crate) revision: Revision,
    pub(crate) at: chrono::DateTime<chrono::Utc>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct WorkingSet<'a> {
    pub(crate) resident: &'a mut Resident,
    /// Expenses by id: as loaded, and as they are now.
    pub(crate) expenses: HashMap<Uuid, Tracked>,
    /// Keys that are known, from the database or from this run.
    pub(crate) keys: HashMap<Uuid, idempotency_key::Model>,
    /// Those of them that are in the database.
    pub(crate) stored_keys: BTreeSet<Uuid>,
    /// Changes of revisions that known keys made, for replays.
    pub(crate) replayable: HashMap<Revision, Arc<Vec<Change>>>,
    /// Written by the transition, in order.
    pub(crate) batches: Vec<(ChangeBatch, String)>,
    pub(crate) new_keys: Vec<idempotency_key::Model>,
    /// Ids of what changed, ordered so that every replica stores in the same order.
    pub(crate) touched_expenses: BTreeSet<Uuid>,
    pub(crate) touched_ledgers: BTreeSet<Uuid>,
    pub(crate) touched_categories: BTreeSet<Uuid>,
    pub(crate) gone_categories: BTreeSet<Uuid>,
    pub(crate) recategorise: Option<Recategorise>,
}

/// One expense: as stored before this run, if it was, and as it is now.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    pub(crate) stored: Option<expense::Record>,
    pub(crate) current: Option<expense::Record>,
}

impl<'a> WorkingSet<'a> {
    pub(crate) fn new(resident: &'a mut Resident) -> Self {
        Self {
            resident,
            expenses: HashMap::new(),
            keys: HashMap::new(),
            stored_keys: BTreeSet::new(),
            replayable: HashMap::new(),
            batches: Vec::new(),
            new_keys: Vec::new(),
            touched_expenses: BTreeSet::new(),
            touched_ledgers: BTreeSet::new(),
            touched_categories: BTreeSet::new(),
            gone_categories: BTreeSet::new(),
            recategorise: None,
        }
    }

    pub(crate) fn load_expense(&mut self, record: expense::Record) {
        self.expenses.insert(
            record.id,
            Tracked {
                stored: Some(record.clone()),
                current: Some(record),
            },
        );
    }

    pub(crate) fn expense(&self, id: Uuid) -> Option<&expense::Record> {
        self.expenses
            .get(&id)
            .and_then(|tracked| tracked.current.as_ref())
    }

    /// Puts an expense in place of what was there, and keeps the counters of its ledger and category right.
    pub(crate) fn put_expense(&mut self, record: expense::Record) {
        let before = self.expense(record.id).cloned();
        if let Some(before) = &before {
            self.count(before, -1);
        }
        self.count(&record, 1);
        let id = record.id;
        self.touched_expenses.insert(id);
        self.expenses.entry(id).or_default().current = Some(record);
    }

    fn count(&mut self, record: &expense::Record, by: i64) {
        if let Some(ledger) = self.resident.ledgers.get_mut(&record.ledger_id) {
            let live = record.deleted_at.is_none();
            *(if live {
                &mut ledger.expense_count
            } else {
                &mut ledger.deleted_count
            }) += by;
            self.touched_ledgers.insert(ledger.id);
        }
        if record.deleted_at.is_none() {
            self.resident.expense_count += by;
            let category = record
                .category_id
                .and_then(|id| self.resident.categories.get_mut(&id));
            if let Some(category) = category {
                category.expense_count += by;
                self.touched_categories.insert(category.id);
            }
        }
    }

    pub(crate) fn put_category(&mut self, category: category::Model) {
        let id = category.id;
        if let Some(before) = self.resident.categories.remove(&id) {
            self.resident
                .category_names
                .remove(&(before.ledger_id, before.name_key));
        }
        self.resident
            .category_names
            .insert((category.ledger_id, category.name_key.clone()), id);
        self.resident.categories.insert(id, category);
        self.touched_categories.insert(id);
    }

    pub(crate) fn remove_category(&mut self, id: Uuid) -> Option<category::Model> {
        let category = self.resident.categories.remove(&id)?;
        self.resident
            .category_names
            .remove(&(category.ledger_id, category.name_key.clone()));
        self.touched_categories.remove(&id);
        self.gone_categories.insert(id);
        Some(category)
    }

    /// Expenses to write, with what is stored of each now.
    pub(crate) fn dirty_expenses(
        &self,
    ) -> impl Iterator<Item = (Option<&expense::Record>, &expense::Record)> {
        self.touched_expenses.iter().filter_map(|id| {
            let tracked = self.expenses.get(id)?;
            Some((tracked.stored.as_ref(), tracked.current.as_ref()?))
        })
    }

    /// The changes that a revision made, where they are still known.
    pub(crate) fn changes_of(&self, revision: Revision) -> Option<Arc<Vec<Change>>> {
        let in_this_run = self
            .batches
            .iter()
            .find(|(batch, _)| batch.revision == revision);
        in_this_run
            .map(|(batch, _)| batch.changes.clone())
            .or_else(|| self.replayable.get(&revision).cloned())
    }

    /// Number of categories of a ledger, for its bound.
    pub(crate) fn category_count(&self, ledger_id: Uuid) -> usize {
        self.resident
            .categories
            .values()
            .filter(|category| category.ledger_id == ledger_id)
            .count()
    }
}
