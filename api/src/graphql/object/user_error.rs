use async_graphql::{Enum, SimpleObject};
use threefold_replication::command::{Refusal, RefusalCode};

/// What the client asked for and may not have. Faults of the service are GraphQL errors with extensions.code instead.
#[derive(SimpleObject)]
pub(crate) struct UserError {
    /// The kind, for programs.
    code: UserErrorCode,
    /// The fault and its remedy, for people.
    message: String,
    /// Path of the argument at fault: ["input", "expenses", "3", "amount"].
    field: Option<Vec<String>>,
}

/// Kinds of user errors.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "RefusalCode")]
pub(crate) enum UserErrorCode {
    /// The input breaks a rule.
    Invalid,
    /// What the input names does not exist, or is deleted.
    NotFound,
    /// The id or name is taken.
    AlreadyExists,
    /// The entity has changed since expectedVersion.
    VersionConflict,
    /// The idempotency key was used before, for something else.
    KeyReused,
    /// A bound is met.
    LimitReached,
    /// The caller may not do this.
    Forbidden,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        let from_top =
            |path: Vec<String>| std::iter::once("input".to_owned()).chain(path).collect();
        Self {
            code: refusal.code.into(),
            message: refusal.message,
            field: refusal.field.map(from_top),
        }
    }
}
