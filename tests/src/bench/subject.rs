//! Ways to use a system, all for the same purpose, so that their figures can stand beside each other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::connection::Endpoint;
use super::drive::{self, Script};
use super::figures::Tally;
use super::system::{Into, System, Wait};
use crate::cluster::Cluster;

/// What takes a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// The replica that leads.
    Leader,
    /// Another one, which forwards it.
    Follower,
}

/// What is done with a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// `addExpense`, acknowledged by `all` or a `quorum`.
    AddExpense(&'static str, Through),
    /// `expenses(first: 50)` with the category of each, by this read consistency.
    Page(&'static str, Through),
    /// The same of PostGraphile.
    PostGraphilePage,
    /// etcd: a put of as many bytes, on the leader.
    Put,
    /// pgbench: one row.
    Insert(Wait, Into),
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Subject {
    /// In reports.
    pub name: &'static str,
    /// Which of the systems.
    pub system: usize,
    /// What is done with it.
    pub what: Use,
}

/// How long, and by how many.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Each does one thing after the other.
    pub clients: usize,
    /// Not counted.
    pub warm_up: Duration,
    /// Counted.
    pub time: Duration,
}

impl Subject {
    /// Takes one turn. The system is not frozen.
    ///
    /// # Errors
    /// An answer that is not right, or none.
    pub async fn run(&self, system: &System, load: Load) -> Result<Tally, String> {
        if let (System::Standbys(standbys), Use::Insert(wait, into)) = (system, self.what) {
            let write = standbys.write((wait, into), load.clients, load.warm_up, load.time);
            return write.await;
        }
        let script = self.script(system).await?;
        drive::closed(&script, load.clients, load.warm_up, load.time).await
    }

    /// What is sent over HTTP.
    ///
    /// # Errors
    /// Nothing that this system does.
    pub async fn script(&self, system: &System) -> Result<Script, String> {
        match (system, self.what) {
            (System::Threefold(cluster), Use::AddExpense(acknowledgement, through)) => {
                let setting = ("write-acknowledgement", acknowledgement);
                Ok(Script {
                    endpoint: endpoint(cluster, through, setting).await?,
                    body: Arc::new(add_expense),
                    check: added,
                })
            }
            (System::Reads(reads), Use::Page(consistency, through)) => {
                let setting = ("read-consistency", consistency);
                let body = Bytes::from(json!({ "query": PAGE }).to_string());
                Ok(Script {
                    endpoint: endpoint(&reads.cluster, through, setting).await?,
                    body: Arc::new(move |_| body.clone()),
                    check: is_page,
                })
            }
            (System::Reads(reads), Use::PostGraphilePage) => {
                let body = Bytes::from(json!({ "query": POSTGRAPHILE_PAGE }).to_string());
                Ok(Script {
                    endpoint: Endpoint {
                        address: reads.address(),
                        path: "/graphql",
                        headers: Vec::new(),
                    },
                    body: Arc::new(move |_| body.clone()),
                    check: is_page,
                })
            }
            (System::Etcd(etcd), Use::Put) => Ok(Script {
                endpoint: Endpoint {
                    address: address(&etcd.url(etcd.leader().await))?,
                    path: "/v3/kv/put",
                    headers: Vec::new(),
                },
                body: Arc::new(put),
                check: has_revision,
            }),
            (_, what) => Err(format!("{what:?} is nothing to do with that system")),
        }
    }
}

/// A replica's public API, asked with a setting in a header.
async fn endpoint(
    cluster: &Cluster,
    through: Through,
    (name, value): (&'static str, &'static str),
) -> Result<Endpoint, String> {
    let leader = cluster.leader().await;
    let id = match through {
        Through::Leader => leader,
        Through::Follower => leader % 3 + 1,
    };
    Ok(Endpoint {
        address: address(cluster.replica(id).url())?,
        path: "/graphql",
        headers: vec![(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )],
    })
}

fn address(url: &str) -> Result<SocketAddr, String> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    address
        .parse()
        .map_err(|error| format!("{url} is no address: {error}"))
}

const ADD_EXPENSE: &str = "mutation Add($input: AddExpenseInput!) { addExpense(input: $input) \
    { expense { id } receipt { revision } userErrors { code message } } }";

fn variables(number: u64) -> serde_json::Value {
    json!({ "input": {
        "idempotencyKey": Uuid::now_v7(),
        "description": format!("Lunch {number}"),
        "amount": "12.50",
        "currency": "EUR",
        "spentOn": "2026-11-22",
    } })
}

fn add_expense(number: u64) -> Bytes {
    let body = json!({ "query": ADD_EXPENSE, "variables": variables(number) });
    body.to_string().into()
}

/// The same bytes as an expense, under a key of their own.
fn put(number: u64) -> Bytes {
    let value = STANDARD.encode(variables(number).to_string());
    let key = STANDARD.encode(format!("expense/{number}"));
    json!({ "key": key, "value": value }).to_string().into()
}

fn added(answer: &[u8]) -> Result<(), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        add_expense: Payload,
    }
    #[derive(Deserialize)]
    struct Payload {
        expense: Option<Id>,
        receipt: Option<Receipt>,
    }
    #[derive(Deserialize)]
    struct Id {
        #[serde(rename = "id")]
        _id: Uuid,
    }
    #[derive(Deserialize)]
    struct Receipt {
        revision: serde_json::Value,
    }
    let wrong = || {
        format!(
            "an answer that is none: {}",
            String::from_utf8_lossy(answer)
        )
    };
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| wrong())?;
    let payload = answer.data.add_expense;
    match (payload.expense, payload.receipt) {
        (Some(_), Some(receipt)) if !receipt.revision.is_null() => Ok(()),
        _ => Err(wrong()),
    }
}

/// Rows of a page.
const PAGE_ROWS: usize = 50;

const PAGE: &str = "{ expenses(first: 50) { nodes { id description amount { amount currency } spentOn category { id name } } \
    pageInfo { hasNextPage endCursor } } }";

/// The default ledger's live expenses in the same order, by the columns that hold the same.
const POSTGRAPHILE_PAGE: &str = "{ expenses: allExpenses(first: 50, orderBy: [SPENT_ON_DESC, ID_DESC], \
    condition: { ledgerId: \"7b1f5e0a-3f0d-4c56-9a52-0d7c3e1f0001\", deletedAt: null }) { \
    nodes { id description amountMinor currency spentOn category: categoryByCategoryId { id name } } \
    pageInfo { hasNextPage endCursor } } }";

fn is_page(answer: &[u8]) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        expenses: Page,
    }
    #[derive(Deserialize)]
    struct Page {
        nodes: Vec<Expense>,
    }
    #[derive(Deserialize)]
    struct Expense {
        category: Option<Category>,
    }
    #[derive(Deserialize)]
    struct Category {
        #[serde(rename = "name")]
        _name: String,
    }
    let wrong = || format!("no page: {}", String::from_utf8_lossy(answer));
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| wrong())?;
    let nodes = answer.data.expenses.nodes;
    let categories = nodes.iter().filter(|node| node.category.is_some()).count();
    match (nodes.len(), categories) {
        (PAGE_ROWS, 1..) => Ok(()),
        _ => Err(wrong()),
    }
}

fn has_revision(answer: &[u8]) -> Result<(), String> {
    let value: serde_json::Value =
        serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    match value.pointer("/header/revision") {
        Some(_) => Ok(()),
        None => Err(format!("etcd says {value}")),
    }
}
