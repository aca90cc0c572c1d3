//! The file as a stream of rows, each with the line on which it begins.

use std::fs::File;
use std::io;
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::columns::{Columns, HeaderError, sniff_delimiter};
use super::row::{Row, RowError};
use super::source::{self, Source, State};
use crate::cli::csv_error::io_error;

/// Why a file cannot be read on: nothing after this place means anything.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("line {0} is not UTF-8; save the file as UTF-8 and try again")]
    NotUtf8(u64),
    #[error("the file is UTF-16, not UTF-8; save it as UTF-8 and try again")]
    Utf16,
    #[error("line {line} cannot be read: {error}")]
    Unreadable { line: u64, error: io::Error },
}

/// One row of the file, valid or not.
#[derive(Debug, PartialEq, Eq)]
pub struct NumberedRow {
    /// Line on which the row begins, counted from 1.
    pub line: u64,
    pub row: Result<Row, RowError>,
}

/// Reads one CSV file from its beginning to its end, a row at a time.
pub struct Table {
    records: Records,
    columns: Columns,
}

impl Table {
    /// Opens the table at the beginning of the file, and reads its header line.
    ///
    /// # Errors
    /// The file cannot be read, is of another encoding, or has no useful header line.
    pub fn open(mut file: File) -> Result<Self, FileError> {
        let unreadable = |error| FileError::Unreadable { line: 1, error };
        let head = source::peek(&mut file).map_err(unreadable)?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(FileError::Utf16);
        }
        let mut records = Records::new(file, sniff_delimiter(&head));
        let place = records.advance()?.ok_or(HeaderError::Empty)?;
        let columns = Columns::find(records.fields(place.line)?.into_iter())?;
        Ok(Self { records, columns })
    }

    /// What the header line names.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// What has been read so far: its length and hash.
    pub fn state(&self) -> &State {
        &self.records.state
    }

    /// The next row; none at the end of the file. Blank lines are no rows.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_row(&mut self) -> Result<Option<NumberedRow>, FileError> {
        let Some(Place {
            line,
            quote_is_closed,
        }) = self.records.advance()?
        else {
            return Ok(None);
        };
        let row = if quote_is_closed {
            Row::read(&self.columns, &self.records.fields(line)?)
        } else {
            Err(RowError::OpenQuote)
        };
        Ok(Some(NumberedRow { line, row }))
    }
}

/// The records under the rows: fields of bytes, with a place.
struct Records {
    csv: csv::Reader<Source<File>>,
    state: Rc<State>,
    record: ByteRecord,
}

/// Where a record stands.
struct Place {
    line: u64,
    quote_is_closed: bool,
}

impl Records {
    fn new(file: File, delimiter: u8) -> Self {
        let (source, state) = Source::new(file);
        // With this terminator a record takes exactly one line end outside of its quotes, so that lines can be
        // counted; the carriage return that some files have before it is taken off in `fields`.
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(source);
        Self {
            csv,
            state,
            record: ByteRecord::new(),
        }
    }

    /// Reads the next record that is not blank.
    fn advance(&mut self) -> Result<Option<Place>, FileError> {
        loop {
            self.state.begin_record();
            let first = self.csv.position().line();
            let unreadable = |error| FileError::Unreadable { line: first, error };
            if !self
                .csv
                .read_byte_record(&mut self.record)
                .map_err(io_error)
                .map_err(unreadable)?
            {
                return Ok(None);
            }
            if self.record.as_slice() == b"\r" {
                continue;
            }
            // Line ends inside of fields, and the one after the record: what is more were blank lines before.
            let inside = line_ends(self.record.as_slice());
            let taken = self.csv.position().line() - first;
            let line = first + taken.saturating_sub(inside + 1);
            return Ok(Some(Place {
                line,
                quote_is_closed: taken > inside,
            }));
        }
    }

    /// The fields of the record, which begins on that line.
    fn fields(&self, mut line: u64) -> Result<Vec<&str>, FileError> {
        let mut fields = Vec::with_capacity(self.record.len());
        for (index, field) in self.record.iter().enumerate() {
            let text = str::from_utf8(field).map_err(|error| {
                FileError::NotUtf8(line + line_ends(&field[..error.valid_up_to()]))
            })?;
            line += line_ends(field);
            let last = index + 1 == self.record.len();
            fields.push(if last {
                text.strip_suffix('\r').unwrap_or(text)
            } else {
                text
            });
        }
        Ok(fields)
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const HEADER: &str = "date,description,amount,currency,notes\n";

    fn open(bytes: &[u8]) -> Result<Table, FileError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Table::open(file)
    }

