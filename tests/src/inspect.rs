//! Looks into the replicas' databases behind the service's back, by plain SQL.

mod torture;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, QueryResult,
    Statement,
};
use uuid::Uuid;

pub use self::torture::at_one_revision;
use crate::cluster::{Cluster, DatabaseKind, Replica};
use crate::wait::until;

/// Tables that hold what clients see; each must be alike on all replicas. Others that a later version adds are compared
/// as well.
const DOMAIN_TABLES: [&str; 5] = ["ledger", "category", "expense", "change", "idempotency_key"];
/// Tables that are each replica's own. What must be alike in `replica_state` is in [`State`].
const OWN_TABLES: [&str; 2] = ["replica_state", "seaql_migrations"];

/// A look into one replica's database.
#[derive(Debug)]
pub struct Inspector {
    connection: DatabaseConnection,
}

/// Where a replica stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Commands accepted.
    pub revision: u64,
    /// Hash of the history up to there.
    pub history_hash: String,
}

/// What the tests ask of an expense's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpenseRow {
    /// Identity.
    pub id: Uuid,
    /// What was bought.
    pub description: String,
    /// Counts its changes.
    pub version: i32,
    /// Whether it is deleted.
    pub deleted: bool,
}

impl Inspector {
    /// Connects to the replica's own database.
    pub async fn of(replica: &Replica) -> Self {
        Self::connect(&replica.database_url(), replica.database_kind()).await
    }

    async fn connect(url: &str, kind: DatabaseKind) -> Self {
        let url = match kind {
            DatabaseKind::Postgres => url.to_owned(),
            DatabaseKind::Sqlite => format!("{url}?mode=rw"),
        };
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(1)
            .connect_timeout(Duration::from_secs(10))
            .sqlx_logging(false);
        let connection = Database::connect(options)
            .await
            .expect("a connection to the replica's database");
        Self { connection }
    }

    /// Where the replica stands.
    pub async fn state(&self) -> State {
        let hash = match self.connection.get_database_backend() {
            DatabaseBackend::Postgres => "encode(history_hash, 'hex')",
            _ => "lower(hex(history_hash))",
        };
        let rows = self
            .query(&format!(
                "SELECT revision, {hash} AS hash FROM replica_state"
            ))
            .await;
        let [row] = rows.as_slice() else {
            panic!("replica_state has {} rows", rows.len())
        };
        State {
            revision: number(row, "revision"),
            history_hash: row.try_get("", "hash").expect("a hash"),
        }
    }

    /// Index of the last log entry that the replica has applied.
    pub async fn last_applied_index(&self) -> i64 {
        let rows = self
            .query("SELECT last_applied_index FROM replica_state")
            .await;
        rows.first()
            .expect("a state")
            .try_get("", "last_applied_index")
            .expect("an index")
    }

    /// All expenses, deleted ones too, by id.
    pub async fn expenses(&self) -> BTreeMap<Uuid, ExpenseRow> {
        let rows = self
            .query(
                "SELECT id, description, version, CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END AS deleted \
                 FROM expense",
            )
            .await;
        rows.iter()
            .map(|row| {
                let id = row.try_get("", "id").expect("an id");
                let description = row.try_get("", "description").expect("a description");
                let version = row.try_get("", "version").expect("a version");
                let deleted = row.try_get::<i32>("", "deleted").expect("a mark") == 1;
                (
                    id,
                    ExpenseRow {
                        id,
                        description,
                        version,
                        deleted,
                    },
                )
            })
            .collect()
    }

    /// How many expenses have each description, deleted ones too.
    pub async fn count_by_description(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for row in self.expenses().await.into_values() {
            *counts.entry(row.description).or_default() += 1;
        }
        counts
    }

    /// Everything that clients can see, as text: table by table, row by row.
    pub async fn content(&self) -> BTreeMap<String, Vec<String>> {
        let mut content = BTreeMap::new();
        for table in self.tables().await {
            let rows = self.rows(&table).await;
            content.insert(table, rows);
        }
        for table in DOMAIN_TABLES {
            assert!(content.contains_key(table), "there is no table {table}");
        }
        content
    }

    /// Removes everything, as if the database had been made anew.
    pub async fn wipe(&self) {
        match self.connection.get_database_backend() {
            DatabaseBackend::Postgres => {
                self.execute("DROP SCHEMA public CASCADE").await;
                self.execute("CREATE SCHEMA public").await;
            }
            _ => {
                let mut tables = self.tables().await;
                tables.extend(OWN_TABLES.map(str::to_owned));
                for table in tables {
                    self.execute(&format!("DROP TABLE IF EXISTS \"{table}\""))
                        .await;
                }
            }
        }
    }

