//! Promise 5: a follower that falls silent delays writes once, is named as pending, and catches up when it is back. Where all
//! three are asked for, the write is refused and nothing is stored.

use std::time::{Duration, Instant};

use threefold_tests::client::{NewExpense, ReplicaView};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, inspect};

const IN_SYNC_TIMEOUT_MS: u64 = 1_500;
/// The in-sync timeout, with room for a busy machine.
const DELAYED_AT_MOST: Duration = Duration::from_secs(10);
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(30);

async fn writes_go_on_without_a_silent_follower(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .in_sync_timeout_ms(IN_SYNC_TIMEOUT_MS)
        .start()
        .await;
    let leader = cluster.replica(cluster.leader().await).client();
    let followers = cluster.followers().await;
    let silent = cluster.replica(followers[0]);
    let silent_id = silent.id().to_string();
    leader
        .add_expense(&NewExpense::described("before"))
        .await
        .unwrap()
        .accepted();

    // Silent: the first write waits for the timeout, and names who is pending.
    silent.stop();
    let begun = Instant::now();
    let (_, receipt) = leader
        .add_expense(&NewExpense::described("without, first"))
        .await
        .unwrap()
        .accepted();
    assert!(
        begun.elapsed() < DELAYED_AT_MOST,
        "delayed by {:?}",
        begun.elapsed()
    );
    assert_eq!(receipt.pending, [silent_id.as_str()]);
    assert_eq!(receipt.applied_by().len(), 2);
    assert!(!receipt.applied_by().contains(&silent_id.as_str()));

    // After that, writes go on, through the other follower as well.
    let other = cluster.replica(followers[1]).client();
    let begun = Instant::now();
    for number in 0..10 {
        let new = NewExpense::described(format!("without, {number}"));
        let client = if number % 2 == 0 { &leader } else { &other };
        let (_, receipt) = client.add_expense(&new).await.unwrap().accepted();
        assert_eq!(receipt.pending, [silent_id.as_str()]);
    }
    assert!(
        begun.elapsed() < DELAYED_AT_MOST,
        "ten writes took {:?}",
        begun.elapsed()
    );
    let views = leader.replicas().await.unwrap();
    assert!(!view_of(&views, &silent_id).in_sync, "{views:?}");

    // Back: it catches up, and writes wait for it again.
    silent.cont();
    until("the follower to be in sync", RECOVERY_TIMEOUT, async || {
        let views = leader.replicas().await.map_err(|error| error.to_string())?;
        if view_of(&views, &silent_id).in_sync {
            Ok(())
        } else {
            Err(format!("{views:?}"))
        }
    })
    .await;
    let (after, receipt) = silent
        .client()
        .add_expense(&NewExpense::described("after"))
        .await
        .unwrap()
        .accepted();
    assert_eq!(receipt.applied_by(), ["1", "2", "3"]);
    assert!(receipt.pending.is_empty());
    assert!(
        silent
            .client()
            .local()
            .expense(after.id)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(inspect::assert_identical(&cluster).await.revision, 13);
}

async fn three_of_three_or_nothing(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .min_in_sync(3)
        .in_sync_timeout_ms(IN_SYNC_TIMEOUT_MS)
        .start()
        .await;
    let leader = cluster.replica(cluster.leader().await).client();
    let followers = cluster.followers().await;
    let silent = cluster.replica(followers[0]);
    let silent_id = silent.id().to_string();
    until("three replicas in sync", RECOVERY_TIMEOUT, async || {
        let views = leader.replicas().await.map_err(|error| error.to_string())?;
        if views.iter().all(|view| view.in_sync) {
            Ok(())
        } else {
            Err(format!("{views:?}"))
        }
    })
    .await;
    leader
        .add_expense(&NewExpense::described("with all"))
        .await
        .unwrap()
        .accepted();
    let before = inspect::assert_identical(&cluster).await;

    silent.stop();
    until(
        "the follower to be out of sync",
        RECOVERY_TIMEOUT,
        async || {
            let views = leader.replicas().await.map_err(|error| error.to_string())?;
            if view_of(&views, &silent_id).in_sync {
                Err(format!("{views:?}"))
            } else {
                Ok(())
            }
        },
    )
    .await;

    // Refused on the leader and on the follower that is left, and stored nowhere.
    let refused = NewExpense::described("refused");
    for client in [&leader, &cluster.replica(followers[1]).client()] {
        let error = client.add_expense(&refused).await.unwrap_err();
        assert_eq!(error.code(), Some("NOT_ENOUGH_REPLICAS"), "{error}");
        assert!(
            client
                .local()
                .outcome(refused.idempotency_key.unwrap())
                .await
                .unwrap()
                .is_none()
        );
    }
    silent.cont();
    for inspector in inspect::all(&cluster).await {
        assert!(
            !inspector
                .count_by_description()
                .await
                .contains_key("refused")
        );
    }
    assert_eq!(inspect::assert_identical(&cluster).await, before);

    // All back: the same mutation is taken, as a first one.
    let (_, receipt) = until(
        "the write to be taken again",
        RECOVERY_TIMEOUT,
        async || {
            leader
                .add_expense(&refused)
                .await
                .map(|payload| payload.accepted())
                .map_err(|error| error.to_string())
        },
    )
    .await;
    assert!(!receipt.replayed);
    assert_eq!(receipt.revision, before.revision + 1);
    inspect::assert_identical(&cluster).await;
}

fn view_of<'a>(views: &'a [ReplicaView], id: &str) -> &'a ReplicaView {
    views
        .iter()
        .find(|view| view.id == id)
        .expect("every replica is listed")
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_go_on_without_a_silent_follower_on_postgres() {
    writes_go_on_without_a_silent_follower(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_go_on_without_a_silent_follower_on_sqlite() {
    writes_go_on_without_a_silent_follower(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_of_three_or_nothing_on_postgres() {
    three_of_three_or_nothing(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_of_three_or_nothing_on_sqlite() {
    three_of_three_or_nothing(DatabaseKind::Sqlite).await;
}
