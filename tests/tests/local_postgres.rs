//! Promise: PostgreSQL servers for the demo and the tests start from nothing, keep their data, and leave nothing behind.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sea_orm::{ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Statement};
use tempfile::TempDir;
use threefold_api::local_postgres::{Error, LocalPostgres, Settings};
use threefold_tests::ports;

/// Open for passing through: PostgreSQL may run as another user.
fn folder() -> TempDir {
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .unwrap()
}

fn settings(folder: &Path, port: u16) -> Settings {
    Settings {
        directory: folder.join("database"),
        log: folder.join("postgres.log"),
        port,
        flush_new_directory: false,
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    Database::connect(url).await.unwrap()
}

async fn text(connection: &DatabaseConnection, sql: &str) -> String {
    let statement = Statement::from_string(DatabaseBackend::Postgres, sql);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn data_stays_over_an_orderly_stop_and_over_a_hasty_one() {
    let folder = folder();
    let port = ports::reserve();

    // First start: an empty database in UTF-8 with locale C, on loopback only.
    let server = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap();
    let connection = connect(&server.url()).await;
    assert_eq!(
        text(&connection, "SELECT current_database()::text").await,
        "threefold"
    );
    assert_eq!(text(&connection, "SHOW server_encoding").await, "UTF8");
    let collation = "SELECT datcollate::text FROM pg_database WHERE datname = 'threefold'";
    assert_eq!(text(&connection, collation).await, "C");
    assert_eq!(
        text(&connection, "SHOW listen_addresses").await,
        "127.0.0.1"
    );
    assert_eq!(text(&connection, "SHOW fsync").await, "on");
    connection
        .execute_unprepared("CREATE TABLE note (line text)")
        .await
        .unwrap();
    connection
        .execute_unprepared("INSERT INTO note VALUES ('first')")
        .await
        .unwrap();

    // An orderly stop does not wait for clients that stay connected.
    server.stop().await.unwrap();
    drop(connection);
    TcpListener::bind(("127.0.0.1", port.number())).unwrap();
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(log.contains("database system is shut down"), "{log}");

    // Second start: the same data. Dropped without a word this time.
    let server = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap();
    let connection = connect(&server.url()).await;
    assert_eq!(text(&connection, "SELECT line FROM note").await, "first");
    connection
        .execute_unprepared("INSERT INTO note VALUES ('second')")
        .await
        .unwrap();
    drop(connection);
    drop(server);
    TcpListener::bind(("127.0.0.1", port.number())).unwrap();

    // Third start: what was committed is still there.
    let server = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap();
    let connection = connect(&server.url()).await;
    assert_eq!(
        text(
            &connection,
            "SELECT string_agg(line, ',' ORDER BY line) FROM note"
        )
        .await,
        "first,second"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_killed_starts_again() {
    let folder = folder();
    let port = ports::reserve();
    let mut server = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap();
    assert!(server.exited().unwrap().is_none());
    let process_id = i32::try_from(server.process().id()).unwrap();

    kill(Pid::from_raw(process_id), Signal::SIGKILL).unwrap();
    assert!(
        server
            .process()
            .wait(Duration::from_secs(5))
            .await
            .unwrap()
            .is_some()
    );
    assert!(server.exited().unwrap().is_some());
    drop(server);

    let server = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap();
    assert_eq!(
        text(&connect(&server.url()).await, "SELECT 'here'").await,
        "here"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn three_servers_run_side_by_side() {
    let folder = folder();
    let ports = [ports::reserve(), ports::reserve(), ports::reserve()];
    let servers = futures_util::future::join_all(ports.iter().zip(1..).map(async |(port, id)| {
        let own = folder.path().join(format!("replica-{id}"));
        fs::create_dir(&own).unwrap();
        LocalPostgres::start(settings(&own, port.number()))
            .await
            .unwrap()
    }))
    .await;
    for (server, port) in servers.iter().zip(&ports) {
        let connection = connect(&server.url()).await;
        assert_eq!(
            text(&connection, "SHOW port").await,
            port.number().to_string()
        );
    }
    for server in servers {
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let folder = folder();
    let port = ports::reserve();
    let _taken = TcpListener::bind(("127.0.0.1", port.number())).unwrap();
    let error = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Port { port: named, .. } if named == port.number()),
        "{error:?}"
    );
    assert!(
        error.to_string().contains(&port.number().to_string()),
        "{error}"
    );
    assert!(
        !folder.path().join("database").exists(),
        "nothing is made where nothing can run"
    );
}

#[tokio::test]
async fn the_server_of_an_earlier_run_is_named() {
    let folder = folder();
    let port = ports::reserve();
    let mut server = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap();
    let process_id = server.process().id();
    let error = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("kill -INT {process_id}")),
        "{error}"
    );

    // At another port, PostgreSQL itself protects the directory; its log says why.
    let other = ports::reserve();
    let error = LocalPostgres::start(settings(folder.path(), other.number()))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Exited { .. }), "{error:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn foreign_files_are_left_alone() {
    let folder = folder();
    let port = ports::reserve();
    let directory = folder.path().join("database");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("letters.txt"), "dear").unwrap();
    let error = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::NotADataDirectory { .. }),
        "{error:?}"
    );
    assert_eq!(
        fs::read_to_string(directory.join("letters.txt")).unwrap(),
        "dear"
    );
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_says_what_to_install() {
    let folder = folder();
    let port = ports::reserve();
    let directory = folder.path().join("database");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("PG_VERSION"), "9\n").unwrap();
    let error = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("apt-get install postgresql-9"),
        "{error}"
    );
}

#[tokio::test]
async fn an_interrupted_first_start_is_begun_anew() {
    let folder = folder();
    let port = ports::reserve();
    let unfinished = folder.path().join("database.new");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "half").unwrap();
    let server = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap();
    assert!(!unfinished.exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_postgres_may_not_enter_is_named() {
    if !geteuid().is_root() {
        // Only root lends PostgreSQL another user.
        return;
    }
    let folder = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .unwrap();
    let port = ports::reserve();
    let error = LocalPostgres::start(settings(folder.path(), port.number()))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::DirectoryClosed { .. }), "{error:?}");
    assert!(error.to_string().contains("may not enter"), "{error}");
}
