//! Between working set and database: one load and one store for many proposals, set-wise, never a round trip a row.

mod find;
mod indexes;
pub(crate) mod rows;
pub(crate) mod table;
mod unit;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, EntityTrait};
use threefold_entity::value::search;
use threefold_entity::{Revision, category, change, expense, idempotency_key, ledger};
use uuid::Uuid;

use self::find::find_in;
use self::indexes::PutAside;
use self::table::{Row, Table};
pub(crate) use self::unit::Unit;
pub(crate) use self::write::Position;
use self::write::Write;
use crate::change::Change;
use crate::command::Command;
use crate::history::HistoryHash;
use crate::proposal::Proposal;
use crate::working_set::{Resident, WorkingSet};

/// Loads the resident part of the state.
pub(crate) async fn load_resident<C: ConnectionTrait>(
    db: &C,
    revision: Revision,
    hash: HistoryHash,
    expense_count: i64,
) -> Result<Resident, DbErr> {
    let ledgers = ledger::Entity::find().all(db).await?;
    let categories = category::Entity::find().all(db).await?;
    Ok(Resident::new(
        revision,
        hash,
        expense_count,
        ledgers,
        categories,
    ))
}

/// Loads what the proposals touch and the resident part does not hold.
pub(crate) async fn load<'p>(
    unit: &mut Unit<'_>,
    set: &mut WorkingSet<'_>,
    proposals: impl Iterator<Item = &'p Proposal> + Clone,
) -> Result<(), DbErr> {
    let db = &unit.reader().await?;
    let keys: Vec<Uuid> = proposals.clone().map(|proposal| proposal.key).collect();
    let known =
        find_in::<idempotency_key::Entity, _>(db, idempotency_key::Column::Key, keys).await?;
    let replayable: Vec<i64> = known
        .iter()
        .filter(|key| key.refusals.is_none())
        .map(|key| key.revision)
        .collect();
    set.stored_keys.extend(known.iter().map(|key| key.key));
    set.keys.extend(known.into_iter().map(|key| (key.key, key)));
    for revision in replayable {
        if let Some(changes) = load_changes(db, Revision::from_column(revision)).await? {
            set.replayable
                .insert(Revision::from_column(revision), changes);
        }
    }
    let ids: BTreeSet<Uuid> = proposals
        .flat_map(|proposal| expense_ids(&proposal.command))
        .collect();
    let ids = ids.into_iter().collect();
    for row in find_in::<expense::Entity, _>(db, expense::Column::Id, ids).await? {
        let record = expense::Record::try_from(row)
            .map_err(|e| DbErr::Type(format!("table expense: {e}")))?;
        set.load_expense(record);
    }
    Ok(())
}

/// The keys of proposals that need nothing of the database but that their keys are new: as nearly all are, it is quicker to see that
/// when they are stored, where the database can do both in one statement. None where something has to be loaded.
pub(crate) fn only_new_keys<'p, C: ConnectionTrait>(
    db: &C,
    proposals: impl Iterator<Item = &'p Proposal> + Clone,
) -> Option<Vec<Uuid>> {
    let in_one_statement = db.get_database_backend() == DatabaseBackend::Postgres;
    let needs_rows = |proposal: &Proposal| match &proposal.command {
        Command::AddExpenses(_) => !expense_ids(&proposal.command).is_empty(),
        _ => true,
    };
    let sufficient = in_one_statement && !proposals.clone().any(needs_rows);
    sufficient.then(|| proposals.map(|proposal| proposal.key).collect())
}

/// The changes of one revision, if they are kept.
pub(crate) async fn load_changes<C: ConnectionTrait>(
    db: &C,
    revision: Revision,
) -> Result<Option<Arc<Vec<Change>>>, DbErr> {
    let row = change::Entity::find_by_id(revision.to_column())
        .one(db)
        .await?;
    row.map(|row| read_changes(&row.payload).map(Arc::new))
        .transpose()
}

/// The changes in a stored payload.
pub(crate) fn read_changes(payload: &str) -> Result<Vec<Change>, DbErr> {
    serde_json::from_str(payload).map_err(|e| DbErr::Type(format!("table change: {e}")))
}

/// Ids of stored expenses that a command looks at.
fn expense_ids(command: &Command) -> Vec<Uuid> {
    match command {
        Command::AddExpenses(add) => add.expenses.iter().filter_map(|new| new.id).collect(),
        Command::UpdateExpense(update) => vec![update.id],
        Command::DeleteExpense(delete) => vec![delete.id],
        Command::RestoreExpense(restore) => vec![restore.id],
        Command::AddCategory(_) | Command::UpdateCategory(_) | Command::DeleteCategory(_) => {
            Vec::new()
        }
    }
}

