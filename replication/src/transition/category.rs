use threefold_entity::category::{MAX_PER_LEDGER, Model};
use threefold_entity::value::search::fold;
use uuid::Uuid;

use super::expense::no_ledger;
use super::{Effect, Step, check_version};
use crate::change::Change;
use crate::command::{AddCategory, DeleteCategory, Path, Refusal, RefusalCode, UpdateCategory};
use crate::working_set::{Recategorise, WorkingSet};

pub(super) fn add(set: &mut WorkingSet<'_>, step: Step<'_>, add: &AddCategory) -> Effect {
    if !set.resident.ledgers.contains_key(&add.ledger_id) {
        return Err(vec![no_ledger(add.ledger_id)]);
    }
    let id = add
        .id
        .or(step.proposal.fresh_ids.first().copied())
        .unwrap_or_default();
    if set.resident.categories.contains_key(&id) {
        let message = format!("there is a category with id {id} already");
        return Err(vec![Refusal::at(
            RefusalCode::AlreadyExists,
            &Path::Top,
            "id",
            message,
        )]);
    }
    let name_key = free_name(set, add.ledger_id, &add.name, None)?;
    if set.category_count(add.ledger_id) >= MAX_PER_LEDGER {
        let message =
            format!("a ledger has at most {MAX_PER_LEDGER} categories; delete or merge some first");
        return Err(vec![Refusal::whole(RefusalCode::LimitReached, message)]);
    }
    let category = Model {
        id,
        ledger_id: add.ledger_id,
        name: add.name.clone(),
        name_key,
        color: add.color.clone(),
        expense_count: 0,
        version: 1,
        revision: step.revision.to_column(),
    };
    set.put_category(category.clone());
    Ok((add.ledger_id, vec![Change::CategoryAdded(category)]))
}

pub(super) fn update(set: &mut WorkingSet<'_>, step: Step<'_>, update: &UpdateCategory) -> Effect {
    let mut category = existing(set, update.id, "id")?;
    check_version(update.expected_version, category.version, "category")?;
    if let Some(name) = &update.name {
        category.name_key = free_name(set, category.ledger_id, name, Some(category.id))?;
        category.name.clone_from(name);
    }
    update.color.clone().apply_to(&mut category.color);
    category.version = category.version.saturating_add(1);
    category.revision = step.revision.to_column();
    set.put_category(category.clone());
    Ok((category.ledger_id, vec![Change::CategoryUpdated(category)]))
}

pub(super) fn delete(set: &mut WorkingSet<'_>, step: Step<'_>, delete: &DeleteCategory) -> Effect {
    let category = existing(set, delete.id, "id")?;
    if let Some(target) = delete.merge_into {
        let target = existing(set, target, "mergeInto")?;
        if target.ledger_id != category.ledger_id {
            let message = "the category to merge into belongs to another ledger";
            return Err(vec![Refusal::at(
                RefusalCode::Invalid,
                &Path::Top,
                "mergeInto",
                message,
            )]);
        }
    }
    set.remove_category(delete.id);
    if let Some(target) = delete
        .merge_into
        .and_then(|id| set.resident.categories.get_mut(&id))
    {
        target.expense_count += category.expense_count;
        set.touched_categories.insert(target.id);
    }
    set.recategorise = Some(Recategorise {
        from: delete.id,
        to: delete.merge_into,
        revision: step.revision,
        at: step.proposal.proposed_at,
    });
    let change = Change::CategoryDeleted {
        category_id: delete.id,
        merged_into: delete.merge_into,
    };
    Ok((category.ledger_id, vec![change]))
}

fn existing(set: &WorkingSet<'_>, id: Uuid, field: &str) -> Result<Model, Vec<Refusal>> {
    let category = set.resident.categories.get(&id).cloned();
    let message = format!("there is no category with id {id}");
    category.ok_or_else(|| {
        vec![Refusal::at(
            RefusalCode::NotFound,
            &Path::Top,
            field,
            message,
        )]
    })
}

fn free_name(
    set: &WorkingSet<'_>,
    ledger_id: Uuid,
    name: &str,
    own: Option<Uuid>,
) -> Result<String, Vec<Refusal>> {
    let name_key = fold(name.trim());
    let taken = set
        .resident
        .category_names
        .get(&(ledger_id, name_key.clone()));
    if taken.is_some_and(|id| Some(*id) != own) {
        let message =
            format!("there is a category called {name:?} already (case and accents do not count)");
        return Err(vec![Refusal::at(
            RefusalCode::AlreadyExists,
            &Path::Top,
            "name",
            message,
        )]);
    }
    Ok(name_key)
}
