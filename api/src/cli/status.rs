//! `threefold status`: the replicas of a cluster, as one of them sees them.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};

use crate::cli::client::{Client, Endpoint, Options};
use crate::cli::stdout::print_line;

/// Longest wait for the answer: this command is for people, and asks for nothing that takes time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Characters of the state hash in the table; enough to tell two histories apart at a glance.
const HASH_CHARS: usize = 12;

const REPLICAS: &str = "query Replicas {
  replicas { id role url term revision lag inSync stateHash expenseCount database lastSeenAt }
}";

/// Flags of `threefold status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of the replica to ask, without /graphql. Give it again, or separated by commas, for replicas to
    /// ask when that one does not answer.
    #[arg(
        long,
        value_name = "URL",
        env = "THREEFOLD_URL",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:8081"
    )]
    url: Vec<Endpoint>,
    /// Print the whole list as JSON instead of a table.
    #[arg(long, env = "THREEFOLD_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    /// File that holds the access token of the cluster; without it, none is sent.
    #[arg(long, value_name = "FILE", env = "THREEFOLD_ACCESS_TOKEN_FILE")]
    access_token_file: Option<PathBuf>,
}

/// Prints the replicas to standard output.
///
/// # Errors
/// The replica cannot be reached, refuses, or is no Threefold.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = Client::new(&Options {
        timeout: TIMEOUT,
        access_token_file: args.access_token_file.as_deref(),
        local_reads: true,
    })?;
    let replicas = ask(&client, &args.url).await?;
    let text = if args.json {
        serde_json::to_string_pretty(&replicas)?
    } else {
        table(&replicas).to_string()
    };
    Ok(print_line(&text)?)
}

/// The answer of the first replica that gives one; if none does, the error of the last.
async fn ask(client: &Client, urls: &[Endpoint]) -> anyhow::Result<Vec<Replica>> {
    let mut asked = Err(anyhow::anyhow!("no address of a replica is given"));
    for url in urls {
        match client.request(url, REPLICAS, &()).await {
            Ok(Data { replicas }) => return Ok(replicas),
            Err(error) if !error.retryable() => return Err(error.into()),
            Err(error) => asked = Err(error.into()),
        }
    }
    asked
}

#[derive(Deserialize)]
struct Data {
    replicas: Vec<Replica>,
}

/// A replica, with the names and texts of the API.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replica {
    id: String,
    role: String,
    url: String,
    term: String,
    revision: String,
    lag: i64,
    in_sync: bool,
    state_hash: String,
    expense_count: i64,
    database: String,
    last_seen_at: Option<String>,
}

fn table(replicas: &[Replica]) -> Table {
    const RIGHT: [usize; 5] = [3, 4, 5, 8, 0];
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "id",
        "role",
        "url",
        "term",
        "revision",
        "lag",
        "in sync",
        "state hash",
        "expenses",
        "database",
        "last seen",
    ]);
    for replica in replicas {
        table.add_row([
            replica.id.clone(),
            replica.role.to_lowercase(),
            replica.url.clone(),
            replica.term.clone(),
            replica.revision.clone(),
            replica.lag.to_string(),
            if replica.in_sync { "yes" } else { "no" }.to_owned(),
            replica.state_hash.chars().take(HASH_CHARS).collect(),
            replica.expense_count.to_string(),
            replica.database.to_lowercase(),
            replica
                .last_seen_at
                .clone()
                .unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    for index in RIGHT {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"replicas": [
      {"id": "1", "role": "LEADER", "url": "http://127.0.0.1:8081", "term": "3", "revision": "512", "lag": 0,
       "inSync": true, "stateHash": "9f86d081884c7d659a2feaa0c55ad015", "expenseCount": 5000,
       "database": "POSTGRES", "lastSeenAt": "2026-11-22T10:00:00Z"},
      {"id": "2", "role": "UNREACHABLE", "url": "http://127.0.0.1:8082", "term": "3", "revision": "500",
       "lag": 12, "inSync": false, "stateHash": "", "expenseCount": 4990, "database": "SQLITE",
       "lastSeenAt": null}]}"#;

    #[test]
    fn the_table_has_a_line_a_replica() {
        let data: Data = serde_json::from_str(ANSWER).unwrap();
        let text = table(&data.replicas).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].contains("state hash"), "{text}");
        assert!(
            lines[3].contains("leader") && lines[3].contains("9f86d081884c "),
            "{text}"
        );
        assert!(
            lines[4].contains("unreachable")
                && lines[4].contains(" no ")
                && lines[4].contains("never"),
            "{text}"
        );
    }

    #[test]
    fn json_keeps_the_names_of_the_api() {
        let data: Data = serde_json::from_str(ANSWER).unwrap();
        let expected: serde_json::Value = serde_json::from_str(ANSWER).unwrap();
        assert_eq!(
            serde_json::to_value(&data.replicas).unwrap(),
            expected["replicas"]
        );
    }
}
