//! Promise: three empty nodes form a cluster by themselves, in whatever order they start; a restart needs no flag changed; and
//! a node that is not what it was, or does not know the secret, is not let in.

use std::fs;
use std::process::ExitStatus;
use std::time::Duration;

use threefold_tests::client::NewExpense;
use threefold_tests::inspect::Inspector;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, inspect};

const REFUSAL_TIMEOUT: Duration = Duration::from_secs(20);

async fn a_cluster_forms_in_any_order(database: DatabaseKind) {
    let cluster = Cluster::builder().database(database).prepare().await;

    // The first one alone lives and serves nothing.
    cluster.replica(3).start();
    until("the first node to live", REFUSAL_TIMEOUT, async || {
        get(&format!("{}/healthz", cluster.replica(3).url())).await
    })
    .await;
    assert!(
        get(&format!("{}/readyz", cluster.replica(3).url()))
            .await
            .is_err(),
        "one of three serves"
    );

    // Nor do two: the third may belong to another cluster, which only its answer tells.
    cluster.replica(1).start();
    until("the founder to live", REFUSAL_TIMEOUT, async || {
        get(&format!("{}/healthz", cluster.replica(1).url())).await
    })
    .await;
    for id in [1, 3] {
        assert!(
            get(&format!("{}/readyz", cluster.replica(id).url()))
                .await
                .is_err(),
            "two of three serve"
        );
    }
    cluster.replica(2).start();
    cluster.wait_until_ready().await;
    cluster
        .replica(3)
        .client()
        .add_expense(&NewExpense::described("by the first to start"))
        .await
        .unwrap()
        .accepted();
    cluster
        .replica(2)
        .client()
        .add_expense(&NewExpense::described("by three"))
        .await
        .unwrap()
        .accepted();
    let state = inspect::assert_identical(&cluster).await;
    assert_eq!(state.revision, 2);

    // All stop and start with the same flags, in another order.
    for replica in cluster.replicas() {
        replica.terminate().await;
    }
    for id in [2, 3, 1] {
        cluster.replica(id).start();
    }
    cluster.wait_until_ready().await;
    assert_eq!(inspect::assert_identical(&cluster).await, state);
    for client in cluster.clients() {
        assert_eq!(client.expenses(10).await.unwrap().total_count, 2);
    }
    cluster
        .replica(3)
        .client()
        .add_expense(&NewExpense::described("after all"))
        .await
        .unwrap()
        .accepted();
    assert_eq!(inspect::assert_identical(&cluster).await.revision, 3);
}

async fn half_a_replica_is_refused(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    cluster
        .replica(1)
        .client()
        .add_expense(&NewExpense::described("kept"))
        .await
        .unwrap()
        .accepted();
    inspect::settled(&cluster).await;
    let id = cluster.followers().await[0];
    let replica = cluster.replica(id);
    replica.terminate().await;

    // The database is there, its log and vote are gone.
    let data = replica.data_folder();
    let aside = data.with_extension("aside");
    fs::rename(&data, &aside).unwrap();
    assert_refused(
        replica.start_and_fail(REFUSAL_TIMEOUT).await,
        &replica.log(),
    );

    // Log and vote are there, the database is gone.
    if data.exists() {
        fs::remove_dir_all(&data).unwrap();
    }
    fs::rename(&aside, &data).unwrap();
    Inspector::of(replica).await.wipe().await;
    assert_refused(
        replica.start_and_fail(REFUSAL_TIMEOUT).await,
        &replica.log(),
    );

    // The others never cared.
    let other = cluster
        .replicas()
        .iter()
        .find(|other| other.id() != id)
        .unwrap()
        .client();
    other
        .add_expense(&NewExpense::described("without it"))
        .await
        .unwrap()
        .accepted();
}

async fn a_foreign_secret_is_refused(database: DatabaseKind) {
    let cluster = Cluster::builder().database(database).prepare().await;
    let stranger = cluster.replica(3);
    stranger.set_cluster_secret("0123456789abcdef0123456789abcdef0123456789abcdef");
    for replica in cluster.replicas() {
        replica.start();
    }
    // No cluster without it; somebody says why, and nobody serves.
    until("a log that names the secret", REFUSAL_TIMEOUT, async || {
        let named = cluster
            .replicas()
            .iter()
            .any(|replica| replica.log().to_lowercase().contains("secret"));
        named.then_some(()).ok_or_else(|| "no log does".to_owned())
    })
    .await;
    for replica in cluster.replicas() {
        assert!(
            get(&format!("{}/readyz", replica.url())).await.is_err(),
            "replica {} serves beside a stranger",
            replica.id()
        );
    }

    // With the right secret it is let in.
    if stranger.is_running() {
        stranger.kill9();
    }
    stranger.reset_flag("--cluster-secret-file");
    stranger.start();
    cluster.wait_until_ready().await;
    let (added, _) = cluster
        .replica(1)
        .client()
        .add_expense(&NewExpense::described("secret"))
        .await
        .unwrap()
        .accepted();
    assert!(stranger.client().expense(added.id).await.unwrap().is_some());

    // A member that comes back with another secret is left out, and nothing of it is heard.
    stranger.kill9();
    stranger.set_cluster_secret("0123456789abcdef0123456789abcdef0123456789abcdef");
    stranger.start();
    let (unheard, _) = cluster
        .replica(1)
        .client()
        .add_expense(&NewExpense::described("unheard"))
        .await
        .unwrap()
        .accepted();
    assert!(
        !matches!(
            stranger.client().local().expense(unheard.id).await,
            Ok(Some(_))
        ),
        "a stranger has the data"
    );
}

#[track_caller]
fn assert_refused(status: ExitStatus, log: &str) {
    assert_eq!(
        status.code().map(|code| code != 0),
        Some(true),
        "ended with {status}"
    );
    let last = log
        .lines()
        .rev()
        .take(5)
        .collect::<Vec<_>>()
        .join("\n")
        .to_lowercase();
    assert!(
        last.contains("database") && last.contains("data"),
        "the reason is not clear: {last}"
    );
    assert!(!last.contains("panicked"), "{last}");
}

async fn get(address: &str) -> Result<(), String> {
    let response = reqwest::get(address)
        .await
        .map_err(|error| error.to_string())?;
    response
        .error_for_status()
        .map(drop)
        .map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_forms_in_any_order_on_postgres() {
    a_cluster_forms_in_any_order(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_forms_in_any_order_on_sqlite() {
    a_cluster_forms_in_any_order(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_replica_is_refused_on_postgres() {
    half_a_replica_is_refused(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_replica_is_refused_on_sqlite() {
    half_a_replica_is_refused(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_secret_is_refused_on_postgres() {
    a_foreign_secret_is_refused(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_secret_is_refused_on_sqlite() {
    a_foreign_secret_is_refused(DatabaseKind::Sqlite).await;
}
