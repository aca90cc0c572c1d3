//! Promise 3: with 200 clients at once on all replicas, every answered mutation is there exactly once, and every replica's
//! feed has every revision once and in order.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use threefold_tests::client::{Client, NewExpense};
use threefold_tests::feed::{Batch, Subscriber};
use threefold_tests::inspect::ExpenseRow;
use threefold_tests::{Cluster, DatabaseKind, inspect};
use tokio::task::JoinSet;
use uuid::Uuid;

const CLIENTS: usize = 200;
const MUTATIONS_EACH: usize = 5;

/// What one client was promised.
struct Promised {
    rows: Vec<ExpenseRow>,
    revisions: Vec<u64>,
}

async fn every_answer_counts_once(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let subscribers: Vec<Subscriber> = cluster
        .urls()
        .iter()
        .map(|url| Subscriber::of(url, 0))
        .collect();
    for subscriber in &subscribers {
        subscriber.wait_until_live().await;
    }

    // 200 clients, each with two expenses of its own.
    let clients = cluster.clients();
    let mut running = JoinSet::new();
    for number in 0..CLIENTS {
        running.spawn(one_client(number, clients.clone()));
    }
    let promised = running.join_all().await;

    // As many revisions as mutations: none was carried out twice, none without an answer.
    let mut revisions: Vec<u64> = promised
        .iter()
        .flat_map(|client| client.revisions.clone())
        .collect();
    revisions.sort_unstable();
    let last = (CLIENTS * MUTATIONS_EACH) as u64;
    assert_eq!(revisions, (1..=last).collect::<Vec<_>>());
    assert_eq!(inspect::assert_identical(&cluster).await.revision, last);

    // Every database holds what was promised, and nothing else.
    let expected: BTreeMap<Uuid, ExpenseRow> = promised
        .into_iter()
        .flat_map(|client| client.rows)
        .map(|row| (row.id, row))
        .collect();
    for inspector in inspect::all(&cluster).await {
        assert_eq!(inspector.expenses().await, expected);
    }

    // Every feed has every revision once and in order, and played back it gives the same.
    for subscriber in subscribers {
        subscriber.wait_for(last, Duration::from_secs(20)).await;
        subscriber.assert_complete(1, last);
        assert_eq!(subscriber.connections(), 1, "the subscription broke");
        assert_eq!(played_back(&subscriber.finish()), expected);
    }
}

/// Adds two expenses, edits both and deletes the second, each on another replica.
async fn one_client(number: usize, clients: Vec<Client>) -> Promised {
    let replica = |step: usize| &clients[(number + step) % clients.len()];
    let kept = NewExpense::described(format!("client {number}, kept"));
    let (kept, first) = replica(0).add_expense(&kept).await.unwrap().accepted();
    let dropped = NewExpense::described(format!("client {number}, dropped"));
    let (dropped, second) = replica(1).add_expense(&dropped).await.unwrap().accepted();
    let changes = json!({ "description": format!("client {number}, edited"), "expectedVersion": kept.version });
    let (kept, third) = replica(2)
        .update_expense(kept.id, changes)
        .await
        .unwrap()
        .accepted();
    let changes = json!({ "notes": "to go" });
    let (dropped, fourth) = replica(3)
        .update_expense(dropped.id, changes)
        .await
        .unwrap()
        .accepted();
    let options = json!({ "expectedVersion": dropped.version });
    let (dropped, fifth) = replica(4)
        .delete_expense(dropped.id, options)
        .await
        .unwrap()
        .accepted();

    let rows = [(kept, false), (dropped, true)].map(|(expense, deleted)| ExpenseRow {
        id: expense.id,
        description: expense.description,
        version: expense.version.try_into().unwrap(),
        deleted,
    });
    let revisions = [first, second, third, fourth, fifth].map(|receipt| receipt.revision);
    assert!(
        revisions.is_sorted(),
        "a client's revisions go backwards: {revisions:?}"
    );
    Promised {
        rows: rows.into(),
        revisions: revisions.into(),
    }
}

fn played_back(batches: &[Batch]) -> BTreeMap<Uuid, ExpenseRow> {
    let mut rows = BTreeMap::new();
    for change in batches.iter().flat_map(|batch| &batch.changes) {
        let expense = &change["expense"];
        let id: Uuid = expense["id"].as_str().unwrap().parse().unwrap();
        let row = ExpenseRow {
            id,
            description: expense["description"].as_str().unwrap().to_owned(),
            version: i32::try_from(expense["version"].as_i64().unwrap()).unwrap(),
            deleted: change["__typename"] == "ExpenseDeleted",
        };
        rows.insert(id, row);
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_counts_once_on_postgres() {
    every_answer_counts_once(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_counts_once_on_sqlite() {
    every_answer_counts_once(DatabaseKind::Sqlite).await;
}
