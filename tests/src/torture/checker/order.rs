//! Revisions are the order in which things happened: each is one mutation, and whatever was answered before another mutation began
//! has the smaller one.

use std::collections::HashMap;

use uuid::Uuid;

use super::Verdict;
use crate::torture::history::{Action, Answer, Freshness, History, Operation};

pub(super) fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::new(
        "order",
        "a revision is one mutation, and one that was answered before another began has the smaller revision",
    );
    let mut owners: HashMap<u64, (Uuid, u64)> = HashMap::new();
    let mut ends: Vec<(u64, u64, u64)> = Vec::new();
    let mut begins: Vec<(u64, u64, &Operation)> = Vec::new();
    for operation in &history.operations {
        match (&operation.answer, &operation.action) {
            (Answer::Accepted { receipt, .. }, action) => {
                let revision = receipt.revision;
                ends.push((operation.end, revision, operation.number));
                // A repeated outcome may be older than the request that it answers.
                if !receipt.replayed {
                    begins.push((operation.begin, revision, operation));
                }
                let key = action.key().unwrap_or_default();
                let (owner, number) = *owners.entry(revision).or_insert((key, operation.number));
                if owner != key {
                    verdict.violated(|| {
                        format!(
                            "operations {number} and {} have different keys, and both were answered with revision {revision}",
                            operation.number
                        )
                    });
                }
            }
            // Not below what had been answered, but at it: hence one more.
            (
                Answer::Listed { revision, .. },
                Action::List {
                    freshness: Freshness::Linearizable,
                    ..
                },
            ) => begins.push((operation.begin, revision + 1, operation)),
            _ => {}
        }
    }
    ends.sort_unstable();
    begins.sort_by_key(|(begin, ..)| *begin);
    verdict.checked = begins.len() as u64;
    let mut ended = ends.into_iter().peekable();
    let mut latest = (0, 0);
    for (begin, revision, operation) in begins {
        while let Some((_, revision, number)) = ended.next_if(|(end, ..)| *end < begin) {
            latest = latest.max((revision, number));
        }
        if revision <= latest.0 {
            verdict.violated(|| {
                format!(
                    "operation {} was answered with {:?}, though operation {} had been answered with revision {} before it began",
                    operation.number, operation.answer, latest.1, latest.0
                )
            });
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::checker::testing::{accepted_add, history, operation};

    fn violations(operations: impl IntoIterator<Item = Operation>) -> u64 {
        judge(&history(operations)).violations
    }

    #[test]
    fn an_order_against_real_time_is_found() {
        assert_eq!(
            violations([accepted_add(1, 10, 7, 5), accepted_add(20, 30, 8, 6)]),
            0
        );
        assert_eq!(
            violations([accepted_add(1, 10, 7, 5), accepted_add(20, 30, 8, 4)]),
            1
        );
        assert_eq!(
            violations([accepted_add(1, 25, 7, 5), accepted_add(20, 30, 8, 4)]),
            0,
            "at once"
        );
    }

    #[test]
    fn a_repeated_outcome_may_be_old_and_still_counts() {
        let replayed = |begin, end, mark, revision| {
            let mut add = accepted_add(begin, end, mark, revision);
            if let Answer::Accepted { receipt, .. } = &mut add.answer {
                receipt.replayed = true;
            }
            add
        };
        assert_eq!(
            violations([accepted_add(1, 10, 8, 5), replayed(20, 30, 7, 4)]),
            0
        );
        assert_eq!(
            violations([replayed(1, 10, 7, 5), accepted_add(20, 30, 8, 4)]),
            1
        );
    }

    #[test]
    fn one_revision_for_two_mutations_is_found() {
        assert_eq!(
            violations([accepted_add(1, 10, 7, 5), accepted_add(2, 12, 7, 5)]),
            0,
            "one key"
        );
        assert_eq!(
            violations([accepted_add(1, 10, 7, 5), accepted_add(2, 12, 8, 5)]),
            1
        );
    }

    #[test]
    fn a_linearizable_list_is_no_older_than_what_was_answered() {
        for (freshness, revision, expected) in [
            (Freshness::Linearizable, 5, 0),
            (Freshness::Linearizable, 4, 1),
            (Freshness::Local, 4, 0),
        ] {
            let answer = Answer::Listed {
                revision,
                rows: vec![],
            };
            let list = operation(20, 30, Action::List { tag: 1, freshness }, answer);
            assert_eq!(
                violations([accepted_add(1, 10, 7, 5), list]),
                expected,
                "{freshness:?}"
            );
        }
    }
}
