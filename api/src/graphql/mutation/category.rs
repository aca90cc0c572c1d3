use async_graphql::{Context, Object};

use super::settle;
use crate::graphql::error::ApiError;
use crate::graphql::input::category::{AddCategoryInput, DeleteCategoryInput, UpdateCategoryInput};
use crate::graphql::object::payload::{
    AddCategoryPayload, DeleteCategoryPayload, UpdateCategoryPayload,
};

#[derive(Default)]
pub(crate) struct CategoryMutation;

#[Object]
impl CategoryMutation {
    /// Adds a category.
    async fn add_category(
        &self,
        ctx: &Context<'_>,
        input: AddCategoryInput,
    ) -> Result<AddCategoryPayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }

    /// Changes fields of a category.
    async fn update_category(
        &self,
        ctx: &Context<'_>,
        input: UpdateCategoryInput,
    ) -> Result<UpdateCategoryPayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }

    /// Its expenses move to mergeInto, or become uncategorised.
    async fn delete_category(
        &self,
        ctx: &Context<'_>,
        input: DeleteCategoryInput,
    ) -> Result<DeleteCategoryPayload, ApiError> {
        let key = input.idempotency_key;
        Ok(settle(ctx, input.command(), key).await?.into())
    }
}
