//! Promise: a cluster with a replica of the previous build keeps working, and is upgraded and downgraded replica by replica
//! under load: no mutation fails for a client that retries with its key, none is lost, and all hold the same.
//!
//! `THREEFOLD_PREVIOUS_BIN` names the previous build; `make upgrade` builds it and runs this. Without it nothing is tested here.

use std::path::PathBuf;
use std::time::Duration;

use threefold_tests::client::NewExpense;
use threefold_tests::load::Load;
use threefold_tests::{Cluster, DatabaseKind, binary, inspect};

const PREVIOUS: &str = "THREEFOLD_PREVIOUS_BIN";
const WRITERS: usize = 8;
const ANSWERS: usize = 60;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(60);

/// The previous build; none where nobody names it, and then it is said that nothing is tested.
fn previous() -> Option<PathBuf> {
    let path = std::env::var_os(PREVIOUS).map(PathBuf::from);
    match &path {
        Some(path) => assert!(path.is_file(), "{PREVIOUS}: {} is missing", path.display()),
        None => eprintln!(
            "SKIPPED: no previous build was tested; name its binary in {PREVIOUS}, or run `make upgrade`"
        ),
    }
    path
}

/// Each build leads once, with the other in its majority, while expenses are written through all.
async fn each_leads(cluster: &Cluster, load: &Load) {
    for _ in 0..3 {
        let leader = cluster.leader().await;
        load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
        cluster.replica(leader).terminate().await;
        load.wait_for_answers(ANSWERS / 2, ANSWERS_TIMEOUT).await;
        cluster.replica(leader).start();
        cluster.replica(leader).wait_until_ready().await;
        cluster.wait_until_in_sync().await;
    }
}

async fn exchange(cluster: &Cluster, load: &Load, id: u16, build: PathBuf) {
    let replica = cluster.replica(id);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    replica.terminate().await;
    load.wait_for_answers(ANSWERS / 2, ANSWERS_TIMEOUT).await;
    replica.set_binary(build);
    replica.start();
    replica.wait_until_ready().await;
    cluster.wait_until_in_sync().await;
}

async fn upgraded_and_downgraded(database: DatabaseKind) {
    let Some(previous) = previous() else { return };
    let new = binary::path();
    // A log so short that whoever was away comes back by snapshot, from whichever build leads.
    let cluster = Cluster::builder()
        .database(database)
        .in_sync_timeout_ms(500)
        .flag("--compact-after-entries", "20")
        .prepare()
        .await;
    for replica in cluster.replicas() {
        replica.set_binary(previous.clone());
        replica.start();
    }
    cluster.wait_until_ready().await;
    cluster.wait_until_in_sync().await;
    let load = Load::start(&cluster.clients(), WRITERS);

    // One of the new build among two of the previous one, then the other way round: each build leads, forwards, reads.
    exchange(&cluster, &load, 1, new.clone()).await;
    each_leads(&cluster, &load).await;
    exchange(&cluster, &load, 2, new.clone()).await;
    each_leads(&cluster, &load).await;
    exchange(&cluster, &load, 3, new.clone()).await;
    // And one goes back.
    exchange(&cluster, &load, 2, previous.clone()).await;
    each_leads(&cluster, &load).await;
    exchange(&cluster, &load, 2, new).await;

    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    let state = inspect::assert_identical(&cluster).await;
    assert!(state.revision >= record.answered.len() as u64);
    for inspector in inspect::all(&cluster).await {
        let counts = inspector.count_by_description().await;
        for description in &record.answered {
            assert_eq!(counts.get(description), Some(&1), "{description}");
        }
    }
    for replica in cluster.replicas() {
        let client = replica.client();
        let added = client
            .add_expense(&NewExpense::described("at the end"))
            .await;
        added.unwrap().accepted();
    }
    inspect::assert_identical(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upgraded_and_downgraded_on_postgres() {
    upgraded_and_downgraded(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upgraded_and_downgraded_on_sqlite() {
    upgraded_and_downgraded(DatabaseKind::Sqlite).await;
}
