//! Between working set and database: one load and one store for many proposals, set-wise, never a round trip a row.

pub(crate) mod bulk;
mod indexes;
pub(crate) mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, QueryFilter, Statement,
};
use threefold_entity::value::search;
use threefold_entity::{
    Revision, category, change, expense, expense_term, idempotency_key, ledger,
};
use uuid::Uuid;

use self::indexes::PutAside;
use crate::change::Change;
use crate::command::Command;
use crate::database::placeholder;
use crate::history::HistoryHash;
use crate::proposal::Proposal;
use crate::working_set::{Recategorise, Resident, WorkingSet};

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
pub(crate) async fn load<'p, C: ConnectionTrait>(
    db: &C,
    set: &mut WorkingSet<'_>,
    proposals: impl Iterator<Item = &'p Proposal> + Clone,
) -> Result<(), DbErr> {
    let keys: Vec<Uuid> = proposals.clone().map(|proposal| proposal.key).collect();
    let known =
        bulk::find_in::<idempotency_key::Entity, _>(db, idempotency_key::Column::Key, keys).await?;
    let replayable: Vec<i64> = known
        .iter()
        .filter(|key| key.refusals.is_none())
        .map(|key| key.revision)
        .collect();
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
    let rows =
        bulk::find_in::<expense::Entity, _>(db, expense::Column::Id, ids.into_iter().collect())
            .await?;
    for row in rows {
        let record = expense::Record::try_from(row)
            .map_err(|e| DbErr::Type(format!("table expense: {e}")))?;
        set.load_expense(record);
    }
    Ok(())
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
pub(crate) async fn store<C: ConnectionTrait>(db: &C, set: &WorkingSet<'_>) -> Result<(), DbErr> {
    if let Some(move_all) = &set.recategorise {
        recategorise(db, move_all).await?;
    }
    let expenses = set
        .dirty_expenses()
        .map(|(_, record)| rows::expense(record.clone().into_row()))
        .skip(usize::from(sabotaged!("sabotage.lose-row")))
        .collect();
    bulk::upsert(db, &rows::EXPENSE, expenses).await?;
    store_terms(db, set).await?;
    let resident = &*set.resident;
    let categories = set
        .touched_categories
        .iter()
        .filter_map(|id| resident.categories.get(id));
    bulk::upsert(
        db,
        &rows::CATEGORY,
        categories.cloned().map(rows::category).collect(),
    )
    .await?;
    if !set.gone_categories.is_empty() {
        let gone = category::Column::Id.is_in(set.gone_categories.iter().copied());
        category::Entity::delete_many()
            .filter(gone)
            .exec(db)
            .await?;
    }
    let ledgers = set
        .touched_ledgers
        .iter()
        .filter_map(|id| resident.ledgers.get(id));
    bulk::upsert(
        db,
        &rows::LEDGER,
        ledgers.cloned().map(rows::ledger).collect(),
    )
    .await?;
    let changes = set
        .batches
        .iter()
        .map(|(batch, payload)| rows::change(batch, payload.clone()))
        .collect();
    bulk::insert(db, &rows::CHANGE, changes).await?;
    // A key that had aged out may be used anew.
    bulk::upsert(
        db,
        &rows::KEY,
        set.new_keys.iter().cloned().map(rows::key).collect(),
    )
    .await
}

/// Forgets changes and keys that are older than `keep_revisions`.
pub(crate) async fn forget<C: ConnectionTrait>(
    db: &C,
    head: Revision,
    keep_revisions: u64,
) -> Result<(), DbErr> {
    let Some(last_gone) = head
        .get()
        .checked_sub(keep_revisions)
        .filter(|last_gone| *last_gone > 0)
    else {
        return Ok(());
    };
    let last_gone = Revision::from(last_gone).to_column();
    change::Entity::delete_many()
        .filter(change::Column::Revision.lte(last_gone))
        .exec(db)
        .await?;
    let keys = idempotency_key::Entity::delete_many()
        .filter(idempotency_key::Column::Revision.lte(last_gone));
    keys.exec(db).await?;
    Ok(())
}

async fn recategorise<C: ConnectionTrait>(db: &C, all: &Recategorise) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let [to, revision, at, from] = [1, 2, 3, 4].map(|n| placeholder(backend, n));
    let sql = format!(
        "UPDATE expense SET category_id = {to}, revision = {revision}, updated_at = {at}, version = version + 1 \
         WHERE category_id = {from}"
    );
    let values = [
        all.to.into(),
        all.revision.to_column().into(),
        all.at.into(),
        all.from.into(),
    ];
    db.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}

/// Brings the inverted index to what the changed expenses say now, touching only terms that differ.
async fn store_terms<C: ConnectionTrait>(db: &C, set: &WorkingSet<'_>) -> Result<(), DbErr> {
    let mut added = Vec::new();
    for (stored, current) in set.dirty_expenses() {
        let new = terms(current);
        let old = stored.map(terms).unwrap_or_default();
        let gone: Vec<&String> = old.difference(&new).collect();
        if !gone.is_empty() {
            // Rare: an edit that took a word away.
            let delete = expense_term::Entity::delete_many()
                .filter(expense_term::Column::ExpenseId.eq(current.id))
                .filter(expense_term::Column::Term.is_in(gone));
            delete.exec(db).await?;
        }
        added.extend(
            new.difference(&old)
                .map(|term| rows::term(current.id, term)),
        );
    }
    bulk::insert(db, &rows::TERM, added).await
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
    bulk::insert(
        db,
        &rows::LEDGER,
        rows.into_iter().map(rows::ledger).collect(),
    )
    .await
}

/// Puts categories of a snapshot into the empty table.
pub(crate) async fn restore_categories<C: ConnectionTrait>(
    db: &C,
    rows: Vec<category::Model>,
) -> Result<(), DbErr> {
    bulk::insert(
        db,
        &rows::CATEGORY,
        rows.into_iter().map(rows::category).collect(),
    )
    .await
}

/// Puts expenses of a snapshot into the empty tables of rows and terms.
pub(crate) async fn restore_expenses<C: ConnectionTrait>(
    db: &C,
    records: Vec<expense::Record>,
) -> Result<(), DbErr> {
    let found_by = |record: &expense::Record| -> Vec<_> {
        terms(record)
            .iter()
            .map(|term| rows::term(record.id, term))
            .collect()
    };
    let all_terms = records.iter().flat_map(found_by).collect();
    bulk::insert(
        db,
        &rows::EXPENSE,
        records
            .into_iter()
            .map(|record| rows::expense(record.into_row()))
            .collect(),
    )
    .await?;
    bulk::insert(db, &rows::TERM, all_terms).await
}

/// Puts history of a snapshot into the empty table.
pub(crate) async fn restore_changes<C: ConnectionTrait>(
    db: &C,
    rows: Vec<change::Model>,
) -> Result<(), DbErr> {
    bulk::insert(
        db,
        &rows::CHANGE,
        rows.into_iter().map(rows::change_row).collect(),
    )
    .await
}

/// Puts idempotency keys of a snapshot into the empty table.
pub(crate) async fn restore_keys<C: ConnectionTrait>(
    db: &C,
    rows: Vec<idempotency_key::Model>,
) -> Result<(), DbErr> {
    bulk::insert(db, &rows::KEY, rows.into_iter().map(rows::key).collect()).await
}

fn terms(record: &expense::Record) -> BTreeSet<String> {
    search::terms(&record.description, record.notes.as_deref(), &record.tags)
}
