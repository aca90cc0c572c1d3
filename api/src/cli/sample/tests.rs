use std::collections::BTreeSet;

use super::*;

fn sample(rows: u64, seed: u64) -> String {
    let mut out = Vec::new();
    write(&mut out, rows, seed).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_first_lines_of_a_seed_never_change() {
    let text = sample(100_000, 42);
    let first: Vec<_> = text.lines().take(9).collect();
    assert_eq!(
        first,
        [
            "date,description,amount,currency,category,notes,tags",
            "2021-01-01,Épicerie Le Goût,16.18,EUR,Groceries,,",
            "2021-01-01,Miete / rent,1185.00,EUR,Housing,,",
            "2021-01-01,Bäckerei Weiß,2.80,EUR,Groceries,,",
            "2021-01-01,Épicerie Le Goût,6.72,EUR,Groceries,,",
            "2021-01-01,Trattoria Da Niccolò,15.75,EUR,Eating out,,",
            "2021-01-01,Supermarkt Müller & Söhne,100.19,EUR,Groceries,,",
            "2021-01-01,Épicerie Le Goût,8.75,EUR,Groceries,,",
            "2021-01-01,Stadtwerke Gas & Wasser,56.04,EUR,Utilities,,"
        ]
    );
}

#[test]
fn same_seed_same_bytes_other_seed_other_bytes() {
    assert_eq!(sample(3000, 7), sample(3000, 7));
    assert_ne!(sample(3000, 7), sample(3000, 8));
    assert_eq!(
        blake3::hash(sample(5000, 1).as_bytes()).to_hex().as_str(),
        "899901a8e8c2adba9e8e56a6f21de91b5688e4c8b73e5bb495d29f0e3c7142ab"
    );
}

#[test]
fn rows_come_in_date_order_over_the_fixed_years() {
    let expenses: Vec<_> = Generator::new(5000, 1).collect();
    assert_eq!(expenses.len(), 5000);
    assert!(expenses.is_sorted_by_key(|expense| expense.spent_on));
    assert_eq!(expenses[0].spent_on.to_string(), "2021-01-01");
    assert_eq!(expenses[4999].spent_on.to_string(), "2025-12-31");
}

#[test]
fn few_rows_still_span_the_years() {
    assert_eq!(Generator::new(0, 1).count(), 0);
    let years: BTreeSet<_> = Generator::new(10, 1)
        .map(|expense| expense.spent_on.to_string()[..4].to_owned())
        .collect();
    assert_eq!(years.len(), 5);
}

#[test]
fn a_household_has_several_currencies_refunds_twins_notes_and_tags() {
    let expenses: Vec<_> = Generator::new(5000, 1).collect();
    let currencies: BTreeSet<_> = expenses.iter().map(|expense| expense.currency).collect();
    assert_eq!(
        currencies.into_iter().collect::<Vec<_>>(),
        ["CHF", "EUR", "GBP", "JPY", "KWD", "USD"]
    );

    let share = |count: usize| count * 100 / expenses.len();
    assert!((75..95).contains(&share(
        expenses.iter().filter(|e| e.currency == "EUR").count()
    )));
    assert!(expenses.iter().all(|e| e.minor_units != 0));
    assert!(expenses.iter().any(|e| e.minor_units < 0));
    assert!(expenses.iter().any(|e| e.notes.contains('\n')));
    assert!(expenses.iter().any(|e| e.tags.len() > 1));
    assert!(expenses.iter().any(|e| e.category.is_empty()));
    assert!(
        expenses.windows(2).any(|pair| pair[0] == pair[1]),
        "no twins"
    );
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let with = |minor_units, scale| generator::SampleExpense {
        spent_on: calendar::date(0),
        description: String::new(),
        minor_units,
        currency: "EUR",
        scale,
        category: "",
        notes: String::new(),
        tags: Vec::new(),
    };
    assert_eq!(with(1250, 2).amount(), "12.50");
    assert_eq!(with(-5, 2).amount(), "-0.05");
    assert_eq!(with(1200, 0).amount(), "1200");
    assert_eq!(with(3050, 3).amount(), "3.050");
}

#[test]
fn a_reader_that_goes_away_is_a_clean_end() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for rows in [1, 100_000] {
        let written = write(Closed, rows, 1);
        assert_eq!(
            written.as_ref().unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
        assert!(unless_closed(written).is_ok());
    }
}
