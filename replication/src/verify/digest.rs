//! One encoding of a row for both databases, and digests of tables that do not depend on the order of reading.
//!
//! Every row is hashed with all its columns. Rows fall into [`BUCKETS`] by a hash of their primary key; the hashes of a
//! bucket's rows are added up, so that any order gives the same sum, and a bucket that differs can be looked into without
//! asking for the whole table.

use sea_orm::Value;
use serde::{Deserialize, Serialize};

use super::table::Table;

/// Buckets of a table.
pub(super) const BUCKETS: usize = 1_024;
/// Bytes of a bucket's digest.
pub(super) const BUCKET_BYTES: usize = 16;
/// Changes with what a digest is computed from or how.
const FORMAT: u8 = 1;

/// The digest of one bucket.
pub(super) type BucketDigest = [u8; BUCKET_BYTES];
/// A primary key, hashed.
pub(super) type KeyHash = [u8; 16];

/// Everything that one replica holds at one log position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    /// What is compared, by [`schema`]: digests of different schemas say nothing about each other.
    pub(super) schema: [u8; 32],
    /// The log position.
    pub(super) index: u64,
    /// The revision in the database there.
    pub(super) revision: u64,
    /// The tables, in the order of [`Table::ALL`].
    pub(super) tables: Vec<TableDigest>,
    /// Milliseconds that it took.
    pub(super) took_ms: u64,
}

/// One table of a [`Digest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableDigest {
    pub(super) name: String,
    pub(super) rows: u64,
    /// [`BUCKETS`] digests of [`BUCKET_BYTES`]; none where the table cannot be read.
    #[serde(with = "serde_bytes")]
    pub(super) buckets: Vec<u8>,
    /// Why the table cannot be read, if it cannot: it holds what no replica writes.
    pub(super) unreadable: Option<String>,
}

impl Digest {
    /// One hash of it all, for people to compare.
    pub(super) fn root(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for table in &self.tables {
            hasher.update(&table.rows.to_be_bytes());
            hasher.update(&table.buckets);
        }
        *hasher.finalize().as_bytes()
    }

    /// Rows of all tables.
    pub(super) fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// The digest of one bucket; none where the table cannot be read, or is not there.
    pub(super) fn bucket(&self, table: &str, bucket: usize) -> Option<BucketDigest> {
        let table = self.tables.iter().find(|known| known.name == table)?;
        let from = bucket.checked_mul(BUCKET_BYTES)?;
        table
            .buckets
            .get(from..from + BUCKET_BYTES)?
            .try_into()
            .ok()
    }
}

/// Names what is compared. Versions are not compared with each other: the step that brings a database to a newer version may
/// change rows, and nobody is to be accused for having been upgraded.
pub(super) fn schema() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[FORMAT]);
    put(&mut hasher, 0, Some(env!("CARGO_PKG_VERSION").as_bytes()));
    for table in Table::ALL {
        for name in std::iter::once(table.name()).chain(table.columns()) {
            put(&mut hasher, 0, Some(name.as_bytes()));
        }
    }
    *hasher.finalize().as_bytes()
}

/// A row, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowHash {
    pub(super) key: KeyHash,
    pub(super) row: [u8; 32],
}

impl RowHash {
    pub(super) fn of(table: Table, row: &[Value]) -> Self {
        let mut key = [0; 16];
        let (own, _) = row.split_at(table.key().min(row.len()));
        hash(own).fill(&mut key);
        let mut whole = [0; 32];
        hash(row).fill(&mut whole);
        Self { key, row: whole }
    }

    /// The bucket that the row falls into.
    pub(super) fn bucket(&self) -> usize {
        usize::from(u16::from_be_bytes([self.key[0], self.key[1]])) % BUCKETS
    }
}

/// The sums of a table's buckets while it is read.
pub(super) struct Sums(Vec<Sum>);

#[derive(Clone, Copy, Default)]
struct Sum {
    rows: u64,
    lanes: [u64; 4],
}

impl Sums {
    pub(super) fn new() -> Self {
        Self(vec![Sum::default(); BUCKETS])
    }

