//! When all is over and has healed, all replicas hold the same.

use super::Verdict;
use crate::torture::history::FinalState;

pub(super) fn judge(finals: &[FinalState]) -> Verdict {
    let mut verdict = Verdict::new(
        "alike",
        "at equal revision all replicas have the same hash and the same rows",
    );
    let Some((first, others)) = finals.split_first() else {
        return verdict;
    };
    for other in others {
        verdict.checked += other.rows.len() as u64;
        compare(&mut verdict, first, other);
    }
    verdict
}

fn compare(verdict: &mut Verdict, first: &FinalState, other: &FinalState) {
    let pair = format!("replicas {} and {}", first.replica, other.replica);
    if first.revision != other.revision {
        verdict.violated(|| {
            format!(
                "{pair} stand at revisions {} and {}",
                first.revision, other.revision
            )
        });
    }
    if first.history_hash != other.history_hash {
        verdict.violated(|| {
            format!(
                "{pair} have the hashes {} and {}",
                first.history_hash, other.history_hash
            )
        });
    }
    for (table, digest) in &first.tables {
        let others = other.tables.get(table);
        if others != Some(digest) {
            verdict.violated(|| format!("{pair} differ in {table}: {digest:?} and {others:?}"));
        }
    }
    if first.rows != other.rows {
        let mut pairs = first.rows.iter().zip(other.rows.iter());
        let difference = pairs.find(|(left, right)| left != right);
        verdict.violated(|| {
            format!(
                "{pair} have {} and {} expenses of the workloads, of which the first to differ are {difference:?}",
                first.rows.len(),
                other.rows.len()
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::torture::checker::testing::{finals, row};
    use crate::torture::history::TableDigest;

    #[test]
    fn whatever_differs_is_found() {
        let same = || {
            let mut finals = finals(&[row(7, 1), row(8, 2)]);
            let digest = TableDigest {
                rows: 2,
                digest: "aa".to_owned(),
            };
            for state in &mut finals {
                state.tables.insert("expense".to_owned(), digest.clone());
            }
            finals
        };
        assert!(judge(&same()).holds());
        assert_eq!(judge(&same()).checked, 4);
        let changes: [fn(&mut FinalState); 5] = [
            |state| state.revision += 1,
            |state| state.history_hash.push('0'),
            |state| drop(state.tables.remove("expense")),
            |state| state.tables.get_mut("expense").unwrap().digest.push('0'),
            |state| state.rows = Arc::new(vec![row(7, 1)]),
        ];
        for change in changes {
            let mut finals = same();
            change(&mut finals[1]);
            let verdict = judge(&finals);
            assert_eq!(verdict.violations, 1, "{verdict:?}");
            assert!(
                verdict.examples[0].starts_with("replicas 1 and 2"),
                "{verdict:?}"
            );
        }
    }
}
