//! Promise 2: the moment a mutation answers, each replica's own database has it.

use serde_json::json;
use threefold_tests::client::NewExpense;
use threefold_tests::{Cluster, DatabaseKind, inspect};

const ROUNDS: usize = 20;

async fn an_answer_means_everywhere(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let clients = cluster.clients();
    for round in 0..ROUNDS {
        // Sent to each replica in turn.
        let client = &clients[round % clients.len()];
        let new = NewExpense::described(format!("round {round}"));
        let (added, receipt) = client.add_expense(&new).await.unwrap().accepted();
        for reader in &clients {
            assert_eq!(
                reader.local().expense(added.id).await.unwrap().as_ref(),
                Some(&added)
            );
        }
        assert_eq!(receipt.applied_by(), ["1", "2", "3"]);
        assert!(receipt.pending.is_empty(), "{receipt:?}");
        assert!(!receipt.replayed);
        assert_eq!(added.revision, receipt.revision);

        let changes = json!({ "description": format!("round {round}, changed"), "expectedVersion": added.version });
        let (changed, _) = client
            .update_expense(added.id, changes)
            .await
            .unwrap()
            .accepted();
        for reader in &clients {
            assert_eq!(
                reader.local().expense(added.id).await.unwrap().as_ref(),
                Some(&changed)
            );
        }

        let (deleted, receipt) = client
            .delete_expense(added.id, json!({}))
            .await
            .unwrap()
            .accepted();
        assert!(deleted.deleted_at.is_some());
        for reader in &clients {
            let view = reader.replica().await.unwrap();
            assert!(
                view.revision >= receipt.revision,
                "{view:?} does not have {receipt:?}"
            );
            let page = reader.local().expenses(100).await.unwrap();
            assert!(
                page.nodes.iter().all(|expense| expense.id != added.id),
                "a deleted expense is listed"
            );
            assert!(page.revision >= receipt.revision);
        }
    }
    let state = inspect::assert_identical(&cluster).await;
    assert_eq!(state.revision, 3 * ROUNDS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_means_everywhere_on_postgres() {
    an_answer_means_everywhere(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_means_everywhere_on_sqlite() {
    an_answer_means_everywhere(DatabaseKind::Sqlite).await;
}
