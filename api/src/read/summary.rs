//! Totals per group and currency, computed in the database.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbBackend, JoinType, QueryResult,
};
use threefold_entity::expense::{Column, Entity};
use threefold_entity::{CurrencyCode, expense_term};
use uuid::Uuid;

use super::expense::count_all;
use super::filter::ExpenseFilter;
use super::{ReadError, ReadResult};

/// Most rows of a summary.
pub const MAX_ROWS: u64 = 10_000;

/// Sums are added up in two halves, so that no sum of 15-digit amounts overflows a database's integer.
const HALF: i64 = 1_000_000_000;

/// What expenses are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Calendar day.
    Day,
    /// Calendar month.
    Month,
    /// Calendar year.
    Year,
    /// Category, or none.
    Category,
    /// Tag, or none. An expense with two tags counts under both.
    Tag,
}

/// One group and currency. A group that was not asked for is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SummaryRow {
    /// Calendar day.
    pub day: Option<NaiveDate>,
    /// Such as `2026-11`.
    pub month: Option<String>,
    /// Such as 2026.
    pub year: Option<i32>,
    /// None also where the expenses have no category.
    pub category_id: Option<Uuid>,
    /// None also where the expenses have no tag.
    pub tag: Option<String>,
    /// The currency of the total.
    pub currency: CurrencyCode,
    /// Sum of the amounts in the currency's smallest units.
    pub minor_units: i128,
    /// How many expenses.
    pub count: i64,
}

/// Totals of the expenses that the filter lets through, in the order of day, month, year, category, tag, currency.
///
/// # Errors
/// More than [`MAX_ROWS`] groups.
pub async fn totals(
    database: &DatabaseConnection,
    ledger_id: Uuid,
    filter: &ExpenseFilter,
    groups: &[Group],
) -> ReadResult<Vec<SummaryRow>> {
    let backend = database.get_database_backend();
    let groups: BTreeSet<Group> = groups.iter().copied().collect();
    let amount = || Expr::col(Column::AmountMinor.as_column_ref());
    let sum = |part: Expr| part.sum().cast_as(Alias::new("bigint"));
    let mut select = Query::select();
    select
        .from(Entity)
        .cond_where(filter.condition(ledger_id)?)
        .expr_as(Expr::col(Column::Currency.as_column_ref()), "currency")
        .expr_as(sum(amount().div(HALF)), "billions")
        .expr_as(sum(amount().modulo(HALF)), "rest")
        .expr_as(count_all(), "expenses")
        .add_group_by([Expr::col(Column::Currency.as_column_ref())])
        .limit(MAX_ROWS + 1);
    for group in &groups {
        if *group == Group::Tag {
            let expense_id = expense_term::Column::ExpenseId.as_column_ref();
            let term = || Expr::col(expense_term::Column::Term.as_column_ref());
            let is_tag = Condition::all()
                .add(Expr::col(expense_id).equals(Column::Id.as_column_ref()))
                .add(term().gte("#"))
                .add(term().lt("$"));
            select.join(JoinType::LeftJoin, expense_term::Entity, is_tag);
        }
        let key = group.key(backend);
        select
            .expr_as(key.clone(), group.alias())
            .add_group_by([key]);
    }
    let rows = database.query_all(&select).await?;
    if rows.len() as u64 > MAX_ROWS {
        let message = format!(
            "the summary has more than {MAX_ROWS} rows; narrow the filter or group more coarsely"
        );
        return Err(ReadError::TooLarge(message));
    }
    let mut rows: Vec<SummaryRow> = rows
        .iter()
        .map(|row| SummaryRow::read(row, &groups))
        .collect::<ReadResult<_>>()?;
    rows.sort();
    Ok(rows)
}

