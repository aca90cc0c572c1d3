//! Promise: when two of three replicas are lost for good, the third can go on with all that it has, by a command that says what
//! may be lost; empty replicas take the places of the lost ones, and the lost ones are strangers if they come back.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use threefold_tests::client::{ClientError, NewExpense};
use threefold_tests::cluster::LEADER_TIMEOUT;
use threefold_tests::cluster::Replica;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, binary};
use uuid::Uuid;

const EXPENSES: usize = 30;
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(20);

/// `threefold cluster recover`, with the flags that the replica is served with.
async fn recover(replica: &Replica, more: &[&str]) -> Output {
    let mut command = binary::command();
    let flags = replica.arguments().into_iter().skip(1);
    command.args(["cluster", "recover"]).args(flags).args(more);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

async fn write(cluster: &Cluster, id: u16, what: &str) {
    for number in 0..EXPENSES {
        let expense = NewExpense::described(format!("{what} {number}"));
        let client = cluster.replica(id).client();
        client.add_expense(&expense).await.unwrap().accepted();
    }
}

async fn the_last_one_goes_on(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    write(&cluster, 2, "before").await;
    let before = inspect::assert_identical(&cluster).await;

    // A replica that runs cannot be recovered, nor can one that has a majority.
    let running = recover(cluster.replica(3), &["--yes"]).await;
    assert!(!running.status.success(), "{}", text(&running));
    cluster.replica(3).kill9();
    let needless = recover(cluster.replica(3), &["--yes"]).await;
    assert!(!needless.status.success());
    assert!(
        text(&needless).contains("start this replica"),
        "{}",
        text(&needless)
    );
    cluster.replica(3).restart().await;
    write(&cluster, 3, "with three").await;
    let whole = inspect::assert_identical(&cluster).await;
    assert_eq!(whole.revision, before.revision + EXPENSES as u64);

    // Two are lost. The third says what it has, and changes nothing until somebody says so.
    for replica in cluster.replicas() {
        replica.kill9();
    }
    let survivor = cluster.replica(3);
    let asked = recover(survivor, &[]).await;
    assert!(!asked.status.success());
    let said = text(&asked);
    for part in [
        "alive     none",
        "replica 1 did not answer",
        "replica 2 did not answer",
        "What may be lost",
        "give --yes",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let recovered = recover(survivor, &["--yes"]).await;
    assert!(recovered.status.success(), "{}", text(&recovered));

    // It serves alone, with everything, and takes more.
    survivor.start();
    survivor.wait_until_ready().await;
    assert_eq!(
        survivor.client().expenses(1).await.unwrap().total_count,
        2 * EXPENSES as u64
    );
    write(&cluster, 3, "alone").await;

    // One of the lost comes back with what it had: it is a stranger, and alone.
    cluster.replica(1).start();
    until(
        "the stranger to live",
        REFUSAL_TIMEOUT,
        async || match cluster.replica(1).client().local().replica().await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
    )
    .await;
    let refused = cluster
        .replica(1)
        .client()
        .with_timeout(Duration::from_secs(3));
    let refused = refused
        .add_expense(&NewExpense::described("of a stranger"))
        .await;
    assert!(matches!(
        refused,
        Err(ClientError::Transport(_) | ClientError::Graphql { .. })
    ));
    write(&cluster, 3, "beside a stranger").await;
    cluster.replica(1).kill9();

    // Empty ones take the places, and get everything, the lowest id as the last.
    for id in [2, 1] {
        let replica = cluster.replica(id);
        std::fs::remove_dir_all(replica.data_folder()).unwrap();
        Inspector::of(replica).await.wipe().await;
        replica.start();
        until("the replica to join", LEADER_TIMEOUT, async || {
            let views = survivor.client().local().replicas().await;
            let views = views.map_err(|e| e.to_string())?;
            let view = views.iter().find(|view| view.id == id.to_string());
            match view {
                Some(view) if view.in_sync && view.role == "FOLLOWER" => Ok(()),
                view => Err(format!("{view:?}")),
            }
        })
        .await;
    }
    cluster.wait_until_ready().await;
    write(&cluster, 1, "together again").await;
    let after = inspect::assert_identical(&cluster).await;
    assert_eq!(after.revision, whole.revision + 3 * EXPENSES as u64);

    // A cluster like any other: it outlives its leader.
    let leader = cluster.leader().await;
    cluster.replica(leader).kill9();
    let next = cluster.leader().await;
    assert_ne!(next, leader);
    write(&cluster, next, "after a failover").await;
    cluster.replica(leader).restart().await;
    inspect::assert_identical(&cluster).await;
    assert!(
        Path::new(&survivor.data_folder())
            .join("replica.json")
            .exists()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_goes_on_on_postgres() {
    the_last_one_goes_on(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_goes_on_on_sqlite() {
    the_last_one_goes_on(DatabaseKind::Sqlite).await;
}

/// A crash between the two steps of `recover`: the new name is on both halves, the old membership in the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_was_interrupted_is_repeated() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    write(&cluster, 1, "before").await;
    inspect::assert_identical(&cluster).await;
    for replica in cluster.replicas() {
        replica.kill9();
    }
    let survivor = cluster.replica(2);
    let mark = survivor.data_folder().join("replica.json");
    let written = std::fs::read_to_string(&mark).unwrap();
    let mut identity: serde_json::Value = serde_json::from_str(&written).unwrap();
    let (cluster_id, birth_mark) = (Uuid::new_v4(), Uuid::new_v4());
    identity["cluster_id"] = cluster_id.to_string().into();
    identity["birth_mark"] = birth_mark.to_string().into();
    std::fs::write(&mark, identity.to_string()).unwrap();
    let renamed = format!(
        "UPDATE replica_state SET cluster_id = x'{}', birth_mark = x'{}'",
        cluster_id.simple(),
        birth_mark.simple()
    );
    Inspector::of(survivor).await.execute(&renamed).await;

    // It waits for a majority that it does not have, and is a stranger to those that come back.
    survivor.start();
    cluster.replica(1).start();
    let refused = survivor.client().with_timeout(Duration::from_secs(3));
    until("the survivor to live", REFUSAL_TIMEOUT, async || {
        let view = refused.replica().await;
        view.map(|_| ()).map_err(|error| error.to_string())
    })
    .await;
    let expense = NewExpense::described("between the steps");
    assert!(refused.add_expense(&expense).await.is_err());
    survivor.kill9();

    let recovered = recover(survivor, &["--yes"]).await;
    assert!(recovered.status.success(), "{}", text(&recovered));
    survivor.start();
    survivor.wait_until_ready().await;
    let held = survivor.client().expenses(1).await.unwrap();
    assert_eq!(held.total_count, EXPENSES as u64);
    write(&cluster, 2, "after").await;
}
