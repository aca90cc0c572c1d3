//! This replica's own database: a connection that writes, a pool that reads, and which failures pass by themselves.

mod occupant;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::{
    ConnAcquireErr, ConnectOptions, ConnectionTrait, Database as SeaDatabase, DatabaseBackend,
    DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, Statement, TransactionTrait,
};
use sea_orm::{RuntimeErr, SqlxError};
use threefold_entity::replica_state;
use threefold_migration::{Migrator, MigratorTrait};
use tokio::sync::Mutex;

pub(crate) use self::occupant::{Occupant, holds_rows, occupant};
use crate::status::DatabaseKind;

/// Connections that read, and the most reads that run at once.
const READERS: u32 = 16;
/// Connections that compare tables: one at work, and one that may yet be giving up.
const EXAMINERS: u32 = 2;
/// How long a connection that compares tables is kept.
const EXAMINER_IDLE: Duration = Duration::from_secs(30);
/// Longest wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// For the state machine alone. Its commits are not flushed one by one: the log is, and what a crash of the
    /// database loses is applied again from there.
    pub(crate) writer: DatabaseConnection,
    /// For everybody, for selects only.
    pub(crate) reader: DatabaseConnection,
    pub(crate) kind: DatabaseKind,
    /// For comparing the tables of the replicas: long reads, which take no connection from others. Connects when it is
    /// needed.
    pub(crate) examiner: DatabaseConnection,
    /// Connections that readers have made so far. After a crash of the server every connection is a new one.
    connections: Arc<AtomicU64>,
    /// Held while commits are made durable.
    flushing: Arc<Mutex<()>>,
}

/// Connections at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub(crate) name: &'static str,
    /// All of them, idle ones among them.
    pub(crate) size: u64,
    pub(crate) idle: u64,
    pub(crate) limit: u64,
}

impl Database {
    /// Connects, and brings the schema to the newest step.
    pub(crate) async fn open(url: &str) -> Result<Self, DbErr> {
        let kind = kind_of(url)?;
        // After each use the pool tries a connection before it hands it out again: with a second one nobody waits for that. SQLite
        // has one, which alone holds the lock.
        let writers = if kind == DatabaseKind::Sqlite { 1 } else { 2 };
        let mut writing = options(url, kind, writers, false);
        // It is always needed, and keeps a setting while commits are made durable.
        writing.max_lifetime(None).idle_timeout(None);
        let writer = SeaDatabase::connect(writing).await?;
        Migrator::up(&writer, None).await.map_err(newer_schema)?;
        let readers = if kind == DatabaseKind::Sqlite {
            READERS / 4
        } else {
            READERS
        };
        let mut reading = options(url, kind, readers, true);
        let connections: Arc<AtomicU64> = Arc::default();
        let counted = connections.clone();
        reading.map_sqlx_postgres_pool_opts(move |pool| {
            let counted = counted.clone();
            pool.after_connect(move |_, _| {
                counted.fetch_add(1, Ordering::AcqRel);
                Box::pin(std::future::ready(Ok(())))
            })
        });
        let reader = SeaDatabase::connect(reading).await?;
        let mut examining = options(url, kind, EXAMINERS, true);
        examining
            .min_connections(0)
            .connect_lazy(true)
            .idle_timeout(EXAMINER_IDLE);
        let examiner = SeaDatabase::connect(examining).await?;
        Ok(Self {
            writer,
            reader,
            examiner,
            kind,
            connections,
            flushing: Arc::default(),
        })
    }

    /// The same over connections that the simulation made.
    #[cfg(feature = "simulation")]
    pub(crate) async fn simulated(
        writer: DatabaseConnection,
        reader: DatabaseConnection,
        connections: Arc<AtomicU64>,
    ) -> Result<Self, DbErr> {
        Migrator::up(&writer, None).await?;
        Ok(Self {
            writer,
            examiner: reader.clone(),
            reader,
            kind: DatabaseKind::Sqlite,
            connections,
            flushing: Arc::default(),
        })
    }