impl Group {
    fn alias(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
            Self::Category => "category",
            Self::Tag => "tag",
        }
    }

    /// What rows are put together by, in the words of the database.
    fn key(self, backend: DbBackend) -> Expr {
        let postgres = backend == DbBackend::Postgres;
        match self {
            Self::Day => Expr::col(Column::SpentOn.as_column_ref()),
            Self::Month if postgres => Expr::cust(r#"to_char("expense"."spent_on", 'YYYY-MM')"#),
            Self::Month => Expr::cust(r#"strftime('%Y-%m', "expense"."spent_on")"#),
            Self::Year if postgres => {
                Expr::cust(r#"CAST(EXTRACT(YEAR FROM "expense"."spent_on") AS integer)"#)
            }
            Self::Year => Expr::cust(r#"CAST(strftime('%Y', "expense"."spent_on") AS integer)"#),
            Self::Category => Expr::col(Column::CategoryId.as_column_ref()),
            Self::Tag => Expr::col(expense_term::Column::Term.as_column_ref()),
        }
    }
}

impl SummaryRow {
    fn read(row: &QueryResult, groups: &BTreeSet<Group>) -> ReadResult<Self> {
        let asked = |group: Group| groups.contains(&group);
        let currency: String = row.try_get("", "currency")?;
        let billions: i64 = row.try_get("", "billions")?;
        let rest: i64 = row.try_get("", "rest")?;
        let tag: Option<String> = if asked(Group::Tag) {
            row.try_get("", "tag")?
        } else {
            None
        };
        Ok(Self {
            day: if asked(Group::Day) {
                row.try_get("", "day")?
            } else {
                None
            },
            month: if asked(Group::Month) {
                row.try_get("", "month")?
            } else {
                None
            },
            year: if asked(Group::Year) {
                row.try_get("", "year")?
            } else {
                None
            },
            category_id: if asked(Group::Category) {
                row.try_get("", "category")?
            } else {
                None
            },
            tag: tag.and_then(|term| term.strip_prefix('#').map(str::to_owned)),
            currency: currency
                .parse()
                .map_err(threefold_entity::expense::UnreadableRow::from)?,
            minor_units: i128::from(billions) * i128::from(HALF) + i128::from(rest),
            count: row.try_get("", "expenses")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::testing::{database, expense, store};
    use threefold_entity::ledger::DEFAULT_LEDGER_ID;

    /// The rows as text: the groups that are there, the total, the count.
    async fn summary(database: &DatabaseConnection, groups: &[Group]) -> Vec<String> {
        let filter = ExpenseFilter::default();
        let rows = totals(database, DEFAULT_LEDGER_ID, &filter, groups)
            .await
            .unwrap();
        let text = |row: SummaryRow| {
            let groups = [
                row.day.map(|day| day.to_string()),
                row.month,
                row.year.map(|year| year.to_string()),
                row.category_id.map(|id| id.as_u128().to_string()),
                row.tag,
            ];
            let groups: Vec<String> = groups.into_iter().flatten().collect();
            format!(
                "{} {} {} x{}",
                groups.join(" "),
                row.minor_units,
                row.currency,
                row.count
            )
        };
        rows.into_iter().map(text).collect()
    }

    #[tokio::test]
    async fn groups_and_currencies_are_kept_apart() {
        let database = database().await;
        assert_eq!(summary(&database, &[]).await, [] as [&str; 0]);
        let mut rows = [
            expense(1, "2026-01-31", "10.00", "EUR"),
            expense(2, "2026-02-01", "-0.01", "EUR"),
            expense(3, "2026-02-01", "10", "JPY"),
            expense(4, "2025-02-01", "9999999999999.99", "EUR"),
            expense(5, "2025-02-01", "9999999999999.99", "EUR"),
        ];
        rows[0].tags = vec!["a".into(), "#b".into()];
        rows[1].tags = vec!["a".into()];
        rows[1].category_id = Some(Uuid::from_u128(7));
        store(&database, rows).await;

        assert_eq!(
            summary(&database, &[]).await,
            [" 2000000000000997 EUR x4", " 10 JPY x1"]
        );
        assert_eq!(
            summary(&database, &[Group::Month]).await,
            [
                "2025-02 1999999999999998 EUR x2",
                "2026-01 1000 EUR x1",
                "2026-02 -1 EUR x1",
                "2026-02 10 JPY x1"
            ]
        );
        assert_eq!(
            summary(&database, &[Group::Year, Group::Category]).await,
            [
                "2025 1999999999999998 EUR x2",
                "2026 1000 EUR x1",
                "2026 10 JPY x1",
                "2026 7 -1 EUR x1"
            ]
        );
        assert_eq!(
            summary(&database, &[Group::Tag, Group::Day, Group::Tag]).await,
            [
                "2025-02-01 1999999999999998 EUR x2",
                "2026-01-31 #b 1000 EUR x1",
                "2026-01-31 a 1000 EUR x1",
                "2026-02-01 10 JPY x1",
                "2026-02-01 a -1 EUR x1"
            ]
        );
    }
}
