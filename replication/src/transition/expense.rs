use threefold_entity::{Money, expense::Record};
use uuid::Uuid;

use super::{Effect, Step, check_version};
use crate::change::Change;
use crate::command::{
    AddExpenses, DeleteExpense, Path, Refusal, RefusalCode, RestoreExpense, UpdateExpense,
};
use crate::working_set::WorkingSet;

pub(super) fn add(set: &mut WorkingSet<'_>, step: Step<'_>, add: &AddExpenses) -> Effect {
    if !set.resident.ledgers.contains_key(&add.ledger_id) {
        return Err(vec![no_ledger(add.ledger_id)]);
    }
    let mut fresh_ids = step.proposal.fresh_ids.iter().copied();
    let mut faults = Vec::new();
    let mut records = Vec::with_capacity(add.expenses.len());
    for (index, new) in add.expenses.iter().enumerate() {
        let path = if add.bulk {
            Path::Element("expenses", index)
        } else {
            Path::Top
        };
        let id = new.id.or_else(|| fresh_ids.next()).unwrap_or_default();
        if set.expense(id).is_some() {
            let message = format!("there is an expense with id {id} already");
            faults.push(Refusal::at(
                RefusalCode::AlreadyExists,
                &path,
                "id",
                message,
            ));
        }
        faults.extend(category_fault(set, new.category_id, add.ledger_id, &path));
        records.push(Record {
            id,
            ledger_id: add.ledger_id,
            description: new.description.clone(),
            amount: new.amount,
            spent_on: new.spent_on,
            category_id: new.category_id,
            notes: new.notes.clone(),
            tags: new.tags.clone(),
            created_at: step.proposal.proposed_at,
            updated_at: step.proposal.proposed_at,
            version: 1,
            revision: step.revision,
            deleted_at: None,
        });
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    for record in &records {
        set.put_expense(record.clone());
    }
    Ok((
        add.ledger_id,
        records.into_iter().map(Change::ExpenseAdded).collect(),
    ))
}

pub(super) fn update(set: &mut WorkingSet<'_>, step: Step<'_>, update: &UpdateExpense) -> Effect {
    let before = live(set, update.id)?;
    check_version(update.expected_version, before.version, "expense")?;
    let mut after = before.clone();
    update.category_id.clone().apply_to(&mut after.category_id);
    if after.category_id != before.category_id
        && let Some(fault) = category_fault(set, after.category_id, before.ledger_id, &Path::Top)
    {
        return Err(vec![fault]);
    }
    if update.amount.is_some() || update.currency.is_some() {
        // A new currency alone keeps the number: 12.50 EUR becomes 12.50 USD, and 1250 JPY is never meant.
        let text = update
            .amount
            .clone()
            .unwrap_or_else(|| before.amount.amount());
        let currency = update.currency.unwrap_or(before.amount.currency());
        let invalid = |e: threefold_entity::value::MoneyError| {
            vec![Refusal::at(
                RefusalCode::Invalid,
                &Path::Top,
                "amount",
                e.to_string(),
            )]
        };
        after.amount = Money::of_expense(&text, currency).map_err(invalid)?;
    }
    if let Some(description) = &update.description {
        after.description.clone_from(description);
    }
    if let Some(spent_on) = update.spent_on {
        after.spent_on = spent_on;
    }
    update.notes.clone().apply_to(&mut after.notes);
    if let Some(tags) = &update.tags {
        after.tags.clone_from(tags);
    }
    let after = changed(after, step);
    set.put_expense(after.clone());
    Ok((
        after.ledger_id,
        vec![Change::ExpenseUpdated {
            expense: after,
            before,
        }],
    ))
}

pub(super) fn delete(set: &mut WorkingSet<'_>, step: Step<'_>, delete: &DeleteExpense) -> Effect {
    let mut expense = live(set, delete.id)?;
    check_version(delete.expected_version, expense.version, "expense")?;
    expense.deleted_at = Some(step.proposal.proposed_at);
    let expense = changed(expense, step);
    set.put_expense(expense.clone());
    Ok((expense.ledger_id, vec![Change::ExpenseDeleted(expense)]))
}

pub(super) fn restore(
    set: &mut WorkingSet<'_>,
    step: Step<'_>,
    restore: &RestoreExpense,
) -> Effect {
    let mut expense = set
        .expense(restore.id)
        .cloned()
        .ok_or_else(|| vec![no_expense(restore.id)])?;
    if expense.deleted_at.take().is_none() {
        let message = format!("expense {} is not deleted", restore.id);
        return Err(vec![Refusal::at(
            RefusalCode::Invalid,
            &Path::Top,
            "id",
            message,
        )]);
    }
    let expense = changed(expense, step);
    set.put_expense(expense.clone());
    Ok((expense.ledger_id, vec![Change::ExpenseRestored(expense)]))
}

fn changed(mut expense: Record, step: Step<'_>) -> Record {
    expense.version = expense.version.saturating_add(1);
    expense.revision = step.revision;
    expense.updated_at = step.proposal.proposed_at;
    expense
}

fn live(set: &WorkingSet<'_>, id: Uuid) -> Result<Record, Vec<Refusal>> {
    let expense = set.expense(id).ok_or_else(|| vec![no_expense(id)])?;
    if expense.deleted_at.is_some() {
        let message = format!("expense {id} is deleted; restore it first");
        return Err(vec![Refusal::at(
            RefusalCode::NotFound,
            &Path::Top,
            "id",
            message,
        )]);
    }
    Ok(expense.clone())
}

fn no_expense(id: Uuid) -> Refusal {
    Refusal::at(
        RefusalCode::NotFound,
        &Path::Top,
        "id",
        format!("there is no expense with id {id}"),
    )
}

pub(super) fn no_ledger(id: Uuid) -> Refusal {
    Refusal::at(
        RefusalCode::NotFound,
        &Path::Top,
        "ledgerId",
        format!("there is no ledger with id {id}"),
    )
}

fn category_fault(
    set: &WorkingSet<'_>,
    id: Option<Uuid>,
    ledger_id: Uuid,
    path: &Path<'_>,
) -> Option<Refusal> {
    let id = id?;
    let known = set
        .resident
        .categories
        .get(&id)
        .is_some_and(|category| category.ledger_id == ledger_id);
    let message = format!("there is no category with id {id} in this ledger");
    (!known).then(|| Refusal::at(RefusalCode::NotFound, path, "categoryId", message))
}
