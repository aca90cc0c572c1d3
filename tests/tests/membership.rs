//! Promise: replicas are added and removed while the others serve. Nothing is lost, nothing fails, and clients are served
//! throughout; a replica that no flag of the others names is one like any other, also after they are restarted.

use std::time::Duration;

use threefold_tests::client::NewExpense;
use threefold_tests::cluster::Replica;
use threefold_tests::feed::Subscriber;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::operator::{
    empty, refuse, succeed, wait_for_role, wait_until_forgotten, wait_until_it_listens,
};
use threefold_tests::{Cluster, DatabaseKind};

const WRITERS: usize = 4;
const ANSWERS: usize = 40;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);
const END_TIMEOUT: Duration = Duration::from_secs(30);

async fn a_cluster_grows_and_shrinks(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let founders = cluster.replicas();
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    // Nobody is taken in who is not there.
    let four = cluster.newcomer(4).await;
    let url = four.peer_url();
    refuse(
        &founders[0],
        &["add", "4", "--url", &url],
        "could not be reached",
    )
    .await;
    refuse(&founders[0], &["promote", "4"], "is not in the membership").await;
    let taken = founders[1].peer_url();
    refuse(
        &founders[0],
        &["add", "4", "--url", &taken],
        "address of replica 2",
    )
    .await;

    // Asked of a follower as well as of the leader.
    let followers = cluster.followers().await;
    four.start();
    wait_until_it_listens(&four).await;
    succeed(cluster.replica(followers[0]), &["add", "4", "--url", &url]).await;
    four.wait_until_ready().await;
    for replica in founders.iter().chain([&four]) {
        wait_for_role(replica, 4, &["LEARNER"]).await;
    }
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    serves_like_any_other(&four).await;

    succeed(&founders[2], &["promote", "4"]).await;
    let five = cluster.newcomer(5).await;
    five.start();
    wait_until_it_listens(&five).await;
    let added = ["add", "5", "--url", &five.peer_url(), "--voter"];
    let said = succeed(&founders[1], &added).await;
    assert!(said.contains("5 replicas vote"), "{said}");
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    for replica in founders.iter().chain([&four, &five]) {
        for id in 1..=5 {
            wait_for_role(replica, id, &["LEADER", "FOLLOWER"]).await;
        }
    }

    // What is answered by default is on all five.
    let expense = NewExpense::described("on all five");
    let answer = five.client().add_expense(&expense).await.unwrap();
    let (_, receipt) = answer.accepted();
    assert_eq!(receipt.acknowledged_by.len(), 5, "{receipt:?}");

    // Founders forget nobody, although their flags name three.
    for founder in founders {
        founder.terminate().await;
        load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
        founder.start();
        founder.wait_until_ready().await;
        for id in 1..=5 {
            wait_for_role(founder, id, &["LEADER", "FOLLOWER"]).await;
        }
    }
    let all: Vec<&Replica> = founders.iter().chain([&four, &five]).collect();

    // Two are lost, and it goes on.
    founders[0].kill9();
    five.kill9();
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    founders[0].restart().await;
    five.restart().await;
    for id in 1..=5 {
        wait_for_role(&four, id, &["LEADER", "FOLLOWER"]).await;
    }

    // And back: one that follows, and one that leads.
    let leader = cluster_leader(&all).await;
    let follower = [5, 4].into_iter().find(|id| *id != leader).unwrap();
    let going = all.iter().find(|replica| replica.id() == follower).unwrap();
    succeed(&founders[1], &["remove", &follower.to_string()]).await;
    assert!(!going.wait_for_end(END_TIMEOUT).await.success());
    assert!(going.log().contains("no longer in the membership"));
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    let stay = |leader: u16| {
        all.iter()
            .find(move |replica| ![follower, leader].contains(&replica.id()))
    };
    let leader = cluster_leader(&all).await;
    let going = all.iter().find(|replica| replica.id() == leader).unwrap();
    let asked = stay(leader).unwrap();
    succeed(asked, &["remove", &leader.to_string()]).await;
    assert!(!going.wait_for_end(END_TIMEOUT).await.success());
    let left: Vec<&Replica> = all
        .iter()
        .copied()
        .filter(|replica| ![follower, leader].contains(&replica.id()))
        .collect();
    for replica in &left {
        wait_until_forgotten(replica, leader).await;
        wait_until_forgotten(replica, follower).await;
    }
    load.wait_for_answers(ANSWERS / 2, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical_among(&left).await;
    let counts = Inspector::of(left[0]).await.count_by_description().await;
    let lost: Vec<&String> = record
        .answered
        .iter()
        .filter(|name| counts.get(*name) != Some(&1))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");

    // One that was removed does not come back with what it has, and comes back without.
    let gone = all.iter().find(|replica| replica.id() == follower).unwrap();
    gone.start();
    assert!(!gone.wait_for_end(END_TIMEOUT).await.success());
    let add = [
        "add",
        &follower.to_string(),
        "--url",
        &gone.peer_url(),
        "--voter",
    ];
    empty(gone).await;
    gone.start();
    wait_until_it_listens(gone).await;
    succeed(left[0], &add).await;
    wait_for_role(left[1], follower, &["FOLLOWER"]).await;
    serves_like_any_other(gone).await;
}

/// Linearizable reads, local ones, mutations and subscriptions.
async fn serves_like_any_other(replica: &Replica) {
    let subscriber = Subscriber::of(replica.url(), 0);
    let expense = NewExpense::described(format!("by replica {}", replica.id()));
    let added = replica.client().add_expense(&expense).await.unwrap();
    let (added, receipt) = added.accepted();
    let read = replica.client().expense(added.id).await.unwrap();
    assert_eq!(read.unwrap().description, expense.description);
    let local = replica.client().at_least(receipt.revision);
    assert!(local.expense(added.id).await.unwrap().is_some());
    subscriber.wait_for(receipt.revision, END_TIMEOUT).await;
}

/// Who leads, by whoever of them says so in the last term.
async fn cluster_leader(replicas: &[&Replica]) -> u16 {
    threefold_tests::wait::until("a leader", END_TIMEOUT, async || {
        let mut views = Vec::new();
        for replica in replicas.iter().filter(|replica| replica.is_running()) {
            views.extend(replica.client().replica().await.ok());
        }
        let leaders = views.iter().filter(|view| view.role == "LEADER");
        let leader = leaders.max_by_key(|view| view.term);
        leader
            .map(|view| view.id.parse().unwrap())
            .ok_or_else(|| format!("{views:?}"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_grows_and_shrinks_on_postgres() {
    a_cluster_grows_and_shrinks(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_grows_and_shrinks_on_sqlite() {
    a_cluster_grows_and_shrinks(DatabaseKind::Sqlite).await;
}
