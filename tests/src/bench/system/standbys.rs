//! The peer that writes the same row as plainly as can be: PostgreSQL with two synchronous standbys, asked by pgbench.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, FromQueryResult, Statement};
use tempfile::TempDir;
use threefold_api::local_postgres::{self, LocalPostgres, Settings};

use crate::bench::figures::{Tally, latencies, note};
use crate::ports::{self, Port};
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(60);
/// More clients than any run has.
const MAX_CONNECTIONS: u32 = 400;

/// The table of expenses as Threefold has it, without the indexes by which it lists and searches.
const TABLE: &str = "CREATE TABLE bare (id uuid PRIMARY KEY, ledger_id uuid NOT NULL, description text NOT NULL, \
    description_key text NOT NULL, amount_minor bigint NOT NULL, currency text NOT NULL, amount_whole bigint NOT NULL, \
    amount_fraction smallint NOT NULL, spent_on date NOT NULL, category_id uuid, notes text, tags text NOT NULL, \
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, version integer NOT NULL, revision bigint NOT NULL, \
    deleted_at timestamptz)";

/// The same with the indexes by which Threefold lists; not with those by which it searches.
const INDEXED: &str = "CREATE TABLE indexed (LIKE bare INCLUDING ALL); \
    CREATE INDEX ON indexed (ledger_id, spent_on, id) WHERE deleted_at IS NULL; \
    CREATE INDEX ON indexed (ledger_id, amount_whole, amount_fraction, id) WHERE deleted_at IS NULL; \
    CREATE INDEX ON indexed (ledger_id, created_at, id) WHERE deleted_at IS NULL; \
    CREATE INDEX ON indexed (ledger_id, description_key, id) WHERE deleted_at IS NULL; \
    CREATE INDEX ON indexed (ledger_id, currency, spent_on, id) WHERE deleted_at IS NULL; \
    CREATE INDEX ON indexed (category_id, spent_on, id); \
    CREATE INDEX ON indexed (ledger_id, spent_on, id) WHERE deleted_at IS NOT NULL";

/// Which table is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// It has a primary key.
    Bare,
    /// It has the indexes as well without which no page of it could be read in time.
    Indexed,
}

impl Into {
    const ALL: [Self; 2] = [Self::Bare, Self::Indexed];

    const fn table(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Indexed => "indexed",
        }
    }
}

/// One expense a transaction, into a table.
const SCRIPT: &str = "\\set number random(1, 1000000000)\n\
    INSERT INTO {table} VALUES (gen_random_uuid(), '7b1f5e0a-3f0d-4c56-9a52-0d7c3e1f0001', 'Lunch ' || :number, 'lunch ' || :number, \
    1250, 'EUR', 12, 5000, '2026-11-22', NULL, NULL, '[]', now(), now(), 1, :number, NULL);\n";

/// How many standbys a commit waits for, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Both have applied it: reads on them see it.
    BothApplied,
    /// One of them has flushed it.
    OneFlushed,
}

impl Wait {
    const fn settings(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::BothApplied => [
                ("synchronous_standby_names", "FIRST 2 (s1, s2)"),
                ("synchronous_commit", "remote_apply"),
            ],
            Self::OneFlushed => [
                ("synchronous_standby_names", "ANY 1 (s1, s2)"),
                ("synchronous_commit", "on"),
            ],
        }
    }
}

/// See the module. The first server is the primary.
#[derive(Debug)]
pub struct Standbys {
    // Stopped before the folder goes: fields are dropped in this order.
    _servers: Vec<LocalPostgres>,
    pids: Vec<u32>,
    primary: DatabaseConnection,
    folder: TempDir,
    ports: Vec<Port>,
}

