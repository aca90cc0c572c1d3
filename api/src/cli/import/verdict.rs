//! What became of an idempotency key so far, on any replica and in any import.

use uuid::Uuid;

use super::cluster::{Cluster, ClusterError};
use super::wire::{self, Payload, UserError};

/// What became of something that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was carried out.
    Accepted,
    /// It changed nothing. The cluster remembers that, and never carries anything out under its key.
    Refused,
}

impl Verdict {
    fn of(payload: &Payload) -> Self {
        // Ids come from the file: whose ids are taken has been added, under a key that is forgotten by now.
        let added_before = !payload.user_errors.is_empty()
            && payload.user_errors.iter().all(UserError::is_taken_id);
        if payload.receipt.is_some() || added_before {
            Self::Accepted
        } else {
            Self::Refused
        }
    }
}

/// Asks what became of the key; none if nothing did.
///
/// # Errors
/// The cluster brings no answer.
pub async fn verdict(cluster: &mut Cluster, key: Uuid) -> Result<Option<Verdict>, ClusterError> {
    let variables = wire::OutcomeVariables {
        idempotency_key: key,
    };
    let answer = cluster
        .request::<wire::OutcomeData>(wire::OUTCOME, &variables)
        .await?;
    Ok(answer.data.outcome.as_ref().map(Verdict::of))
}
