//! The second pass: the rows again, cut into chunks that are sent one by one.
//!
//! Where a chunk ends depends on the file alone, so that a later import of the same file cuts it alike.

use std::fs::File;

use threefold_replication::command::MAX_EXPENSES;
use tokio::sync::mpsc;

use super::keys::FileHash;
use super::row::Row;
use super::table::{FileError, NumberedRow, Table};

/// Most rows of a chunk: what the API takes at once.
pub const MAX_ROWS: usize = 1000;
const _: () = assert!(MAX_ROWS <= MAX_EXPENSES);
/// Most bytes of a chunk's rows, as JSON: well below what the API takes as one request.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Bytes of JSON around the texts of a row: names, ids, punctuation.
const ROW_BYTES: usize = 256;

/// Rows that are sent together.
#[derive(Debug)]
pub struct Chunk {
    /// Position among the chunks, counted from 0.
    pub number: u64,
    /// Position of its first row among the rows, counted from 0.
    pub first_row: u64,
    /// Never empty; each with its line.
    pub rows: Vec<(u64, Row)>,
}

/// Why the second pass ended early.
#[derive(Debug, thiserror::Error)]
pub enum SecondPassError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the file was changed while it was imported; import it again to add the rest")]
    Changed,
}

/// Reads the file again and hands over its chunks; waits while the receiver is busy, and ends early without a
/// word when it is gone. Blocks, so it needs a thread of its own.
///
/// # Errors
/// See [`SecondPassError`]; the chunks until then have been handed over.
pub fn produce(
    file: File,
    expected: FileHash,
    chunks: &mpsc::Sender<Chunk>,
) -> Result<(), SecondPassError> {
    let mut table = Table::open(file)?;
    let mut chunk = Chunk {
        number: 0,
        first_row: 0,
        rows: Vec::new(),
    };
    let mut bytes = 0;
    while let Some(NumberedRow { line, row }) = table.next_row()? {
        // Every row was valid the first time.
        let row = row.map_err(|_| SecondPassError::Changed)?;
        let more = json_bytes(&row);
        if chunk.rows.len() == MAX_ROWS || (bytes + more > MAX_BYTES && !chunk.rows.is_empty()) {
            let next = Chunk {
                number: chunk.number + 1,
                first_row: chunk.first_row + chunk.rows.len() as u64,
                rows: Vec::new(),
            };
            if chunks
                .blocking_send(std::mem::replace(&mut chunk, next))
                .is_err()
            {
                return Ok(());
            }
            bytes = 0;
        }
        bytes += more;
        chunk.rows.push((line, row));
    }
    if table.state().hash() != expected {
        return Err(SecondPassError::Changed);
    }
    if !chunk.rows.is_empty() {
        // A receiver that is gone has its own reason to tell.
        chunks.blocking_send(chunk).ok();
    }
    Ok(())
}

/// Bytes that a row takes as JSON, at most.
fn json_bytes(row: &Row) -> usize {
    let texts = [Some(&row.description), row.notes.as_ref()];
    let texts = texts.into_iter().flatten().chain(&row.tags);
    ROW_BYTES + texts.map(|text| escaped_bytes(text) + 3).sum::<usize>()
}

fn escaped_bytes(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const HEADER: &str = "date,description,amount,currency,notes\n";

    fn chunks(text: &str) -> Vec<Chunk> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let (sender, mut receiver) = mpsc::channel(100);
        produce(file, blake3::hash(text.as_bytes()).into(), &sender).unwrap();
        drop(sender);
        std::iter::from_fn(|| receiver.blocking_recv()).collect()
    }

    #[test]
    fn a_file_is_cut_every_thousand_rows_and_keeps_twins() {
        let text = format!("{HEADER}{}", "2024-01-01,a,1,EUR,\n".repeat(2500));
        let chunks = chunks(&text);
        let shape: Vec<_> = chunks
            .iter()
            .map(|c| (c.number, c.first_row, c.rows.len(), c.rows[0].0))
            .collect();
        assert_eq!(
            shape,
            [(0, 0, 1000, 2), (1, 1000, 1000, 1002), (2, 2000, 500, 2002)]
        );
    }

    #[test]
    fn long_notes_make_short_chunks() {
        let row = format!("2024-01-01,a,1,EUR,{}\n", "寿".repeat(32_768));
        let chunks = chunks(&format!("{HEADER}{}", row.repeat(25)));
        assert_eq!(
            chunks
                .iter()
                .map(|chunk| chunk.rows.len())
                .collect::<Vec<_>>(),
            [10, 10, 5]
        );
    }

    #[test]
    fn no_rows_make_no_chunks() {
        assert!(chunks(HEADER).is_empty());
    }

    #[test]
    fn a_file_that_has_changed_is_named() {
        let mut file = tempfile::tempfile().unwrap();
        writeln!(file, "{HEADER}2024-01-01,a,1,EUR,").unwrap();
        let (sender, _receiver) = mpsc::channel(1);
        let result = produce(file, blake3::hash(b"before").into(), &sender);
        assert!(matches!(result, Err(SecondPassError::Changed)));
    }

    #[test]
    fn the_bytes_of_a_row_are_not_underestimated() {
        let text = "\"\\\u{1}\n\tß寿";
        assert!(escaped_bytes(text) + 2 >= serde_json::to_string(text).unwrap().len());
    }
}
