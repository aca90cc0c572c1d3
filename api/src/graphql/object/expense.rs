use async_graphql::{Context, Object};
use threefold_entity::expense::Record;
use uuid::Uuid;

use super::category::Category;
use super::ledger::Ledger;
use super::money::Money;
use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::scalar::{Date, DateTime, Revision};

/// One expense.
pub(crate) struct Expense(pub(crate) Record);

/// One expense.
#[Object]
impl Expense {
    /// Its identity.
    async fn id(&self) -> Uuid {
        self.0.id
    }

    /// The ledger it belongs to.
    async fn ledger(&self, ctx: &Context<'_>) -> Result<Ledger, ApiError> {
        let ledger = ctx.loaders()?.ledger(self.0.ledger_id).await?;
        ledger.map(Ledger).ok_or(ApiError::Bug(
            "an expense belongs to a ledger that does not exist",
        ))
    }

    /// What was bought.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Exact amount; negative for a refund, never zero.
    async fn amount(&self) -> Money {
        Money::new(self.0.amount.minor_units(), self.0.amount.currency())
    }

    /// Calendar date, in no time zone.
    async fn spent_on(&self) -> Date {
        Date(self.0.spent_on)
    }

    /// Its category, if it has one.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>, ApiError> {
        let Some(id) = self.0.category_id else {
            return Ok(None);
        };
        Ok(ctx.loaders()?.category(id).await?.map(Category))
    }

    /// Free text, if any.
    async fn notes(&self) -> Option<&str> {
        self.0.notes.as_deref()
    }

    /// Labels, in the order given.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// For optimistic edits: pass it back as expectedVersion.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Revision of its last change.
    async fn revision(&self) -> Revision {
        Revision(self.0.revision)
    }

    /// When it was deleted, if it is; restoreExpense undoes that.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.deleted_at.map(DateTime)
    }
}
