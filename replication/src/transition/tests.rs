use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;
use threefold_entity::ledger::{self, DEFAULT_LEDGER_ID};

use super::*;
use crate::command::{AddCategory, ExpenseDraft, ExpenseEdit, Patch};
use crate::history::HistoryHash;
use crate::working_set::Resident;

const KEEP: u64 = 1_000;

fn blank() -> Resident {
    let ledger = ledger::Model {
        id: DEFAULT_LEDGER_ID,
        name: "Household".into(),
        base_currency: "EUR".into(),
        created_at: DateTime::UNIX_EPOCH,
        expense_count: 0,
        deleted_count: 0,
    };
    Resident::new(
        Revision::ZERO,
        HistoryHash::EMPTY,
        0,
        vec![ledger],
        Vec::new(),
    )
}

/// A proposal whose every part is a function of its number.
fn proposal(number: u128, command: Command) -> Proposal {
    let mut proposal = Proposal::new(command, Some(Uuid::from_u128(1_000_000 + number)), "tester");
    proposal.proposed_at = DateTime::from_timestamp(i64::try_from(number).unwrap(), 0).unwrap();
    for (position, id) in proposal.fresh_ids.iter_mut().enumerate() {
        *id = Uuid::from_u128(number * 10_000 + position as u128 + 1);
    }
    proposal
}

fn draft(description: &str, amount: &str) -> ExpenseDraft {
    ExpenseDraft {
        description: description.into(),
        amount: amount.into(),
        currency: "EUR".into(),
        spent_on: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
        ..ExpenseDraft::default()
    }
}

fn add(description: &str) -> Command {
    Command::add_expense(DEFAULT_LEDGER_ID, draft(description, "3.20")).unwrap()
}

fn accepted(outcome: Outcome) -> Arc<Vec<Change>> {
    match outcome.verdict {
        Verdict::Accepted { changes, .. } => changes,
        Verdict::Refused(refusals) => panic!("refused: {refusals:?}"),
    }
}

fn refused(outcome: Outcome) -> RefusalCode {
    match outcome.verdict {
        Verdict::Refused(refusals) => refusals[0].code,
        Verdict::Accepted { .. } => panic!("accepted"),
    }
}

fn added_id(changes: &[Change]) -> Uuid {
    match &changes[0] {
        Change::ExpenseAdded(record) => record.id,
        Change::CategoryAdded(category) => category.id,
        other => panic!("not an addition: {other:?}"),
    }
}

#[test]
fn an_expense_lives_dies_and_comes_back() {
    let mut resident = blank();
    let mut set = WorkingSet::new(&mut resident);
    let id = added_id(&accepted(decide(
        &mut set,
        &proposal(1, add("Bread")),
        1,
        KEEP,
    )));
    let edit = ExpenseEdit {
        id,
        expected_version: Some(1),
        amount: Some("4".into()),
        ..ExpenseEdit::default()
    };
    let edit = Command::update_expense(edit).unwrap();
    accepted(decide(&mut set, &proposal(2, edit.clone()), 1, KEEP));
    assert_eq!(
        refused(decide(&mut set, &proposal(3, edit), 1, KEEP)),
        RefusalCode::VersionConflict
    );
    assert_eq!(set.resident.expense_count, 1);
    accepted(decide(
        &mut set,
        &proposal(4, Command::delete_expense(id, None)),
        1,
        KEEP,
    ));
    assert_eq!(set.resident.expense_count, 0);
    assert_eq!(
        refused(decide(
            &mut set,
            &proposal(5, Command::delete_expense(id, None)),
            1,
            KEEP
        )),
        RefusalCode::NotFound
    );
    accepted(decide(
        &mut set,
        &proposal(6, Command::restore_expense(id)),
        1,
        KEEP,
    ));
    assert_eq!(
        refused(decide(
            &mut set,
            &proposal(7, Command::restore_expense(id)),
            1,
            KEEP
        )),
        RefusalCode::Invalid
    );
    let expense = set.expense(id).unwrap();
    assert_eq!(
        (
            expense.version,
            expense.amount.amount().as_str(),
            expense.deleted_at
        ),
        (4, "4.00", None)
    );
    let ledger = &set.resident.ledgers[&DEFAULT_LEDGER_ID];
    assert_eq!((ledger.expense_count, ledger.deleted_count), (1, 0));
    assert_eq!(set.resident.revision, 4.into());
}