    fn rows(bytes: &[u8]) -> Result<Vec<NumberedRow>, FileError> {
        let mut table = open(bytes)?;
        std::iter::from_fn(|| table.next_row().transpose()).collect()
    }

    /// Line of each row, and whether it is valid.
    fn lines(text: &str) -> Vec<(u64, bool)> {
        let rows = rows(format!("{HEADER}{text}").as_bytes()).unwrap();
        rows.into_iter()
            .map(|NumberedRow { line, row }| (line, row.is_ok()))
            .collect()
    }

    #[test]
    fn rows_know_their_lines() {
        let good = "2024-01-01,a,1,EUR,";
        assert_eq!(lines(&format!("{good}\n{good}")), [(2, true), (3, true)]);
        assert_eq!(
            lines(&format!("{good}\r\n{good}\r\n")),
            [(2, true), (3, true)]
        );
        assert_eq!(
            lines(&format!("\n\n{good}\n\n{good}\n\n")),
            [(4, true), (6, true)]
        );
        assert_eq!(
            lines(&format!("\r\n{good}\r\n\r\n{good}")),
            [(3, true), (5, true)]
        );
        assert_eq!(
            lines("2024-01-01,a,1,EUR,\"two\nlines\"\nwrong\n2024-01-01,b,1,EUR,\"\n\n\"\r\nwrong"),
            [(2, true), (4, false), (5, true), (8, false)]
        );
        assert_eq!(lines(""), []);
    }

    #[test]
    fn all_delimiters_quotes_and_a_byte_order_mark_are_read() {
        for text in [
            "\u{feff}date,description,amount,currency,tags\r\n2024-01-01,\"a, \"\"b\"\"\",1,EUR,x\r\n",
            "date;description;amount;currency;tags\n2024-01-01;a, \"b\";1;EUR;\"x\"\r\n",
            "\u{feff}\"Date\"\tdescription\tamount\tcurrency\ttags\n2024-01-01\ta, \"b\"\t1\tEUR\tx",
        ] {
            let rows = rows(text.as_bytes()).unwrap();
            let row = rows[0].row.as_ref().unwrap();
            assert_eq!(
                (row.description.as_str(), &row.tags[..]),
                ("a, \"b\"", &["x".to_owned()][..]),
                "{text}"
            );
        }
    }

    #[test]
    fn other_encodings_are_named_with_their_line() {
        let mut latin1 = format!("{HEADER}2024-01-01,a,1,EUR,\"one\ntwo ").into_bytes();
        latin1.extend(b"Caf\xe9\"\n");
        assert!(matches!(rows(&latin1), Err(FileError::NotUtf8(3))));
        assert!(matches!(open(b"\xff\xfed\0a\0"), Err(FileError::Utf16)));
        assert!(matches!(open(b"date,\xe9\n"), Err(FileError::NotUtf8(1))));
    }

    #[test]
    fn a_file_without_a_header_is_refused() {
        assert!(matches!(
            open(b""),
            Err(FileError::Header(HeaderError::Empty))
        ));
        assert!(matches!(
            open(b"\n\r\n"),
            Err(FileError::Header(HeaderError::Empty))
        ));
        assert!(matches!(
            open(b"2024-01-01,a,1,EUR\n"),
            Err(FileError::Header(HeaderError::Missing { .. }))
        ));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_named() {
        let rows = rows(format!("{HEADER}2024-01-01,\"a,1,EUR,\n2024-01-02,b,1,EUR,\n").as_bytes())
            .unwrap();
        assert_eq!(
            rows,
            [NumberedRow {
                line: 2,
                row: Err(RowError::OpenQuote)
            }]
        );

        let mut long = format!("{HEADER}2024-01-01,\"").into_bytes();
        long.resize(3 * source::MAX_RECORD_BYTES, b'x');
        let mut table = open(&long).unwrap();
        let error = table.next_row().unwrap_err().to_string();
        assert!(
            error.starts_with("line 2 cannot be read") && error.contains("never closed"),
            "{error}"
        );
    }
}
