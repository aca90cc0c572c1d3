//! The arguments of the schema: one module a resource. Each becomes a command or a filter, and nothing else.

pub(super) mod category;
pub(super) mod expense;
pub(super) mod filter;

use async_graphql::MaybeUndefined;
use threefold_replication::command::{Patch, Path, Refusal, RefusalCode};

/// What an edit says about a field that may be empty: omitted leaves it, null clears it.
fn patch<T>(field: MaybeUndefined<T>) -> Patch<Option<T>> {
    match field {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Set(None),
        MaybeUndefined::Value(value) => Patch::Set(Some(value)),
    }
}

/// What an edit says about a field that must have a value: omitted leaves it, null is refused.
fn required<T>(field: MaybeUndefined<T>, name: &str, faults: &mut Vec<Refusal>) -> Option<T> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => {
            let message = format!("{name} cannot be cleared; leave it out to keep it");
            faults.push(Refusal::at(RefusalCode::Invalid, &Path::Top, name, message));
            None
        }
        MaybeUndefined::Value(value) => Some(value),
    }
}
