//! What many expenses cost: importing them, pages from anywhere in them, their totals, and writing more.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::offer;
use super::subject::{Load, Subject, Through, Use};
use super::system::System;
use crate::cluster::{Cluster, DatabaseKind};
use crate::load::import;
use crate::measure::process;

/// How often each page is read.
const ROUNDS: usize = 5;
/// How far a reader leafs through each list.
const LEAVES: usize = 4;
const CLIENTS: usize = 64;
const TURN: Duration = Duration::from_secs(8);

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Scale {
    /// Of the first import, into an empty cluster: rows and seconds.
    pub first_import: (u64, f64),
    /// Of the second import: rows and seconds.
    pub import: (u64, f64),
    /// Mutations a second by 64 clients, before the second import and after it.
    pub writes: [f64; 2],
    /// Each list: what it was asked, and the median, 95th percentile and worst of its pages in milliseconds.
    pub pages: Vec<(String, [f64; 3])>,
    /// The same of totals.
    pub summaries: Vec<(String, [f64; 3])>,
    /// Most megabytes of a replica: idle, and at the end.
    pub memory_mb: [f64; 2],
}

/// Fills a cluster with so many expenses, and asks it for pages and totals of them.
///
/// # Errors
/// An answer that is not right.
pub async fn measure(database: DatabaseKind, rows: u64) -> Result<Scale, String> {
    let cluster = offer::in_sync(offer::cluster(database)).await;
    let idle = most_resident(&cluster);
    let first = rows.min(10_000);
    let first_took = import(&cluster, first).await;
    let system = System::Threefold(Box::new(cluster));
    let before = writes(&system).await?;
    let System::Threefold(cluster) = &system else {
        return Err("no cluster".to_owned());
    };
    let took = import(cluster, rows).await;
    cluster.wait_until_in_sync().await;
    let pages = each(cluster, &lists(), page).await?;
    let summaries = each(cluster, &totals(), summary).await?;
    let after = writes(&system).await?;
    Ok(Scale {
        first_import: (first, first_took.as_secs_f64()),
        import: (rows, took.as_secs_f64()),
        writes: [before, after],
        pages,
        summaries,
        memory_mb: [idle, most_resident(cluster)],
    })
}

async fn writes(system: &System) -> Result<f64, String> {
    let subject = Subject {
        name: "all",
        system: 0,
        what: Use::AddExpense("all", Through::Leader),
    };
    let load = Load {
        clients: CLIENTS,
        warm_up: Duration::from_secs(2),
        time: TURN,
    };
    Ok(subject.run(system, load).await?.rate())
}

fn most_resident(cluster: &Cluster) -> f64 {
    let each = cluster.replicas().iter();
    let each = each.map(|replica| process::resident_bytes(replica.pid()) as f64 / 1e6);
    each.fold(0.0, f64::max)
}

/// Every order both ways without a filter, and every filter in several orders.
fn lists() -> Vec<Value> {
    let orders = ["SPENT_ON", "AMOUNT", "CREATED_AT", "DESCRIPTION"];
    let filters = [
        json!({}),
        json!({ "text": "markt" }),
        json!({ "text": "supermarkt müller" }),
        json!({ "text": "nothinghasthis" }),
        json!({ "uncategorised": true }),
        json!({ "tags": ["nothing has this"] }),
        json!({ "currency": "EUR" }),
        json!({ "currency": "JPY" }),
        json!({ "spentFrom": "2024-03-01", "spentTo": "2024-03-31" }),
        json!({ "minAmount": "100", "maxAmount": "101" }),
        json!({ "text": "markt", "spentFrom": "2024-03-01", "minAmount": "50" }),
        json!({ "or": [{ "text": "monatskarte" }, { "minAmount": "1000" }] }),
        json!({ "not": { "currency": "EUR" } }),
        json!({ "deleted": true }),
    ];
    let mut lists = Vec::new();
    for filter in &filters {
        for order in orders {
            for direction in ["ASC", "DESC"] {
                let by = json!({ "field": order, "direction": direction });
                for end in ["first", "last"] {
                    lists.push(json!({ "filter": filter, "orderBy": by, end: 50 }));
                }
            }
        }
    }
    lists
}

fn totals() -> Vec<Value> {
    let month = json!({ "spentFrom": "2024-03-01", "spentTo": "2024-03-31" });
    [
        json!([]),
        json!(["CATEGORY"]),
        json!(["DAY"]),
        json!(["TAG"]),
    ]
    .map(|group| json!({ "filter": month, "groupBy": group }))
    .to_vec()
}

/// The question, and the variables, of one request: what is asked, and the cursor behind which.
type Ask = fn(&Value, &Value) -> (&'static str, Value);

async fn each(
    cluster: &Cluster,
    all: &[Value],
    ask: Ask,
) -> Result<Vec<(String, [f64; 3])>, String> {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.map_err(|error| error.to_string())?;
    let url = format!("{}/graphql", cluster.replica(1).url());
    let mut measured = Vec::new();
    for one in all {
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            let mut after = Value::Null;
            for _ in 0..LEAVES {
                let (query, variables) = ask(one, &after);
                let body = json!({ "query": query, "variables": variables });
                let begun = Instant::now();
                let answer = http.post(&url).json(&body).send().await;
                let answer = answer.map_err(|error| error.to_string())?;
                let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
                took.push(begun.elapsed().as_secs_f64() * 1e3);
                if answer.get("errors").is_some() {
                    return Err(format!("{variables}: {answer}"));
                }
                let end = if one.get("first").is_some() {
                    "endCursor"
                } else {
                    "startCursor"
                };
                after = answer["data"]["expenses"]["pageInfo"][end].clone();
                if after.is_null() {
                    break;
                }
            }
        }
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took[((took.len() - 1) as f64 * share).round() as usize];
        measured.push((one.to_string(), [at(0.5), at(0.95), at(1.0)]));
    }
    Ok(measured)
}

fn page(list: &Value, after: &Value) -> (&'static str, Value) {
    let mut variables = list.clone();
    let place = match list.get("first") {
        Some(_) => "after",
        None => "before",
    };
    variables[place] = after.clone();
    let query = "query Page($filter: ExpenseFilter, $orderBy: ExpenseOrder, $first: Int, $after: String, \
        $last: Int, $before: String) { expenses(filter: $filter, orderBy: $orderBy, first: $first, after: $after, \
        last: $last, before: $before) { \
        nodes { id description amount { amount currency } spentOn category { id name } } \
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    (query, variables)
}

fn summary(total: &Value, _: &Value) -> (&'static str, Value) {
    let query = "query Totals($filter: ExpenseFilter, $groupBy: [SummaryGroup!]!) { \
        summary(filter: $filter, groupBy: $groupBy) { __typename } }";
    (query, total.clone())
}
