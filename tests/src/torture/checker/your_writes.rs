//! `Min-Revision`: a read that asks for a revision sees everything up to it, on any replica.

use super::Verdict;
use super::written::Written;
use crate::torture::history::{Action, Answer, Freshness, History};

pub(super) fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::new(
        "read your writes",
        "a read with Min-Revision sees everything up to that revision, on any replica",
    );
    let written = Written::of(history);
    for operation in &history.operations {
        match (&operation.action, &operation.answer) {
            (
                Action::Read {
                    id,
                    freshness: Freshness::AtLeast(wanted),
                },
                Answer::Saw(seen),
            ) => {
                verdict.checked += 1;
                let needed = written.last(*id, *wanted);
                let revision = seen.map(|row| row.revision);
                if revision < needed {
                    verdict.violated(|| {
                        format!(
                            "operation {}: replica {} was asked for expense {id} at revision {wanted} or later and showed it \
                             as of {revision:?}, though {needed:?} had changed it",
                            operation.number, operation.replica
                        )
                    });
                }
            }
            (
                Action::List {
                    freshness: Freshness::AtLeast(wanted),
                    ..
                },
                Answer::Listed { revision, .. },
            ) => {
                verdict.checked += 1;
                if revision < wanted {
                    verdict.violated(|| {
                        format!(
                            "operation {}: replica {} was asked for a list at revision {wanted} or later and gave one of {revision}",
                            operation.number, operation.replica
                        )
                    });
                }
            }
            _ => {}
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::checker::testing::{accepted_add, history, id, operation, row};

    #[test]
    fn a_read_before_its_revision_is_found() {
        let read = |wanted, seen| {
            let freshness = Freshness::AtLeast(wanted);
            let action = Action::Read {
                id: id(7),
                freshness,
            };
            operation(20, 30, action, Answer::Saw(seen))
        };
        let add = accepted_add(1, 10, 7, 5);
        for (wanted, seen, violations) in [
            (5, Some(row(7, 5)), 0),
            (9, Some(row(7, 8)), 0),
            // Nobody said that the expense had to be there at 4.
            (4, None, 0),
            (5, None, 1),
            (6, Some(row(7, 4)), 1),
        ] {
            let history = history([add.clone(), read(wanted, seen)]);
            let verdict = judge(&history);
            assert_eq!(
                (verdict.checked, verdict.violations),
                (1, violations),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn a_list_before_its_revision_is_found() {
        for (revision, violations) in [(8, 1), (9, 0), (10, 0)] {
            let action = Action::List {
                tag: 1,
                freshness: Freshness::AtLeast(9),
            };
            let answer = Answer::Listed {
                revision,
                rows: vec![],
            };
            let verdict = judge(&history([operation(1, 2, action, answer)]));
            assert_eq!(verdict.violations, violations);
        }
    }
}
