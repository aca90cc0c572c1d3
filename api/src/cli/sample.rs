//! `threefold sample`: a believable CSV of household expenses, for trying things out and for tests.
//!
//! The same rows and seed give the same bytes, on every machine and in every release: nothing here reads a
//! clock, and only the integers of a ChaCha stream decide. [`generator`] makes the rows, from what [`places`]
//! knows of shops and [`calendar`] of days and trips.

mod calendar;
mod draw;
mod generator;
mod places;

use std::io::{self, Write};

use clap::value_parser;

use crate::cli::csv_error::io_error;
use crate::cli::stdout::unless_closed;
use generator::Generator;

/// Names of the columns, in the order in which they are printed.
pub const HEADER: [&str; 7] = [
    "date",
    "description",
    "amount",
    "currency",
    "category",
    "notes",
    "tags",
];

/// Bytes collected before they are handed to standard output.
const BUFFER_BYTES: usize = 256 * 1024;

/// Flags of `threefold sample`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many expenses to print, spread over the years 2021 to 2025: 0 to 100,000,000.
    #[arg(long, env = "THREEFOLD_ROWS", value_name = "N", default_value_t = 1000, value_parser = value_parser!(u64).range(..=100_000_000))]
    rows: u64,
    /// Chooses which expenses are made up: the same seed and rows give the same bytes.
    #[arg(long, env = "THREEFOLD_SEED", value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// Prints the rows to standard output; a reader that stops reading is a clean end.
///
/// # Errors
/// Standard output cannot be written.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let out = io::BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    Ok(unless_closed(write(out, args.rows, args.seed))?)
}

/// Writes the header and `rows` expenses as CSV, in memory that does not grow with `rows`.
///
/// # Errors
/// `out` cannot be written.
pub fn write(out: impl Write, rows: u64, seed: u64) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER).map_err(io_error)?;
    for expense in Generator::new(rows, seed) {
        csv.write_record([
            expense.spent_on.to_string().as_str(),
            &expense.description,
            &expense.amount(),
            expense.currency,
            expense.category,
            &expense.notes,
            &expense.tags.join(";"),
        ])
        .map_err(io_error)?;
    }
    csv.flush()
}

#[cfg(test)]
mod tests;