#[test]
fn a_new_currency_keeps_the_number_and_refuses_what_it_cannot_hold() {
    let mut resident = blank();
    let mut set = WorkingSet::new(&mut resident);
    let id = added_id(&accepted(decide(
        &mut set,
        &proposal(1, add("Bread")),
        1,
        KEEP,
    )));
    let to = |currency: &str| {
        let edit = ExpenseEdit {
            id,
            currency: Some(currency.into()),
            ..ExpenseEdit::default()
        };
        Command::update_expense(edit).unwrap()
    };
    accepted(decide(&mut set, &proposal(2, to("USD")), 1, KEEP));
    assert_eq!(set.expense(id).unwrap().amount.amount(), "3.20");
    assert_eq!(
        refused(decide(&mut set, &proposal(3, to("JPY")), 1, KEEP)),
        RefusalCode::Invalid
    );
}

#[test]
fn the_same_key_is_carried_out_once() {
    let mut resident = blank();
    let mut set = WorkingSet::new(&mut resident);
    let first = decide(&mut set, &proposal(1, add("Bread")), 1, KEEP);
    let again = decide(&mut set, &proposal(1, add("Bread")), 7, KEEP);
    assert!(!first.replayed && again.replayed);
    assert_eq!((first.term, &first.verdict), (again.term, &again.verdict));
    assert_eq!(
        refused(decide(&mut set, &proposal(1, add("Butter")), 1, KEEP)),
        RefusalCode::KeyReused
    );
    assert_eq!(set.resident.expense_count, 1);
}

#[test]
fn a_refusal_is_remembered_too() {
    let mut resident = blank();
    let mut set = WorkingSet::new(&mut resident);
    let missing = Command::delete_expense(Uuid::from_u128(9), None);
    assert_eq!(
        refused(decide(&mut set, &proposal(1, missing.clone()), 1, KEEP)),
        RefusalCode::NotFound
    );
    let again = decide(&mut set, &proposal(1, missing), 1, KEEP);
    assert!(again.replayed);
    assert_eq!(set.resident.revision, Revision::ZERO);
}

#[test]
fn a_bulk_is_all_or_none() {
    let mut resident = blank();
    let mut set = WorkingSet::new(&mut resident);
    let bad = ExpenseDraft {
        category_id: Some(Uuid::from_u128(5)),
        ..draft("Butter", "2")
    };
    let bulk = Command::add_expenses(DEFAULT_LEDGER_ID, vec![draft("Bread", "1"), bad]).unwrap();
    let outcome = decide(&mut set, &proposal(1, bulk), 1, KEEP);
    let Verdict::Refused(refusals) = outcome.verdict else {
        panic!("accepted")
    };
    assert_eq!(
        refusals[0].field.as_deref().unwrap(),
        ["expenses", "1", "categoryId"]
    );
    assert_eq!((set.resident.expense_count, set.batches.len()), (0, 0));
}

#[test]
fn categories_have_one_name_each_and_merge() {
    let mut resident = blank();
    let mut set = WorkingSet::new(&mut resident);
    let category = |name: &str| {
        let add = AddCategory {
            id: None,
            ledger_id: DEFAULT_LEDGER_ID,
            name: name.into(),
            color: None,
        };
        Command::add_category(add).unwrap()
    };
    let food = added_id(&accepted(decide(
        &mut set,
        &proposal(1, category("Food")),
        1,
        KEEP,
    )));
    assert_eq!(
        refused(decide(&mut set, &proposal(2, category("FÖOD")), 1, KEEP)),
        RefusalCode::AlreadyExists
    );
    let meals = added_id(&accepted(decide(
        &mut set,
        &proposal(3, category("Meals")),
        1,
        KEEP,
    )));
    let in_food = ExpenseDraft {
        category_id: Some(food),
        ..draft("Bread", "1")
    };
    let in_food = Command::add_expense(DEFAULT_LEDGER_ID, in_food).unwrap();
    accepted(decide(&mut set, &proposal(4, in_food), 1, KEEP));
    assert_eq!(set.resident.categories[&food].expense_count, 1);
    let merge = Command::delete_category(food, Some(meals)).unwrap();
    accepted(decide(&mut set, &proposal(5, merge), 1, KEEP));
    assert_eq!(set.resident.categories[&meals].expense_count, 1);
    assert!(!set.resident.categories.contains_key(&food));
    assert_eq!(
        set.recategorise.as_ref().map(|all| (all.from, all.to)),
        Some((food, Some(meals)))
    );
    accepted(decide(&mut set, &proposal(6, category("food")), 1, KEEP));
}

