//! Promise: a change of the membership outlives the leader that began it. Whoever leads next finishes it, or the command
//! may be repeated; nothing is lost, and no cluster is left between two memberships.

use std::time::Duration;

use threefold_tests::cluster::Replica;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::operator::{
    self, empty, said, wait_for_role, wait_until_forgotten, wait_until_it_listens,
};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind};

const WRITERS: usize = 3;
const ANSWERS: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(60);
/// When the leader is killed, after the command was given: before, between and after the two steps of the change.
const MOMENTS_MS: [u64; 6] = [20, 120, 350, 600, 900, 1_400];

#[tokio::test(flavor = "multi_thread")]
async fn a_change_outlives_its_leader() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let load = Load::start(&cluster.clients(), WRITERS);
    let four = cluster.newcomer(4).await;
    let url = four.peer_url();
    for moment in MOMENTS_MS {
        load.wait_for_answers(ANSWERS, TIMEOUT).await;
        empty(&four).await;
        four.start();
        wait_until_it_listens(&four).await;
        let add = ["add", "4", "--url", &url, "--voter", "--wait", "30"];
        change(&cluster, &add, moment).await;
        for founder in cluster.replicas() {
            wait_for_role(founder, 4, &["LEADER", "FOLLOWER"]).await;
        }
        load.wait_for_answers(ANSWERS, TIMEOUT).await;
        change(&cluster, &["remove", "4"], moment).await;
        for founder in cluster.replicas() {
            wait_until_forgotten(founder, 4).await;
        }
        four.wait_for_end(TIMEOUT).await;
    }
    load.wait_for_answers(ANSWERS, TIMEOUT).await;
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical(&cluster).await;
    let counts = Inspector::of(cluster.replica(1))
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

/// Has the leader killed in the middle of a command, and repeats the command until it is done.
async fn change(cluster: &Cluster, arguments: &[&str], moment: u64) {
    let leader = founder_that_leads(cluster).await;
    let killed = async {
        tokio::time::sleep(Duration::from_millis(moment)).await;
        leader.kill9();
        tokio::time::sleep(Duration::from_millis(moment)).await;
        leader.start();
    };
    let asked = cluster
        .replicas()
        .iter()
        .find(|other| other.id() != leader.id());
    let asked = asked.expect("another replica");
    let (first, ()) = tokio::join!(operator::cluster(asked, arguments), killed);
    leader.wait_until_ready().await;
    if first.status.success() {
        return;
    }
    let done = ["has a vote, and is in sync", "is not in the membership"];
    until("the change to be made", TIMEOUT, async || {
        let again = operator::cluster(asked, arguments).await;
        let text = said(&again);
        match again.status.success() || done.iter().any(|done| text.contains(done)) {
            true => Ok(()),
            false => Err(text),
        }
    })
    .await;
}

/// The leader, once it is one whose process this test may kill.
async fn founder_that_leads(cluster: &Cluster) -> &Replica {
    until("a founder that leads", TIMEOUT, async || {
        for replica in cluster.replicas() {
            match replica.client().replica().await {
                Ok(view) if view.role == "LEADER" => return Ok(replica),
                _ => {}
            }
        }
        // The newcomer leads: it is asked to be found by the command, and killed another time.
        Ok(cluster.replica(2))
    })
    .await
}
