//! Nobody brings a replica down with a document: what is too deep or multiplies itself is refused, and the replica lives on.

use serde_json::json;
use threefold_tests::client::NewExpense;
use threefold_tests::{Cluster, DatabaseKind};

#[tokio::test(flavor = "multi_thread")]
async fn hostile_documents_are_refused_on_sqlite() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let replica = cluster.replica(2);
    let client = replica.client();
    let deep = format!(
        "{{ expense(id: {}{}) {{ id }} }}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let mut ladder = "{ ...f0 }".to_owned();
    for n in 0..30 {
        ladder += &format!(" fragment f{n} on Query {{ ...f{} ...f{} }}", n + 1, n + 1);
    }
    ladder += " fragment f30 on Query { replicas { id } }";
    let cycle = "{ ...a } fragment a on Query { ...a ...a }".to_owned();
    let chain: String = (0..5_000)
        .map(|n| format!(" fragment f{n} on Query {{ ...f{} }}", n + 1))
        .collect();
    let chain = format!("{{ ...f0 }}{chain}");
    let selections = format!("{{ {} }}", "{ a ".repeat(5_000));
    for (name, document) in [
        ("deep values", deep),
        ("a ladder of fragments", ladder),
        ("a cycle of fragments", cycle),
        ("a chain of fragments", chain),
        ("deep selections", selections),
    ] {
        let error = client.execute(&document, json!({})).await.unwrap_err();
        let code = error.code().map(str::to_owned);
        assert!(
            matches!(
                code.as_deref(),
                Some("TOO_COMPLEX" | "BAD_USER_INPUT" | "TOO_LARGE")
            ),
            "{name}: {error:?}"
        );
        assert!(replica.is_running(), "{name} brought the replica down");
    }
    // Filters in filters: deep ones, and a million of them.
    let list = "query ($filter: ExpenseFilter) { expenses(filter: $filter) { totalCount } }";
    let deep = (0..120).fold(json!({}), |inner, _| json!({ "not": inner }));
    let wide = json!({ "and": vec![json!({}); 1_000_000] });
    for filter in [deep, wide] {
        let error = client
            .execute(list, json!({ "filter": filter }))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some("BAD_USER_INPUT"), "{error:?}");
        assert!(replica.is_running());
    }
    client
        .add_expense(&NewExpense::described("after all that"))
        .await
        .unwrap()
        .accepted();
}
