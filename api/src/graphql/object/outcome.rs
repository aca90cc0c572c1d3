use async_graphql::SimpleObject;
use threefold_replication::outcome::{Settled, Verdict};
use uuid::Uuid;

use super::receipt::Receipt;
use super::user_error::UserError;

/// What became of a mutation.
#[derive(SimpleObject)]
pub(crate) struct Outcome {
    /// The key it was sent with.
    idempotency_key: Uuid,
    /// Null where it was refused.
    receipt: Option<Receipt>,
    /// Why it was refused.
    user_errors: Vec<UserError>,
}

impl Outcome {
    pub(crate) fn new(idempotency_key: Uuid, settled: Settled) -> Self {
        let (receipt, refusals) = match &settled.outcome.verdict {
            Verdict::Accepted { revision, .. } => {
                (Some(Receipt::new(*revision, &settled)), Vec::new())
            }
            Verdict::Refused(refusals) => (None, refusals.clone()),
        };
        let user_errors = refusals.into_iter().map(UserError::from).collect();
        Self {
            idempotency_key,
            receipt,
            user_errors,
        }
    }
}
