//! One row of the file: what it must be, and what it becomes. Nothing is guessed.

use chrono::{Datelike, NaiveDate};
use threefold_entity::category::MAX_NAME_CHARS;
use threefold_entity::expense::{
    MAX_DESCRIPTION_CHARS, MAX_NOTES_CHARS, MAX_TAG_CHARS, MAX_TAGS, YEARS,
};
use threefold_entity::value::{MoneyError, UnknownCurrency};
use threefold_entity::{CurrencyCode, Money};

use super::category_name::CategoryName;
use super::columns::{Column, Columns};

/// Characters of a wrong text that a message shows, as a cell can hold anything.
const SHOWN_CHARS: usize = 40;

/// A valid expense, as the file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub spent_on: NaiveDate,
    pub description: String,
    pub amount: Money,
    pub category: Option<CategoryName>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
}

/// Why a row is wrong: the first reason found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    #[error("it has {found} fields where the header line has {expected}")]
    FieldCount { found: usize, expected: usize },
    #[error("a quote is opened and never closed")]
    OpenQuote,
    #[error("{} holds a NUL character", .0.name())]
    Nul(Column),
    #[error("the date {0:?} is not a day of the calendar, written YYYY-MM-DD")]
    Date(String),
    #[error("the year {0} is not between {first} and {last}", first = YEARS.start(), last = YEARS.end())]
    Year(i32),
    #[error("the description is empty")]
    NoDescription,
    #[error("{} has {length} characters; at most {limit} are possible", column.name())]
    TooLong {
        column: Column,
        length: usize,
        limit: usize,
    },
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    #[error(transparent)]
    Amount(#[from] MoneyError),
    #[error("it has {0} tags; at most {MAX_TAGS} are possible")]
    TooManyTags(usize),
}

impl Row {
    /// Reads the fields of one record. Spaces around a field mean nothing, except in notes.
    ///
    /// # Errors
    /// See [`RowError`].
    pub fn read(columns: &Columns, fields: &[&str]) -> Result<Self, RowError> {
        if fields.len() != columns.count() {
            let (found, expected) = (fields.len(), columns.count());
            return Err(RowError::FieldCount { found, expected });
        }
        let field = |column| match columns.position(column).and_then(|at| fields.get(at)) {
            Some(text) if text.contains('\0') => Err(RowError::Nul(column)),
            Some(text) if column == Column::Notes => Ok(*text),
            Some(text) => Ok(text.trim()),
            None => Ok(""),
        };
        let spent_on = date(field(Column::Date)?)?;
        let description = within(
            Column::Description,
            field(Column::Description)?,
            MAX_DESCRIPTION_CHARS,
        )?;
        if description.is_empty() {
            return Err(RowError::NoDescription);
        }
        let currency: CurrencyCode = field(Column::Currency)?.parse()?;
        let amount = Money::of_expense(field(Column::Amount)?, currency)?;
        let category = within(Column::Category, field(Column::Category)?, MAX_NAME_CHARS)?;
        let notes = within(Column::Notes, field(Column::Notes)?, MAX_NOTES_CHARS)?;
        Ok(Self {
            spent_on,
            description: description.to_owned(),
            amount,
            category: CategoryName::new(category),
            notes: (!notes.trim().is_empty()).then(|| notes.to_owned()),
            tags: tags(field(Column::Tags)?)?,
        })
    }
}

fn date(text: &str) -> Result<NaiveDate, RowError> {
    let wrong = || RowError::Date(text.chars().take(SHOWN_CHARS).collect());
    let bytes = text.as_bytes();
    let well_formed = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !well_formed {
        return Err(wrong());
    }
    let date = text.parse::<NaiveDate>().map_err(|_| wrong())?;
    if YEARS.contains(&date.year()) {
        Ok(date)
    } else {
        Err(RowError::Year(date.year()))
    }
}

fn within(column: Column, text: &str, limit: usize) -> Result<&str, RowError> {
    let length = text.chars().count();
    if length > limit {
        Err(RowError::TooLong {
            column,
            length,
            limit,
        })
    } else {
        Ok(text)
    }
}

