use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::verify::table::Row;

/// Some value of one of the types that columns have.
fn value(kind: u8) -> BoxedStrategy<Value> {
    let text = "[a-zé\"\\\\0-9 ]{0,12}";
    match kind % 7 {
        0 => any::<u128>()
            .prop_map(|id| Uuid::from_u128(id).into())
            .boxed(),
        1 => proptest::option::of(text).prop_map(Value::from).boxed(),
        2 => any::<i64>().prop_map(Value::from).boxed(),
        3 => any::<i16>().prop_map(Value::from).boxed(),
        4 => proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(Value::from)
            .boxed(),
        5 => (1..60_000_i32)
            .prop_map(|days| NaiveDate::from_epoch_days(days).unwrap().into())
            .boxed(),
        _ => proptest::option::of(0..4_000_000_000_000_000_i64)
            .prop_map(|micros| {
                micros
                    .map(|micros| DateTime::<Utc>::from_timestamp_micros(micros).unwrap())
                    .into()
            })
            .boxed(),
    }
}

/// Rows of one shape: so many columns, the first of them an id.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec(any::<u8>(), 1..8).prop_flat_map(|kinds| {
        let columns: Vec<_> = std::iter::once(0).chain(kinds).map(value).collect();
        proptest::collection::vec(columns, 1..40)
    })
}

fn digest(rows: &[Row]) -> Vec<u8> {
    let mut sums = Sums::new();
    for row in rows {
        sums.add(&RowHash::of(Table::Expense, row));
    }
    sums.finish()
}

proptest! {
    #[test]
    fn the_order_of_reading_makes_no_difference(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        prop_assert_eq!(digest(&rows), digest(&shuffled));
    }

    #[test]
    fn any_other_value_in_any_column_of_any_row_makes_another_digest(
        rows in rows(), row: prop::sample::Index, column: prop::sample::Index, other in any::<u8>().prop_flat_map(value)
    ) {
        let mut changed = rows.clone();
        let row = &mut changed[row.index(rows.len())];
        let column = column.index(row.len());
        prop_assume!(row[column] != other);
        row[column] = other;
        prop_assert_ne!(digest(&rows), digest(&changed));
    }

    #[test]
    fn a_row_too_few_or_twice_makes_another_digest(rows in rows(), at: prop::sample::Index) {
        let at = at.index(rows.len());
        let mut fewer = rows.clone();
        let row = fewer.remove(at);
        prop_assert_ne!(digest(&rows), digest(&fewer));
        let mut more = rows.clone();
        more.push(row);
        prop_assert_ne!(digest(&rows), digest(&more));
    }

    #[test]
    fn what_moves_from_one_column_to_the_next_is_seen(a in "[a-z]{0,6}", b in "[a-z]{1,6}") {
        let id = Value::from(Uuid::nil());
        let joined = vec![id.clone(), format!("{a}{b}").into(), String::new().into()];
        let apart = vec![id, a.into(), b.into()];
        prop_assert_ne!(digest(&[joined]), digest(&[apart]));
    }
}

#[test]
fn nothing_is_not_the_same_as_something_empty() {
    let row = |text: Option<&str>| vec![Uuid::nil().into(), text.map(str::to_owned).into()];
    assert_ne!(digest(&[row(None)]), digest(&[row(Some(""))]));
    assert_ne!(digest(&[]), digest(&[row(None)]));
}

#[test]
fn every_table_has_a_name_of_its_own_and_its_key_among_its_columns() {
    for table in Table::ALL {
        assert_eq!(Table::named(table.name()), Some(table));
        assert!(table.key() >= 1 && table.key() <= table.columns().len());
    }
    assert_eq!(Table::named("seaql_migrations"), None);
}

#[test]
fn long_values_are_cut_where_they_are_shown() {
    let row: Row = vec![
        Value::from("é".repeat(300)),
        Value::from(None::<String>),
        Value::from(vec![0_u8, 255]),
    ];
    let shown = shown(&row);
    let cut = format!("{}… (blake3 ", "é".repeat(SHOWN_CHARS));
    assert!(shown[0].as_ref().unwrap().starts_with(&cut), "{shown:?}");
    assert_eq!(shown[1..], [None, Some("00ff".to_owned())]);
}
