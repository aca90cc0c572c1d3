//! Receipts: what a replica is said to have applied, it shows to whoever asks it without further ado.

use std::collections::HashMap;

use super::Verdict;
use super::written::Written;
use crate::torture::history::{Action, Answer, Freshness, History, Operation};

/// Something that happened, in the order of time.
enum Event<'a> {
    /// A replica's process or database ended: what it has when it is back, it has to apply again.
    Disturbed(u16),
    Answered(&'a Operation),
    Asked(&'a Operation),
}

pub(super) fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::new(
        "receipts",
        "what a receipt says is APPLIED on a replica is seen by every later local read there",
    );
    let written = Written::of(history);
    let mut events: Vec<(u64, Event<'_>)> = Vec::with_capacity(history.operations.len());
    for operation in &history.operations {
        match (&operation.action, &operation.answer) {
            (_, Answer::Accepted { .. }) => {
                events.push((operation.end, Event::Answered(operation)))
            }
            (
                Action::Read {
                    freshness: Freshness::Local,
                    ..
                },
                Answer::Saw(_),
            )
            | (Action::Position { .. }, Answer::Listed { .. })
                if !history.disturbed(operation.replica, operation.begin, operation.end) =>
            {
                events.push((operation.begin, Event::Asked(operation)));
            }
            _ => {}
        }
    }
    events.extend(
        history
            .disturbances
            .iter()
            .map(|one| (one.at, Event::Disturbed(one.replica))),
    );
    events.sort_by_key(|(at, _)| *at);

    let mut applied: HashMap<u16, u64> = HashMap::new();
    for (_, event) in events {
        match event {
            Event::Disturbed(replica) => drop(applied.remove(&replica)),
            Event::Answered(operation) => {
                if let Answer::Accepted { receipt, .. } = &operation.answer {
                    for replica in receipt.applied.iter() {
                        let known = applied.entry(replica).or_default();
                        // One that began before the replica was disturbed may speak of before.
                        if !history.disturbed(replica, operation.begin, operation.end) {
                            *known = receipt.revision.max(*known);
                        }
                    }
                }
            }
            Event::Asked(operation) => {
                verdict.checked += 1;
                let known = applied.get(&operation.replica).copied().unwrap_or_default();
                compare(&mut verdict, &written, operation, known);
            }
        }
    }
    verdict
}

fn compare(verdict: &mut Verdict, written: &Written, operation: &Operation, applied: u64) {
    let (number, replica) = (operation.number, operation.replica);
    match (&operation.action, &operation.answer) {
        (Action::Read { id, .. }, Answer::Saw(seen)) => {
            let needed = written.last(*id, applied);
            let revision = seen.map(|row| row.revision);
            if revision < needed {
                verdict.violated(|| {
                    format!(
                        "operation {number}: replica {replica} was said to have applied revision {applied}, and showed expense {id} \
                         as of {revision:?}, though {needed:?} had changed it"
                    )
                });
            }
        }
        (_, Answer::Listed { revision, .. }) if *revision < applied => {
            verdict.violated(|| {
                format!(
                    "operation {number}: replica {replica} was said to have applied revision {applied}, and gave a list of {revision}"
                )
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::checker::testing::{accepted_add, history, id, operation, row};
    use crate::torture::history::{Disturbance, ReplicaSet};

    fn applied_add(applied: &[u16]) -> Operation {
        let mut add = accepted_add(1, 10, 7, 5);
        if let Answer::Accepted { receipt, .. } = &mut add.answer {
            receipt.applied = applied.iter().copied().collect::<ReplicaSet>();
        }
        add
    }

    fn local_read(begin: u64, replica: u16, seen: bool) -> Operation {
        let action = Action::Read {
            id: id(7),
            freshness: Freshness::Local,
        };
        let answer = Answer::Saw(seen.then(|| row(7, 5)));
        Operation {
            replica,
            ..operation(begin, begin + 5, action, answer)
        }
    }

    fn violations(operations: [Operation; 2], disturbances: &[(u16, u64)]) -> u64 {
        let mut history = history(operations);
        history.disturbances = disturbances
            .iter()
            .map(|(replica, at)| Disturbance {
                at: *at,
                replica: *replica,
            })
            .collect();
        judge(&history).violations
    }

    #[test]
    fn a_receipt_that_lies_is_found() {
        for (applied, begin, replica, seen, expected) in [
            (&[1, 2][..], 20, 2, true, 0),
            (&[1, 2], 20, 2, false, 1),
            (&[1], 20, 2, false, 0),
            (&[1, 2], 9, 2, false, 0),
        ] {
            let operations = [applied_add(applied), local_read(begin, replica, seen)];
            assert_eq!(
                violations(operations, &[]),
                expected,
                "{applied:?} {begin} {replica}"
            );
        }
    }

    #[test]
    fn a_list_of_before_is_found() {
        for (revision, expected) in [(5, 0), (4, 1)] {
            let answer = Answer::Listed {
                revision,
                rows: vec![],
            };
            let list = operation(20, 25, Action::Position { session: 1 }, answer);
            assert_eq!(violations([applied_add(&[1]), list], &[]), expected);
        }
    }

    #[test]
    fn whoever_was_disturbed_since_is_excused_and_nobody_else() {
        for (disturbance, expected) in [
            ((2, 15), 0),
            ((2, 22), 0),
            ((3, 15), 1),
            ((2, 40), 1),
            ((2, 0), 1),
        ] {
            let operations = [applied_add(&[1, 2]), local_read(20, 2, false)];
            assert_eq!(
                violations(operations, &[disturbance]),
                expected,
                "{disturbance:?}"
            );
        }
    }
}
