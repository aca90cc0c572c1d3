//! The first pass: the whole file is read and every row checked, before anything is sent.

use std::collections::HashMap;
use std::fs::File;

use threefold_entity::category::MAX_PER_LEDGER;

use super::category_name::CategoryName;
use super::keys::FileHash;
use super::row::RowError;
use super::table::{FileError, NumberedRow, Table};

/// Wrong rows that are kept to be shown; the others are only counted.
pub const SHOWN_WRONG_ROWS: usize = 20;

/// Most categories that one file may name, as no ledger has more: the column holds something else.
const MAX_CATEGORIES: usize = MAX_PER_LEDGER;

/// What the first pass found in a file without a fault.
#[derive(Debug)]
pub struct Checked {
    pub hash: FileHash,
    pub rows: u64,
    /// Columns of the header line that mean nothing here.
    pub unknown_columns: Vec<String>,
    /// The categories that the file names, by folded name, each as it is first written.
    pub categories: HashMap<String, CategoryName>,
}

/// Why a file is not sent.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}", report(shown, *count))]
    WrongRows {
        shown: Vec<(u64, RowError)>,
        count: u64,
    },
    #[error("line {line}: the file names more than {MAX_CATEGORIES} categories")]
    TooManyCategories { line: u64 },
}

/// Reads the file from beginning to end; tells `progress` after each row how many bytes have been read.
///
/// # Errors
/// See [`CheckError`].
pub fn check(file: File, mut progress: impl FnMut(u64)) -> Result<Checked, CheckError> {
    let mut table = Table::open(file)?;
    let mut rows = 0;
    let mut categories = HashMap::new();
    let (mut shown, mut count) = (Vec::new(), 0);
    while let Some(NumberedRow { line, row }) = table.next_row()? {
        rows += 1;
        progress(table.state().total_bytes());
        match row {
            Ok(row) => {
                if let Some(name) = row.category {
                    categories.entry(name.folded().to_owned()).or_insert(name);
                }
                if categories.len() > MAX_CATEGORIES {
                    return Err(CheckError::TooManyCategories { line });
                }
            }
            Err(error) => {
                count += 1;
                if shown.len() < SHOWN_WRONG_ROWS {
                    shown.push((line, error));
                }
            }
        }
    }
    if count > 0 {
        return Err(CheckError::WrongRows { shown, count });
    }
    let unknown_columns = table.columns().unknown().to_vec();
    Ok(Checked {
        hash: table.state().hash(),
        rows,
        unknown_columns,
        categories,
    })
}

fn report(shown: &[(u64, RowError)], count: u64) -> String {
    let mut text = match count {
        1 => "1 row is wrong, so nothing was sent:".to_owned(),
        _ => format!("{count} rows are wrong, so nothing was sent:"),
    };
    for (line, error) in shown {
        text += &format!("\n  line {line}: {error}");
    }
    let more = count - shown.len() as u64;
    if more > 0 {
        text += &format!("\n  and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn check_text(text: &str) -> Result<Checked, CheckError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        check(file, |_| ())
    }

    #[test]
    fn every_row_of_a_sample_is_valid() {
        for seed in 0..5 {
            let mut file = tempfile::tempfile().unwrap();
            crate::cli::sample::write(&mut file, 20_000, seed).unwrap();
            let checked = check(file, |_| ()).unwrap();
            assert_eq!(checked.rows, 20_000);
            assert!(checked.unknown_columns.is_empty());
            assert!(checked.categories.contains_key("eating out"));
        }
    }

    #[test]
    fn a_good_file_is_counted_and_hashed() {
        let text = "date,description,amount,currency,Category,IBAN\n2024-01-01,a,1,EUR,Food,x\n2024-01-01,a,1,EUR,FOOD,\n";
        let checked = check_text(text).unwrap();
        assert_eq!(checked.rows, 2, "twins are two rows");
        assert_eq!(checked.hash, FileHash::from(blake3::hash(text.as_bytes())));
        assert_eq!(checked.unknown_columns, ["IBAN"]);
        assert_eq!(checked.categories["food"].name(), "Food");
        assert_eq!(checked.categories.len(), 1);
    }

    #[test]
    fn wrong_rows_are_listed_with_line_and_reason() {
        let mut text =
            "date,description,amount,currency,notes\n2024-01-01,a,1,EUR,\"x\ny\"\n".to_owned();
        text += "2024-13-01,a,1,EUR,\n";
        text += "2024-01-01,a,1.234,EUR,\n";
        let error = check_text(&text).unwrap_err().to_string();
        assert_eq!(
            error,
            "2 rows are wrong, so nothing was sent:\n  \
             line 4: the date \"2024-13-01\" is not a day of the calendar, written YYYY-MM-DD\n  \
             line 5: EUR has 2 decimals, this amount has 3"
        );

        text += &"2024-01-01,,1,EUR,\n".repeat(30);
        let error = check_text(&text).unwrap_err().to_string();
        assert!(error.starts_with("32 rows are wrong"), "{error}");
        assert!(
            error.ends_with("line 23: the description is empty\n  and 12 more"),
            "{error}"
        );
    }

    #[test]
    fn a_column_of_something_else_is_no_category() {
        let rows: String = (0..1001)
            .map(|row| format!("2024-01-01,a,1,EUR,{row}\n"))
            .collect();
        let error = check_text(&format!(
            "date,description,amount,currency,category\n{rows}"
        ))
        .unwrap_err();
        assert!(
            matches!(error, CheckError::TooManyCategories { line: 1002 }),
            "{error}"
        );
    }
}
