//! What the torture test asks of a database: millions of rows, read as a stream and put shortly.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::join_all;
use sea_orm::{QueryResult, Statement, StreamTrait};

use super::{Inspector, State, number};
use crate::cluster::Cluster;
use crate::torture::history::{Row, TableDigest};
use crate::wait::until;

/// How long replicas may need to catch up with each other once nothing is written any more.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(60);

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

/// Waits until all replicas that run stand at one revision. Their hashes are for the caller to compare.
pub async fn at_one_revision(cluster: &Cluster) -> Vec<State> {
    let running = cluster
        .replicas()
        .iter()
        .filter(|replica| replica.is_running());
    let inspectors = join_all(running.map(Inspector::of)).await;
    until(
        "all replicas to stand at one revision",
        CATCH_UP_TIMEOUT,
        async || {
            let states = join_all(inspectors.iter().map(Inspector::state)).await;
            if states
                .iter()
                .all(|state| state.revision == states[0].revision)
            {
                Ok(states)
            } else {
                Err(format!("{states:?}"))
            }
        },
    )
    .await
}
