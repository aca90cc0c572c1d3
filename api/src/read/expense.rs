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
                if self.filter.is_deleted() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::cursor;
    use crate::read::order::{ExpenseOrder, OrderField};
    use crate::read::page::PageArgs;
    use crate::read::testing::{database, expense, store};
    use threefold_entity::ledger::DEFAULT_LEDGER_ID;

    const NEWEST: ExpenseOrder = ExpenseOrder {
        field: OrderField::SpentOn,
        descending: true,
    };

    fn list(order: ExpenseOrder, filter: ExpenseFilter, args: PageArgs) -> ExpenseList {
        ExpenseList::new(DEFAULT_LEDGER_ID, filter, args.check(order).unwrap()).unwrap()
    }

    /// Ids of a page, and whether there is a next and a previous one.
    async fn page(
        database: &DatabaseConnection,
        order: ExpenseOrder,
        args: PageArgs,
    ) -> (Vec<u128>, bool, bool) {
        let list = list(order, ExpenseFilter::default(), args);
        let rows = list.rows(database).await.unwrap();
        let ids = rows.records.iter().map(|r| r.id.as_u128()).collect();
        let next = list.has_next(&rows, database).await.unwrap();
        (ids, next, list.has_previous(&rows, database).await.unwrap())
    }

    async fn found(database: &DatabaseConnection, filter: ExpenseFilter) -> Vec<u128> {
        let list = list(NEWEST, filter, PageArgs::default());
        let rows = list.rows(database).await.unwrap();
        let mut ids: Vec<u128> = rows.records.iter().map(|r| r.id.as_u128()).collect();
        ids.sort_unstable();
        assert_eq!(list.count(database).await.unwrap(), ids.len() as u64);
        ids
    }

    /// Seven expenses with ties in every order.
    async fn seven() -> DatabaseConnection {
        let database = database().await;
        let rows = [
            expense(1, "2026-01-01", "10.00", "EUR"),
            expense(2, "2026-01-01", "-10.50", "EUR"),
            expense(3, "2026-01-02", "10", "JPY"),
            expense(4, "2026-01-02", "10.001", "KWD"),
            expense(5, "2026-01-02", "9.99", "USD"),
            expense(6, "2025-12-31", "-10.51", "EUR"),
            expense(7, "2026-01-01", "10.00", "EUR"),
        ];
        store(&database, rows).await;
        database
    }

    #[tokio::test]
    async fn pages_meet_without_gap_or_overlap_in_every_order() {
        let database = seven().await;
        for (field, expected) in [
            (OrderField::SpentOn, [6, 1, 2, 7, 3, 4, 5]),
            (OrderField::Amount, [6, 2, 5, 1, 3, 7, 4]),
            (OrderField::CreatedAt, [1, 2, 3, 4, 5, 6, 7]),
            (OrderField::Description, [1, 2, 3, 4, 5, 6, 7]),
        ] {
            for descending in [false, true] {
                let order = ExpenseOrder { field, descending };
                let mut expected = expected.to_vec();
                if descending {
                    expected.reverse();
                }
                for size in 1..=8 {
                    let forward = walk(&database, order, size, false).await;
                    assert_eq!(forward, expected, "{order:?} forward by {size}");
                    let backward = walk(&database, order, size, true).await;
                    assert_eq!(backward, expected, "{order:?} backward by {size}");
                }
            }
        }
    }

    async fn walk(
        database: &DatabaseConnection,
        order: ExpenseOrder,
        size: i32,
        backward: bool,
    ) -> Vec<u128> {
        let mut all = Vec::new();
        let mut edge = None;
        loop {
            let args = if backward {
                PageArgs {
                    last: Some(size),
                    before: edge.clone(),
                    ..Default::default()
                }
            } else {
                PageArgs {
                    first: Some(size),
                    after: edge.clone(),
                    ..Default::default()
                }
            };
            let list = list(order, ExpenseFilter::default(), args);
            let rows = list.rows(database).await.unwrap();
            let ids: Vec<u128> = rows.records.iter().map(|r| r.id.as_u128()).collect();
            let next = list.has_next(&rows, database).await.unwrap();
            let previous = list.has_previous(&rows, database).await.unwrap();
            let (ahead, behind) = if backward {
                (previous, next)
            } else {
                (next, previous)
            };
            assert_eq!(behind, edge.is_some());
            let at = if backward {
                rows.records.first()
            } else {
                rows.records.last()
            };
            edge = at.map(|record| cursor::encode(order, &list.position(record)));
            if backward {
                all.splice(0..0, ids);
            } else {
                all.extend(ids);
            }
            if !ahead {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn a_range_between_two_cursors_knows_what_is_around_it() {
        let database = seven().await;
        let order = ExpenseOrder {
            field: OrderField::CreatedAt,
            descending: false,
        };
        let cursor = |id: u128| {
            let record = expense(id, "2026-01-01", "1", "EUR");
            Some(cursor::encode(order, &Position::of(&record, order.field)))
        };
        let between = |first, last| PageArgs {
            first,
            last,
            after: cursor(2),
            before: cursor(6),
        };
        assert_eq!(
            page(&database, order, between(Some(9), None)).await,
            (vec![3, 4, 5], true, true)
        );
        assert_eq!(
            page(&database, order, between(None, Some(2))).await,
            (vec![4, 5], true, true)
        );
        let empty = PageArgs {
            after: cursor(7),
            ..Default::default()
        };
        assert_eq!(page(&database, order, empty).await, (vec![], false, true));
        let ahead = PageArgs {
            before: cursor(1),
            ..Default::default()
        };
        assert_eq!(page(&database, order, ahead).await, (vec![], true, false));
        let last_before = PageArgs {
            before: cursor(3),
            ..Default::default()
        };
        assert_eq!(
            page(&database, order, last_before).await,
            (vec![1, 2], true, false)
        );
    }

    #[tokio::test]
    async fn filters_find_what_they_say() {
        let database = database().await;
        let category = Uuid::from_u128(50);
        let mut rows = [
            expense(1, "2026-01-01", "10.00", "EUR"),
            expense(2, "2026-01-02", "-10.50", "EUR"),
            expense(3, "2026-01-03", "10", "JPY"),
            expense(4, "2026-01-04", "10.001", "KWD"),
        ];
        rows[0].description = "Café Müller".into();
        rows[0].tags = vec!["Trip 2026".into(), "food".into()];
        rows[1].description = "Train".into();
        rows[1].notes = Some("to the cafeteria".into());
        rows[1].tags = vec!["Trip 2026".into()];
        rows[1].category_id = Some(category);
        rows[2].category_id = Some(Uuid::from_u128(51));
        rows[3].deleted_at = Some(chrono::DateTime::UNIX_EPOCH);
        store(&database, rows).await;

        let text = |text: &str| ExpenseFilter {
            text: Some(text.into()),
            ..Default::default()
        };
        assert_eq!(found(&database, text("cafe")).await, [1, 2]);
        assert_eq!(found(&database, text("CAFÉ mul")).await, [1]);
        assert_eq!(found(&database, text("2026 trip")).await, [1, 2]);
        assert_eq!(found(&database, text("afe")).await, [] as [u128; 0]);
        assert_eq!(found(&database, text("!!")).await, [] as [u128; 0]);
        assert_eq!(found(&database, text("' OR 1=1 --")).await, [] as [u128; 0]);

        let tags = |tags: &[&str]| ExpenseFilter {
            tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
            ..Default::default()
        };
        assert_eq!(found(&database, tags(&["Trip 2026"])).await, [1, 2]);
        assert_eq!(found(&database, tags(&["Trip 2026", "food"])).await, [1]);
        assert_eq!(found(&database, tags(&["trip"])).await, [] as [u128; 0]);

        let in_categories = |ids: Option<Vec<Uuid>>, uncategorised| ExpenseFilter {
            category_ids: ids,
            uncategorised,
            ..Default::default()
        };
        assert_eq!(
            found(&database, in_categories(Some(vec![category]), None)).await,
            [2]
        );
        assert_eq!(
            found(&database, in_categories(Some(vec![category]), Some(true))).await,
            [1, 2]
        );
        assert_eq!(found(&database, in_categories(None, Some(true))).await, [1]);
        assert_eq!(
            found(&database, in_categories(None, Some(false))).await,
            [2, 3]
        );

        let amounts = |min: Option<&str>, max: Option<&str>| ExpenseFilter {
            min_amount: min.map(Into::into),
            max_amount: max.map(Into::into),
            ..Default::default()
        };
        assert_eq!(found(&database, amounts(Some("10"), None)).await, [1, 3]);
        assert_eq!(found(&database, amounts(None, Some("-10.5"))).await, [2]);
        assert_eq!(
            found(&database, amounts(Some("-10.4999"), Some("9.9999"))).await,
            [] as [u128; 0]
        );

        let dates = ExpenseFilter {
            spent_from: "2026-01-02".parse().ok(),
            spent_to: "2026-01-03".parse().ok(),
            ..Default::default()
        };
        assert_eq!(found(&database, dates).await, [2, 3]);
        let currency = ExpenseFilter {
            currency: Some("JPY".into()),
            ..Default::default()
        };
        assert_eq!(found(&database, currency).await, [3]);
        let deleted = ExpenseFilter {
            deleted: Some(true),
            text: Some("expense".into()),
            ..Default::default()
        };
        assert_eq!(found(&database, deleted).await, [4]);
    }

    #[tokio::test]
    async fn an_expense_is_found_by_id() {
        let database = seven().await;
        let record = by_id(&database, Uuid::from_u128(3)).await.unwrap().unwrap();
        assert_eq!(record, expense(3, "2026-01-02", "10", "JPY"));
        assert_eq!(by_id(&database, Uuid::from_u128(8)).await.unwrap(), None);
    }
}
