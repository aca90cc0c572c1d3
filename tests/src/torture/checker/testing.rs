//! Short words for the histories that the checkers' own tests make up.

use std::sync::Arc;

use uuid::Uuid;

use crate::torture::history::{
    Action, Answer, FinalState, History, Item, Operation, Receipt, ReplicaSet, Row,
};

/// The id of an expense with that mark.
pub(super) fn id(mark: u64) -> Uuid {
    Uuid::from_u128(u128::from(mark))
}

/// The expense as it was added, at that revision.
pub(super) fn row(mark: u64, revision: u64) -> Row {
    Row {
        id: id(mark),
        version: 1,
        amount: mark,
        label: mark,
        deleted: false,
        revision,
    }
}

pub(super) fn operation(begin: u64, end: u64, action: Action, answer: Answer) -> Operation {
    Operation {
        number: begin,
        worker: 1,
        replica: 1,
        begin,
        end,
        action,
        answer,
        settlement: None,
    }
}

/// An add to which the service gave the id; the key has the mark's number.
pub(super) fn add(mark: u64) -> Action {
    Action::Add {
        key: id(mark),
        item: Item { id: None, mark },
    }
}

/// A receipt of that revision, applied by nobody that matters.
pub(super) fn receipt(revision: u64) -> Receipt {
    Receipt {
        revision,
        replayed: false,
        applied: ReplicaSet::default(),
        durable: ReplicaSet::default(),
    }
}

pub(super) fn accepted(mark: u64, revision: u64) -> Answer {
    Answer::Accepted {
        receipt: receipt(revision),
        rows: vec![row(mark, revision)],
    }
}

pub(super) fn accepted_add(begin: u64, end: u64, mark: u64, revision: u64) -> Operation {
    operation(begin, end, add(mark), accepted(mark, revision))
}

pub(super) fn history(operations: impl IntoIterator<Item = Operation>) -> History {
    History {
        operations: operations.into_iter().collect(),
        ..History::default()
    }
}

/// Three replicas that all hold these rows.
pub(super) fn finals(rows: &[Row]) -> Vec<FinalState> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    let rows = Arc::new(rows);
    let revision = rows
        .iter()
        .map(|row| row.revision)
        .max()
        .unwrap_or_default();
    (1..=3)
        .map(|replica| FinalState {
            replica,
            revision,
            history_hash: "00".to_owned(),
            tables: [].into(),
            rows: Arc::clone(&rows),
        })
        .collect()
}