impl Standbys {
    /// Starts the primary, copies it twice, and waits until both follow.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // The servers run as another user where this runs as root.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("a folder that others may enter");
        let ports: Vec<Port> = (0..3).map(|_| ports::reserve()).collect();
        let settings = |number: usize| Settings {
            directory: folder.path().join(format!("server-{number}")),
            log: folder.path().join(format!("server-{number}.log")),
            port: ports[number].number(),
            flush_new_directory: false,
        };
        let server = LocalPostgres::start(settings(0)).await.expect("a primary");
        let db = Database::connect(server.url()).await.expect("a connection");
        let setting = format!("ALTER SYSTEM SET max_connections = {MAX_CONNECTIONS}");
        db.execute_unprepared(&setting).await.expect("a setting");
        for table in [TABLE, INDEXED] {
            db.execute_unprepared(table).await.expect("a table");
        }
        db.close().await.expect("the connection closes");
        server.stop().await.expect("the primary stops");
        let primary = LocalPostgres::start(settings(0)).await.expect("a primary");
        let db = Database::connect(primary.url())
            .await
            .expect("a connection");
        let mut servers = vec![primary];
        for number in 1..=2 {
            let settings = settings(number);
            copy(ports[0].number(), number, &settings.directory);
            servers.push(LocalPostgres::start(settings).await.expect("a standby"));
        }
        let standbys = Self {
            pids: servers.iter_mut().map(|s| s.process().id()).collect(),
            _servers: servers,
            primary: db,
            folder,
            ports,
        };
        for into in Into::ALL {
            let script = SCRIPT.replace("{table}", into.table());
            fs::write(standbys.script(into), script).expect("a script");
        }
        standbys.wait_until_streaming().await;
        standbys
    }

    /// The servers' process numbers, the primary's first.
    pub fn pids(&self) -> Vec<u32> {
        self.pids.clone()
    }

    /// Waits until both standbys receive what is written.
    pub async fn wait_until_streaming(&self) {
        #[derive(FromQueryResult)]
        struct Count {
            streaming: i64,
        }
        until("both standbys to follow", PATIENCE, async || {
            let sql =
                "SELECT count(*) AS streaming FROM pg_stat_replication WHERE state = 'streaming'";
            let backend = self.primary.get_database_backend();
            let count = Count::find_by_statement(Statement::from_string(backend, sql));
            match count.one(&self.primary).await.map_err(|e| e.to_string())? {
                Some(Count { streaming: 2 }) => Ok(()),
                count => Err(format!("{:?} do", count.map(|count| count.streaming))),
            }
        })
        .await;
    }

    /// Has pgbench write for so long, and counts what was written after the warm-up.
    ///
    /// # Errors
    /// What pgbench says.
    pub async fn write(
        &self,
        (wait, into): (Wait, Into),
        clients: usize,
        warm_up: Duration,
        time: Duration,
    ) -> Result<Tally, String> {
        for (name, value) in wait.settings() {
            let sql = format!("ALTER SYSTEM SET {name} = '{value}'");
            let set = self.primary.execute_unprepared(&sql).await;
            set.map_err(|error| error.to_string())?;
        }
        let reload = "SELECT pg_reload_conf()";
        let reloaded = self.primary.execute_unprepared(reload).await;
        reloaded.map_err(|error| error.to_string())?;

        let prefix = self.folder.path().join("latencies");
        let mut command = tokio::process::Command::new(program("pgbench"));
        command
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--log"])
            .arg(format!("--client={clients}"))
            .arg(format!("--time={}", (warm_up + time).as_secs()))
            .arg(format!("--log-prefix={}", prefix.display()))
            .arg(format!("--file={}", self.script(into).display()))
            .args(["--host=127.0.0.1", "--username=postgres"])
            .arg(format!("--port={}", self.ports[0].number()))
            .arg("threefold")
            .stdin(Stdio::null());
        let output = command.output().await.map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let log = self.take_log()?;
        tally(&log, warm_up, time)
    }

    fn script(&self, into: Into) -> PathBuf {
        self.folder.path().join(format!("{}.sql", into.table()))
    }

    fn take_log(&self) -> Result<String, String> {
        let entries = fs::read_dir(self.folder.path()).map_err(|error| error.to_string())?;
        let path = entries
            .flatten()
            .map(|entry| entry.path())
            .find(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("latencies."))
            })
            .ok_or("pgbench has left no log")?;
        let log = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        fs::remove_file(path).map_err(|error| error.to_string())?;
        Ok(log)
    }
}

fn program(name: &str) -> PathBuf {
    local_postgres::program(name).expect("PostgreSQL is installed")
}

/// Makes a standby out of the primary, owned by who owns the primary.
fn copy(primary: u16, number: usize, folder: &Path) {
    let connection =
        format!("host=127.0.0.1 port={primary} user=postgres application_name=s{number}");
    let output = Command::new(program("pg_basebackup"))
        .arg(format!("--pgdata={}", folder.display()))
        .arg(format!("--dbname={connection}"))
        .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
        .output()
        .expect("pg_basebackup");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let original = folder.with_file_name("server-0");
    let owner = fs::metadata(original).expect("the primary's folder");
    give(folder, owner.uid(), owner.gid());
}

fn give(path: &Path, user: u32, group: u32) {
    chown(path, Some(user), Some(group)).expect("the standby's owner");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("the standby's folder").flatten() {
            give(&entry.path(), user, group);
        }
    }
}

/// Reads pgbench's log of transactions: client, number, microseconds, script, and the second and microsecond of the end.
fn tally(log: &str, warm_up: Duration, time: Duration) -> Result<Tally, String> {
    let fields = |line: &str| -> Option<(Duration, Duration)> {
        let fields: Vec<u64> = line
            .split(' ')
            .map_while(|field| field.parse().ok())
            .collect();
        let [_client, _number, micros, _script, second, micro, ..] = fields[..] else {
            return None;
        };
        let ended = Duration::from_secs(second) + Duration::from_micros(micro);
        Some((Duration::from_micros(micros), ended))
    };
    let mut lines = Vec::new();
    for line in log.lines() {
        lines.push(fields(line).ok_or_else(|| format!("pgbench's log says {line:?}"))?);
    }
    let begun = lines.iter().map(|(took, ended)| *ended - *took).min();
    let begun = begun.ok_or("pgbench has written nothing")? + warm_up;
    let mut latencies = latencies();
    for (took, ended) in lines {
        if ended - took >= begun && ended < begun + time {
            note(&mut latencies, took);
        }
    }
    Ok(Tally {
        time,
        latencies,
        ..Tally::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_counted_after_the_warm_up() {
        let log = "0 1 1000 0 100 500000\n1 1 2000 0 102 0\n0 2 3000 0 103 5000\n0 3 500 0 140 0\n";
        let tally = tally(log, Duration::from_secs(1), Duration::from_secs(10)).unwrap();
        let figures = tally.figures();
        assert_eq!(figures.operations, 2);
        assert!((figures.p50_ms - 2.0).abs() < 0.01, "{figures:?}");
        assert!((figures.max_ms - 3.0).abs() < 0.01, "{figures:?}");
        assert!(super::tally("what", Duration::ZERO, Duration::ZERO).is_err());
    }
}
