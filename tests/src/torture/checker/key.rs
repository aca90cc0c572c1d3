//! Idempotency keys: one key, one outcome, however often and wherever it is sent; a key that is taken is refused for anything else.

use std::collections::HashMap;

use uuid::Uuid;

use super::Verdict;
use crate::torture::history::{Answer, History, Operation};

pub(super) fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::new(
        "keys",
        "one idempotency key has one outcome, carried out once, and is refused for anything else",
    );
    let mut keys: HashMap<Uuid, Vec<&Operation>> = HashMap::new();
    for operation in &history.operations {
        if let Some(key) = operation.action.key() {
            keys.entry(key).or_default().push(operation);
        }
    }
    for (key, operations) in keys
        .into_iter()
        .filter(|(_, operations)| operations.len() > 1)
    {
        verdict.checked += 1;
        judge_key(&mut verdict, key, &operations);
    }
    verdict
}

fn judge_key(verdict: &mut Verdict, key: Uuid, operations: &[&Operation]) {
    let accepted: Vec<_> = operations
        .iter()
        .filter_map(|operation| match &operation.answer {
            Answer::Accepted { receipt, rows } => Some((*operation, receipt, rows)),
            _ => None,
        })
        .collect();
    let Some((first, first_receipt, first_rows)) = accepted.first() else {
        return;
    };
    for (other, receipt, rows) in &accepted[1..] {
        if other.action != first.action {
            verdict.violated(|| {
                format!(
                    "operations {} and {} are different things under key {key}, and both were carried out",
                    first.number, other.number
                )
            });
        } else if receipt.revision != first_receipt.revision || rows != first_rows {
            verdict.violated(|| {
                format!(
                    "key {key} has two outcomes: operation {} made revision {}, operation {} made {}",
                    first.number, first_receipt.revision, other.number, receipt.revision
                )
            });
        }
    }
    let anew = accepted
        .iter()
        .filter(|(_, receipt, _)| !receipt.replayed)
        .count();
    if anew > 1 {
        verdict.violated(|| format!("key {key}: {anew} answers say that they are the first"));
    }
    // Whoever asks for something else once the key is taken is told so.
    for operation in operations {
        let late = accepted
            .iter()
            .any(|(taken, ..)| taken.end < operation.begin && taken.action != operation.action);
        if let (true, Answer::Refused(code)) = (late, &operation.answer)
            && code != "KEY_REUSED"
        {
            verdict.violated(|| {
                format!(
                    "operation {}: key {key} was taken, and it was refused with {code}",
                    operation.number
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::checker::testing::{accepted, accepted_add, history, id, operation};
    use crate::torture::history::{Action, Item};

    fn replayed(mut operation: Operation) -> Operation {
        if let Answer::Accepted { receipt, .. } = &mut operation.answer {
            receipt.replayed = true;
        }
        operation
    }

    fn violations(first: &Operation, second: Operation) -> u64 {
        let verdict = judge(&history([first.clone(), second]));
        assert_eq!(verdict.checked, 1);
        verdict.violations
    }

    #[test]
    fn one_key_has_one_outcome() {
        let first = accepted_add(1, 10, 7, 5);
        assert_eq!(violations(&first, replayed(accepted_add(2, 12, 7, 5))), 0);
        assert_eq!(
            violations(&first, accepted_add(2, 12, 7, 5)),
            1,
            "twice for the first time"
        );
        assert_eq!(
            violations(&first, replayed(accepted_add(2, 12, 7, 6))),
            1,
            "two revisions"
        );
        let lost = operation(
            2,
            12,
            first.action.clone(),
            Answer::Lost("TIMEOUT".to_owned()),
        );
        assert_eq!(violations(&first, lost), 0);
    }

    #[test]
    fn a_key_that_is_taken_is_refused_for_anything_else() {
        let first = accepted_add(1, 10, 7, 5);
        let other = |answer| {
            let action = Action::Add {
                key: id(7),
                item: Item { id: None, mark: 8 },
            };
            operation(20, 30, action, answer)
        };
        assert_eq!(
            violations(&first, other(Answer::Refused("KEY_REUSED".to_owned()))),
            0
        );
        assert_eq!(
            violations(&first, other(Answer::Refused("INVALID".to_owned()))),
            1
        );
        assert_eq!(
            violations(&first, other(Answer::Lost("TIMEOUT".to_owned()))),
            0
        );
        assert!(violations(&first, other(accepted(8, 6))) > 0);
    }
}
