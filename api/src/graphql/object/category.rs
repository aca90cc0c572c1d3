use async_graphql::Object;
use threefold_entity::category;
use uuid::Uuid;

use super::int;

/// What expenses are sorted into.
pub(crate) struct Category(pub(crate) category::Model);

/// What expenses are sorted into.
#[Object]
impl Category {
    /// Its identity.
    async fn id(&self) -> Uuid {
        self.0.id
    }

    /// What people call it; unique in its ledger without regard to case and accents.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// `#rrggbb`, if chosen.
    async fn color(&self) -> Option<&str> {
        self.0.color.as_deref()
    }

    /// Live expenses in it.
    async fn expense_count(&self) -> i32 {
        int(self.0.expense_count)
    }

    /// For optimistic edits: pass it back as expectedVersion.
    async fn version(&self) -> i32 {
        self.0.version
    }
}
