//! Linearizability of each expense: there is an order of everything that clients did to it, true to real time, in which every
//! answer is the right one.
//!
//! The search is that of Wing, Gong and Lowe, from the crate `todc-utils`. It takes complete operations only. One whose answer
//! was lost is given an end behind everything else; where it may have had no effect, that is the same as an effect that
//! nobody has seen.

use std::collections::BTreeMap;
use std::thread;

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action as Entry, History as Actions};
use uuid::Uuid;

use super::Verdict;
use super::model::{ExpenseRegister, Step, Told};
use crate::torture::history::{
    Action, Answer, FinalState, Freshness, History, Operation, Settlement,
};

/// When an operation ends that has no end.
const NEVER: u64 = u64::MAX;
/// When the databases were looked at: behind every answer, before what may still take effect.
const AT_LAST: u64 = NEVER - 1;
/// Operations before the one that cannot be explained, which the verdict repeats.
const REPEATED: usize = 8;

/// One operation on one expense.
#[derive(Debug, Clone)]
pub(super) struct Timed {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) step: Step,
    /// For people.
    pub(super) number: u64,
    pub(super) worker: u16,
    pub(super) replica: u16,
}

pub(super) fn judge(history: &History, finals: &[FinalState]) -> Verdict {
    let mut verdict = Verdict::new(
        "linearizable",
        "operations on one expense happen one after the other, each at some moment between its request and its answer",
    );
    let expenses: Vec<(Uuid, Vec<Timed>)> = by_expense(history, finals).into_iter().collect();
    verdict.checked = expenses.len() as u64;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let judged: Vec<(Uuid, Judgement, &Vec<Timed>)> = thread::scope(|scope| {
        let parts: Vec<_> = expenses
            .chunks(expenses.len().div_ceil(threads).max(1))
            .map(|part| {
                scope.spawn(|| {
                    let judged = part.iter().map(|(id, timed)| (*id, explain(timed), timed));
                    judged
                        .filter(|(_, judgement, _)| *judgement != Judgement::Linearizable)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let judged = parts
            .into_iter()
            .map(|part| part.join().expect("a checker's thread"));
        judged.flatten().collect()
    });
    for (id, judgement, timed) in judged {
        match judgement {
            Judgement::Linearizable => {}
            Judgement::Undecided => verdict.undecided += 1,
            Judgement::Not => verdict.violated(|| describe(id, timed)),
        }
    }
    verdict
}

/// What the search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    Linearizable,
    Not,
    Undecided,
}

pub(super) fn explain(timed: &[Timed]) -> Judgement {
    let mut entries: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * timed.len());
    for (index, one) in timed.iter().enumerate() {
        entries.push((one.begin, false, index));
        entries.push((one.end, true, index));
    }
    // At the same moment, what begins goes first: then the two may go in either order.
    entries.sort_unstable();
    let actions: Vec<(usize, Entry<Step>)> = entries
        .into_iter()
        .map(|(_, ends, index)| {
            let step = timed[index].step.clone();
            (
                index,
                if ends {
                    Entry::Response(step)
                } else {
                    Entry::Call(step)
                },
            )
        })
        .collect();
    if actions.is_empty() {
        return Judgement::Linearizable;
    }
    budget::renew();
    let linearizable =
        WGLChecker::<ExpenseRegister>::is_linearizable(Actions::from_actions(actions));
    match (linearizable, budget::is_spent()) {
        (true, _) => Judgement::Linearizable,
        (false, false) => Judgement::Not,
        (false, true) => Judgement::Undecided,
    }
}

fn by_expense(history: &History, finals: &[FinalState]) -> BTreeMap<Uuid, Vec<Timed>> {
    let mut expenses: BTreeMap<Uuid, Vec<Timed>> = BTreeMap::new();
    for operation in &history.operations {
        let Some((id, timed)) = timed(operation) else {
            continue;
        };
        let operations = expenses.entry(id).or_default();
        let key = operation.action.key();
        let twin = operations
            .iter_mut()
            .find(|one| key.is_some() && one.step.action.key() == key);
        match twin {
            // Two requests under one key are one operation: from the first request to the first answer.
            Some(twin) => {
                twin.begin = twin.begin.min(timed.begin);
                twin.end = twin.end.min(timed.end);
            }
            None => operations.push(timed),
        }
    }
    if let Some(state) = finals.first() {
        for (id, operations) in &mut expenses {
            let row = state.rows.binary_search_by_key(id, |row| row.id).ok();
            let cell = row.map(|index| state.rows[index].into());
            let freshness = Freshness::Linearizable;
            operations.push(Timed {
                begin: AT_LAST,
                end: AT_LAST,
                step: Step {
                    action: Action::Read { id: *id, freshness },
                    told: Told::Saw(cell),
                },
                number: 0,
                worker: 0,
                replica: state.replica,
            });
        }
    }
    expenses
}

/// What an operation says about one expense; none where it binds nobody.
fn timed(operation: &Operation) -> Option<(Uuid, Timed)> {
    let id = match &operation.action {
        Action::Add { item, .. } => match &operation.answer {
            // The service chose the id, and only an answer tells it.
            Answer::Accepted { rows, .. } => rows.first()?.id,
            _ => item.id?,
        },
        Action::Edit { id, .. }
        | Action::Delete { id, .. }
        | Action::Restore { id, .. }
        | Action::Read {
            id,
            freshness: Freshness::Linearizable,
        } => *id,
        _ => return None,
    };
    let (told, end) = match (&operation.answer, &operation.settlement) {
        (Answer::Accepted { rows, .. }, _) => (
            Told::Accepted(rows.first().map(|row| (*row).into())),
            operation.end,
        ),
        (Answer::Refused(code), _) => (Told::Refused(code.clone()), operation.end),
        (Answer::Saw(row), _) => (Told::Saw(row.map(Into::into)), operation.end),
        (Answer::Lost(_), Some(Settlement::Accepted(_))) => (Told::Accepted(None), AT_LAST - 1),
        (Answer::Lost(_), None) if operation.action.key().is_some() => (Told::Nothing, NEVER),
        // What was not done has to be explained by nobody: should it show, those who saw it cannot be explained.
        (Answer::Lost(_) | Answer::NotDone(_) | Answer::Listed { .. }, _) => return None,
    };
    let timed = Timed {
        begin: operation.begin,
        end,
        step: Step {
            action: operation.action.clone(),
            told,
        },
        number: operation.number,
        worker: operation.worker,
        replica: operation.replica,
    };
    Some((id, timed))
}

/// Everything up to a moment, as somebody would know it then.
pub(super) fn up_to(timed: &[Timed], moment: u64) -> Vec<Timed> {
    let begun = timed.iter().filter(|one| one.begin <= moment);
    let known = begun.filter_map(|one| {
        let mut one = one.clone();
        if one.end > moment {
            if matches!(one.step.told, Told::Saw(_) | Told::Refused(_)) {
                return None;
            }
            one.end = NEVER;
            one.step.told = Told::Nothing;
        }
        Some(one)
    });
    known.collect()
}

/// Names the first answer that no order explains, and what came before it.
fn describe(id: Uuid, timed: &[Timed]) -> String {
    let mut ends: Vec<u64> = timed
        .iter()
        .map(|one| one.end)
        .filter(|end| *end != NEVER)
        .collect();
    ends.sort_unstable();
    // Whatever goes on from what cannot be explained cannot be explained either.
    let first = ends.partition_point(|end| explain(&up_to(timed, *end)) != Judgement::Not);
    let Some(end) = ends.get(first) else {
        return format!(
            "expense {id}: its {} operations cannot be put in order",
            timed.len()
        );
    };
    let mut known: Vec<&Timed> = timed.iter().filter(|one| one.begin <= *end).collect();
    known.sort_by_key(|one| one.end.min(*end + 1));
    let answered = known.iter().filter(|one| one.end <= *end).count();
    let shown = &known[answered.saturating_sub(REPEATED)..];
    let lines: Vec<String> = shown.iter().map(|one| line(one)).collect();
    format!(
        "expense {id}: no order of the first {answered} answers explains the last of these:\n    {}",
        lines.join("\n    ")
    )
}

fn line(one: &Timed) -> String {
    let moment = |at: u64| match at {
        AT_LAST | NEVER => "the end".to_owned(),
        // A settled operation ends just before the databases were looked at.
        at if at == AT_LAST - 1 => "some time".to_owned(),
        at => format!("{:.6} s", at as f64 / 1e9),
    };
    format!(
        "operation {} of worker {} on replica {}, {} to {}: {} {:?}, told {:?}",
        one.number,
        one.worker,
        one.replica,
        moment(one.begin),
        moment(one.end),
        one.step.action.name(),
        one.step.action,
        one.step.told
    )
}

/// How much one search may cost: it could take forever, and a checker must not.
pub(super) mod budget {
    use std::cell::Cell;

    /// Each keeps a set of the history's operations: a hundred bytes for histories as the workloads make them.
    const STEPS: u64 = 300_000;

    thread_local! {
        static LEFT: Cell<u64> = const { Cell::new(STEPS) };
    }

    /// Takes a step; false once there is none left, and then every step is refused, which ends the search soon.
    pub(in super::super) fn spend() -> bool {
        LEFT.with(|left| {
            let more = left.get() > 0;
            left.set(left.get().saturating_sub(1));
            more
        })
    }

    pub(super) fn renew() {
        LEFT.with(|left| left.set(STEPS));
    }

    pub(super) fn is_spent() -> bool {
        LEFT.with(|left| left.get() == 0)
    }
}

#[cfg(test)]
mod tests;
