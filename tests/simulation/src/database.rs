//! A replica's database that runs in the thread of whoever asks, so that its answers come at the same simulated moment in
//! every run: SQLite itself, under the SQL that SeaORM writes, without the worker threads of the usual driver.
//!
//! It loses what was not flushed: each commit leaves a picture of the whole database, a commit under `PRAGMA synchronous = FULL`
//! (as in `Database::flush`) is safe with all before it, and a crash goes back to that or to one after it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, MAIN_DB, params_from_iter};
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, RuntimeErr, SqlxError,
    Statement, Transaction, Value,
};
use uuid::Uuid;

use crate::breakage::Breakage;
use crate::value::{columns, failed, row, stored};

/// Pictures kept since the last flush; with more, the oldest are no longer gone back to.
const PICTURES: usize = 12;

/// What SQLite says where commits are flushed.
const FULL: i32 = 2;

type Picture = Arc<[u8]>;

/// See the module. Clones are the same database; it outlives the replicas that use it.
#[derive(Clone)]
pub struct SimulatedDatabase {
    state: Arc<Mutex<State>>,
}

struct State {
    writer: Connection,
    /// Has the newest picture once somebody reads.
    reader: Connection,
    reader_is_at: u64,
    commits: u64,
    flushed: Picture,
    /// Since the flush, oldest first.
    pictures: VecDeque<Picture>,
    in_transaction: bool,
    breakage: Option<Breakage>,
    /// Counts the connections made: those of a crashed process do nothing any more.
    epoch: u64,
    /// It is down, and will be back.
    failing: bool,
}