    async fn tables(&self) -> Vec<String> {
        let sql = match self.connection.get_database_backend() {
            DatabaseBackend::Postgres => {
                "SELECT tablename AS name FROM pg_catalog.pg_tables WHERE schemaname = 'public'"
            }
            _ => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        };
        let rows = self.query(sql).await;
        let names = rows
            .iter()
            .map(|row| row.try_get::<String>("", "name").expect("a name"));
        names
            .filter(|name| !OWN_TABLES.contains(&name.as_str()))
            .collect()
    }

    /// The rows in an order of their own, each with all its columns.
    async fn rows(&self, table: &str) -> Vec<String> {
        let sql = self.rows_as_text(table).await;
        let rows = self.query(&sql).await;
        let mut rows: Vec<String> = rows
            .iter()
            .map(|row| row.try_get("", "content").expect("a row as text"))
            .collect();
        rows.sort_unstable();
        rows
    }

    /// The statement that selects a table's rows as `content`, each with all its columns.
    async fn rows_as_text(&self, table: &str) -> String {
        match self.connection.get_database_backend() {
            DatabaseBackend::Postgres => {
                format!("SELECT to_jsonb(t)::text AS content FROM \"{table}\" t")
            }
            _ => {
                let columns = self
                    .query(&format!("SELECT name FROM pragma_table_info('{table}')"))
                    .await;
                let quoted: Vec<String> = columns
                    .iter()
                    .map(|row| {
                        format!(
                            "quote(\"{}\")",
                            row.try_get::<String>("", "name").expect("a name")
                        )
                    })
                    .collect();
                format!(
                    "SELECT {} AS content FROM \"{table}\"",
                    quoted.join(" || '|' || ")
                )
            }
        }
    }

    /// Changes what is stored, behind the service's back. `?` stands for the id of the expense that is first by id.
    pub async fn tamper(&self, sql: &str) {
        let first = "(SELECT id FROM expense ORDER BY id LIMIT 1)";
        self.execute(&sql.replace('?', first)).await;
    }

    /// Changes the database behind the service's back.
    pub async fn execute(&self, sql: &str) {
        if let Err(error) = self.connection.execute_unprepared(sql).await {
            panic!("{sql}: {error}");
        }
    }

    async fn query(&self, sql: &str) -> Vec<QueryResult> {
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        match self.connection.query_all_raw(statement).await {
            Ok(rows) => rows,
            Err(error) => panic!("{sql}: {error}"),
        }
    }
}

/// A look into every replica's database.
pub async fn all(cluster: &Cluster) -> Vec<Inspector> {
    join_all(cluster.replicas().iter().map(Inspector::of)).await
}

/// Waits until all replicas stand at the same revision, with the same hash, and returns where.
pub async fn settled(cluster: &Cluster) -> State {
    settled_among(&cluster.replicas().iter().collect::<Vec<_>>()).await
}

async fn settled_among(replicas: &[&Replica]) -> State {
    let inspectors = join_all(replicas.iter().map(|replica| Inspector::of(replica))).await;
    until(
        "all replicas to stand at one revision",
        Duration::from_secs(30),
        async || {
            let states = join_all(inspectors.iter().map(Inspector::state)).await;
            if states
                .iter()
                .all(|state| state.revision == states[0].revision)
            {
                let equal = states.iter().all(|state| state == &states[0]);
                assert!(
                    equal,
                    "equal revision, and yet the hashes differ: {states:?}"
                );
                Ok(states[0].clone())
            } else {
                Err(format!("{states:?}"))
            }
        },
    )
    .await
}

/// Fails the test unless all databases hold the same rows at the same revision with the same hash; returns that state.
pub async fn assert_identical(cluster: &Cluster) -> State {
    assert_identical_among(&cluster.replicas().iter().collect::<Vec<_>>()).await
}

/// The same, of these replicas only.
pub async fn assert_identical_among(replicas: &[&Replica]) -> State {
    let state = settled_among(replicas).await;
    let inspectors = join_all(replicas.iter().map(|replica| Inspector::of(replica))).await;
    let contents = join_all(inspectors.iter().map(Inspector::content)).await;
    for (replica, content) in replicas.iter().zip(&contents).skip(1) {
        assert_same_content(&contents[0], content, replica.id());
    }
    assert_eq!(
        settled_among(replicas).await,
        state,
        "something was written while the databases were compared"
    );
    state
}

