//! Promise: a replica that has lost everything is not let in blank while its cluster counts on it; once it is removed from the
//! membership, it joins as an empty one, gets everything, and clients notice nothing.

use std::process::Output;
use std::time::Duration;

use threefold_tests::cluster::{LEADER_TIMEOUT, Replica};
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, binary};

const WRITERS: usize = 4;
const ANSWERS: usize = 40;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(20);

/// `threefold cluster remove`, with the settings of a replica that is left.
async fn remove(of: &Replica, lost: u16) -> Output {
    let mut command = binary::command();
    let flags = of.arguments().into_iter().skip(1);
    command
        .args(["cluster", "remove", &lost.to_string()])
        .args(flags);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

async fn a_lost_replica_is_replaced(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    // The leader is lost: the harder case.
    let lost = cluster.leader().await;
    let others = cluster.replicas().iter().map(Replica::id);
    let left: Vec<u16> = others.filter(|id| *id != lost).collect();
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    // One that lives is not removed, whether it leads or follows.
    for alive in [lost, left[1]] {
        let refused = remove(cluster.replica(left[0]), alive).await;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains("alive; stop it first"),
            "{said}"
        );
    }

    cluster.replica(lost).kill9();
    std::fs::remove_dir_all(cluster.replica(lost).data_folder()).unwrap();
    Inspector::of(cluster.replica(lost)).await.wipe().await;
    cluster.leader().await;

    // Blank, it is not let in, and told what to do.
    let refused = cluster.replica(lost).start_and_fail(REFUSAL_TIMEOUT).await;
    assert!(!refused.success());
    let command = format!("threefold cluster remove {lost}");
    assert!(cluster.replica(lost).log().contains(&command));

    let removed = remove(cluster.replica(left[0]), lost).await;
    assert!(
        removed.status.success(),
        "{}",
        String::from_utf8_lossy(&removed.stderr)
    );
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let again = remove(cluster.replica(left[1]), lost).await;
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("is not in the membership"), "{said}");

    cluster.replica(lost).start();
    until("the replica to join", LEADER_TIMEOUT, async || {
        let views = cluster.replica(left[0]).client().local().replicas().await;
        let views = views.map_err(|e| e.to_string())?;
        let view = views.iter().find(|view| view.id == lost.to_string());
        match view {
            Some(view) if view.in_sync && view.role == "FOLLOWER" => Ok(()),
            view => Err(format!("{view:?}")),
        }
    })
    .await;
    cluster.wait_until_ready().await;
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical(&cluster).await;
    let counts = Inspector::of(cluster.replica(lost))
        .await
        .count_by_description()
        .await;
    assert!(
        record
            .answered
            .iter()
            .all(|name| counts.get(name) == Some(&1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_replica_is_replaced_on_postgres() {
    a_lost_replica_is_replaced(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_replica_is_replaced_on_sqlite() {
    a_lost_replica_is_replaced(DatabaseKind::Sqlite).await;
}
