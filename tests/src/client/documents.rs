//! The documents that the typed helpers send.

macro_rules! with_fragments {
    ($document:literal) => {
        concat!(
            $document,
            " fragment E on Expense { id description amount { amount currency minorUnits } spentOn notes tags \
              version revision deletedAt }",
            " fragment R on Receipt { revision term replayed acknowledgedBy { replicaId state } pending }",
            " fragment U on UserError { code message field }",
        )
    };
}

pub(super) const ADD_EXPENSE: &str = with_fragments!(
    "mutation ($input: AddExpenseInput!) { addExpense(input: $input) \
     { expense { ...E } receipt { ...R } userErrors { ...U } } }"
);

pub(super) const UPDATE_EXPENSE: &str = with_fragments!(
    "mutation ($input: UpdateExpenseInput!) { updateExpense(input: $input) \
     { expense { ...E } receipt { ...R } userErrors { ...U } } }"
);

pub(super) const DELETE_EXPENSE: &str = with_fragments!(
    "mutation ($input: DeleteExpenseInput!) { deleteExpense(input: $input) \
     { expense { ...E } receipt { ...R } userErrors { ...U } } }"
);

// A document may not define a fragment that it does not use, so the reads spell out what they need.

pub(super) const EXPENSE: &str = "query ($id: UUID!) { expense(id: $id) { id description \
    amount { amount currency minorUnits } spentOn notes tags version revision deletedAt } }";

pub(super) const EXPENSES: &str = "query ($first: Int!) { expenses(first: $first) { totalCount revision \
    nodes { id description amount { amount currency minorUnits } spentOn notes tags version revision deletedAt } } }";

pub(super) const REPLICA: &str =
    "{ replica { id role url term revision lag inSync stateHash expenseCount database } }";

pub(super) const REPLICAS: &str =
    "{ replicas { id role url term revision lag inSync stateHash expenseCount database } }";

pub(super) const OUTCOME: &str = "query ($idempotencyKey: UUID!) { outcome(idempotencyKey: $idempotencyKey) { \
    idempotencyKey receipt { revision term replayed acknowledgedBy { replicaId state } pending } \
    userErrors { code message field } } }";
