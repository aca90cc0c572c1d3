//! Promise 9: ordinary clients from npm, unmodified, work with any replica. The tests themselves are in `tests/clients`.

use std::path::Path;
use std::process::Stdio;

use threefold_tests::{Cluster, DatabaseKind};
use tokio::process::Command;
use tokio::sync::OnceCell;

/// Once, for tests that run side by side.
static INSTALLED: OnceCell<()> = OnceCell::const_new();

async fn ordinary_clients_work(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let urls = cluster.urls().join(",");
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    INSTALLED
        .get_or_init(async || npm(&clients, &["ci", "--no-audit", "--no-fund"], &urls).await)
        .await;
    npm(&clients, &["test"], &urls).await;
}

async fn npm(folder: &Path, arguments: &[&str], urls: &str) {
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(folder)
        .env("THREEFOLD_URLS", urls)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("npm runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(
        output.status.success(),
        "npm {arguments:?}: {}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_clients_work_on_postgres() {
    ordinary_clients_work(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_clients_work_on_sqlite() {
    ordinary_clients_work(DatabaseKind::Sqlite).await;
}
