//! One connection to one replica never goes back in time.

use std::collections::HashMap;

use super::Verdict;
use crate::torture::history::{Action, Answer, History};

pub(super) fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::new(
        "session",
        "local reads over one connection never go back in time",
    );
    let mut positions: HashMap<(u16, u32), u64> = HashMap::new();
    for operation in &history.operations {
        let (Action::Position { session }, Answer::Listed { revision, .. }) =
            (&operation.action, &operation.answer)
        else {
            continue;
        };
        verdict.checked += 1;
        let position = positions.entry((operation.worker, *session)).or_default();
        if revision < position {
            verdict.violated(|| {
                format!(
                    "operation {}: replica {} gave worker {} a list of revision {revision}, after one of {position} over the same connection",
                    operation.number, operation.replica, operation.worker
                )
            });
        }
        *position = (*position).max(*revision);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::checker::testing::{history, operation};

    #[test]
    fn going_back_is_found_within_a_session_only() {
        let look = |session, revision| {
            let answer = Answer::Listed {
                revision,
                rows: vec![],
            };
            operation(1, 2, Action::Position { session }, answer)
        };
        let judged = |looks: [(u32, u64); 3]| {
            judge(&history(
                looks.map(|(session, revision)| look(session, revision)),
            ))
            .violations
        };
        assert_eq!(judged([(1, 5), (1, 5), (1, 6)]), 0);
        assert_eq!(judged([(1, 5), (2, 3), (2, 4)]), 0);
        assert_eq!(judged([(1, 5), (2, 9), (1, 4)]), 1);
    }
}
