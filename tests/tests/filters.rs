//! Promise: a filter means the same on every replica and both databases, in lists, counts and summaries, however it is put
//! together; and what it may not hold is named.

use serde_json::{Value, json};
use threefold_tests::client::Client;
use threefold_tests::{Cluster, DatabaseKind};

const LIST: &str = "query ($filter: ExpenseFilter) { \
    expenses(filter: $filter, orderBy: { field: DESCRIPTION, direction: ASC }) { totalCount nodes { description } } \
    summary(filter: $filter, groupBy: []) { count } }";

async fn add(client: &Client, expense: Value) {
    let add = "mutation ($input: AddExpenseInput!) { addExpense(input: $input) { userErrors { message } } }";
    let mut input = json!({ "amount": "10", "currency": "EUR", "spentOn": "2026-01-15" });
    for (field, value) in expense.as_object().unwrap() {
        input[field] = value.clone();
    }
    let data = client
        .execute(add, json!({ "input": input }))
        .await
        .unwrap();
    assert_eq!(data["addExpense"]["userErrors"], json!([]));
}

async fn found(client: &Client, filter: &Value) -> Vec<String> {
    let data = client.execute(LIST, json!({ "filter": filter })).await;
    let data = data.unwrap_or_else(|error| panic!("{filter}: {error}"));
    let nodes = data["expenses"]["nodes"].as_array().unwrap();
    let count = nodes.len();
    assert_eq!(data["expenses"]["totalCount"], count, "{filter}");
    let summed = data["summary"].as_array().unwrap().iter();
    let summed: u64 = summed.map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(summed, count as u64, "{filter}");
    nodes
        .iter()
        .map(|node| node["description"].as_str().unwrap().to_owned())
        .collect()
}

async fn a_filter_means_the_same_everywhere(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let client = cluster.replica(2).client();
    let category = "mutation { addCategory(input: { name: \"Food\" }) { category { id } } }";
    let data = client.execute(category, json!({})).await.unwrap();
    let food = data["addCategory"]["category"]["id"].clone();
    add(
        &client,
        json!({ "description": "bread", "categoryId": food, "tags": ["home"] }),
    )
    .await;
    add(
        &client,
        json!({ "description": "coffee", "categoryId": food, "amount": "3.20" }),
    )
    .await;
    add(
        &client,
        json!({ "description": "train", "tags": ["trip"], "spentOn": "2026-02-01" }),
    )
    .await;
    add(&client, json!({ "description": "tram", "currency": "CHF" })).await;

    let in_food = json!({ "categoryIds": [food] });
    for (filter, expected) in [
        (json!({}), &["bread", "coffee", "train", "tram"][..]),
        // What has no category is not in it.
        (json!({ "not": in_food }), &["train", "tram"]),
        (json!({ "not": { "not": in_food } }), &["bread", "coffee"]),
        (
            json!({ "or": [{ "tags": ["home"] }, { "tags": ["trip"] }, { "text": "trip home" }] }),
            &["bread", "train"],
        ),
        (
            json!({ "and": [in_food, { "maxAmount": "5" }], "or": [] }),
            &["coffee"],
        ),
        (
            json!({ "spentTo": "2026-01-31", "or": [{ "currency": "CHF" }, { "text": "b", "not": { "tags": ["trip"] } }] }),
            &["bread", "tram"],
        ),
        (
            json!({ "and": { "text": "t" }, "deleted": false }),
            &["train", "tram"],
        ),
        (json!({ "not": {} }), &[]),
        (json!({ "or": [{}] }), &["bread", "coffee", "train", "tram"]),
        (
            json!({ "not": { "text": "!?" } }),
            &["bread", "coffee", "train", "tram"],
        ),
        (json!({ "deleted": true, "not": in_food }), &[]),
    ] {
        for client in cluster.clients() {
            assert_eq!(found(&client, &filter).await, expected, "{filter}");
        }
    }

    for (filter, message) in [
        (
            json!({ "and": [{ "or": [{}, { "deleted": true }] }] }),
            "filter.and[0].or[1].deleted: ",
        ),
        (
            json!({ "not": { "not": { "not": { "not": { "not": {} } } } } }),
            "5 deep in one another, 4 are allowed",
        ),
        (
            json!({ "or": vec![json!({}); 32] }),
            "33 filters, 32 are allowed",
        ),
        (
            json!({ "text": "a b c d e f g h", "and": [{ "text": "i j k l m n o p q" }] }),
            "filter.and[0].text: 17 words",
        ),
    ] {
        let error = client.execute(LIST, json!({ "filter": filter })).await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), Some("BAD_USER_INPUT"), "{filter}: {error}");
        assert!(error.to_string().contains(message), "{filter}: {error}");
    }

    // Filters are work: very many lists with large ones are too much for one request.
    let filter = json!({ "or": vec![json!({ "text": "a" }); 15] });
    let lists: String = (0..100)
        .map(|n| format!("a{n}: expenses(filter: $filter, first: 1) {{ totalCount }} "))
        .collect();
    let document = format!("query ($filter: ExpenseFilter) {{ {lists} }}");
    let error = client.execute(&document, json!({ "filter": filter })).await;
    assert_eq!(error.unwrap_err().code(), Some("TOO_COMPLEX"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_means_the_same_everywhere_on_postgres() {
    a_filter_means_the_same_everywhere(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_means_the_same_everywhere_on_sqlite() {
    a_filter_means_the_same_everywhere(DatabaseKind::Sqlite).await;
}
