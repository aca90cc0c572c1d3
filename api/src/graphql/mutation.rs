//! What can be done: one module a resource, merged into the type `Mutation`.

mod category;
mod expense;
mod verification;

use async_graphql::{Context, MergedObject};
use threefold_replication::ReadConsistency;
use threefold_replication::command::{Command, Refusal};
use threefold_replication::outcome::Verdict;
use uuid::Uuid;

use super::context::ContextExt;
use super::error::ApiError;
use super::object::payload::Settlement;
use super::object::receipt::Receipt;
use super::object::user_error::UserError;

/// Mutations. Each answers when the replicas have it that the header Write-Acknowledgement asks for.
#[derive(MergedObject, Default)]
pub struct Mutation(
    expense::ExpenseMutation,
    category::CategoryMutation,
    verification::VerificationMutation,
);

/// Proposes a command and waits until it is settled. One with faults is refused here, and nothing is proposed.
async fn settle(
    ctx: &Context<'_>,
    command: Result<Command, Vec<Refusal>>,
    key: Option<Uuid>,
) -> Result<Settlement, ApiError> {
    let command = match command {
        Ok(command) => command,
        Err(refusals) => return Ok(refused(refusals)),
    };
    let replica = ctx.replica()?;
    #[cfg(feature = "failpoints")]
    threefold_replication::failpoint::at("mutation.begin").await;
    let settled = replica
        .propose(command, key, ctx.actor()?, ctx.acknowledgement()?)
        .await?;
    #[cfg(feature = "failpoints")]
    threefold_replication::failpoint::at("mutation.answer").await;
    match &settled.outcome.verdict {
        Verdict::Refused(refusals) => Ok(refused(refusals.clone())),
        Verdict::Accepted { revision, changes } => {
            if selects_edges(ctx) {
                // Edges are read from this replica's database, which may not have what was acknowledged elsewhere.
                // What is committed is never reported as failed: if the wait fails, they are read as they are.
                let caught_up = replica.read(ReadConsistency::Local, Some(*revision)).await;
                if let Err(error) = caught_up {
                    tracing::debug!(%error, %revision, "edges of a mutation are read early");
                }
            }
            let receipt = Receipt::new(*revision, &settled);
            Ok(Settlement {
                changes: changes.to_vec(),
                receipt: Some(receipt),
                user_errors: Vec::new(),
            })
        }
    }
}

fn refused(refusals: Vec<Refusal>) -> Settlement {
    let user_errors = refusals.into_iter().map(UserError::from).collect();
    Settlement {
        changes: Vec::new(),
        receipt: None,
        user_errors,
    }
}

fn selects_edges(ctx: &Context<'_>) -> bool {
    let payload = ctx.look_ahead();
    ["expense", "expenses"].iter().any(|field| {
        let expense = payload.field(field);
        expense.field("category").exists() || expense.field("ledger").exists()
    })
}
