//! A replica that was away for longer than the log is kept comes back by snapshot, and holds the same as the others.

use std::time::Duration;

use threefold_tests::cluster::Replica;
use threefold_tests::feed::Subscriber;
use threefold_tests::load::Load;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, binary, inspect};

/// What the log says of a snapshot that is sent, and of one that is taken.
const SENT: &str = "sending a snapshot";
const INSTALLED: &str = "installing a snapshot";
const COMPACT_AFTER_ENTRIES: &str = "20";
const ANSWERS: usize = 400;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(60);
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(20);
const CAUGHT_UP_TIMEOUT: Duration = Duration::from_secs(40);
const FEED_TIMEOUT: Duration = Duration::from_secs(20);

async fn a_replica_left_behind_comes_back(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .in_sync_timeout_ms(1_000)
        .flag("--compact-after-entries", COMPACT_AFTER_ENTRIES)
        .start()
        .await;
    let away = cluster.replica(cluster.followers().await[0]);
    away.kill9();

    let mut answered = write_more_than_is_kept(&cluster).await;
    let others: Vec<_> = cluster
        .replicas()
        .iter()
        .filter(|replica| replica.id() != away.id())
        .map(|replica| replica.client())
        .collect();
    let load = Load::start(&others, 2);
    load.wait_for_answers(ANSWERS / 8, ANSWERS_TIMEOUT).await;
    away.restart().await;
    load.wait_for_answers(ANSWERS / 4, ANSWERS_TIMEOUT).await;
    answered += load.finish().await.answered.len() as u64;

    let state = inspect::assert_identical(&cluster).await;
    assert!(state.revision >= answered);
    assert!(
        away.log().contains(INSTALLED),
        "the log was kept for long enough: this shows nothing"
    );

    // Its feed tells the whole history, as if it had been there.
    let subscriber = Subscriber::of(away.url(), 0);
    subscriber.wait_for(state.revision, FEED_TIMEOUT).await;
    subscriber.assert_complete(1, state.revision);

    // And it starts again from what was installed.
    away.restart().await;
    assert_eq!(inspect::assert_identical(&cluster).await, state);
}

/// Installing takes longer than any call may, and others write more than the log keeps: it is neither begun again nor sent again,
/// and nobody stands for election.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_installation_is_waited_for() {
    let cluster = Cluster::builder()
        .database(DatabaseKind::Sqlite)
        .in_sync_timeout_ms(1_000)
        .flag("--compact-after-entries", COMPACT_AFTER_ENTRIES)
        .failpoints()
        .start()
        .await;
    let leader = cluster.replica(cluster.leader().await);
    let away = cluster.replica(cluster.followers().await[0]);
    away.kill9();
    write_more_than_is_kept(&cluster).await;
    // Whoever leads from now on has never heard of it: as of a newcomer.
    leader.terminate().await;
    leader.start();
    cluster.wait_until_ready().await;
    let leader = cluster.replica(cluster.leader().await);

    let (sent, term) = (count(leader, SENT), term(leader).await);
    away.set_environment("FAILPOINTS", "snapshot.install=1*sleep(12000)");
    away.start();
    until("the snapshot", SNAPSHOT_TIMEOUT, async || {
        match count(away, INSTALLED) {
            0 => Err("it does not come".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    // One writer makes an entry of each mutation: more than are kept otherwise, and this one snapshot is enough all the same.
    let load = Load::start(&[leader.client()], 1);
    load.wait_for_answers(2 * ANSWERS, ANSWERS_TIMEOUT).await;
    until("the replica to catch up", CAUGHT_UP_TIMEOUT, async || {
        let replicas = leader.client().replicas().await;
        let replicas = replicas.map_err(|error| error.to_string())?;
        let seen = replicas
            .into_iter()
            .find(|seen| seen.id == away.id().to_string());
        match seen {
            Some(seen) if seen.in_sync => Ok(()),
            seen => Err(format!("{seen:?}")),
        }
    })
    .await;
    load.finish().await;
    inspect::assert_identical(&cluster).await;
    assert_eq!(count(leader, SENT), sent + 1);
    assert_eq!(count(away, INSTALLED), 1);
    assert_eq!(self::term(leader).await, term);
}

/// Writes while a replica is away, until it has gone too long to be waited for. Returns how many expenses were added.
async fn write_more_than_is_kept(cluster: &Cluster) -> u64 {
    let leader = cluster.replica(cluster.leader().await);
    // One writer, so that each mutation is an entry.
    let load = Load::start(&[leader.client()], 1);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let answered = load.finish().await.answered.len() as u64;
    leader.wait_until_log_is_below(answered / 2).await;
    answered
}

async fn term(replica: &Replica) -> u64 {
    replica.client().replica().await.unwrap().term
}

fn count(replica: &Replica, line: &str) -> usize {
    replica.log().matches(line).count()
}

/// An import makes few log entries, and large ones: what is kept of them is bounded all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_large_entries_is_cut_too() {
    let cluster = Cluster::builder()
        .database(DatabaseKind::Sqlite)
        .flag("--compact-after-mb", "1")
        .start()
        .await;
    let away = cluster.replica(cluster.followers().await[0]);
    away.kill9();
    let csv = cluster.file("expenses.csv");
    let rows = binary::run(&["sample", "--rows", "10000"]).await;
    std::fs::write(&csv, rows).unwrap();
    let leader = cluster.replica(cluster.leader().await);
    binary::run(&["import", csv.to_str().unwrap(), "--url", leader.url()]).await;
    leader.wait_until_log_is_below(8).await;

    away.restart().await;
    inspect::assert_identical(&cluster).await;
    assert!(away.log().contains(INSTALLED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_left_behind_comes_back_on_postgres() {
    a_replica_left_behind_comes_back(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_left_behind_comes_back_on_sqlite() {
    a_replica_left_behind_comes_back(DatabaseKind::Sqlite).await;
}