    pub(super) fn add(&mut self, row: &RowHash) {
        let Some(sum) = self.0.get_mut(row.bucket()) else {
            return;
        };
        sum.rows += 1;
        for (lane, bytes) in sum.lanes.iter_mut().zip(row.row.as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_be_bytes(*bytes));
        }
    }

    /// The buckets' digests, one after the other.
    pub(super) fn finish(self) -> Vec<u8> {
        let digest = |sum: Sum| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&sum.rows.to_be_bytes());
            for lane in sum.lanes {
                hasher.update(&lane.to_be_bytes());
            }
            let mut digest: BucketDigest = [0; BUCKET_BYTES];
            hasher.finalize_xof().fill(&mut digest);
            digest
        };
        self.0.into_iter().flat_map(digest).collect()
    }
}

fn hash(values: &[Value]) -> blake3::OutputReader {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        encode(&mut hasher, value);
    }
    hasher.finalize_xof()
}

/// The same bytes for the same value from either database, and other bytes for any other value.
fn encode(hasher: &mut blake3::Hasher, value: &Value) {
    let number = |value: Option<i64>| value.map(i64::to_be_bytes);
    match value {
        Value::Uuid(value) => put(hasher, 1, value.as_ref().map(|value| &value.as_bytes()[..])),
        Value::String(value) => put(hasher, 2, value.as_ref().map(|value| value.as_bytes())),
        Value::BigInt(value) => put(hasher, 3, number(*value).as_ref().map(|value| &value[..])),
        Value::Int(value) => {
            let value = number(value.map(i64::from));
            put(hasher, 3, value.as_ref().map(|value| &value[..]));
        }
        Value::SmallInt(value) => {
            let value = number(value.map(i64::from));
            put(hasher, 3, value.as_ref().map(|value| &value[..]));
        }
        Value::Bytes(value) => put(hasher, 4, value.as_deref()),
        Value::ChronoDate(value) => {
            let days = value.map(|date| i64::from(chrono::Datelike::num_days_from_ce(&date)));
            put(hasher, 5, number(days).as_ref().map(|value| &value[..]));
        }
        Value::ChronoDateTimeUtc(value) => {
            let micros = value.map(|at| at.timestamp_micros());
            put(hasher, 6, number(micros).as_ref().map(|value| &value[..]));
        }
        // No table has such a column.
        other => put(hasher, 255, Some(format!("{other:?}").as_bytes())),
    }
}

fn put(hasher: &mut blake3::Hasher, kind: u8, value: Option<&[u8]>) {
    match value {
        Some(bytes) => {
            hasher.update(&[kind, 1]);
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        None => {
            hasher.update(&[kind, 0]);
        }
    }
}

/// Most characters of a value that is shown.
const SHOWN_CHARS: usize = 200;

/// A row as text for people, long values cut.
pub(super) fn shown(row: &[Value]) -> Vec<Option<String>> {
    row.iter().map(show).collect()
}

fn show(value: &Value) -> Option<String> {
    let text = match value {
        Value::Uuid(value) => value.as_ref()?.to_string(),
        Value::String(value) => value.as_ref()?.clone(),
        Value::BigInt(value) => value.as_ref()?.to_string(),
        Value::Int(value) => value.as_ref()?.to_string(),
        Value::SmallInt(value) => value.as_ref()?.to_string(),
        Value::Bytes(value) => value.as_ref()?.iter().map(|b| format!("{b:02x}")).collect(),
        Value::ChronoDate(value) => value.as_ref()?.to_string(),
        Value::ChronoDateTimeUtc(value) => value.as_ref()?.to_rfc3339(),
        other => format!("{other:?}"),
    };
    if text.chars().count() <= SHOWN_CHARS {
        return Some(text);
    }
    let cut: String = text.chars().take(SHOWN_CHARS).collect();
    // Two that are cut alike are told apart all the same.
    let hash = blake3::hash(text.as_bytes()).to_hex();
    Some(format!("{cut}… (blake3 {})", &hash[..16]))
}

#[cfg(test)]
mod tests;
