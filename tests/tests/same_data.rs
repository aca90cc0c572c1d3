//! Promise 1: what was imported through a follower is in all three databases, row by row and hash by hash.

use std::fs;

use threefold_tests::{Cluster, DatabaseKind, binary, inspect};

const ROWS: usize = 5_000;

async fn imported_rows_are_in_all_databases(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let follower = cluster.replica(cluster.followers().await[0]);

    // A sample is the same for the same seed.
    let arguments = ["sample", "--rows", &ROWS.to_string(), "--seed", "7"];
    let sample = binary::run(&arguments).await;
    assert_eq!(
        sample,
        binary::run(&arguments).await,
        "the same seed, and another sample"
    );
    let file = cluster.file("sample.csv");
    fs::write(&file, &sample).unwrap();

    // Imported through a follower.
    let file = file.to_str().unwrap();
    binary::run(&["import", file, "--url", follower.url()]).await;

    // Three databases, read by SQL: the same rows, and as many as there were.
    let state = inspect::assert_identical(&cluster).await;
    for inspector in inspect::all(&cluster).await {
        assert_eq!(inspector.expenses().await.len(), ROWS);
    }
    for client in cluster.clients() {
        let view = client.replica().await.unwrap();
        assert_eq!(view.revision, state.revision);
        assert_eq!(view.state_hash.to_lowercase(), state.history_hash);
        assert_eq!(view.expense_count, i64::try_from(ROWS).unwrap());
        assert_eq!(client.expenses(1).await.unwrap().total_count, ROWS as u64);
    }

    // Imported again, through another replica: nothing is added.
    let other = cluster.replica(cluster.leader().await);
    binary::run(&["import", file, "--url", other.url()]).await;
    assert_eq!(inspect::assert_identical(&cluster).await, state);
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_rows_are_in_all_databases_on_postgres() {
    imported_rows_are_in_all_databases(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_rows_are_in_all_databases_on_sqlite() {
    imported_rows_are_in_all_databases(DatabaseKind::Sqlite).await;
}
