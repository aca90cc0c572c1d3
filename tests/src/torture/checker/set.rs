//! A set of adds: each that was answered is there once at the end, each that was refused is not, one in doubt is there once at most.
//! Nothing is there that nobody sent.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::Verdict;
use crate::torture::history::{Action, Answer, FinalState, History, Settlement};

/// What is known of an add, the worst of all that its clients were told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Refused, or said not to be done.
    Absent,
    /// Nobody knows.
    InDoubt,
    /// Answered.
    Present,
}

pub(super) fn judge(history: &History, finals: &[FinalState]) -> Verdict {
    let mut verdict = Verdict::new(
        "set",
        "an answered add is there once, a refused one is not, one in doubt is there once at most, and nothing comes from nowhere",
    );
    let (fates, marks) = fates(history);
    verdict.checked = fates.len() as u64;
    for state in finals {
        let replica = state.replica;
        let mut counts: HashMap<u64, u32> = HashMap::with_capacity(state.rows.len());
        for row in state.rows.iter() {
            *counts.entry(row.label).or_default() += 1;
            if !marks.contains(&row.label) || !marks.contains(&row.amount) {
                verdict
                    .violated(|| format!("on replica {replica} is {row:?}, which nobody has sent"));
            }
        }
        for (mark, (fate, operation)) in &fates {
            let count = counts.get(mark).copied().unwrap_or_default();
            let right = match fate {
                Fate::Present => count == 1,
                Fate::InDoubt => count <= 1,
                Fate::Absent => count == 0,
            };
            if !right {
                let fate = match fate {
                    Fate::Present => "was answered",
                    Fate::InDoubt => "is in doubt",
                    Fate::Absent => "was said not to be done",
                };
                verdict.violated(|| {
                    format!("operation {operation}, the add of m{mark}, {fate}; on replica {replica} it is there {count} times")
                });
            }
        }
    }
    verdict
}

/// What became of each add to which the service gave the id, with an operation that says so; and every mark that was sent.
fn fates(history: &History) -> (HashMap<u64, (Fate, u64)>, HashSet<u64>) {
    let mut fates: HashMap<u64, (Fate, u64)> = HashMap::new();
    let mut marks = HashSet::new();
    let mut payloads: HashMap<Uuid, u64> = HashMap::new();
    for operation in &history.operations {
        let items = match &operation.action {
            Action::Add { item, .. } => std::slice::from_ref(item),
            Action::AddMany { items, .. } => items.as_slice(),
            Action::Edit { amount, label, .. } => {
                marks.extend(amount.iter().chain(label));
                continue;
            }
            _ => continue,
        };
        marks.extend(items.iter().map(|item| item.mark));
        let first = items.first().map_or(0, |item| item.mark);
        // Under a key that is taken, an outcome speaks of what took it.
        let owner = operation
            .action
            .key()
            .map(|key| *payloads.entry(key).or_insert(first));
        let settlement = operation
            .settlement
            .as_ref()
            .filter(|_| owner == Some(first));
        let fate = match (&operation.answer, settlement) {
            (Answer::Accepted { .. }, _) | (Answer::Lost(_), Some(Settlement::Accepted(_))) => {
                Fate::Present
            }
            (Answer::Lost(_), None) => Fate::InDoubt,
            _ => Fate::Absent,
        };
        for item in items.iter().filter(|item| item.id.is_none()) {
            let known = fates.entry(item.mark).or_insert((fate, operation.number));
            *known = (*known).max((fate, operation.number));
        }
    }
    (fates, marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::checker::testing::{
        accepted_add, add, finals, history, id, operation, row,
    };
    use crate::torture::history::Row;

    fn violations(answer: Answer, settlement: Option<Settlement>, rows: &[Row]) -> u64 {
        let mut one = operation(1, 2, add(7), answer);
        one.settlement = settlement;
        judge(&history([one]), &finals(rows)).violations / 3
    }

    #[test]
    fn what_is_missing_doubled_or_refused_and_there_is_found() {
        let lost = || Answer::Lost("TIMEOUT".to_owned());
        let accepted = || crate::torture::checker::testing::accepted(7, 1);
        let twice = [
            row(7, 1),
            Row {
                id: id(8),
                ..row(7, 2)
            },
        ];
        let once = [row(7, 1)];
        for (answer, settlement, counts) in [
            (accepted(), None, [1, 0, 1]),
            (lost(), None, [0, 0, 1]),
            (lost(), Some(Settlement::Never), [0, 1, 1]),
            (
                lost(),
                Some(Settlement::Refused("INVALID".to_owned())),
                [0, 1, 1],
            ),
            (lost(), Some(Settlement::Accepted(1)), [1, 0, 1]),
            (Answer::NotDone("NO_LEADER".to_owned()), None, [0, 1, 1]),
            (Answer::Refused("INVALID".to_owned()), None, [0, 1, 1]),
        ] {
            for (rows, count) in [&[][..], &once, &twice].into_iter().zip(counts) {
                assert_eq!(
                    violations(answer.clone(), settlement.clone(), rows),
                    count,
                    "{answer:?}, {settlement:?}, {rows:?}"
                );
            }
        }
    }

    #[test]
    fn what_nobody_sent_is_found() {
        let history = history([accepted_add(1, 2, 7, 1)]);
        assert_eq!(judge(&history, &finals(&[row(7, 1)])).violations, 0);
        assert_eq!(
            judge(&history, &finals(&[row(7, 1), row(8, 2)])).violations,
            3
        );
        let strange = Row {
            amount: 9,
            ..row(7, 1)
        };
        assert_eq!(judge(&history, &finals(&[strange])).violations, 3);
    }

    #[test]
    fn one_replica_that_lacks_an_add_is_enough() {
        let mut finals = finals(&[row(7, 1)]);
        finals[2].rows = std::sync::Arc::default();
        let verdict = judge(&history([accepted_add(1, 2, 7, 1)]), &finals);
        assert_eq!(verdict.violations, 1);
        assert!(verdict.examples[0].contains("replica 3"), "{verdict:?}");
    }

    /// The same key twice, one answer lost: the answered one counts.
    #[test]
    fn an_answer_under_the_same_key_counts_more_than_none() {
        let lost = operation(1, 3, add(7), Answer::Lost("TIMEOUT".to_owned()));
        for operations in [
            [lost.clone(), accepted_add(1, 2, 7, 1)],
            [accepted_add(1, 2, 7, 1), lost],
        ] {
            let history = history(operations);
            assert_eq!(judge(&history, &finals(&[])).violations, 3);
            assert_eq!(judge(&history, &finals(&[row(7, 1)])).violations, 0);
        }
    }
}
