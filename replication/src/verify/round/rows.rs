//! Naming the rows that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use super::{Digests, Round};
use crate::verify::digest::KeyHash;
use crate::verify::judgement::{Judgement, Spot};
use crate::verify::message::{Answer, Asked};
use crate::verify::table::Table;
use crate::verify::{RowDifference, RowVersion};

/// Longest wait for a look at rows: the whole table is read for it.
const LOOK_TIMEOUT: Duration = Duration::from_secs(600);
/// Buckets of a table that are looked into, and rows of it that are named.
const MAX_BUCKETS: usize = 3;
const MAX_DIFFERENCES: usize = 10;

/// A row as text, for people.
type Text = Vec<Option<String>>;

impl Round {
    /// Finds the first rows that differ.
    pub(super) async fn name_rows(&mut self, digests: &Digests, judgement: &Judgement) {
        let spots = judgement.spots();
        for table in Table::ALL {
            let mut found = Vec::new();
            let here = spots.iter().filter(|spot| spot.table == table.name());
            for spot in here.take(MAX_BUCKETS) {
                found.extend(self.rows_of(table, spot, digests).await);
            }
            found.sort_by(|a: &RowDifference, b| a.key.cmp(&b.key));
            found.truncate(MAX_DIFFERENCES);
            self.verification.differences.append(&mut found);
        }
    }

    async fn rows_of(&self, table: Table, spot: &Spot, digests: &Digests) -> Vec<RowDifference> {
        let (checkpoint, bucket) = (self.verification.id, spot.bucket);
        let asked = Asked::Rows {
            checkpoint,
            table: spot.table.clone(),
            bucket,
        };
        let hashes = self.ask_all(digests, &asked).await;
        let hashes: BTreeMap<u64, BTreeMap<KeyHash, [u8; 32]>> = hashes
            .into_iter()
            .filter_map(|(id, answer)| match answer {
                Answer::Rows(rows) => Some((id, rows.into_iter().collect())),
                _ => None,
            })
            .collect();
        let known: BTreeSet<KeyHash> = hashes
            .values()
            .flat_map(|rows| rows.keys().copied())
            .collect();
        let differs = |key: &KeyHash| {
            let mut versions = hashes.values().map(|rows| rows.get(key));
            let first = versions.next();
            versions.any(|version| Some(version) != first)
        };
        let keys: Vec<KeyHash> = known
            .into_iter()
            .filter(differs)
            .take(MAX_DIFFERENCES)
            .collect();
        if keys.is_empty() {
            return Vec::new();
        }
        let asked = Asked::Versions {
            checkpoint,
            table: spot.table.clone(),
            bucket,
            keys: keys.clone(),
        };
        let versions: BTreeMap<u64, BTreeMap<KeyHash, Text>> = self
            .ask_all(digests, &asked)
            .await
            .into_iter()
            .filter_map(|(id, answer)| match answer {
                Answer::Versions(rows) => Some((id, rows.into_iter().collect())),
                _ => None,
            })
            .collect();
        keys.iter()
            .filter_map(|key| {
                let rows = versions.iter().map(|(id, rows)| (*id, rows.get(key)));
                difference(table, rows.collect())
            })
            .collect()
    }

    async fn ask_all(&self, digests: &Digests, asked: &Asked) -> Vec<(u64, Answer)> {
        let ask = async |id: u64| Some((id, self.ask(id, asked, LOOK_TIMEOUT).await.ok()?));
        let answers = join_all(digests.keys().copied().map(ask)).await;
        answers.into_iter().flatten().collect()
    }
}

/// One row as the replicas have it.
fn difference(table: Table, rows: Vec<(u64, Option<&Text>)>) -> Option<RowDifference> {
    let names = table.columns();
    let some = rows.iter().find_map(|(_, row)| *row)?;
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let key: Vec<String> = names
        .iter()
        .zip(some)
        .take(table.key())
        .map(|(name, value)| format!("{name}={}", shown(value)))
        .collect();
    let everywhere = rows.iter().all(|(_, row)| row.is_some());
    let differs = |column: &usize| {
        !everywhere
            || rows
                .iter()
                .any(|(_, row)| row.and_then(|row| row.get(*column)) != some.get(*column))
    };
    let columns: Vec<usize> = (0..names.len()).filter(differs).collect();
    let version = |(replica_id, row): &(u64, Option<&Text>)| RowVersion {
        replica_id: *replica_id,
        present: row.is_some(),
        values: row.map_or_else(Vec::new, |row| {
            columns
                .iter()
                .map(|column| row.get(*column).cloned().flatten())
                .collect()
        }),
    };
    Some(RowDifference {
        table: table.name().to_owned(),
        key: key.join(" "),
        columns: columns
            .iter()
            .filter_map(|column| names.get(*column))
            .map(|name| (*name).to_owned())
            .collect(),
        versions: rows.iter().map(version).collect(),
    })
}
