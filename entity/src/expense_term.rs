//! The words and tags that expenses are found by: an inverted index, the same on every database.

use sea_orm::entity::prelude::*;

/// One term of one expense.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "expense_term")]
pub struct Model {
    /// The expense that is found.
    #[sea_orm(primary_key, auto_increment = false)]
    pub expense_id: Uuid,
    /// A folded word, or `#` and a tag as it was written.
    #[sea_orm(primary_key, auto_increment = false)]
    pub term: String,
}

/// Terms are reached through their expense.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
