//! The pure heart: working set and proposal in, outcome and changes out. No clock, no random number, no database;
//! nothing here depends on the iteration order of a hash map, or on how the log was cut into applies.

mod category;
mod expense;

use std::sync::Arc;

use threefold_entity::{Revision, idempotency_key};
use uuid::Uuid;

use crate::change::{Change, ChangeBatch};
use crate::command::{Command, Refusal, RefusalCode};
use crate::outcome::{Outcome, Verdict};
use crate::proposal::Proposal;
use crate::working_set::WorkingSet;

/// What a command did, if it was allowed to: the ledger it happened in, and its changes.
type Effect = Result<(Uuid, Vec<Change>), Vec<Refusal>>;

/// What every rule may look at besides the working set.
#[derive(Clone, Copy)]
struct Step<'a> {
    proposal: &'a Proposal,
    /// The revision that the command will make if it is accepted.
    revision: Revision,
}

/// Decides one proposal and carries it out in the working set. A refusal leaves the working set as it was, but for
/// the key that remembers it.
pub(crate) fn decide(
    set: &mut WorkingSet<'_>,
    proposal: &Proposal,
    term: u64,
    keep_revisions: u64,
) -> Outcome {
    let head = set.resident.revision;
    // Keys age by revisions, not by clocks: a key is forgotten at the same place of the history on every replica.
    let known = set.keys.get(&proposal.key);
    let known =
        known.filter(|key| Revision::from_column(key.revision).behind(head) < keep_revisions);
    let known = known.filter(|_| !sabotaged!("sabotage.apply-twice"));
    if let Some(known) = known {
        return repeat(set, known, proposal);
    }
    let step = Step {
        proposal,
        revision: head.next(),
    };
    let verdict = match carry_out(set, step) {
        Ok((ledger_id, changes)) => {
            let changes = Arc::new(changes);
            record(set, step, ledger_id, changes.clone());
            Verdict::Accepted {
                revision: step.revision,
                changes,
            }
        }
        Err(refusals) => Verdict::Refused(refusals),
    };
    remember(set, step, term, &verdict);
    Outcome {
        term,
        replayed: false,
        verdict,
    }
}

/// True for commands that are stored before anything follows: those that rewrite rows the working set does not hold, and
/// those that free a category's name, which another row may take next (the database checks uniqueness row by row).
pub(crate) fn stands_alone(command: &Command) -> bool {
    matches!(
        command,
        Command::UpdateCategory(_) | Command::DeleteCategory(_)
    )
}

fn carry_out(set: &mut WorkingSet<'_>, step: Step<'_>) -> Effect {
    match &step.proposal.command {
        Command::AddExpenses(add) => expense::add(set, step, add),
        Command::UpdateExpense(update) => expense::update(set, step, update),
        Command::DeleteExpense(delete) => expense::delete(set, step, delete),
        Command::RestoreExpense(restore) => expense::restore(set, step, restore),
        Command::AddCategory(add) => category::add(set, step, add),
        Command::UpdateCategory(update) => category::update(set, step, update),
        Command::DeleteCategory(delete) => category::delete(set, step, delete),
    }
}

fn repeat(set: &WorkingSet<'_>, known: &idempotency_key::Model, proposal: &Proposal) -> Outcome {
    if known.payload_hash != proposal.payload_hash {
        let message = "this idempotency key was used before, for another request; make a new key for each thing you want done";
        let refusal = Refusal {
            code: RefusalCode::KeyReused,
            message: message.to_owned(),
            field: Some(vec!["idempotencyKey".to_owned()]),
        };
        let term = u64::try_from(known.term).unwrap_or_default();
        return Outcome {
            term,
            replayed: false,
            verdict: Verdict::Refused(vec![refusal]),
        };
    }
    recall(known, |revision| set.changes_of(revision))
}

/// The first outcome of a known key.
pub(crate) fn recall(
    known: &idempotency_key::Model,
    changes_of: impl FnOnce(Revision) -> Option<Arc<Vec<Change>>>,
) -> Outcome {
    let verdict = match &known.refusals {
        Some(refusals) => Verdict::Refused(serde_json::from_str(refusals).unwrap_or_default()),
        None => {
            let revision = Revision::from_column(known.revision);
            Verdict::Accepted {
                revision,
                changes: changes_of(revision).unwrap_or_default(),
            }
        }
    };
    Outcome {
        term: u64::try_from(known.term).unwrap_or_default(),
        replayed: true,
        verdict,
    }
}

fn record(set: &mut WorkingSet<'_>, step: Step<'_>, ledger_id: Uuid, changes: Arc<Vec<Change>>) {
    let committed_at = step.proposal.proposed_at;
    // Serialising these plain types into memory has no failing case.
    let payload = serde_json::to_string(&*changes).unwrap_or_default();
    let hash = set
        .resident
        .hash
        .extend(step.revision, ledger_id, committed_at, &payload);
    set.resident.revision = step.revision;
    set.resident.hash = hash;
    set.batches.push((
        ChangeBatch {
            revision: step.revision,
            ledger_id,
            committed_at,
            changes,
            hash,
        },
        payload,
    ));
}

fn remember(set: &mut WorkingSet<'_>, step: Step<'_>, term: u64, verdict: &Verdict) {
    let refusals = match verdict {
        Verdict::Accepted { .. } => None,
        // Nobody can ask again with a key that no client knows.
        Verdict::Refused(_) if !step.proposal.client_key => return,
        Verdict::Refused(refusals) => Some(serde_json::to_string(refusals).unwrap_or_default()),
    };
    let key = idempotency_key::Model {
        key: step.proposal.key,
        payload_hash: step.proposal.payload_hash.clone(),
        revision: set.resident.revision.to_column(),
        term: i64::try_from(term).unwrap_or(i64::MAX),
        refusals,
        created_at: step.proposal.proposed_at,
    };
    set.keys.insert(key.key, key.clone());
    set.new_keys.push(key);
}

/// Refuses an edit of a version that is not the current one.
fn check_version(expected: Option<i32>, current: i32, what: &str) -> Result<(), Vec<Refusal>> {
    match expected {
        Some(expected) if expected != current && !sabotaged!("sabotage.version-ignored") => {
            let message = format!(
                "the {what} is at version {current}, not {expected}: someone else changed it; read it again and repeat your edit"
            );
            Err(vec![Refusal {
                code: RefusalCode::VersionConflict,
                message,
                field: Some(vec!["expectedVersion".to_owned()]),
            }])
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