/// Stores what the transition changed.
pub(crate) async fn store(unit: &mut Unit<'_>, set: &WorkingSet<'_>) -> Result<(), DbErr> {
    // No two pieces may touch a row in one stage.
    unit.carry_out().await?;
    if let Some(move_all) = &set.recategorise {
        unit.add(Write::Recategorise(move_all.clone()));
        // The expenses that follow are some of those that moved.
        unit.carry_out().await?;
    }
    let lost = usize::from(sabotaged!("sabotage.lose-row"));
    let (changed, new): (Vec<_>, Vec<_>) = set
        .dirty_expenses()
        .skip(lost)
        .partition(|(stored, _)| stored.is_some());
    let expenses = |dirty: Vec<(_, &expense::Record)>| {
        let rows = dirty.into_iter();
        rows.map(|(_, record)| rows::expense(record.clone().into_row()))
            .collect()
    };
    unit.add(Write::Insert(&rows::EXPENSE, expenses(new)));
    unit.add(Write::Upsert(&rows::EXPENSE, expenses(changed)));
    store_terms(unit, set);
    let resident = &*set.resident;
    let touched = set.touched_categories.iter();
    let categories = touched.filter_map(|id| resident.categories.get(id).cloned());
    let categories = categories.map(rows::category).collect();
    unit.add(Write::Upsert(&rows::CATEGORY, categories));
    let gone = set.gone_categories.iter().map(|id| vec![(*id).into()]);
    unit.add(Write::Delete(&rows::CATEGORY, gone.collect()));
    let touched = set.touched_ledgers.iter();
    let ledgers = touched.filter_map(|id| resident.ledgers.get(id).cloned());
    unit.add(Write::Upsert(
        &rows::LEDGER,
        ledgers.map(rows::ledger).collect(),
    ));
    let batches = set.batches.iter();
    let changes = batches.map(|(batch, payload)| rows::change(batch, payload.clone()));
    unit.add(Write::Insert(&rows::CHANGE, changes.collect()));
    // One that had aged out may be used anew.
    let (aged, new): (Vec<_>, Vec<_>) = set
        .new_keys
        .iter()
        .partition(|key| set.stored_keys.contains(&key.key) || sabotaged!("sabotage.apply-twice"));
    let keys =
        |keys: Vec<&idempotency_key::Model>| keys.into_iter().cloned().map(rows::key).collect();
    unit.add(Write::Insert(&rows::KEY, keys(new)));
    unit.add(Write::Upsert(&rows::KEY, keys(aged)));
    Ok(())
}

/// Revisions that are forgotten at once. Where the history is cut depends on its length alone, so that replicas hold the same.
const FORGET_AT_ONCE: u64 = 1_024;

/// Forgets changes and keys that are older than `keep_revisions`, if the history has become so long since `before` that there are
/// enough of them.
pub(crate) async fn forget(
    unit: &mut Unit<'_>,
    before: Revision,
    head: Revision,
    keep_revisions: u64,
) -> Result<(), DbErr> {
    let last_gone = |head: Revision| {
        let old = head.get().saturating_sub(keep_revisions);
        old - old % FORGET_AT_ONCE
    };
    if last_gone(head) > last_gone(before) {
        let last = Revision::from(last_gone(head));
        // An old key may just have been used anew. New ones that were taken for new are stored by this, and then no longer
        // new to the position: the apply is tried again with keys looked up.
        unit.carry_out().await?;
        unit.add(Write::Forget(&rows::CHANGE, last));
        unit.add(Write::Forget(&rows::KEY, last));
    }
    Ok(())
}

/// Brings the inverted index to what the changed expenses say now, touching only terms that differ.
fn store_terms(unit: &mut Unit<'_>, set: &WorkingSet<'_>) {
    let (mut added, mut gone) = (Vec::new(), Vec::new());
    for (stored, current) in set.dirty_expenses() {
        let new = terms(current);
        let old = stored.map(terms).unwrap_or_default();
        let row = |term: &String| rows::term(current.id, term);
        added.extend(new.difference(&old).map(row));
        gone.extend(old.difference(&new).map(row));
    }
    unit.add(Write::Insert(&rows::TERM, added));
    unit.add(Write::Delete(&rows::TERM, gone));
}

