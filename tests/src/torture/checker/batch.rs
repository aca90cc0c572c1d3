//! Several expenses that were added together: nobody ever sees some of them without the others, not in a list, not in the feed, and not at
//! the end.

use std::collections::{BTreeSet, HashMap};

use super::Verdict;
use crate::torture::history::{
    Action, Answer, FinalState, Freshness, History, Row, Settlement, WatchedEvent,
};

/// One batch, and what its clients know.
struct Batch {
    number: u64,
    marks: BTreeSet<u64>,
    /// When it was answered, and with which revision.
    answered: Option<(u64, u64)>,
    /// It was said not to be done.
    refused: bool,
}

pub(super) fn judge(history: &History, finals: &[FinalState]) -> Verdict {
    let mut verdict = Verdict::new(
        "batches",
        "expenses that are added together appear together, or not at all",
    );
    let batches = batches(history);
    look_at_lists(&mut verdict, history, &batches);
    look_at_feed(&mut verdict, history, &batches);
    for state in finals {
        look_at_rows(&mut verdict, state, &batches);
    }
    verdict
}

fn batches(history: &History) -> HashMap<u64, Batch> {
    let mut batches = HashMap::new();
    for operation in &history.operations {
        let Action::AddMany { tag, items, .. } = &operation.action else {
            continue;
        };
        let answered = match &operation.answer {
            Answer::Accepted { receipt, .. } => Some((operation.end, receipt.revision)),
            _ => None,
        };
        let refused = match (&operation.answer, &operation.settlement) {
            (Answer::Refused(_) | Answer::NotDone(_), _) => true,
            (Answer::Lost(_), Some(settlement)) => !matches!(settlement, Settlement::Accepted(_)),
            _ => false,
        };
        let batch = Batch {
            number: operation.number,
            marks: items.iter().map(|item| item.mark).collect(),
            answered,
            refused,
        };
        batches.insert(*tag, batch);
    }
    batches
}

fn look_at_lists(verdict: &mut Verdict, history: &History, batches: &HashMap<u64, Batch>) {
    for operation in &history.operations {
        let (Action::List { tag, freshness }, Answer::Listed { revision, rows }) =
            (&operation.action, &operation.answer)
        else {
            continue;
        };
        let Some(batch) = batches.get(tag) else {
            continue;
        };
        verdict.checked += 1;
        let due = batch.answered.is_some_and(|(end, made)| {
            *revision >= made || (*freshness == Freshness::Linearizable && end < operation.begin)
        });
        let seen: BTreeSet<u64> = rows.iter().map(|row| row.label).collect();
        let whole = seen == batch.marks && rows.len() == batch.marks.len();
        let right = if rows.is_empty() {
            !due
        } else {
            whole && !batch.refused
        };
        if !right {
            verdict.violated(|| {
                format!(
                    "operation {}: a list of replica {} at revision {revision} shows {} of the {} expenses of operation {}",
                    operation.number,
                    operation.replica,
                    rows.len(),
                    batch.marks.len(),
                    batch.number
                )
            });
        }
    }
}

fn look_at_feed(verdict: &mut Verdict, history: &History, batches: &HashMap<u64, Batch>) {
    let owners = owners(batches);
    for watched in &history.watched {
        let WatchedEvent::Batch {
            revision, changes, ..
        } = &watched.event
        else {
            continue;
        };
        let Some(batch) = changes
            .first()
            .and_then(|change| owners.get(&change.row.label))
        else {
            continue;
        };
        verdict.checked += 1;
        let told: BTreeSet<u64> = changes.iter().map(|change| change.row.label).collect();
        if told != batch.marks || changes.len() != batch.marks.len() {
            verdict.violated(|| {
                format!(
                    "revision {revision} has {} changes; operation {} was to add {} expenses in it",
                    changes.len(),
                    batch.number,
                    batch.marks.len()
                )
            });
        }
    }
}

