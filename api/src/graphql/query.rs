//! What can be read: one module a resource, merged into the type `Query`.

mod category;
mod expense;
mod ledger;
mod outcome;
mod replica;
mod summary;
mod verification;

use async_graphql::MergedObject;

/// Reads. Each waits until this replica is as fresh as the request asks; see the header Read-Consistency.
#[derive(MergedObject, Default)]
pub struct Query(
    replica::ReplicaQuery,
    ledger::LedgerQuery,
    expense::ExpenseQuery,
    category::CategoryQuery,
    summary::SummaryQuery,
    outcome::OutcomeQuery,
    verification::VerificationQuery,
);
