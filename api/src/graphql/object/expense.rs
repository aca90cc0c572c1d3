use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_graphql::{Context, Object};
use threefold_entity::category;
use threefold_entity::expense::Record;
use uuid::Uuid;

use super::category::Category;
use super::ledger::Ledger;
use super::money::Money;
use crate::graphql::context::ContextExt;
use crate::graphql::error::ApiError;
use crate::graphql::scalar::{Date, DateTime, Revision};

/// One expense.
pub(crate) struct Expense {
    record: Record,
    category: Edge,
}

/// Its category.
enum Edge {
    /// To be loaded if somebody asks.
    Unknown,
    /// As it was loaded, with those of the other expenses of a list; none if it is gone.
    Known(Option<Arc<category::Model>>),
}

impl Expense {
    pub(crate) fn new(record: Record) -> Self {
        Self {
            record,
            category: Edge::Unknown,
        }
    }

    /// Those of a list, with their categories if these are `wanted`: all in one go, where expenses that each wait for their own would
    /// take half as long again.
    pub(crate) async fn all(
        records: impl Iterator<Item = &Record> + Clone,
        wanted: bool,
        ctx: &Context<'_>,
    ) -> Result<Vec<Self>, ApiError> {
        if !wanted {
            return Ok(records.cloned().map(Self::new).collect());
        }
        let ids: BTreeSet<Uuid> = records
            .clone()
            .filter_map(|record| record.category_id)
            .collect();
        let categories = match ids.is_empty() {
            true => HashMap::new(),
            false => ctx.loaders()?.categories(ids).await?,
        };
        let categories: HashMap<Uuid, Arc<category::Model>> = categories
            .into_iter()
            .map(|(id, category)| (id, Arc::new(category)))
            .collect();
        let known = |record: &Record| {
            let category = record.category_id.and_then(|id| categories.get(&id));
            Self {
                record: record.clone(),
                category: Edge::Known(category.cloned()),
            }
        };
        Ok(records.map(known).collect())
    }
}

/// One expense.
#[Object]
impl Expense {
    /// Its identity.
    async fn id(&self) -> Uuid {
        self.record.id
    }

    /// The ledger it belongs to.
    async fn ledger(&self, ctx: &Context<'_>) -> Result<Ledger, ApiError> {
        let ledger = ctx.loaders()?.ledger(self.record.ledger_id).await?;
        ledger.map(Ledger).ok_or(ApiError::Bug(
            "an expense belongs to a ledger that does not exist",
        ))
    }

    /// What was bought.
    async fn description(&self) -> &str {
        &self.record.description
    }

    /// Exact amount; negative for a refund, never zero.
    async fn amount(&self) -> Money {
        Money::new(
            self.record.amount.minor_units(),
            self.record.amount.currency(),
        )
    }

    /// Calendar date, in no time zone.
    async fn spent_on(&self) -> Date {
        Date(self.record.spent_on)
    }

    /// Its category, if it has one.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>, ApiError> {
        let category = match (&self.category, self.record.category_id) {
            (Edge::Known(known), _) => known.as_deref().cloned(),
            (Edge::Unknown, Some(id)) => ctx.loaders()?.category(id).await?,
            (Edge::Unknown, None) => None,
        };
        Ok(category.map(Category))
    }

    /// Free text, if any.
    async fn notes(&self) -> Option<&str> {
        self.record.notes.as_deref()
    }

    /// Labels, in the order given.
    async fn tags(&self) -> &[String] {
        &self.record.tags
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.record.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.record.updated_at)
    }

    /// For optimistic edits: pass it back as expectedVersion.
    async fn version(&self) -> i32 {
        self.record.version
    }

    /// Revision of its last change.
    async fn revision(&self) -> Revision {
        Revision(self.record.revision)
    }

    /// When it was deleted, if it is; restoreExpense undoes that.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.record.deleted_at.map(DateTime)
    }
}
