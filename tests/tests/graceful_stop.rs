//! Promise: a replica that is told to stop does so in order. What it took is answered, a leader hands over first, sockets are
//! closed with 1012, and its database needs no repair.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use threefold_tests::client::{ClientError, NewExpense};
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::socket::{CHANGES, Socket, SocketError};
use threefold_tests::wait::{until, within};
use threefold_tests::{Cluster, DatabaseKind};

const WRITERS: usize = 16;
const ANSWERS: usize = 100;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket that follows the changes, and one that does nothing.
async fn open_sockets(url: &str) -> [Socket; 2] {
    let mut following = Socket::connect(url, json!({})).await.unwrap();
    following.subscribe(CHANGES, json!({})).await.unwrap();
    let idle = Socket::connect(url, json!({})).await.unwrap();
    [following, idle]
}

/// What a socket was closed with.
async fn closed_with(socket: &mut Socket) -> u16 {
    within("the close of a socket", CLOSE_TIMEOUT, async {
        loop {
            match socket.next().await {
                Ok(_) => {}
                Err(SocketError::Closed { code, .. }) => return code,
                Err(error) => panic!("the socket broke: {error}"),
            }
        }
    })
    .await
}

async fn a_leader_hands_over_under_load(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let leader = cluster.leader().await;
    let term = cluster
        .replica(leader)
        .client()
        .replica()
        .await
        .unwrap()
        .term;
    let mut sockets = open_sockets(cluster.replica(leader).url()).await;
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    cluster.replica(leader).terminate().await;

    for socket in &mut sockets {
        assert_eq!(closed_with(socket).await, 1012);
    }
    let log = cluster.replica(leader).log();
    assert!(
        log.contains("has handed its leadership to replica"),
        "{log}"
    );
    assert!(!log.contains("cut off"), "{log}");
    // One election, and the first candidate won it.
    let next = cluster.leader().await;
    assert_ne!(next, leader);
    let view = cluster.replica(next).client().replica().await.unwrap();
    assert_eq!(view.term, term + 1);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    assert_left_clean(&cluster, leader, database);

    cluster.replica(leader).start();
    cluster.replica(leader).wait_until_ready().await;
    let record = load.finish().await;
    inspect::assert_identical(&cluster).await;
    for inspector in inspect::all(&cluster).await {
        let counts = inspector.count_by_description().await;
        assert!(
            record
                .answered
                .iter()
                .all(|name| counts.get(name) == Some(&1))
        );
    }
}

/// SQLite removes its write-ahead log when the last connection has closed in order.
fn assert_left_clean(cluster: &Cluster, id: u16, database: DatabaseKind) {
    if database == DatabaseKind::Sqlite {
        let url = cluster.replica(id).database_url();
        let database = url.strip_prefix("sqlite://").unwrap();
        assert!(Path::new(database).exists());
        let journal = format!("{database}-wal");
        assert!(!Path::new(&journal).exists(), "the database was not closed");
    }
}

/// Clients that stay with one replica, and do not retry: whatever they had sent is answered, or was never taken.
async fn what_was_taken_is_answered(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let leader = cluster.leader().await;
    let at_work = Arc::new(AtomicUsize::new(0));
    let writers = (0..WRITERS).map(|writer| {
        let client = cluster.replica(leader).client();
        let at_work = at_work.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let expense = NewExpense::described(format!("writer {writer}, expense {number}"));
                match client.add_expense(&expense).await {
                    Ok(payload) => {
                        payload.accepted();
                        if number == 0 {
                            at_work.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    Err(error) => return (number, error),
                }
            }
            unreachable!("the numbers do not end")
        })
    });
    let writers: Vec<_> = writers.collect();
    until(
        "every writer to be answered",
        ANSWERS_TIMEOUT,
        async || match at_work.load(Ordering::Relaxed) {
            WRITERS => Ok(()),
            count => Err(format!("{count} of {WRITERS} are")),
        },
    )
    .await;
    let begun = Instant::now();
    cluster.replica(leader).terminate().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    let inspector = Inspector::of(cluster.replica(cluster.leader().await)).await;
    let stored = inspector.count_by_description().await;
    for (writer, ended) in writers.into_iter().enumerate() {
        let (answers, error) = ended.await.unwrap();
        assert!(answers > 0, "nothing was answered: {error}");
        assert!(
            matches!(error, ClientError::Transport(_)),
            "writer {writer}, after {answers} answers: {error}"
        );
        // What got no answer was not taken.
        let of_writer = format!("writer {writer}, ");
        let found = stored.keys().filter(|name| name.starts_with(&of_writer));
        assert_eq!(found.count(), answers, "writer {writer}: {error}");
    }
}

async fn all_restart_in_turn(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let load = Load::start(&cluster.clients(), WRITERS);
    for replica in cluster.replicas() {
        load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
        replica.terminate().await;
        load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
        replica.start();
        replica.wait_until_ready().await;
    }
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_hands_over_under_load_on_postgres() {
    a_leader_hands_over_under_load(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_hands_over_under_load_on_sqlite() {
    a_leader_hands_over_under_load(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_answered_on_postgres() {
    what_was_taken_is_answered(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_answered_on_sqlite() {
    what_was_taken_is_answered(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_restart_in_turn_on_postgres() {
    all_restart_in_turn(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_restart_in_turn_on_sqlite() {
    all_restart_in_turn(DatabaseKind::Sqlite).await;
}
