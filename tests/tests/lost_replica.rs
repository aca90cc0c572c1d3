//! Promise: a replica that has lost everything is not let in blank while its cluster counts on it; it is told the one command
//! that lets it join as an empty one. It gets everything, and clients notice nothing.

use std::time::Duration;

use threefold_tests::cluster::Replica;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::operator::{empty, refuse, succeed, wait_for_role};
use threefold_tests::{Cluster, DatabaseKind};

const WRITERS: usize = 4;
const ANSWERS: usize = 40;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(20);

async fn a_lost_replica_is_replaced(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    // The leader is lost: the harder case.
    let lost = cluster.leader().await;
    let others = cluster.replicas().iter().map(Replica::id);
    let left: Vec<u16> = others.filter(|id| *id != lost).collect();
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    cluster.replica(lost).kill9();
    empty(cluster.replica(lost)).await;
    cluster.leader().await;

    // Blank, it is not let in, and told what to do.
    let refused = cluster.replica(lost).start_and_fail(REFUSAL_TIMEOUT).await;
    assert!(!refused.success());
    let command = format!("threefold cluster replace {lost}");
    assert!(cluster.replica(lost).log().contains(&command));

    // One more could not be missed: then too few would be alive.
    let asked = cluster.replica(left[0]);
    let needed = left[1].to_string();
    refuse(asked, &["remove", &needed], "too few are alive").await;
    refuse(asked, &["replace", &needed], "too few are alive").await;

    let lost_id = lost.to_string();
    let replace = ["replace", &lost_id];
    let replaced = succeed(asked, &replace);
    let restarted = async {
        load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
        cluster.replica(lost).start();
    };
    let (said, ()) = tokio::join!(replaced, restarted);
    assert!(said.contains("3 replicas vote"), "{said}");
    wait_for_role(asked, lost, &["FOLLOWER"]).await;
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
