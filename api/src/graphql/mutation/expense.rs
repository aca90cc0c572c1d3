use async_graphql::{Context, Object};

use super::settle;
use crate::graphql::error::ApiError;
use crate::graphql::input::expense::{
    AddExpenseInput, AddExpensesInput, DeleteExpenseInput, RestoreExpenseInput, UpdateExpenseInput,
};
use crate::graphql::object::payload::{
    AddExpensePayload, AddExpensesPayload, DeleteExpensePayload, RestoreExpensePayload,
    UpdateExpensePayload,
};

#[derive(Default)]
pub(crate) struct ExpenseMutation;

#[Object]
impl ExpenseMutation {
    /// Adds one expense.
    async fn add_expense(
        &self,
        ctx: &Context<'_>,
        input: AddExpenseInput,
    ) -> Result<AddExpensePayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }

    /// Up to 1,000 expenses, all or none, one revision.
    async fn add_expenses(
        &self,
        ctx: &Context<'_>,
        input: AddExpensesInput,
    ) -> Result<AddExpensesPayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }

    /// Changes fields of an expense.
    async fn update_expense(
        &self,
        ctx: &Context<'_>,
        input: UpdateExpenseInput,
    ) -> Result<UpdateExpensePayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }

    /// Deletes an expense; restoreExpense undoes it.
    async fn delete_expense(
        &self,
        ctx: &Context<'_>,
        input: DeleteExpenseInput,
    ) -> Result<DeleteExpensePayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }

    /// Undoes a deletion.
    async fn restore_expense(
        &self,
        ctx: &Context<'_>,
        input: RestoreExpenseInput,
    ) -> Result<RestoreExpensePayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }
}
