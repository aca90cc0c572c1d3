//! The storage under the consensus engine passes the engine's own suite, on both databases.

use threefold_replication::conformance;
use threefold_tests::postgres::TestPostgres;

#[test]
fn the_storage_conforms_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    conformance::run(folder.path().to_owned(), None).unwrap();
}

#[test]
fn the_storage_conforms_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    // The suite makes a runtime of its own for each case; the server lives in this one.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestPostgres::start(folder.path()));
    let run = conformance::run(folder.path().join("cases"), Some(server.url()));
    let _runtime = runtime.enter();
    drop(server);
    run.unwrap();
}
