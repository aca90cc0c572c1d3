use proptest::prelude::*;
use uuid::Uuid;

use super::super::model::{Cell, transition};
use super::*;
use crate::torture::checker::testing::{self, operation};
use crate::torture::history::{Item, Row};

const ID: Uuid = Uuid::from_u128(1);

fn row(version: u32, amount: u64) -> Row {
    Row {
        id: ID,
        version,
        amount,
        label: 1,
        deleted: false,
        revision: u64::from(version),
    }
}

fn accepted(row: Row) -> Answer {
    Answer::Accepted {
        receipt: testing::receipt(row.revision),
        rows: vec![row],
    }
}

fn key(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

fn add() -> Action {
    Action::Add {
        key: key(1),
        item: Item {
            id: Some(ID),
            mark: 1,
        },
    }
}

fn edit(mark: u64) -> Action {
    let amount = Some(mark);
    Action::Edit {
        key: key(mark),
        id: ID,
        amount,
        label: None,
        expected: None,
    }
}

fn read() -> Action {
    Action::Read {
        id: ID,
        freshness: Freshness::Linearizable,
    }
}

fn violations(operations: Vec<Operation>, last: Option<Row>) -> u64 {
    let history = testing::history(operations);
    let verdict = judge(&history, &testing::finals(last.as_slice()));
    assert_eq!(verdict.undecided, 0);
    verdict.violations
}

#[test]
fn a_stale_read_is_found() {
    let write = [
        operation(0, 10, add(), accepted(row(1, 1))),
        operation(20, 30, edit(2), accepted(row(2, 2))),
    ];
    let reading = |begin, end, seen| {
        let mut operations = write.to_vec();
        operations.push(operation(begin, end, read(), Answer::Saw(seen)));
        violations(operations, Some(row(2, 2)))
    };
    assert_eq!(reading(40, 50, Some(row(2, 2))), 0);
    assert_eq!(reading(40, 50, Some(row(1, 1))), 1, "what was there before");
    assert_eq!(
        reading(25, 50, Some(row(1, 1))),
        0,
        "it began before the edit was answered"
    );
    assert_eq!(
        reading(12, 18, Some(row(2, 2))),
        1,
        "what nobody had asked for yet"
    );
    assert_eq!(
        reading(12, 18, None),
        1,
        "an answered add that does not show"
    );
}

#[test]
fn a_lost_edit_is_found_at_the_end() {
    let operations = vec![
        operation(0, 10, add(), accepted(row(1, 1))),
        operation(20, 30, edit(2), accepted(row(2, 2))),
    ];
    assert_eq!(violations(operations.clone(), Some(row(2, 2))), 0);
    assert_eq!(violations(operations.clone(), Some(row(1, 1))), 1);
    assert_eq!(violations(operations, None), 1);
}

#[test]
fn an_answer_that_was_lost_binds_nobody_until_it_is_settled() {
    let lost = |settlement| {
        let mut edit = operation(20, 30, edit(2), Answer::Lost("TIMEOUT".to_owned()));
        edit.settlement = settlement;
        vec![
            operation(0, 10, add(), accepted(row(1, 1))),
            edit,
            operation(40, 50, read(), Answer::Saw(Some(row(1, 1)))),
        ]
    };
    for last in [row(1, 1), row(2, 2)] {
        assert_eq!(
            violations(lost(None), Some(last)),
            0,
            "it may have happened late, or never"
        );
    }
    assert_eq!(
        violations(lost(Some(Settlement::Accepted(2))), Some(row(2, 2))),
        0
    );
    assert_eq!(
        violations(lost(Some(Settlement::Accepted(2))), Some(row(1, 1))),
        1
    );
    assert_eq!(
        violations(lost(Some(Settlement::Never)), Some(row(2, 2))),
        1
    );
    assert_eq!(
        violations(lost(Some(Settlement::Never)), Some(row(1, 1))),
        0
    );
}

#[test]
fn what_was_said_not_to_be_done_must_not_show() {
    let operations = vec![
        operation(0, 10, add(), accepted(row(1, 1))),
        operation(20, 30, edit(2), Answer::NotDone("NO_LEADER".to_owned())),
    ];
    assert_eq!(violations(operations.clone(), Some(row(1, 1))), 0);
    assert_eq!(violations(operations, Some(row(2, 2))), 1);
}

#[test]
fn two_requests_under_one_key_are_one_operation() {
    let operations = vec![
        operation(0, 10, add(), accepted(row(1, 1))),
        operation(1, 12, add(), accepted(row(1, 1))),
        operation(20, 30, read(), Answer::Saw(Some(row(1, 1)))),
    ];
    assert_eq!(violations(operations, Some(row(1, 1))), 0);
}

#[test]
fn the_first_answer_that_cannot_be_explained_is_named() {
    let operations = vec![
        operation(0, 10, add(), accepted(row(1, 1))),
        operation(20, 30, edit(2), accepted(row(2, 2))),
        operation(40, 50, read(), Answer::Saw(Some(row(1, 1)))),
        operation(60, 70, edit(3), accepted(row(3, 3))),
    ];
    let history = testing::history(operations);
    let verdict = judge(&history, &testing::finals(&[row(3, 3)]));
    let example = &verdict.examples[0];
    assert!(example.contains("first 3 answers"), "{example}");
    assert!(
        example
            .ends_with("told Saw(Some(Cell { version: 1, amount: 1, label: 1, deleted: false }))"),
        "{example}"
    );
}

/// What one made-up client does, at most so many times: how long, and what.
fn up_to_draws(most: usize) -> impl Strategy<Value = Vec<(u8, u8, u8, bool)>> {
    prop::collection::vec(
        (0..100_u8, 1..60_u8, 0..60_u8, prop::bool::weighted(0.1)),
        1..most,
    )
}

fn draws() -> impl Strategy<Value = Vec<(u8, u8, u8, bool)>> {
    up_to_draws(60)
}

/// To show that nothing explains a history takes every order of it: few enough for the search to end.
fn few_draws() -> impl Strategy<Value = Vec<(u8, u8, u8, bool)>> {
    up_to_draws(20)
}

/// A history that is right: each operation takes effect at a moment of its own, `delay` after its beginning and `rest` before its
/// end, and what it is told follows from the model. Some never hear of it.
fn right(draws: &[(u8, u8, u8, bool)]) -> Vec<Timed> {
    let mut state: Option<Cell> = None;
    let mut timed = Vec::new();
    for (index, (kind, delay, rest, lost)) in draws.iter().enumerate() {
        let number = index as u64 + 1;
        let moment = number * 10;
        let expected = (kind % 4 == 0)
            .then(|| state.map_or(1, |cell| cell.version + u32::from(kind % 8 == 0)));
        let action = match kind {
            0..20 => Action::Add {
                key: key(number),
                item: Item {
                    id: Some(ID),
                    mark: number,
                },
            },
            20..55 => Action::Edit {
                key: key(number),
                id: ID,
                amount: Some(number),
                label: (kind % 3 == 0).then_some(number),
                expected,
            },
            55..65 => Action::Delete {
                key: key(number),
                id: ID,
                expected,
            },
            65..72 => Action::Restore {
                key: key(number),
                id: ID,
            },
            _ => read(),
        };
        let mut told = if matches!(action, Action::Read { .. }) {
            Told::Saw(state)
        } else {
            match transition(&action, state) {
                Ok(cell) => {
                    state = Some(cell);
                    Told::Accepted(Some(cell))
                }
                Err(code) => Told::Refused(code.to_owned()),
            }
        };
        let mut end = moment + u64::from(*rest);
        if *lost && !matches!(told, Told::Saw(_)) {
            (told, end) = (Told::Nothing, NEVER);
        }
        let begin = moment.saturating_sub(u64::from(*delay));
        timed.push(Timed {
            begin,
            end,
            step: Step { action, told },
            number,
            worker: 1,
            replica: 1,
        });
    }
    timed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_a_register_would_answer_is_accepted(draws in draws()) {
        prop_assert_eq!(explain(&right(&draws)), Judgement::Linearizable);
    }

    #[test]
    fn so_is_every_beginning_of_it(draws in draws(), moment in 0..700_u64) {
        prop_assert_eq!(explain(&up_to(&right(&draws), moment)), Judgement::Linearizable);
    }

    /// Whatever a client saw that nobody wrote is found, wherever it stands.
    #[test]
    fn an_answer_out_of_nowhere_is_rejected(draws in few_draws(), chosen in any::<prop::sample::Index>()) {
        let mut timed = right(&draws);
        let answered: Vec<usize> = (0..timed.len()).filter(|index| timed[*index].end != NEVER).collect();
        prop_assume!(!answered.is_empty());
        let one = &mut timed[answered[chosen.index(answered.len())]];
        let strange = Cell { version: 1_000_000, amount: 1, label: 1, deleted: false };
        one.step.told = match &one.step.told {
            Told::Saw(_) => Told::Saw(Some(strange)),
            Told::Accepted(_) => Told::Accepted(Some(strange)),
            _ => Told::Refused("FORBIDDEN".to_owned()),
        };
        prop_assert_eq!(explain(&timed), Judgement::Not);
    }

    /// An answered edit whose effect nobody sees afterwards is found, and so is a read from before it.
    #[test]
    fn a_lost_edit_and_a_stale_read_are_rejected(draws in draws()) {
        // An add and an edit at least, and everything is answered.
        let answered = draws.into_iter().map(|(kind, delay, rest, _)| (kind, delay, rest, false));
        let draws: Vec<_> = [(1, 1, 1, false), (21, 1, 1, false)].into_iter().chain(answered).collect();
        let mut timed = right(&draws);
        let lasts = timed.iter().filter(|one| one.end != NEVER).map(|one| one.end).max().unwrap_or(0);
        let cells: Vec<Cell> = timed
            .iter()
            .filter_map(|one| match one.step.told { Told::Accepted(cell) => cell, _ => None })
            .collect();
        let read = |cell| Timed {
            begin: lasts + 1, end: lasts + 2, number: 0, worker: 1, replica: 1,
            step: Step { action: read(), told: Told::Saw(cell) },
        };
        let mut seen = timed.clone();
        seen.push(read(cells.last().copied()));
        prop_assert_eq!(explain(&seen), Judgement::Linearizable);
        timed.push(read(Some(cells[cells.len() - 2])));
        prop_assert_eq!(explain(&timed), Judgement::Not);
    }
}

/// What so many operations come to; one in three hundred is not answered.
fn many(operations: u32) -> Vec<Timed> {
    let draw = |n: u32| {
        let number = |factor: u32, bound: u32| u8::try_from(n * factor % bound).unwrap();
        (
            number(37, 100),
            number(17, 50) + 1,
            number(13, 50),
            n % 300 == 7,
        )
    };
    right(&(0..operations).map(draw).collect::<Vec<_>>())
}

/// Ten times as many operations as the workloads do with one expense.
#[test]
fn a_thousand_operations_are_decided_in_time() {
    let begun = std::time::Instant::now();
    assert_eq!(explain(&many(1_000)), Judgement::Linearizable);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// The last answer of as many as there are is wrong: everything has to be tried.
#[test]
fn a_wrong_end_is_found_in_time() {
    let mut timed = many(100);
    let is_read = |one: &Timed| matches!(one.step.told, Told::Saw(_));
    let last = timed.iter().rposition(is_read).unwrap();
    let strange = Cell {
        version: 9_999,
        amount: 1,
        label: 1,
        deleted: false,
    };
    timed[last].step.told = Told::Saw(Some(strange));
    let begun = std::time::Instant::now();
    assert_eq!(explain(&timed), Judgement::Not);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// What costs too much is said to be undecided, and not to be wrong.
#[test]
fn a_search_without_end_is_given_up() {
    let reads = (0..40).map(|number| Timed {
        begin: 1,
        end: 100,
        number,
        worker: 1,
        replica: 1,
        step: Step {
            action: edit(number + 2),
            told: Told::Nothing,
        },
    });
    let mut timed: Vec<Timed> = reads.collect();
    let strange = Cell {
        version: 9_999,
        amount: 1,
        label: 1,
        deleted: false,
    };
    let read = Step {
        action: read(),
        told: Told::Saw(Some(strange)),
    };
    let add = Step {
        action: add(),
        told: Told::Nothing,
    };
    for (begin, step) in [(0, add), (2, read)] {
        timed.push(Timed {
            begin,
            end: 99,
            number: 0,
            worker: 1,
            replica: 1,
            step,
        });
    }
    assert_eq!(explain(&timed), Judgement::Undecided);
}
