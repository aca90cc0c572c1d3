//! What one expense does, told a second time: small enough to be right, and nothing of the product in it.

use serde::{Deserialize, Serialize};
use todc_utils::specifications::Specification;

use crate::torture::history::{Action, Row};

/// An expense that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) version: u32,
    pub(super) amount: u64,
    pub(super) label: u64,
    pub(super) deleted: bool,
}

impl From<Row> for Cell {
    fn from(row: Row) -> Self {
        Self {
            version: row.version,
            amount: row.amount,
            label: row.label,
            deleted: row.deleted,
        }
    }
}

/// What a client asked of one expense, and what it was told.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) told: Told,
}

/// What the client was told, as far as it binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// Carried out, and this is how the expense was after it; none where only the fact is known.
    Accepted(Option<Cell>),
    /// Refused for that reason.
    Refused(String),
    /// Nothing: it may have been carried out at any time after it began, or not at all.
    Nothing,
    /// A read saw this.
    Saw(Option<Cell>),
}

/// What an action does to an expense, or why not.
pub(super) fn transition(action: &Action, state: Option<Cell>) -> Result<Cell, &'static str> {
    match action {
        Action::Add { item, .. } => match state {
            Some(_) => Err("ALREADY_EXISTS"),
            None => Ok(Cell {
                version: 1,
                amount: item.mark,
                label: item.mark,
                deleted: false,
            }),
        },
        Action::Edit {
            amount,
            label,
            expected,
            ..
        } => {
            let cell = live(state, *expected)?;
            Ok(Cell {
                version: cell.version + 1,
                amount: amount.unwrap_or(cell.amount),
                label: label.unwrap_or(cell.label),
                ..cell
            })
        }
        Action::Delete { expected, .. } => {
            let cell = live(state, *expected)?;
            Ok(Cell {
                version: cell.version + 1,
                deleted: true,
                ..cell
            })
        }
        Action::Restore { .. } => {
            let cell = state.ok_or("NOT_FOUND")?;
            if !cell.deleted {
                return Err("INVALID");
            }
            Ok(Cell {
                version: cell.version + 1,
                deleted: false,
                ..cell
            })
        }
        Action::AddMany { .. }
        | Action::Read { .. }
        | Action::List { .. }
        | Action::Position { .. } => Err("no mutation of one expense"),
    }
}

fn live(state: Option<Cell>, expected: Option<u32>) -> Result<Cell, &'static str> {
    let cell = state.filter(|cell| !cell.deleted).ok_or("NOT_FOUND")?;
    match expected {
        Some(expected) if expected != cell.version => Err("VERSION_CONFLICT"),
        _ => Ok(cell),
    }
}

/// One expense as a register, for the linearizability checker.
pub(super) struct ExpenseRegister;

impl Specification for ExpenseRegister {
    type State = Option<Cell>;
    type Operation = Step;

    fn init() -> Self::State {
        None
    }

    fn apply(step: &Step, state: &Self::State) -> (bool, Self::State) {
        if !super::linearizable::budget::spend() {
            return (false, *state);
        }
        if let Told::Saw(seen) = &step.told {
            return (seen == state, *state);
        }
        let effect = transition(&step.action, *state);
        match (&step.told, effect) {
            (Told::Accepted(None) | Told::Nothing, Ok(cell)) => (true, Some(cell)),
            (Told::Accepted(Some(row)), Ok(cell)) if *row == cell => (true, Some(cell)),
            (Told::Refused(code), Err(reason)) if code == reason => (true, *state),
            (Told::Nothing, Err(_)) => (true, *state),
            _ => (false, *state),
        }
    }
}
