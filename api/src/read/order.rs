//! In which order a list comes, and where in that order an expense stands.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Order};
use sea_orm::{ColumnTrait, QueryOrder, Select};
use threefold_entity::expense::{Column, Entity, Record};
use threefold_entity::value::search;
use uuid::Uuid;

/// What a list is sorted by; the id decides between equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderField {
    /// Calendar date.
    #[default]
    SpentOn,
    /// The number, across currencies.
    Amount,
    /// When it was added.
    CreatedAt,
    /// The description without case and accents.
    Description,
}

/// A field and a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpenseOrder {
    /// What is sorted by.
    pub field: OrderField,
    /// Largest or newest first.
    pub descending: bool,
}

impl Default for ExpenseOrder {
    /// Newest first.
    fn default() -> Self {
        Self {
            field: OrderField::SpentOn,
            descending: true,
        }
    }
}

/// Where an expense stands in an order: the values of the order's columns, and the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The values of the order's columns.
    pub key: Key,
    /// Decides between equals.
    pub id: Uuid,
}

/// Values of the columns of an [`OrderField`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// [`OrderField::SpentOn`].
    SpentOn(NaiveDate),
    /// [`OrderField::Amount`]: whole part and ten-thousandths.
    Amount(i64, i16),
    /// [`OrderField::CreatedAt`].
    CreatedAt(DateTime<Utc>),
    /// [`OrderField::Description`], folded.
    Description(String),
}

impl Position {
    /// Where this expense stands.
    pub fn of(record: &Record, field: OrderField) -> Self {
        let key = match field {
            OrderField::SpentOn => Key::SpentOn(record.spent_on),
            OrderField::Amount => {
                let (whole, fraction) = record.amount.sort_key();
                Key::Amount(whole, fraction)
            }
            OrderField::CreatedAt => Key::CreatedAt(record.created_at),
            OrderField::Description => Key::Description(search::fold(&record.description)),
        };
        Self { key, id: record.id }
    }

    fn columns(&self) -> Expr {
        let columns: &[Column] = match self.key {
            Key::SpentOn(_) => &[Column::SpentOn],
            Key::Amount(..) => &[Column::AmountWhole, Column::AmountFraction],
            Key::CreatedAt(_) => &[Column::CreatedAt],
            Key::Description(_) => &[Column::DescriptionKey],
        };
        let id = [&Column::Id];
        Expr::tuple(
            columns
                .iter()
                .chain(id)
                .map(|column| Expr::col(column.as_column_ref())),
        )
    }

    fn values(&self) -> Expr {
        let mut values: Vec<Expr> = match &self.key {
            Key::SpentOn(date) => vec![Expr::value(*date)],
            Key::Amount(whole, fraction) => vec![Expr::value(*whole), Expr::value(*fraction)],
            Key::CreatedAt(at) => vec![Expr::value(*at)],
            Key::Description(text) => vec![Expr::value(text.clone())],
        };
        values.push(Expr::value(self.id));
        Expr::tuple(values)
    }
}

/// On which side of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Strictly later in the order.
    After,
    /// Strictly earlier in the order.
    Before,
    /// Later, or the position itself.
    From,
    /// Earlier, or the position itself.
    UpTo,
}

impl ExpenseOrder {
    /// The same order, backwards.
    pub fn reversed(self) -> Self {
        Self {
            descending: !self.descending,
            ..self
        }
    }

    /// Rows on one side of a position: one comparison of row values, which an index answers.
    pub fn beyond(self, position: &Position, side: Side) -> Expr {
        let (columns, values) = (position.columns(), position.values());
        match (side, self.descending) {
            (Side::After, false) | (Side::Before, true) => columns.gt(values),
            (Side::After, true) | (Side::Before, false) => columns.lt(values),
            (Side::From, false) | (Side::UpTo, true) => columns.gte(values),
            (Side::From, true) | (Side::UpTo, false) => columns.lte(values),
        }
    }

    /// The select, sorted; every column in the same direction, as the indexes are.
    pub fn sort(self, select: Select<Entity>) -> Select<Entity> {
        let direction = if self.descending {
            Order::Desc
        } else {
            Order::Asc
        };
        let select = match self.field {
            OrderField::SpentOn => select.order_by(Column::SpentOn, direction.clone()),
            OrderField::Amount => select
                .order_by(Column::AmountWhole, direction.clone())
                .order_by(Column::AmountFraction, direction.clone()),
            OrderField::CreatedAt => select.order_by(Column::CreatedAt, direction.clone()),
            OrderField::Description => select.order_by(Column::DescriptionKey, direction.clone()),
        };
        select.order_by(Column::Id, direction)
    }
}
