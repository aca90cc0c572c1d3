//! Promise: a replica whose disk is full stops and says so, the others go on without it, and once there is room it takes up where
//! it was, with nothing lost.

use std::time::{Duration, Instant};

use serde_json::json;

use threefold_tests::cluster::LEADER_TIMEOUT;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, inspect};

/// Gives a command a data folder on a disk of three megabytes, that nobody else sees; when the command has ended by itself,
/// makes room and runs it again.
const ON_A_SMALL_DISK: &str = r#"
    data=$1; shift
    mount -t tmpfs -o size=3m tmpfs "$data" || exit 9
    "$@"
    echo "THE DISK HAS ROOM AGAIN" >&2
    mount -o remount,size=300m "$data" || exit 9
    exec "$@"
"#;
/// In namespaces of its own, which need no rights on most systems; whatever runs in them ends with the first process.
const ALONE: [&str; 8] = [
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "sh",
];
const ADD: &str =
    "mutation ($input: AddExpenseInput!) { addExpense(input: $input) { userErrors { code } } }";
const FULL_TIMEOUT: Duration = Duration::from_secs(90);

async fn a_full_disk_stops_one_replica(database: DatabaseKind) {
    let cluster = Cluster::builder().database(database).prepare().await;
    let small = cluster.replica(3);
    let data = small.data_folder();
    std::fs::create_dir_all(&data).unwrap();
    let mut wrapper = ALONE.to_vec();
    wrapper.extend(["-c", ON_A_SMALL_DISK, "sh", data.to_str().unwrap()]);
    small.start_through(&wrapper);
    for id in [1, 2] {
        cluster.replica(id).start();
    }
    cluster.wait_until_ready().await;

    // Written until the disk is full, and afterwards: every answer is a promise.
    let client = cluster.replica(1).client();
    let mut written = 0;
    let mut more = 20;
    let begun = Instant::now();
    while more > 0 {
        let expense = json!({
            "description": format!("expense {written}"), "notes": "Only to fill the disk. ".repeat(80),
            "amount": "1.00", "currency": "EUR", "spentOn": "2026-11-23",
        });
        let added = client
            .execute(ADD, json!({ "input": expense }))
            .await
            .unwrap();
        assert_eq!(added["addExpense"]["userErrors"], json!([]));
        written += 1;
        if small.log().contains("THE DISK HAS ROOM AGAIN") {
            more -= 1;
        }
        assert!(
            begun.elapsed() < FULL_TIMEOUT,
            "the disk is not full after {written} expenses"
        );
    }
    let log = small.log();
    assert!(log.contains("No space left on device"), "{log}");
    assert!(log.contains("stops because of a fault"), "{log}");

    until("the replica to serve again", LEADER_TIMEOUT, async || {
        let local = small.client().local().expenses(1).await;
        match local.map_err(|e| e.to_string())?.total_count {
            count if count == written => Ok(()),
            count => Err(format!("{count} of {written}")),
        }
    })
    .await;
    inspect::assert_identical(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_one_replica_on_sqlite() {
    a_full_disk_stops_one_replica(DatabaseKind::Sqlite).await;
}