    /// Makes every commit so far durable, before the log that could repeat it is purged. Returns the index of the last entry that is
    /// durable now: less than was applied, where a crash has taken commits that had not been flushed.
    pub(crate) async fn flush(&self) -> Result<Option<u64>, DbErr> {
        failpoint!("flush.before", DbErr::from);
        if self.kind == DatabaseKind::Postgres {
            // One flushed commit flushes everything before it in PostgreSQL's own log.
            let tx = self.begin_flushed().await?;
            return touch(tx).await;
        }
        // The same, by SQLite's rules for write-ahead logs. Nobody takes the setting back in between.
        let _flushing = self.flushing.lock().await;
        let writer = &self.writer;
        writer
            .execute_unprepared("PRAGMA synchronous = FULL")
            .await?;
        let flushed = self.touch_if_flushed().await;
        // In any case.
        writer
            .execute_unprepared("PRAGMA synchronous = NORMAL")
            .await?;
        flushed
    }

    /// The pool may have made another connection since the setting.
    async fn touch_if_flushed(&self) -> Result<Option<u64>, DbErr> {
        let tx = self.writer.begin().await?;
        match flushes_commits(&tx).await? {
            true => touch(tx).await,
            false => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    /// Begins a transaction that PostgreSQL flushes when it is committed, unlike others. For SQLite, [`flush`](Self::flush) after it.
    pub(crate) async fn begin_flushed(&self) -> Result<DatabaseTransaction, DbErr> {
        let tx = self.writer.begin().await?;
        if self.kind == DatabaseKind::Postgres {
            tx.execute_unprepared("SET LOCAL synchronous_commit = on")
                .await?;
        }
        Ok(tx)
    }

    /// Counts the readers' connections: a new number means that the server may have crashed since the old one.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Acquire)
    }

    /// The connections of the writer and of the readers.
    pub(crate) fn pools(&self) -> [Pool; 2] {
        [("writer", &self.writer), ("reader", &self.reader)].map(|(name, db)| {
            let (size, idle, limit) = match self.kind {
                DatabaseKind::Postgres => {
                    let pool = db.get_postgres_connection_pool();
                    (
                        pool.size(),
                        pool.num_idle(),
                        pool.options().get_max_connections(),
                    )
                }
                DatabaseKind::Sqlite => {
                    let pool = db.get_sqlite_connection_pool();
                    (
                        pool.size(),
                        pool.num_idle(),
                        pool.options().get_max_connections(),
                    )
                }
            };
            Pool {
                name,
                size: size.into(),
                idle: idle as u64,
                limit: limit.into(),
            }
        })
    }

    pub(crate) async fn close(&self) {
        for pool in [&self.writer, &self.reader, &self.examiner] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::debug!(%error, "a connection pool did not close");
            }
        }
    }
}

/// Commits something that changes nothing. Returns where the state stands in it.
async fn touch(tx: DatabaseTransaction) -> Result<Option<u64>, DbErr> {
    tx.execute_unprepared("UPDATE replica_state SET id = id")
        .await?;
    let index = stored_index(&tx).await?;
    tx.commit().await?;
    Ok(index)
}

/// True where this SQLite connection flushes what it commits.
async fn flushes_commits(tx: &DatabaseTransaction) -> Result<bool, DbErr> {
    const FULL: i64 = 2;
    let sql = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA synchronous");
    let row = tx.query_one_raw(sql).await?;
    let setting = row
        .map(|row| row.try_get::<i64>("", "synchronous"))
        .transpose()?;
    Ok(setting == Some(FULL))
}

/// The index of the last applied entry, as stored.
pub(crate) async fn stored_index<C: ConnectionTrait>(db: &C) -> Result<Option<u64>, DbErr> {
    let row = replica_state::Entity::find_by_id(replica_state::ONLY_ROW)
        .one(db)
        .await?;
    Ok(row.and_then(|row| u64::try_from(row.last_applied_index).ok()))
}

/// Says what to do about a schema with steps that this version does not know. The library that takes the steps tells it by
/// its text only; a test looks whether it still does.
fn newer_schema(error: DbErr) -> DbErr {
    match &error {
        DbErr::Custom(text) if text.contains("is missing") => DbErr::Custom(format!(
            "its schema is that of a newer version: upgrade this replica ({text})"
        )),
        _ => error,
    }
}

/// As a lost connection would be seen.
#[cfg(feature = "failpoints")]
impl From<crate::failpoint::Injected> for DbErr {
    fn from(injected: crate::failpoint::Injected) -> Self {
        Self::Exec(RuntimeErr::SqlxError(Arc::new(SqlxError::Io(
            injected.into(),
        ))))
    }
}