/// Tags are separated by `;`. One that is named twice counts once.
fn tags(text: &str) -> Result<Vec<String>, RowError> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(';').map(str::trim).filter(|tag| !tag.is_empty()) {
        let tag = within(Column::Tags, tag, MAX_TAG_CHARS)?;
        if tags.iter().all(|known| known != tag) {
            tags.push(tag.to_owned());
        }
        if tags.len() > MAX_TAGS {
            return Err(RowError::TooManyTags(text.split(';').count()));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 7] = [
        "date",
        "description",
        "amount",
        "currency",
        "category",
        "notes",
        "tags",
    ];
    const GOOD: [&str; 7] = ["2024-02-29", "Café", "12.50", "EUR", "Food", "", "a; b;a;"];

    fn read(fields: &[&str]) -> Result<Row, RowError> {
        Row::read(&Columns::find(HEADER.into_iter()).unwrap(), fields)
    }

    /// The good row with one field changed.
    fn with(column: Column, text: &str) -> Result<Row, RowError> {
        let mut fields = GOOD;
        fields[HEADER
            .iter()
            .position(|name| *name == column.name())
            .unwrap()] = text;
        read(&fields)
    }

    #[test]
    fn a_good_row_is_read_exactly() {
        let row = read(&GOOD).unwrap();
        assert_eq!(row.spent_on, NaiveDate::from_ymd_opt(2024, 2, 29).unwrap());
        assert_eq!(
            (row.description.as_str(), row.amount.amount().as_str()),
            ("Café", "12.50")
        );
        assert_eq!(row.category.unwrap().name(), "Food");
        assert_eq!(
            (row.notes, row.tags),
            (None, vec!["a".to_owned(), "b".to_owned()])
        );
    }

    #[test]
    fn dates_are_of_one_form_and_real() {
        for text in [
            "2023-02-29",
            "24-01-01",
            "2024-1-1",
            "01.02.2024",
            "2024/01/01",
            "2024-01-01T00:00",
            "+024-01-01",
            "",
        ] {
            assert!(
                matches!(with(Column::Date, text), Err(RowError::Date(_))),
                "{text}"
            );
        }
        assert_eq!(with(Column::Date, "1899-12-31"), Err(RowError::Year(1899)));
        assert_eq!(with(Column::Date, "2201-01-01"), Err(RowError::Year(2201)));
        assert!(with(Column::Date, "1900-01-01").is_ok());
        assert!(with(Column::Date, " 2200-12-31 ").is_ok());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        for (column, limit) in [
            (Column::Description, MAX_DESCRIPTION_CHARS),
            (Column::Category, MAX_NAME_CHARS),
            (Column::Notes, MAX_NOTES_CHARS),
            (Column::Tags, MAX_TAG_CHARS),
        ] {
            assert!(with(column, &"ß".repeat(limit)).is_ok(), "{column:?}");
            let error = with(column, &"ß".repeat(limit + 1)).unwrap_err();
            assert_eq!(
                error,
                RowError::TooLong {
                    column,
                    length: limit + 1,
                    limit
                }
            );
        }
        assert_eq!(
            with(Column::Description, "  "),
            Err(RowError::NoDescription)
        );
    }

    #[test]
    fn at_most_twenty_different_tags() {
        let tags = |count: usize| {
            (0..count)
                .map(|tag| tag.to_string())
                .collect::<Vec<_>>()
                .join(";")
        };
        assert!(with(Column::Tags, &tags(20)).is_ok());
        assert_eq!(
            with(Column::Tags, &tags(21)),
            Err(RowError::TooManyTags(21))
        );
        assert!(with(Column::Tags, &"same;".repeat(30)).is_ok());
    }

    #[test]
    fn other_faults_are_named() {
        assert_eq!(
            with(Column::Notes, "a\0b"),
            Err(RowError::Nul(Column::Notes))
        );
        assert_eq!(
            with(Column::Currency, "eur"),
            Err(RowError::Currency(UnknownCurrency("eur".to_owned())))
        );
        assert_eq!(
            with(Column::Amount, "0"),
            Err(RowError::Amount(MoneyError::Zero))
        );
        assert_eq!(
            read(&GOOD[..6]),
            Err(RowError::FieldCount {
                found: 6,
                expected: 7
            })
        );
        assert!(
            with(Column::Amount, "1,50")
                .unwrap_err()
                .to_string()
                .contains("\"1,50\"")
        );
    }

    #[test]
    fn notes_keep_their_spaces_and_lines() {
        assert_eq!(
            with(Column::Notes, " a\n b ").unwrap().notes.unwrap(),
            " a\n b "
        );
    }
}
