//! One expense, as a row and as the record that travels through the log's outcomes and the change feed.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::value::{CurrencyCode, Money, UnknownCurrency, search};

/// Longest description, in characters; the shortest is 1.
pub const MAX_DESCRIPTION_CHARS: usize = 255;
/// Longest notes, in characters.
pub const MAX_NOTES_CHARS: usize = 32_768;
/// Most tags of one expense.
pub const MAX_TAGS: usize = 20;
/// Longest tag, in characters.
pub const MAX_TAG_CHARS: usize = 64;
/// First and last year an expense can be spent in.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// The row. Columns that only serve lookups are derived from the others by [`Record::into_row`].
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "expense")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The ledger it belongs to.
    pub ledger_id: Uuid,
    /// What was bought.
    pub description: String,
    /// The description without case and accents: orders alike on every database.
    pub description_key: String,
    /// Amount in the currency's smallest units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Whole part of the amount, floored: with `amount_fraction`, orders amounts across currencies.
    pub amount_whole: i64,
    /// Ten-thousandths above `amount_whole`.
    pub amount_fraction: i16,
    /// Calendar date, in no time zone.
    pub spent_on: Date,
    /// The category, if any.
    pub category_id: Option<Uuid>,
    /// Free text, if any; never empty.
    pub notes: Option<String>,
    /// A JSON array of strings.
    pub tags: String,
    /// When it was added.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Counts its changes; starts at 1.
    pub version: i32,
    /// Revision of its last change.
    pub revision: i64,
    /// When it was deleted, if it is.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Expenses are reached by selects that the API batches itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An expense without its derived columns. Its serialised form is part of the stored history: fields may be
/// added with a default, and are never renamed, retyped or reordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Identity.
    pub id: Uuid,
    /// The ledger it belongs to.
    pub ledger_id: Uuid,
    /// What was bought.
    pub description: String,
    /// Exact amount.
    pub amount: Money,
    /// Calendar date.
    pub spent_on: NaiveDate,
    /// The category, if any.
    pub category_id: Option<Uuid>,
    /// Free text, if any.
    pub notes: Option<String>,
    /// Labels, in the order given.
    pub tags: Vec<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes; starts at 1.
    pub version: i32,
    /// Revision of its last change.
    pub revision: crate::Revision,
    /// When it was deleted, if it is.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A stored row that this version cannot read: damage, or a newer version's work.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRow {
    /// The currency is none.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// The tags are no JSON array of strings.
    #[error("tags are not a JSON array of strings: {0}")]
    Tags(#[from] serde_json::Error),
}

impl Record {
    /// The row of this expense, with every derived column.
    pub fn into_row(self) -> Model {
        let (amount_whole, amount_fraction) = self.amount.sort_key();
        Model {
            description_key: search::fold(&self.description),
            amount_minor: self.amount.minor_units(),
            currency: self.amount.currency().to_string(),
            amount_whole,
            amount_fraction,
            tags: tags_column(&self.tags),
            id: self.id,
            ledger_id: self.ledger_id,
            description: self.description,
            spent_on: self.spent_on,
            category_id: self.category_id,
            notes: self.notes,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
            revision: self.revision.to_column(),
            deleted_at: self.deleted_at,
        }
    }
}

impl TryFrom<Model> for Record {
    type Error = UnreadableRow;

    fn try_from(row: Model) -> Result<Self, UnreadableRow> {
        let currency: CurrencyCode = row.currency.parse()?;
        Ok(Self {
            id: row.id,
            ledger_id: row.ledger_id,
            description: row.description,
            amount: Money::from_minor_units(row.amount_minor, currency),
            spent_on: row.spent_on,
            category_id: row.category_id,
            notes: row.notes,
            tags: serde_json::from_str(&row.tags)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
            revision: crate::Revision::from_column(row.revision),
            deleted_at: row.deleted_at,
        })
    }
}

/// The `tags` column of a list of tags.
fn tags_column(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_row() {
        let record = Record {
            id: Uuid::from_u128(1),
            ledger_id: crate::ledger::DEFAULT_LEDGER_ID,
            description: "Café".into(),
            amount: Money::of_expense("12.50", "EUR".parse().unwrap()).unwrap(),
            spent_on: NaiveDate::from_ymd_opt(2026, 2, 28).unwrap(),
            category_id: None,
            notes: Some("with \"quotes\"".into()),
            tags: vec!["a".into(), "ü\"".into()],
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            version: 1,
            revision: 7.into(),
            deleted_at: None,
        };
        let row = record.clone().into_row();
        assert_eq!(row.description_key, "cafe");
        assert_eq!(Record::try_from(row).unwrap(), record);
    }
}
