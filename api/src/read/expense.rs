//! Expenses, one and many.

use sea_orm::sea_query::Expr;
use sea_orm::{
    Condition, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use threefold_entity::expense::{Column, Entity, Record};
use uuid::Uuid;

use super::filter::ExpenseFilter;
use super::order::{Position, Side};
use super::page::PageRequest;
use super::{ReadResult, ledger};

/// One expense, deleted or not.
pub async fn by_id(database: &DatabaseConnection, id: Uuid) -> ReadResult<Option<Record>> {
    let row = Entity::find_by_id(id).one(database).await?;
    Ok(row.map(Record::try_from).transpose()?)
}

/// A list of expenses, from which pages are read.
#[derive(Clone, Debug)]
pub struct ExpenseList {
    ledger_id: Uuid,
    filter: ExpenseFilter,
    condition: Condition,
    page: PageRequest,
}

/// The rows of one page, in the list's order.
#[derive(Clone, Debug)]
pub struct ExpenseRows {
    /// The rows.
    pub records: Vec<Record>,
    /// There are more rows of the range than these, in the direction of reading.
    more: bool,
}

impl ExpenseList {
    /// The list of a ledger's expenses that the filter lets through.
    ///
    /// # Errors
    /// A filter that nothing can be compared with.
    pub fn new(ledger_id: Uuid, filter: ExpenseFilter, page: PageRequest) -> ReadResult<Self> {
        let condition = filter.condition(ledger_id)?;
        Ok(Self {
            ledger_id,
            filter,
            condition,
            page,
        })
    }

    /// The page's order and bounds.
    pub fn page(&self) -> &PageRequest {
        &self.page
    }

    /// Reads the page.
    pub async fn rows(&self, database: &DatabaseConnection) -> ReadResult<ExpenseRows> {
        let PageRequest {
            order,
            limit,
            backward,
            ..
        } = self.page;
        let mut select = Entity::find().filter(self.condition.clone());
        if let Some(after) = &self.page.after {
            select = select.filter(order.beyond(after, Side::After));
        }
        if let Some(before) = &self.page.before {
            select = select.filter(order.beyond(before, Side::Before));
        }
        let direction = if backward { order.reversed() } else { order };
        let mut rows = direction
            .sort(select)
            .limit(limit + 1)
            .all(database)
            .await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if backward {
            rows.reverse();
        }
        let records = rows
            .into_iter()
            .map(Record::try_from)
            .collect::<Result<_, _>>()?;
        Ok(ExpenseRows { records, more })
    }

    /// True where the list goes on behind the page.
    pub async fn has_next(
        &self,
        rows: &ExpenseRows,
        database: &DatabaseConnection,
    ) -> ReadResult<bool> {
        if !self.page.backward && rows.more {
            return Ok(true);
        }
        let Some(before) = &self.page.before else {
            return Ok(false);
        };
        match rows.records.last() {
            Some(last) => {
                self.exists(&self.position(last), Side::After, database)
                    .await
            }
            None => self.exists(before, Side::From, database).await,
        }
    }

    /// True where the list has rows ahead of the page.
    pub async fn has_previous(
        &self,
        rows: &ExpenseRows,
        database: &DatabaseConnection,
    ) -> ReadResult<bool> {
        if self.page.backward && rows.more {
            return Ok(true);
        }
        let Some(after) = &self.page.after else {
            return Ok(false);
        };
        match rows.records.first() {
            Some(first) => {
                self.exists(&self.position(first), Side::Before, database)
                    .await
            }
            None => self.exists(after, Side::UpTo, database).await,
        }
    }

    /// How many expenses the list has on all its pages.
    pub async fn count(&self, database: &DatabaseConnection) -> ReadResult<u64> {
        if self.filter.is_whole() {
            let ledger = ledger::by_id(database, self.ledger_id).await?;
            let count = ledger.map_or(0, |l| {
                if self.filter.deleted {
                    l.deleted_count
                } else {
                    l.expense_count
                }
            });
            return Ok(u64::try_from(count).unwrap_or(0));
        }
        Ok(Entity::find()
            .filter(self.condition.clone())
            .count(database)
            .await?)
    }

    /// Where an expense stands in the list's order.
    pub fn position(&self, record: &Record) -> Position {
        Position::of(record, self.page.order.field)
    }

    async fn exists(
        &self,
        position: &Position,
        side: Side,
        database: &DatabaseConnection,
    ) -> ReadResult<bool> {
        let order = self.page.order;
        let nearest = match side {
            Side::After | Side::From => order,
            Side::Before | Side::UpTo => order.reversed(),
        };
        let select = Entity::find()
            .filter(self.condition.clone())
            .filter(order.beyond(position, side));
        let found: Option<Uuid> = nearest
            .sort(select)
            .select_only()
            .column(Column::Id)
            .limit(1)
            .into_tuple()
            .one(database)
            .await?;
        Ok(found.is_some())
    }
}

/// `COUNT(*)`, which both databases spell alike.
pub(super) fn count_all() -> Expr {
    Expr::cust("COUNT(*)")
}