fn kind_of(url: &str) -> Result<DatabaseKind, DbErr> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => Ok(DatabaseKind::Postgres),
        Some("sqlite") => Ok(DatabaseKind::Sqlite),
        _ => Err(DbErr::Custom(
            "the database URL must begin with postgres:// or sqlite://".to_owned(),
        )),
    }
}

fn options(url: &str, kind: DatabaseKind, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .sqlx_logging(false);
    match kind {
        DatabaseKind::Postgres => {
            let name = if read_only {
                "threefold reader"
            } else {
                "threefold writer"
            };
            options.map_sqlx_postgres_opts(move |postgres| {
                let postgres = postgres.application_name(name);
                if read_only {
                    postgres.options([("default_transaction_read_only", "on")])
                } else {
                    // Each of its statements finds its rows by a key and has one good plan, whatever the values: to look for a
                    // better one every time takes longer than to carry it out. It is made while the tables may yet be empty, where
                    // a planner would rather read them from end to end.
                    postgres.options([
                        ("synchronous_commit", "off"),
                        ("plan_cache_mode", "force_generic_plan"),
                        ("enable_seqscan", "off"),
                        ("jit", "off"),
                    ])
                }
            });
        }
        DatabaseKind::Sqlite => {
            options.map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .create_if_missing(!read_only)
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "NORMAL")
                    .pragma("query_only", if read_only { "ON" } else { "OFF" })
                    .pragma("cache_size", "-16384")
                    // In pages, which are 4 kB: whoever commits when there are so many puts them into the database file, and waits.
                    .pragma("wal_autocheckpoint", "4096")
                    .busy_timeout(Duration::from_secs(5))
            });
        }
    }
    options
}

/// True for failures that may pass without anybody's doing: a lost connection, a database that is starting or
/// stopping, a lock, a serialisation failure. Codes: PostgreSQL manual, appendix A; SQLite result codes.
pub(crate) fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner) => match inner {
            RuntimeErr::SqlxError(error) => is_transient_driver(error),
            _ => false,
        },
        _ => false,
    }
}

fn is_transient_driver(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_)
        | SqlxError::PoolTimedOut
        | SqlxError::WorkerCrashed
        | SqlxError::Protocol(_) => true,
        SqlxError::Database(error) => error.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

fn is_transient_code(code: &str) -> bool {
    // Connection exceptions, transaction rollbacks, insufficient resources (disk full, out of memory, too many
    // connections), operator intervention; for SQLite busy, locked, I/O error and full, with their extended codes.
    // PostgreSQL's codes have five places and no class 10, SQLite's are numbers of up to five digits.
    if code.len() == 5 && !code.starts_with("10") {
        return ["08", "40", "53", "57"]
            .iter()
            .any(|class| code.starts_with(class));
    }
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_failures_are_told_from_lasting_ones() {
        for code in [
            "08006", "40001", "40P01", "53300", "53100", "57P01", "57P03", "5", "261", "13",
            "10250",
        ] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["23505", "22021", "42P01", "22003", "28P01", "1", "19", "11"] {
            assert!(!is_transient_code(code), "{code}");
        }
    }

    #[tokio::test]
    async fn the_schema_of_a_newer_version_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let db = Database::open(&url).await.unwrap();
        let step = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)";
        db.writer.execute_unprepared(step).await.unwrap();
        db.close().await;
        let refused = Database::open(&url).await.unwrap_err().to_string();
        assert!(refused.contains("upgrade this replica"), "{refused}");
    }

    #[tokio::test]
    async fn a_step_of_the_schema_that_was_cut_short_is_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("state.db").display()
        );
        let obstacle = SeaDatabase::connect(&url).await.unwrap();
        let sql = "CREATE TABLE expense_term (in_the_way TEXT)";
        obstacle.execute_unprepared(sql).await.unwrap();
        Database::open(&url).await.unwrap_err();
        let sql = "DROP TABLE expense_term";
        obstacle.execute_unprepared(sql).await.unwrap();
        obstacle.close().await.unwrap();
        let db = Database::open(&url).await;
        db.expect("what the step had made before it failed is not in the way");
    }

    #[test]
    fn only_known_databases_are_taken() {
        assert_eq!(kind_of("postgres://x/y"), Ok(DatabaseKind::Postgres));
        assert_eq!(kind_of("sqlite:///tmp/x.db"), Ok(DatabaseKind::Sqlite));
        assert!(kind_of("mysql://x").is_err());
        assert!(kind_of("nothing").is_err());
    }
}
