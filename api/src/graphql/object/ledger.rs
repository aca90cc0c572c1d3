use async_graphql::Object;
use threefold_entity::ledger;
use uuid::Uuid;

use crate::graphql::scalar::{CurrencyCode, DateTime};

/// The book that expenses and categories belong to.
pub(crate) struct Ledger(pub(crate) ledger::Model);

/// The book that expenses and categories belong to.
#[Object]
impl Ledger {
    /// Its identity.
    async fn id(&self) -> Uuid {
        self.0.id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The currency its overview is kept in.
    async fn base_currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.base_currency.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}