impl SimulatedDatabase {
    /// An empty database.
    pub fn new(breakage: Option<Breakage>) -> rusqlite::Result<Self> {
        let writer = writer()?;
        // A file of no page at all cannot be gone back to.
        writer.execute_batch("PRAGMA user_version = 1")?;
        let flushed = picture(&writer)?;
        let state = State {
            writer,
            reader: Connection::open_in_memory()?,
            reader_is_at: 0,
            commits: 1,
            flushed,
            pictures: VecDeque::new(),
            in_transaction: false,
            breakage,
            epoch: 0,
            failing: false,
        };
        Ok(Self {
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// The connections of a process that starts: the one that writes, and the one that reads.
    pub fn connect(&self) -> (DatabaseConnection, DatabaseConnection) {
        let epoch = {
            let mut state = self.lock();
            state.epoch += 1;
            state.failing = false;
            state.epoch
        };
        let connection = |reads_only| {
            let connection = SimulatedConnection {
                database: self.clone(),
                reads_only,
                epoch,
            };
            let connection = Arc::new(MockDatabaseConnection::new(connection));
            DatabaseConnectionType::MockDatabaseConnection(connection).into()
        };
        (connection(false), connection(true))
    }

    /// The power fails. Of the commits that were not flushed, `keep` says how many survive, given how many there are.
    pub fn crash(&self, keep: impl FnOnce(usize) -> usize) -> rusqlite::Result<()> {
        self.crash_under(keep)?;
        let mut state = self.lock();
        state.epoch += 1;
        state.failing = false;
        Ok(())
    }

    /// The same, while the process that uses it goes on: as of a server of its own. It is down until [`Self::fail`] says
    /// otherwise.
    pub fn crash_under(&self, keep: impl FnOnce(usize) -> usize) -> rusqlite::Result<()> {
        let mut state = self.lock();
        state.failing = true;
        let kept = keep(state.pictures.len());
        if let Some(last) = kept.checked_sub(1)
            && let Some(survivor) = state.pictures.get(last).cloned()
        {
            state.flushed = survivor;
        }
        state.pictures.clear();
        state.in_transaction = false;
        state.commits += 1;
        state.writer = writer()?;
        let flushed = state.flushed.clone();
        restore(&mut state.writer, &flushed)
    }

    /// From here on every statement fails, as without a connection; or no longer.
    pub fn fail(&self, failing: bool) {
        self.lock().failing = failing;
    }

    /// Every row of the tables that all replicas must have alike, as text, in order of the keys.
    pub fn rows(&self) -> rusqlite::Result<Vec<String>> {
        const TABLES: [&str; 6] = [
            "SELECT * FROM ledger ORDER BY id",
            "SELECT * FROM category ORDER BY id",
            "SELECT * FROM expense ORDER BY id",
            "SELECT * FROM expense_term ORDER BY expense_id, term",
            "SELECT * FROM change ORDER BY revision",
            "SELECT * FROM idempotency_key ORDER BY key",
        ];
        let state = self.lock();
        let mut rows = Vec::new();
        for sql in TABLES {
            let mut statement = state.writer.prepare(sql)?;
            let width = statement.column_count();
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let values = (0..width).map(|place| row.get_ref(place).map(|it| format!("{it:?}")));
                let values: Vec<String> = values.collect::<rusqlite::Result<_>>()?;
                rows.push(format!("{sql}: {}", values.join(", ")));
            }
        }
        Ok(rows)
    }

    /// The keys that are known, and what became of their commands: the revision of those that were accepted.
    pub fn keys(&self) -> rusqlite::Result<BTreeMap<Uuid, Option<i64>>> {
        let state = self.lock();
        let sql = "SELECT key, revision, refusals IS NULL FROM idempotency_key";
        let mut statement = state.writer.prepare(sql)?;
        let keys = statement.query_map([], |row| {
            let key: Vec<u8> = row.get(0)?;
            let (revision, accepted): (i64, bool) = (row.get(1)?, row.get(2)?);
            let key = Uuid::from_slice(&key).unwrap_or_default();
            Ok((key, accepted.then_some(revision)))
        })?;
        keys.collect()
    }

    /// The revisions in the history, in order.
    pub fn revisions(&self) -> rusqlite::Result<Vec<i64>> {
        let state = self.lock();
        let mut statement = state
            .writer
            .prepare("SELECT revision FROM change ORDER BY revision")?;
        let revisions = statement.query_map([], |row| row.get(0))?;
        revisions.collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SimulatedDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedDatabase")
    }
}

impl State {
    fn committed(&mut self) -> Result<(), DbErr> {
        self.commits += 1;
        let picture = picture(&self.writer).map_err(failed)?;
        let setting = self
            .writer
            .pragma_query_value(None, "synchronous", |row| row.get::<_, i32>(0));
        let flushes = setting.map_err(failed)? == FULL;
        if flushes && self.breakage != Some(Breakage::DatabaseFlush) {
            self.pictures.clear();
            self.flushed = picture;
            return Ok(());
        }
        self.pictures.push_back(picture);
        while self.pictures.len() > PICTURES {
            self.pictures.pop_front();
        }
        Ok(())
    }

    /// The connection to read by: the writer sees its own transaction, readers what is committed.
    fn readable(&mut self, reads_only: bool) -> Result<&Connection, DbErr> {
        if !reads_only {
            return Ok(&self.writer);
        }
        if self.reader_is_at != self.commits {
            let newest = self.pictures.back().unwrap_or(&self.flushed).clone();
            self.reader = Connection::open_in_memory().map_err(failed)?;
            restore(&mut self.reader, &newest).map_err(failed)?;
            self.reader_is_at = self.commits;
        }
        Ok(&self.reader)
    }
}

/// A connection that does not flush what it commits.
fn writer() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

fn picture(connection: &Connection) -> rusqlite::Result<Picture> {
    let data = connection.serialize(MAIN_DB)?;
    Ok(Arc::from(&data[..]))
}

fn restore(connection: &mut Connection, picture: &Picture) -> rusqlite::Result<()> {
    connection.deserialize_read_exact(MAIN_DB, &picture[..], picture.len(), false)
}

/// One connection of one process. SeaORM's trait for databases of tests is the one way to run its statements without a
/// driver; there is nothing else of a mock in this.
#[derive(Debug)]
struct SimulatedConnection {
    database: SimulatedDatabase,
    reads_only: bool,
    epoch: u64,
}

impl SimulatedConnection {
    fn state(&self) -> Result<MutexGuard<'_, State>, DbErr> {
        let state = self.database.lock();
        if state.epoch != self.epoch {
            Err(failed("the process of this connection has crashed"))
        } else if state.failing {
            let lost = Arc::new(SqlxError::PoolTimedOut);
            Err(DbErr::Exec(RuntimeErr::SqlxError(lost)))
        } else {
            Ok(state)
        }
    }

    /// Begins or ends a transaction.
    fn turn(&self, sql: &str) {
        let mut state = self.database.lock();
        if self.reads_only || state.epoch != self.epoch {
            return;
        }
        let begins = sql == "BEGIN";
        if !begins && !state.in_transaction {
            // The database has crashed under it.
            return;
        }
        assert!(
            !(begins && state.in_transaction),
            "one transaction at a time"
        );
        state.in_transaction = begins;
        state.writer.execute_batch(sql).expect(sql);
        if sql == "COMMIT" {
            state.committed().expect("a picture can be taken");
        }
    }

    fn found(&self, statement: &Statement) -> Result<Vec<BTreeMap<String, Value>>, DbErr> {
        let mut state = self.state()?;
        let connection = state.readable(self.reads_only)?;
        let mut prepared = connection.prepare_cached(&statement.sql).map_err(failed)?;
        let columns = columns(&prepared);
        let mut found = prepared
            .query(params_from_iter(parameters(statement)?))
            .map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(next) = found.next().map_err(failed)? {
            rows.push(row(&columns, next)?);
        }
        Ok(rows)
    }

    /// Carries a statement out; returns the number of rows.
    fn carried_out(&self, statement: &Statement) -> Result<u64, DbErr> {
        let mut state = self.state()?;
        assert!(!self.reads_only, "readers do not write: {}", statement.sql);
        if state.breakage.is_some_and(|it| it.swallows(&statement.sql)) {
            return Ok(1);
        }
        let mut prepared = state
            .writer
            .prepare_cached(&statement.sql)
            .map_err(failed)?;
        let values = params_from_iter(parameters(statement)?);
        let rows = prepared.execute(values).map_err(failed)?;
        drop(prepared);
        let is_setting = statement.sql.starts_with("PRAGMA");
        if state.writer.is_autocommit() && !is_setting {
            state.committed()?;
        }
        Ok(rows as u64)
    }
}

impl MockDatabaseTrait for SimulatedConnection {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        let result = MockExecResult {
            last_insert_id: 0,
            rows_affected: self.carried_out(&statement)?,
        };
        // Only this can make the results that SeaORM reads.
        let mut maker = MockDatabase::new(DbBackend::Sqlite).append_exec_results([result]);
        MockDatabaseTrait::execute(&mut maker, 0, statement)
    }

    fn query(&mut self, _: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = self.found(&statement)?;
        let mut maker = MockDatabase::new(DbBackend::Sqlite).append_query_results([rows]);
        MockDatabaseTrait::query(&mut maker, 0, statement)
    }

    fn begin(&mut self) {
        self.turn("BEGIN");
    }

    fn commit(&mut self) {
        self.turn("COMMIT");
    }

    fn rollback(&mut self) {
        self.turn("ROLLBACK");
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    fn ping(&self) -> Result<(), DbErr> {
        self.state().map(|_| ())
    }
}

fn parameters(statement: &Statement) -> Result<Vec<rusqlite::types::Value>, DbErr> {
    let values = statement.values.iter().flat_map(|values| values.0.iter());
    values.map(stored).collect()
}
