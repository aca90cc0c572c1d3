//! Promise: one command puts an empty replica in the place of another, whether that one is lost, wiped or alive; what could
//! lose a vote, a majority or what was acknowledged is refused, with what to do instead.

use std::fs;
use std::time::Duration;

use threefold_tests::client::NewExpense;
use threefold_tests::cluster::Replica;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::operator::{
    empty, refuse, succeed, wait_for_role, wait_until_adopted, wait_until_forgotten,
    wait_until_it_listens,
};
use threefold_tests::{Cluster, DatabaseKind};

const WRITERS: usize = 4;
const ANSWERS: usize = 40;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// Several of the rounds in which a leader looks after newcomers.
const SLOW: Duration = Duration::from_secs(4);

/// The leader itself, by another one that is slow to take the snapshot.
async fn another_takes_over_the_vote(database: DatabaseKind) {
    let cluster = Cluster::builder().database(database);
    // So that only a snapshot has what came before.
    let cluster = cluster.flag("--compact-after-entries", "20").start().await;
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(3 * ANSWERS, ANSWERS_TIMEOUT).await;
    let lost = cluster.leader().await;
    let stays: Vec<&Replica> = cluster
        .replicas()
        .iter()
        .filter(|replica| replica.id() != lost)
        .collect();

    let four = cluster.newcomer(4).await;
    four.start();
    wait_until_it_listens(&four).await;
    let (lost_id, with) = (lost.to_string(), format!("4={}", four.peer_url()));
    let replace = ["replace", &lost_id, "--with", &with];
    let slowed = async {
        wait_until_adopted(&four).await;
        four.stop();
        tokio::time::sleep(SLOW).await;
        four.cont();
    };
    let (said, ()) = tokio::join!(succeed(stays[0], &replace), slowed);
    assert!(said.contains("3 replicas vote"), "{said}");
    cluster.replica(lost).wait_for_end(END_TIMEOUT).await;
    for replica in stays.iter().copied().chain([&four]) {
        wait_until_forgotten(replica, lost).await;
        wait_for_role(replica, 4, &["LEADER", "FOLLOWER"]).await;
    }
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical_among(&[stays[0], stays[1], &four]).await;
    assert_holds(&four, &record.answered).await;

    // Its vote counts: with one of the others gone, it is needed.
    stays[1].kill9();
    let client = four.client();
    let added = client.add_expense(&NewExpense::described("by two")).await;
    added.unwrap().accepted();
}

/// One that lives, as a quarantined one does, and goes on under its number.
async fn one_that_lives_starts_anew(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let followers = cluster.followers().await;
    let (asked, old) = (cluster.replica(followers[0]), cluster.replica(followers[1]));
    let id = old.id().to_string();
    let replace = ["replace", &id];
    let emptied = async {
        let ended = old.wait_for_end(END_TIMEOUT).await;
        assert!(!ended.success());
        assert!(old.log().contains("no longer in the membership"));
        load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
        empty(old).await;
        old.start();
    };
    let (said, ()) = tokio::join!(succeed(asked, &replace), emptied);
    assert!(said.contains("is replaced"), "{said}");
    wait_for_role(asked, old.id(), &["FOLLOWER"]).await;
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical(&cluster).await;
    assert_holds(old, &record.answered).await;
}

/// Half a replica is refused, with the command to use.
#[tokio::test(flavor = "multi_thread")]
async fn one_without_its_folder_or_its_database_is_told_what_to_do() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let id = cluster.followers().await[0];
    let replica = cluster.replica(id);
    let command = format!("`threefold cluster replace {id}`");
    replica.kill9();
    let aside = cluster.file("aside");
    fs::rename(replica.data_folder(), &aside).unwrap();
    assert!(!replica.start_and_fail(END_TIMEOUT).await.success());
    assert!(replica.log().contains("the data folder") && replica.log().contains(&command));
    if replica.data_folder().exists() {
        fs::remove_dir_all(replica.data_folder()).unwrap();
    }
    fs::rename(&aside, replica.data_folder()).unwrap();
    Inspector::of(replica).await.wipe().await;
    let said_before = replica.log().len();
    assert!(!replica.start_and_fail(END_TIMEOUT).await.success());
    let said = replica.log().split_off(said_before);
    assert!(
        said.contains("the database is empty") && said.contains(&command),
        "{said}"
    );
}