#[test]
fn an_edit_tells_leave_from_clear() {
    let mut resident = blank();
    let mut set = WorkingSet::new(&mut resident);
    let noted = ExpenseDraft {
        notes: Some("fresh".into()),
        ..draft("Bread", "1")
    };
    let noted = Command::add_expense(DEFAULT_LEDGER_ID, noted).unwrap();
    let id = added_id(&accepted(decide(&mut set, &proposal(1, noted), 1, KEEP)));
    let rename = ExpenseEdit {
        id,
        description: Some("Rolls".into()),
        ..ExpenseEdit::default()
    };
    accepted(decide(
        &mut set,
        &proposal(2, Command::update_expense(rename).unwrap()),
        1,
        KEEP,
    ));
    assert_eq!(set.expense(id).unwrap().notes.as_deref(), Some("fresh"));
    let clear = ExpenseEdit {
        id,
        notes: Patch::Set(None),
        ..ExpenseEdit::default()
    };
    let clear = proposal(3, Command::update_expense(clear).unwrap());
    // What the log's encoding keeps apart is what counts.
    let carried: Proposal = crate::peer::decode(&crate::peer::encode(&clear)).unwrap();
    accepted(decide(&mut set, &carried, 1, KEEP));
    assert_eq!(set.expense(id).unwrap().notes, None);
}

proptest! {
    /// However the log is cut into applies, the state, the hash and the outcomes are the same.
    #[test]
    fn grouping_does_not_matter(steps in prop::collection::vec((0_u8..6, 0_u128..8), 1..60), cut in 1_usize..10) {
        let commands: Vec<Proposal> = steps.iter().enumerate().map(|(n, (kind, target))| {
            let id = Uuid::from_u128(500 + target);
            let command = match kind {
                0 | 1 => Command::add_expense(DEFAULT_LEDGER_ID, ExpenseDraft { id: Some(id), ..draft("Tea", "1.10") }).unwrap(),
                2 => Command::delete_expense(id, None),
                3 => Command::restore_expense(id),
                4 => Command::update_expense(ExpenseEdit { id, expected_version: Some(2), description: Some("Mate".into()), ..ExpenseEdit::default() }).unwrap(),
                _ => add("Coffee"),
            };
            // Some keys come twice.
            proposal(if n % 7 == 6 { 3 } else { n as u128 + 10 }, command)
        }).collect();
        let run = |piece: usize| {
            let mut resident = blank();
            let mut stored = std::collections::BTreeMap::new();
            let mut keys = std::collections::HashMap::new();
            let mut history = std::collections::HashMap::new();
            let mut outcomes = Vec::new();
            for piece in commands.chunks(piece) {
                let mut set = WorkingSet::new(&mut resident);
                stored.values().cloned().for_each(|record| set.load_expense(record));
                set.keys = keys.clone();
                set.replayable = history.clone();
                outcomes.extend(piece.iter().map(|p| decide(&mut set, p, 1, KEEP)));
                for (_, record) in set.dirty_expenses() {
                    stored.insert(record.id, record.clone());
                }
                keys = set.keys.clone();
                history.extend(set.batches.iter().map(|(batch, _)| (batch.revision, batch.changes.clone())));
            }
            (outcomes, stored, resident.hash, resident.revision, resident.expense_count)
        };
        let (one, many) = (run(1), run(cut));
        prop_assert_eq!(&one, &many);
        let live = one.1.values().filter(|record| record.deleted_at.is_none()).count();
        prop_assert_eq!(i64::try_from(live).unwrap(), one.4);
    }
}