/// Puts the indexes of the large tables aside, before a snapshot is put in the place of what they hold. Not where
/// PostgreSQL has rows in them: there nobody could read these until the transaction ends.
pub(crate) async fn begin_to_fill<C: ConnectionTrait>(db: &C) -> Result<Vec<PutAside>, DbErr> {
    let locks_readers_out = db.get_database_backend() == DatabaseBackend::Postgres;
    if locks_readers_out && expense::Entity::find().one(db).await?.is_some() {
        return Ok(Vec::new());
    }
    let mut indexes = Vec::new();
    for table in [&rows::EXPENSE, &rows::TERM] {
        indexes.push(indexes::put_aside(db, table.name).await?);
    }
    Ok(indexes)
}

/// Makes the indexes that were put aside again, once all rows are there.
pub(crate) async fn make_indexes<C: ConnectionTrait>(
    db: &C,
    indexes: Vec<PutAside>,
) -> Result<(), DbErr> {
    for index in indexes {
        index.make(db).await?;
    }
    Ok(())
}

/// Puts ledgers of a snapshot into the empty table.
pub(crate) async fn restore_ledgers<C: ConnectionTrait>(
    db: &C,
    rows: Vec<ledger::Model>,
) -> Result<(), DbErr> {
    insert(db, &rows::LEDGER, rows.into_iter().map(rows::ledger)).await
}

/// Puts categories of a snapshot into the empty table.
pub(crate) async fn restore_categories<C: ConnectionTrait>(
    db: &C,
    rows: Vec<category::Model>,
) -> Result<(), DbErr> {
    insert(db, &rows::CATEGORY, rows.into_iter().map(rows::category)).await
}

/// Puts expenses of a snapshot into the empty tables of rows and terms.
pub(crate) async fn restore_expenses<C: ConnectionTrait>(
    db: &C,
    records: Vec<expense::Record>,
) -> Result<(), DbErr> {
    let found_by = |record: &expense::Record| -> Vec<_> {
        let terms = terms(record);
        terms
            .iter()
            .map(|term| rows::term(record.id, term))
            .collect()
    };
    let all_terms: Vec<_> = records.iter().flat_map(found_by).collect();
    let records = records.into_iter();
    let expenses = records.map(|record| rows::expense(record.into_row()));
    insert(db, &rows::EXPENSE, expenses).await?;
    insert(db, &rows::TERM, all_terms).await
}

/// Puts history of a snapshot into the empty table.
pub(crate) async fn restore_changes<C: ConnectionTrait>(
    db: &C,
    rows: Vec<change::Model>,
) -> Result<(), DbErr> {
    insert(db, &rows::CHANGE, rows.into_iter().map(rows::change_row)).await
}

/// Puts idempotency keys of a snapshot into the empty table.
pub(crate) async fn restore_keys<C: ConnectionTrait>(
    db: &C,
    rows: Vec<idempotency_key::Model>,
) -> Result<(), DbErr> {
    insert(db, &rows::KEY, rows.into_iter().map(rows::key)).await
}

async fn insert<C: ConnectionTrait>(
    db: &C,
    table: &'static Table,
    rows: impl IntoIterator<Item = Row>,
) -> Result<(), DbErr> {
    Write::Insert(table, rows.into_iter().collect())
        .run(db)
        .await
}

fn terms(record: &expense::Record) -> BTreeSet<String> {
    search::terms(&record.description, record.notes.as_deref(), &record.tags)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::database::Database;

    /// However the history was cut into applies, the same of it is left.
    #[tokio::test]
    async fn what_is_forgotten_depends_on_the_length_of_the_history_alone() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let db = Database::open(&url).await.unwrap();
        for heads in [vec![3_000], vec![700, 1_523, 1_524, 2_999, 3_000]] {
            let mut unit = Unit::new(&db.writer);
            let change = |revision| {
                rows::change_row(change::Model {
                    revision,
                    ledger_id: Uuid::nil(),
                    committed_at: DateTime::UNIX_EPOCH,
                    payload: "[]".to_owned(),
                    hash: vec![0; 32],
                })
            };
            unit.add(Write::Insert(
                &rows::CHANGE,
                (1..=3_000).map(change).collect(),
            ));
            let mut before = Revision::ZERO;
            for head in heads {
                let head = Revision::from(head);
                forget(&mut unit, before, head, 500).await.unwrap();
                before = head;
            }
            let db = unit.reader().await.unwrap();
            let left = change::Entity::find().count(&db).await.unwrap();
            assert_eq!(left, 3_000 - 2 * FORGET_AT_ONCE);
            // Dropped, not committed: the next one finds nothing of it.
        }
    }
}
