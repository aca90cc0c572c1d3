//! What a filter means, told a second time, without a database; and the comparison of the two.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use sea_orm::DatabaseConnection;
use threefold_entity::expense::Record;
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use threefold_entity::value::search;
use uuid::Uuid;

use super::ExpenseFilter;
use crate::read::expense::ExpenseList;
use crate::read::order::ExpenseOrder;
use crate::read::page::PageArgs;
use crate::read::summary;
use crate::read::testing::{database, expense, store};

const WORDS: [&str; 5] = ["Café", "cafeteria", "Train", "bread", "Größe"];
const TAGS: [&str; 3] = ["food", "Trip 2026", "bread"];
const CURRENCIES: [&str; 3] = ["EUR", "JPY", "KWD"];
const AMOUNTS: [&str; 6] = ["-10.5", "-0.001", "0", "3", "3.2", "10"];
const DAYS: [&str; 3] = ["2025-12-31", "2026-01-01", "2026-02-28"];
const CATEGORIES: u128 = 3;
/// Most rows, so that one page has them all.
const ROWS: usize = 20;

/// True where the filter lets the expense through.
fn lets_through(filter: &ExpenseFilter, record: &Record) -> bool {
    record.deleted_at.is_some() == filter.is_deleted() && matches(filter, record)
}

fn matches(filter: &ExpenseFilter, record: &Record) -> bool {
    let terms = search::terms(&record.description, record.notes.as_deref(), &record.tags);
    let text = filter.text.as_deref().unwrap_or_default();
    let words = search::words(text);
    let found = if words.is_empty() {
        text.trim().is_empty()
    } else {
        words
            .iter()
            .all(|word| terms.iter().any(|term| term.starts_with(word)))
    };
    let ids = filter.category_ids.as_deref().unwrap_or_default();
    let in_category = match (record.category_id, filter.uncategorised) {
        (_, None) if ids.is_empty() => true,
        (None, uncategorised) => uncategorised == Some(true),
        (Some(id), uncategorised) if ids.is_empty() => {
            uncategorised == Some(false) || ids.contains(&id)
        }
        (Some(id), _) => ids.contains(&id),
    };
    let tags = filter.tags.iter().flatten();
    let (minor, scale) = (
        record.amount.minor_units(),
        record.amount.currency().scale(),
    );
    let amount = rust_decimal::Decimal::new(minor, scale);
    let number = |text: &String| text.parse::<rust_decimal::Decimal>().unwrap();
    let currency = record.amount.currency();
    found
        && in_category
        && tags.clone().all(|tag| record.tags.contains(tag))
        && filter
            .currency
            .as_ref()
            .is_none_or(|code| code == currency.as_str())
        && filter
            .min_amount
            .as_ref()
            .is_none_or(|least| amount >= number(least))
        && filter
            .max_amount
            .as_ref()
            .is_none_or(|most| amount <= number(most))
        && filter.spent_from.is_none_or(|from| record.spent_on >= from)
        && filter.spent_to.is_none_or(|to| record.spent_on <= to)
        && filter.and.iter().all(|inner| matches(inner, record))
        && (filter.or.is_empty() || filter.or.iter().any(|inner| matches(inner, record)))
        && filter
            .not
            .as_ref()
            .is_none_or(|inner| !matches(inner, record))
}

fn words() -> impl Strategy<Value = String> {
    vec(select(&WORDS), 0..3).prop_map(|words| words.join(" "))
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    btree_set(select(&TAGS), 0..3).prop_map(|tags| tags.into_iter().map(Into::into).collect())
}

fn category() -> impl Strategy<Value = Uuid> {
    (1..=CATEGORIES).prop_map(Uuid::from_u128)
}

/// Rows with one of few values in each column, so that filters divide them. Ids are their places.
fn rows() -> impl Strategy<Value = Vec<Record>> {
    let row = (
        words(),
        option::of(words()),
        tags(),
        option::of(category()),
        (select(&CURRENCIES), any::<Index>()),
        select(&DAYS),
        any::<bool>(),
    );
    vec(row, 1..=ROWS).prop_map(|rows| {
        let record = |(id, (description, notes, tags, category_id, money, day, deleted))| {
            let (currency, amount): (&str, Index) = money;
            // What the currency can hold.
            let fits: Vec<&str> = AMOUNTS
                .into_iter()
                .filter(|text| {
                    let currency = currency.parse().unwrap();
                    threefold_entity::Money::of_expense(text, currency).is_ok()
                })
                .collect();
            let deleted: bool = deleted;
            Record {
                description,
                notes,
                tags,
                category_id,
                deleted_at: deleted.then_some(chrono::DateTime::UNIX_EPOCH),
                ..expense(id, day, amount.get::<&str>(&fits), currency)
            }
        };
        (1_u128..).zip(rows).map(record).collect()
    })
}