/// Removed while it was away, with all that it had.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_removed_disturbs_nobody() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let followers = cluster.followers().await;
    let (asked, gone) = (cluster.replica(followers[0]), cluster.replica(followers[1]));
    gone.kill9();
    succeed(asked, &["remove", &gone.id().to_string()]).await;
    wait_until_forgotten(asked, gone.id()).await;
    let before = asked.client().replica().await.unwrap();
    for _ in 0..3 {
        gone.start();
        assert!(!gone.wait_for_end(END_TIMEOUT).await.success());
    }
    let said = gone.log();
    let command = format!("threefold cluster add {} --url URL --voter", gone.id());
    assert!(
        said.contains("no longer in the membership") && said.contains(&command),
        "{said}"
    );
    let after = asked.client().replica().await.unwrap();
    assert_eq!(after.term, before.term, "it had an election held");
    let url = gone.peer_url();
    gone.start();
    refuse(
        asked,
        &["add", &gone.id().to_string(), "--url", &url],
        &format!("replica {}", gone.id()),
    )
    .await;
    gone.wait_for_end(END_TIMEOUT).await;
}

/// Replaced under its own number while it was away, by one elsewhere, it comes back with all that it had where the flags of
/// the others name it, while the other one is down.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_replaced_takes_no_call_for_the_other() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let followers = cluster.followers().await;
    let (asked, old) = (cluster.replica(followers[0]), cluster.replica(followers[1]));
    let id = old.id().to_string();
    old.kill9();
    succeed(asked, &["remove", &id]).await;
    let new = cluster.newcomer(old.id()).await;
    new.start();
    wait_until_it_listens(&new).await;
    succeed(asked, &["add", &id, "--url", &new.peer_url(), "--voter"]).await;
    wait_for_role(asked, old.id(), &["FOLLOWER"]).await;
    let client = asked.client();
    let expense = NewExpense::described("with the new one");
    let with_it = client.add_expense(&expense);
    with_it.await.unwrap().accepted();
    let before = client.replica().await.unwrap();

    new.kill9();
    old.start();
    let expense = NewExpense::described("while it is down");
    let without = client.add_expense(&expense);
    without.await.unwrap().accepted();
    assert!(!old.wait_for_end(END_TIMEOUT).await.success());
    let said = old.log();
    assert!(said.contains("removed or replaced"), "{said}");
    assert!(!said.contains("panicked"), "{said}");

    new.start();
    new.wait_until_ready().await;
    wait_for_role(asked, old.id(), &["FOLLOWER"]).await;
    let after = client.replica().await.unwrap();
    assert_eq!(after.term, before.term, "it had an election held");
    let leader = cluster.replica(followers[0]);
    inspect::assert_identical_among(&[leader, &new]).await;
}

/// One without a vote has promised nobody anything: it may come back with nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_learner_that_lost_everything_is_sent_it_again() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let asked = cluster.replica(1);
    let four = cluster.newcomer(4).await;
    four.start();
    wait_until_it_listens(&four).await;
    succeed(asked, &["add", "4", "--url", &four.peer_url()]).await;
    wait_for_role(asked, 4, &["LEARNER"]).await;
    four.kill9();
    empty(&four).await;
    let added = asked
        .client()
        .add_expense(&NewExpense::described("meanwhile"))
        .await;
    let revision = added.unwrap().accepted().1.revision;
    four.start();
    wait_until_it_listens(&four).await;
    wait_for_role(asked, 4, &["LEARNER"]).await;
    let read = four.client().at_least(revision).expenses(10).await.unwrap();
    assert_eq!(read.total_count, 1);
    // It stays without a vote until somebody says otherwise.
    succeed(asked, &["promote", "4"]).await;
    wait_for_role(asked, 4, &["FOLLOWER"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_leaves_whom_min_in_sync_asks_for() {
    let cluster = Cluster::builder().min_in_sync(3).start().await;
    let reason = "2 replicas vote and are in sync, and --min-in-sync asks for 3";
    refuse(cluster.replica(1), &["remove", "3"], reason).await;
    let four = cluster.newcomer(4).await;
    four.start();
    wait_until_it_listens(&four).await;
    succeed(
        cluster.replica(1),
        &["add", "4", "--url", &four.peer_url(), "--voter"],
    )
    .await;
    succeed(cluster.replica(1), &["remove", "3"]).await;
    let expense = NewExpense::described("by three");
    four.client()
        .add_expense(&expense)
        .await
        .unwrap()
        .accepted();
}

async fn assert_holds(replica: &Replica, answered: &std::collections::BTreeSet<String>) {
    let counts = Inspector::of(replica).await.count_by_description().await;
    let lost = answered.iter().filter(|name| counts.get(*name) != Some(&1));
    assert_eq!(lost.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_takes_over_the_vote_on_postgres() {
    another_takes_over_the_vote(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_takes_over_the_vote_on_sqlite() {
    another_takes_over_the_vote(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_lives_starts_anew_on_postgres() {
    one_that_lives_starts_anew(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_lives_starts_anew_on_sqlite() {
    one_that_lives_starts_anew(DatabaseKind::Sqlite).await;
}
