//! Where each field stands: columns are found by the names in the header line, in any order and case.

use std::fmt;

/// The columns that an import knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Date,
    Description,
    Amount,
    Currency,
    Category,
    Notes,
    Tags,
}

impl Column {
    const ALL: [Self; 7] = [
        Self::Date,
        Self::Description,
        Self::Amount,
        Self::Currency,
        Self::Category,
        Self::Notes,
        Self::Tags,
    ];
    const REQUIRED: [Self; 4] = [Self::Date, Self::Description, Self::Amount, Self::Currency];

    /// Its name in a header line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Description => "description",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Category => "category",
            Self::Notes => "notes",
            Self::Tags => "tags",
        }
    }

    fn named(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::ALL
            .into_iter()
            .find(|column| column.name().eq_ignore_ascii_case(text))
    }
}

/// Which field of a record holds which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    positions: [Option<usize>; Column::ALL.len()],
    count: usize,
    unknown: Vec<String>,
}

/// Why a header line is no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("the file is empty")]
    Empty,
    #[error(
        "the header line has no column named {}; it must name date, description, amount and currency, \
         and may name category, notes and tags",
        Names(missing)
    )]
    Missing { missing: Vec<Column> },
    #[error("the header line names {} twice", .0.name())]
    Twice(Column),
}

struct Names<'a>(&'a [Column]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, column) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            f.write_str(column.name())?;
        }
        Ok(())
    }
}

impl Columns {
    /// Reads the fields of the header line.
    ///
    /// # Errors
    /// A required column is missing, or one is named twice.
    pub fn find<'a>(header: impl Iterator<Item = &'a str>) -> Result<Self, HeaderError> {
        let mut columns = Self {
            positions: [None; 7],
            count: 0,
            unknown: Vec::new(),
        };
        for (index, name) in header.enumerate() {
            columns.count += 1;
            match Column::named(name) {
                Some(column) if columns.position(column).is_some() => {
                    return Err(HeaderError::Twice(column));
                }
                Some(column) => columns.positions[column as usize] = Some(index),
                None => columns.unknown.push(name.trim().to_owned()),
            }
        }
        let mut missing = Column::REQUIRED.to_vec();
        missing.retain(|column| columns.position(*column).is_none());
        if missing.is_empty() {
            Ok(columns)
        } else {
            Err(HeaderError::Missing { missing })
        }
    }

    /// Where the column stands, counted from 0; none if the header does not name it.
    pub fn position(&self, column: Column) -> Option<usize> {
        self.positions[column as usize]
    }

    /// Fields that every record must have.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Names in the header that mean nothing here, and whose fields are ignored.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

/// The delimiter of a file, from its first bytes: of comma, semicolon and tab the one under which its header line
/// names most columns; the comma if that decides nothing.
pub fn sniff_delimiter(head: &[u8]) -> u8 {
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty());
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    let known = |delimiter: u8| {
        let names = line.split(char::from(delimiter));
        names
            .filter(|name| Column::named(name.trim().trim_matches(['"', '\u{feff}'])).is_some())
            .count()
    };
    // Of equals the last is the greatest.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|delimiter| known(*delimiter))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &[&str]) -> Result<Columns, HeaderError> {
        Columns::find(header.iter().copied())
    }

    #[test]
    fn columns_are_found_in_any_order_and_case() {
        let columns = find(&[
            "Tags",
            " AMOUNT ",
            "iban",
            "currency",
            "Date",
            "description",
        ])
        .unwrap();
        assert_eq!(columns.position(Column::Amount), Some(1));
        assert_eq!(columns.position(Column::Date), Some(4));
        assert_eq!(columns.position(Column::Notes), None);
        assert_eq!(columns.unknown(), ["iban"]);
        assert_eq!(columns.count(), 6);
    }

    #[test]
    fn missing_and_doubled_columns_are_named() {
        let error = find(&["date", "amount"]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no column named description, currency;"),
            "{error}"
        );
        let error = find(&["date", "Date", "amount"]).unwrap_err();
        assert_eq!(error, HeaderError::Twice(Column::Date));
    }

    #[test]
    fn the_delimiter_is_sniffed_from_the_header() {
        assert_eq!(
            sniff_delimiter(b"date,description,amount,currency\n1;2;3;4"),
            b','
        );
        assert_eq!(
            sniff_delimiter(b"date;description;amount;currency\r\n"),
            b';'
        );
        assert_eq!(
            sniff_delimiter(b"date\tdescription\tamount\tcurrency\n"),
            b'\t'
        );
        assert_eq!(
            sniff_delimiter("\u{feff}\"date\";\"amount\"\n".as_bytes()),
            b';'
        );
        assert_eq!(sniff_delimiter(b"\n\nAmount;a,b,c,d;Date"), b';');
        assert_eq!(sniff_delimiter(b""), b',');
    }
}