/// Compares two contents and names the first difference only: whole tables help nobody.
fn assert_same_content(
    first: &BTreeMap<String, Vec<String>>,
    other: &BTreeMap<String, Vec<String>>,
    id: u16,
) {
    let tables: Vec<&String> = first.keys().collect();
    assert_eq!(
        tables,
        other.keys().collect::<Vec<_>>(),
        "tables of replica 1 and {id}"
    );
    for (table, rows) in first {
        let others = &other[table];
        let difference = rows.iter().zip(others).find(|(left, right)| left != right);
        assert_eq!(
            difference, None,
            "first difference in {table} between replica 1 and {id}"
        );
        assert_eq!(
            rows.len(),
            others.len(),
            "rows of {table} on replica 1 and {id}"
        );
    }
}

fn number(row: &QueryResult, column: &str) -> u64 {
    let value: i64 = row.try_get("", column).expect("a number");
    u64::try_from(value).expect("a number that is not negative")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use crate::postgres::TestPostgres;

    use super::*;

    /// A little of the real schema, in words that both databases know: `{bytes}` and `{uuid}` differ.
    const SCHEMA: [&str; 8] = [
        "CREATE TABLE seaql_migrations (version text)",
        "CREATE TABLE replica_state (id int, revision bigint, history_hash {bytes}, last_applied_index bigint)",
        "INSERT INTO replica_state VALUES (1, 7, {hash}, 9)",
        "CREATE TABLE expense (id {uuid}, description text, version int, deleted_at text)",
        "INSERT INTO expense VALUES ({id}, 'Coffee', 2, NULL)",
        "CREATE TABLE ledger (name text)",
        "CREATE TABLE category (name text)",
        "CREATE TABLE change (revision bigint, hash {bytes})",
    ];
    const ID: Uuid = Uuid::from_u128(0x1234);

    async fn sees_what_is_there(inspector: &Inspector, words: [(&str, &str); 4]) {
        for statement in SCHEMA
            .iter()
            .chain(&["CREATE TABLE idempotency_key (key text)"])
        {
            let statement = words
                .iter()
                .fold((*statement).to_owned(), |sql, (name, word)| {
                    sql.replace(name, word)
                });
            inspector.execute(&statement).await;
        }
        let state = State {
            revision: 7,
            history_hash: "00ff".to_owned(),
        };
        assert_eq!(inspector.state().await, state);
        assert_eq!(inspector.last_applied_index().await, 9);
        let row = ExpenseRow {
            id: ID,
            description: "Coffee".to_owned(),
            version: 2,
            deleted: false,
        };
        assert_eq!(inspector.expenses().await, BTreeMap::from([(ID, row)]));
        assert_eq!(
            inspector.count_by_description().await,
            BTreeMap::from([("Coffee".to_owned(), 1)])
        );

        let before = inspector.content().await;
        let tables: Vec<&str> = before.keys().map(String::as_str).collect();
        assert_eq!(
            tables,
            ["category", "change", "expense", "idempotency_key", "ledger"]
        );
        assert!(before["expense"][0].contains("Coffee"), "{before:?}");
        inspector
            .execute("UPDATE expense SET deleted_at = 'now'")
            .await;
        assert_ne!(
            inspector.content().await,
            before,
            "a change that does not show"
        );

        inspector.wipe().await;
        assert!(inspector.tables().await.is_empty());
    }

    #[tokio::test]
    async fn sees_what_is_there_on_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        fs::write(&path, "").unwrap();
        let inspector = Inspector::connect(
            &format!("sqlite://{}", path.display()),
            DatabaseKind::Sqlite,
        )
        .await;
        let id = format!("x'{}'", ID.simple());
        let words = [
            ("{bytes}", "blob"),
            ("{uuid}", "blob"),
            ("{hash}", "x'00ff'"),
            ("{id}", &id),
        ];
        sees_what_is_there(&inspector, words).await;
    }

    #[tokio::test]
    async fn sees_what_is_there_on_postgres() {
        let folder = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let server = TestPostgres::start(folder.path()).await;
        let inspector = Inspector::connect(&server.url(), DatabaseKind::Postgres).await;
        let id = format!("'{ID}'");
        let words = [
            ("{bytes}", "bytea"),
            ("{uuid}", "uuid"),
            ("{hash}", "'\\x00ff'"),
            ("{id}", &id),
        ];
        sees_what_is_there(&inspector, words).await;
    }
}