/// A filter of few values, with others in it.
fn filter() -> impl Strategy<Value = ExpenseFilter> {
    let text = prop_oneof![
        words(),
        select(&["caf", "br", "gros", "2026", "!?", " "]).prop_map(Into::into)
    ];
    // Few fields at a time: many together find nothing.
    let leaf = prop_oneof![
        Just(ExpenseFilter::default()),
        text.prop_map(|text| ExpenseFilter {
            text: Some(text),
            ..Default::default()
        }),
        (option::of(vec(category(), 1..3)), option::of(any::<bool>())).prop_map(
            |(category_ids, uncategorised)| ExpenseFilter {
                category_ids,
                uncategorised,
                ..Default::default()
            }
        ),
        tags().prop_map(|tags| ExpenseFilter {
            tags: Some(tags),
            ..Default::default()
        }),
        (
            option::of(select(&CURRENCIES)),
            option::of(select(&AMOUNTS)),
            option::of(select(&AMOUNTS))
        )
            .prop_map(|(currency, least, most)| ExpenseFilter {
                currency: currency.map(Into::into),
                min_amount: least.map(Into::into),
                max_amount: most.map(Into::into),
                ..Default::default()
            }),
        (option::of(select(&DAYS)), option::of(select(&DAYS))).prop_map(|(from, to)| {
            ExpenseFilter {
                spent_from: from.and_then(|day| day.parse().ok()),
                spent_to: to.and_then(|day| day.parse().ok()),
                ..Default::default()
            }
        }),
    ];
    let nested = leaf.clone().prop_recursive(3, 10, 3, move |inner| {
        let not = option::of(inner.clone().prop_map(Box::new));
        (
            leaf.clone(),
            vec(inner.clone(), 0..3),
            vec(inner, 0..3),
            not,
        )
            .prop_map(|(own, and, or, not)| ExpenseFilter {
                and,
                or,
                not,
                ..own
            })
    });
    (nested, option::of(any::<bool>()))
        .prop_map(|(filter, deleted)| ExpenseFilter { deleted, ..filter })
}

/// What the database finds: ids, their count, and the count that a summary adds up.
async fn found(database: &DatabaseConnection, filter: &ExpenseFilter) -> (Vec<u128>, u64, u64) {
    let page = PageArgs {
        first: Some(100),
        ..Default::default()
    };
    let page = page.check(ExpenseOrder::default()).unwrap();
    let list = ExpenseList::new(DEFAULT_LEDGER_ID, filter.clone(), page).unwrap();
    let rows = list.rows(database).await.unwrap();
    let mut ids: Vec<u128> = rows.records.iter().map(|row| row.id.as_u128()).collect();
    ids.sort_unstable();
    let totals = summary::totals(database, DEFAULT_LEDGER_ID, filter, &[]);
    let totals = totals.await.unwrap();
    let summed = totals
        .iter()
        .map(|row| u64::try_from(row.count).unwrap())
        .sum();
    // The counters that a whole list is counted by are the state machine's, which is not here.
    let count = if filter.is_whole() {
        summed
    } else {
        list.count(database).await.unwrap()
    };
    (ids, count, summed)
}

#[test]
fn the_database_finds_what_the_filter_means() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = Config {
        cases: 48,
        // A case makes a database.
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let cases = (rows(), vec(filter(), 24));
    let compared = TestRunner::new(config).run(&cases, |(rows, filters)| {
        runtime.block_on(async {
            let database = database().await;
            store(&database, rows.clone()).await;
            for filter in filters {
                let meant: Vec<u128> = rows
                    .iter()
                    .filter(|row| lets_through(&filter, row))
                    .map(|row| row.id.as_u128())
                    .collect();
                let count = u64::try_from(meant.len()).unwrap();
                let found = found(&database, &filter).await;
                prop_assert_eq!(found, (meant, count, count), "{:?}", filter);
            }
            database.close().await.unwrap();
            Ok(())
        })
    });
    if let Err(error) = compared {
        panic!("{error}");
    }
}
