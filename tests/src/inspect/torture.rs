//! What the torture test asks of a database: millions of rows, read as a stream and put shortly.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use futures_util::future::join_all;
use sea_orm::{QueryResult, Statement, StreamTrait};

use super::{Inspector, State, number};
use crate::cluster::Cluster;
use crate::torture::history::{Row, TableDigest};

/// Nothing is written any more: a replica that is behind comes nearer within this time, or never does.
const STANDSTILL: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);

impl Inspector {
    /// Every expense that a workload wrote: their descriptions are `m` and a number. In the order of their ids.
    pub async fn rows_of_marks(&self) -> Vec<Row> {
        let sql = "SELECT id, version, amount_minor, description, revision, \
                   CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END AS deleted FROM expense WHERE description LIKE 'm%'";
        let mut rows = Vec::new();
        self.each(sql, |row| {
            let label: String = row.try_get("", "description").expect("a description");
            let Some(Ok(label)) = label.strip_prefix('m').map(str::parse) else {
                return;
            };
            let version: i32 = row.try_get("", "version").expect("a version");
            rows.push(Row {
                id: row.try_get("", "id").expect("an id"),
                version: version.try_into().expect("a version that counts"),
                amount: number(row, "amount_minor"),
                label,
                deleted: row.try_get::<i32>("", "deleted").expect("a mark") == 1,
                revision: number(row, "revision"),
            });
        })
        .await;
        rows.sort_unstable();
        rows
    }

    /// Every table that is to be alike everywhere: how many rows, and a digest that does not depend on their order.
    pub async fn digests(&self) -> BTreeMap<String, TableDigest> {
        let mut digests = BTreeMap::new();
        for table in self.tables().await {
            let sql = self.rows_as_text(&table).await;
            let (mut rows, mut digest) = (0_u64, [0_u64; 2]);
            self.each(&sql, |row| {
                let content: String = row.try_get("", "content").expect("a row as text");
                for (salt, sum) in digest.iter_mut().enumerate() {
                    let mut hasher = DefaultHasher::new();
                    (salt, &content).hash(&mut hasher);
                    *sum = sum.wrapping_add(hasher.finish());
                }
                rows += 1;
            })
            .await;
            let digest = format!("{:016x}{:016x}", digest[0], digest[1]);
            digests.insert(table, TableDigest { rows, digest });
        }
        digests
    }

    async fn each(&self, sql: &str, mut take: impl FnMut(&QueryResult)) {
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        let outcome = async {
            let mut rows = self.connection.stream_raw(statement).await?;
            while let Some(row) = rows.try_next().await? {
                take(&row);
            }
            Ok::<(), sea_orm::DbErr>(())
        }
        .await;
        if let Err(error) = outcome {
            panic!("{sql}: {error}");
        }
    }
}

/// Waits until all replicas that run stand at one revision, or none of them comes any further. That they are alike is for the caller to
/// judge.
pub async fn at_one_revision(cluster: &Cluster) -> Vec<State> {
    let running = cluster
        .everybody()
        .iter()
        .filter(|replica| replica.is_running());
    let inspectors = join_all(running.map(Inspector::of)).await;
    let mut last: Vec<u64> = Vec::new();
    let mut since = Instant::now();
    loop {
        let states = join_all(inspectors.iter().map(Inspector::state)).await;
        let revisions: Vec<u64> = states.iter().map(|state| state.revision).collect();
        if revisions != last {
            (last, since) = (revisions, Instant::now());
        }
        if last.iter().all(|revision| *revision == last[0]) || since.elapsed() >= STANDSTILL {
            return states;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