fn look_at_rows(verdict: &mut Verdict, state: &FinalState, batches: &HashMap<u64, Batch>) {
    let owners = owners(batches);
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for batch in state
        .rows
        .iter()
        .filter_map(|row: &Row| owners.get(&row.label))
    {
        *counts.entry(batch.number).or_default() += 1;
    }
    for batch in batches.values() {
        verdict.checked += 1;
        let count = counts.get(&batch.number).copied().unwrap_or_default();
        let right = match count {
            0 => batch.answered.is_none(),
            count => count == batch.marks.len() && !batch.refused,
        };
        if !right {
            verdict.violated(|| {
                format!(
                    "replica {} holds {count} of the {} expenses of operation {}",
                    state.replica,
                    batch.marks.len(),
                    batch.number
                )
            });
        }
    }
}

fn owners(batches: &HashMap<u64, Batch>) -> HashMap<u64, &Batch> {
    let pairs = batches
        .values()
        .flat_map(|batch| batch.marks.iter().map(move |mark| (*mark, batch)));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::checker::testing::{finals, history, id, operation, receipt, row};
    use crate::torture::history::{Change, ChangeKind, Item, Operation, Watched};

    fn add(answer: Answer) -> Operation {
        let items = [7, 8].map(|mark| Item { id: None, mark }).to_vec();
        operation(
            1,
            10,
            Action::AddMany {
                key: id(1),
                tag: 1,
                items,
            },
            answer,
        )
    }

    fn accepted() -> Answer {
        Answer::Accepted {
            receipt: receipt(5),
            rows: both(),
        }
    }

    fn both() -> Vec<Row> {
        vec![row(7, 5), row(8, 5)]
    }

    fn list(begin: u64, freshness: Freshness, revision: u64, rows: Vec<Row>) -> Operation {
        operation(
            begin,
            begin + 5,
            Action::List { tag: 1, freshness },
            Answer::Listed { revision, rows },
        )
    }

    fn violations(operations: [Operation; 2], rows: &[Row]) -> u64 {
        judge(&history(operations), &finals(rows)).violations
    }

    #[test]
    fn a_part_is_found_wherever_it_shows() {
        for (begin, freshness, revision, rows, expected) in [
            (2, Freshness::Local, 4, vec![], 0),
            (2, Freshness::Local, 4, both(), 0),
            (2, Freshness::Local, 4, vec![row(7, 5)], 1),
            (2, Freshness::Local, 5, vec![], 1),
            (20, Freshness::Local, 4, vec![], 0),
            (20, Freshness::Linearizable, 4, vec![], 1),
            (20, Freshness::Linearizable, 5, both(), 0),
        ] {
            let said = format!("{begin} {freshness:?} {revision} {rows:?}");
            let operations = [add(accepted()), list(begin, freshness, revision, rows)];
            assert_eq!(violations(operations, &both()), expected, "{said}");
        }
    }

    #[test]
    fn a_part_at_the_end_is_found() {
        let lost = || Answer::Lost("TIMEOUT".to_owned());
        let one = [row(7, 5)];
        let not_done = || Answer::NotDone("NO_LEADER".to_owned());
        for (answer, rows, expected) in [
            (accepted(), &both()[..], 0),
            (accepted(), &one, 3),
            (accepted(), &[], 3),
            (lost(), &both(), 0),
            (lost(), &one, 3),
            (lost(), &[], 0),
            (not_done(), &both(), 3),
            (not_done(), &[], 0),
        ] {
            let quiet = list(0, Freshness::Local, 0, vec![]);
            assert_eq!(
                violations([add(answer.clone()), quiet], rows),
                expected,
                "{answer:?} {rows:?}"
            );
        }
    }

    #[test]
    fn a_part_in_the_feed_is_found() {
        for (rows, expected) in [(both(), 0), (vec![row(8, 5)], 1)] {
            let changes = rows
                .into_iter()
                .map(|row| Change {
                    kind: ChangeKind::Added,
                    row,
                })
                .collect();
            let event = WatchedEvent::Batch {
                revision: 5,
                digest: 0,
                changes,
            };
            let watched = vec![Watched {
                watcher: 0,
                replica: 1,
                at: 0,
                event,
            }];
            let history = History {
                watched,
                ..history([add(accepted())])
            };
            assert_eq!(judge(&history, &finals(&both())).violations, expected);
        }
    }
}
