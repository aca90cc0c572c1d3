//! Promise 4: a mutation that is sent again under its key is carried out once and answered alike, on any replica, at the same
//! moment, after a failover.

use futures_util::future::join_all;
use threefold_tests::client::NewExpense;
use threefold_tests::{Cluster, DatabaseKind, inspect};
use uuid::Uuid;

const TIMES: usize = 5;
const ROUNDS: usize = 10;

async fn one_key_makes_one_expense(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let clients = cluster.clients();
    let mut last = None;
    for round in 1..=ROUNDS {
        // Sent five times at once, to different replicas.
        let new = NewExpense::described(format!("round {round}"));
        let sent = (0..TIMES).map(|time| clients[(round + time) % clients.len()].add_expense(&new));
        let answers: Vec<_> = join_all(sent)
            .await
            .into_iter()
            .map(|answer| answer.unwrap().accepted())
            .collect();

        let (expense, receipt) = &answers[0];
        for (other, other_receipt) in &answers {
            assert_eq!(other, expense, "one key, and two answers");
            assert_eq!(other_receipt.revision, receipt.revision);
        }
        let replayed = answers
            .iter()
            .filter(|(_, receipt)| receipt.replayed)
            .count();
        assert_eq!(replayed, TIMES - 1);
        assert_eq!(receipt.revision, round as u64);

        // Every replica can tell what became of the key.
        for client in &clients {
            let outcome = client
                .outcome(new.idempotency_key.unwrap())
                .await
                .unwrap()
                .expect("an outcome");
            assert_eq!(
                outcome.receipt.expect("a receipt").revision,
                receipt.revision
            );
            assert!(outcome.user_errors.is_empty());
        }
        last = Some((new, expense.clone()));
    }
    assert!(
        clients[0].outcome(Uuid::new_v4()).await.unwrap().is_none(),
        "an outcome of a key never sent"
    );

    let state = inspect::assert_identical(&cluster).await;
    assert_eq!(state.revision, ROUNDS as u64);
    for inspector in inspect::all(&cluster).await {
        assert_eq!(inspector.expenses().await.len(), ROUNDS);
    }

    // A new leader knows the old keys.
    let leader = cluster.leader().await;
    cluster.replica(leader).kill9();
    let new_leader = cluster.leader().await;
    assert_ne!(new_leader, leader);
    let (new, first) = last.unwrap();
    let (again, receipt) = cluster
        .replica(new_leader)
        .client()
        .add_expense(&new)
        .await
        .unwrap()
        .accepted();
    assert!(receipt.replayed);
    assert_eq!(again, first);
    cluster.replica(leader).restart().await;
    let (again, receipt) = cluster
        .replica(leader)
        .client()
        .add_expense(&new)
        .await
        .unwrap()
        .accepted();
    assert!(receipt.replayed);
    assert_eq!(again, first);
    assert_eq!(
        inspect::assert_identical(&cluster).await.revision,
        state.revision
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_makes_one_expense_on_postgres() {
    one_key_makes_one_expense(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_makes_one_expense_on_sqlite() {
    one_key_makes_one_expense(DatabaseKind::Sqlite).await;
}
