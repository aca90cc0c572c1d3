//! Promise 8: a read with the default consistency never misses a mutation that had answered before it began, whatever the
//! replica and however the mutation was acknowledged.

use serde_json::json;
use threefold_tests::client::NewExpense;
use threefold_tests::load::Load;
use threefold_tests::{Cluster, DatabaseKind};
use uuid::Uuid;

const ROUNDS: usize = 60;
const WRITERS: usize = 8;

async fn a_read_sees_what_had_answered(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let clients = cluster.clients();
    // Others write meanwhile, so that followers have something to lag behind with.
    let load = Load::start(&clients, WRITERS);
    for round in 0..ROUNDS {
        // Acknowledged by a majority only: one follower may not have it when it answers.
        let writer = &clients[round % clients.len()].quorum();
        let new = NewExpense::described(format!("round {round}"));
        let (added, receipt) = writer.add_expense(&new).await.unwrap().accepted();
        for reader in &clients {
            let read = reader.expense(added.id).await.unwrap();
            assert_eq!(
                read.as_ref(),
                Some(&added),
                "round {round}: a read missed a mutation that had answered"
            );
            let page = reader.expenses(1).await.unwrap();
            assert!(
                page.revision >= receipt.revision,
                "a list was read at an older revision"
            );
        }
    }
    // The same by revision, without asking the leader.
    for round in 0..ROUNDS {
        let writer = &clients[round % clients.len()].quorum();
        let new = NewExpense::described(format!("by revision, round {round}"));
        let (added, receipt) = writer.add_expense(&new).await.unwrap().accepted();
        for reader in &clients {
            let read = reader
                .at_least(receipt.revision)
                .expense(added.id)
                .await
                .unwrap();
            assert_eq!(
                read.as_ref(),
                Some(&added),
                "round {round}: a read missed its revision"
            );
        }
    }
    load.finish().await;
}

/// A follower that slept through a write does not know that it did.
async fn a_follower_that_slept_answers_with_the_truth(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .in_sync_timeout_ms(1_000)
        .start()
        .await;
    let leader = cluster.replica(cluster.leader().await).client();
    let follower = cluster.replica(cluster.followers().await[0]);
    for round in 0..5 {
        follower.stop();
        let new = NewExpense::described(format!("round {round}"));
        let (added, _) = leader.quorum().add_expense(&new).await.unwrap().accepted();
        follower.cont();
        let read = follower.client().expense(added.id).await.unwrap();
        assert_eq!(
            read.as_ref(),
            Some(&added),
            "round {round}: a follower answered from before its sleep"
        );
    }
}

/// Every root field that reads rows is as fresh as that one: each is the first thing the follower is asked after its sleep.
async fn every_field_waits_for_the_truth(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .in_sync_timeout_ms(1_000)
        .start()
        .await;
    let leader = cluster.replica(cluster.leader().await).client();
    let follower = cluster.replica(cluster.followers().await[0]);
    let add = "mutation($key: UUID!, $name: String!) { addCategory(input: { idempotencyKey: $key, name: $name }) \
               { category { id } userErrors { message } } }";
    for (number, (document, path)) in [
        ("{ categories { id } }", "/categories/0"),
        (
            "query($key: UUID!) { outcome(idempotencyKey: $key) { receipt { revision } } }",
            "/outcome/receipt",
        ),
        (
            "{ expenses(first: 1) { totalCount } }",
            "/expenses/totalCount",
        ),
        ("{ expenses(first: 1) { revision } }", "/expenses/revision"),
        ("{ summary(groupBy: []) { count } }", "/summary/0/count"),
        ("{ categories { name expenseCount } }", "/categories"),
    ]
    .into_iter()
    .enumerate()
    {
        let before = leader
            .execute(document, json!({ "key": Uuid::nil() }))
            .await;
        let before = before.ok().and_then(|data| data.pointer(path).cloned());
        follower.stop();
        let key = Uuid::new_v4();
        let name = format!("category {number}");
        let quorum = leader.quorum();
        quorum
            .execute(add, json!({ "key": key, "name": name }))
            .await
            .unwrap();
        quorum
            .add_expense(&NewExpense::described(name))
            .await
            .unwrap()
            .accepted();
        follower.cont();
        let variables = if document.contains("$key") {
            json!({ "key": key })
        } else {
            json!({})
        };
        let fresh = follower
            .client()
            .execute(document, variables.clone())
            .await
            .unwrap();
        let truth = leader.execute(document, variables).await.unwrap();
        assert_eq!(fresh.pointer(path), truth.pointer(path), "{document}");
        if number > 0 {
            assert_ne!(
                fresh.pointer(path).cloned(),
                before,
                "{document} shows nothing: it did not change"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_waits_for_the_truth_on_postgres() {
    every_field_waits_for_the_truth(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_waits_for_the_truth_on_sqlite() {
    every_field_waits_for_the_truth(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_sees_what_had_answered_on_postgres() {
    a_read_sees_what_had_answered(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_sees_what_had_answered_on_sqlite() {
    a_read_sees_what_had_answered(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_slept_answers_with_the_truth_on_postgres() {
    a_follower_that_slept_answers_with_the_truth(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_slept_answers_with_the_truth_on_sqlite() {
    a_follower_that_slept_answers_with_the_truth(DatabaseKind::Sqlite).await;
}
