//! `threefold verify`: are the tables of all replicas the same?

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::builder::BoolishValueParser;
use serde::{Deserialize, Serialize};

use crate::cli::client::{Client, ClientError, Endpoint, Options};
use crate::cli::stdout::print_line;

/// Longest wait for one answer; the comparison itself takes as long as the replicas need.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(250);
/// The exit code where rows differ.
const DIFFERS: u8 = 1;
/// The exit code where it could not be told.
const UNTOLD: u8 = 2;
/// The exit code where rows differ, and it could not be told whose are right.
const UNDECIDED: u8 = 3;

const FIELDS: &str = "{ id state reason beganAt endedAt revision undecided
    replicas { id state reason rows digest tookMs quarantined }
    differences { table key columns versions { replicaId present values } } }";

/// Flags of `threefold verify`.
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
    /// Print what was found as JSON.
    #[arg(long, env = "THREEFOLD_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    /// Longest wait for the comparison to end, in seconds. It goes on without anybody waiting.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout_s: u64,
    /// File that holds the access token of the cluster; without it, none is sent.
    #[arg(long, value_name = "FILE", env = "THREEFOLD_ACCESS_TOKEN_FILE")]
    access_token_file: Option<PathBuf>,
}

/// Compares, and prints what was found. The exit code is 0 if every replica holds the same, 1 if rows differ and those that are
/// wrong are quarantined, 3 if rows differ and it could not be told whose are wrong, 2 if nothing could be told.
pub async fn run(args: Args) -> ExitCode {
    match compare(&args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("threefold: {error:#}");
            ExitCode::from(UNTOLD)
        }
    }
}

async fn compare(args: &Args) -> anyhow::Result<ExitCode> {
    let client = Client::new(&Options {
        timeout: TIMEOUT,
        access_token_file: args.access_token_file.as_deref(),
        local_reads: true,
    })?;
    let (endpoint, id) = begin(&client, &args.url).await?;
    let deadline = Instant::now() + Duration::from_secs(args.timeout_s);
    let verification = follow(&client, endpoint, &id, deadline).await?;
    let text = if args.json {
        serde_json::to_string_pretty(&verification)?
    } else {
        verification.describe()
    };
    print_line(&text)?;
    Ok(verification.exit_code())
}

/// Has the first replica that answers begin.
async fn begin<'a>(
    client: &Client,
    urls: &'a [Endpoint],
) -> anyhow::Result<(&'a Endpoint, String)> {
    let mut last = anyhow::anyhow!("no address of a replica is given");
    for url in urls {
        match client
            .request(url, "mutation Verify { verify { id } }", &())
            .await
        {
            Ok(Begun { verify }) => return Ok((url, verify.id)),
            Err(error) if !error.retryable() => return Err(error.into()),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// Asks until it has ended.
async fn follow(
    client: &Client,
    url: &Endpoint,
    id: &str,
    deadline: Instant,
) -> anyhow::Result<Verification> {
    let query = format!("query Verification {{ verification {FIELDS} }}");
    let mut unanswered = 0;
    loop {
        let asked: Result<Asked, ClientError> = client.request(url, &query, &()).await;
        match asked {
            Ok(Asked {
                verification: Some(verification),
            }) if verification.id == id => {
                if verification.state != "RUNNING" {
                    return Ok(verification);
                }
                unanswered = 0;
            }
            Ok(_) => anyhow::bail!(
                "{url} was started again meanwhile, or has begun another comparison; try again"
            ),
            // One answer that is lost is not the end of it.
            Err(error) if error.retryable() && unanswered < 3 => unanswered += 1,
            Err(error) => return Err(error.into()),
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "the comparison has not ended in time; it goes on, and the metrics of the replicas will tell"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

#[derive(Deserialize)]
struct Begun {
    verify: Named,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Asked {
    verification: Option<Verification>,
}

/// A comparison, with the names and texts of the API.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    id: String,
    state: String,
    reason: Option<String>,
    began_at: String,
    ended_at: Option<String>,
    revision: Option<String>,
    undecided: bool,
    replicas: Vec<Replica>,
    differences: Vec<Difference>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replica {
    id: String,
    state: String,
    reason: Option<String>,
    rows: i64,
    digest: Option<String>,
    took_ms: Option<i64>,
    quarantined: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Difference {
    table: String,
    key: String,
    columns: Vec<String>,
    versions: Vec<Version>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    replica_id: String,
    present: bool,
    values: Vec<Option<String>>,
}

impl Verification {
    fn exit_code(&self) -> ExitCode {
        match self.state.as_str() {
            "EQUAL" => ExitCode::SUCCESS,
            "DIFFERS" => ExitCode::from(DIFFERS),
            "UNDECIDED" => ExitCode::from(UNDECIDED),
            _ => ExitCode::from(UNTOLD),
        }
    }

    /// For people: what it came to, a line a replica, and the rows that differ.
    fn describe(&self) -> String {
        let at = match &self.revision {
            Some(revision) => format!(" at revision {revision}"),
            None => String::new(),
        };
        let mut lines = vec![match self.state.as_str() {
            "EQUAL" => format!("All replicas hold the same{at}."),
            "UNDECIDED" => self.describe_doubt(&at),
            "DIFFERS" => format!("Replicas hold different rows{at}."),
            _ if self.replicas.iter().all(|replica| replica.state != "EQUAL") => {
                "The replicas could not be compared.".to_owned()
            }
            _ => {
                format!("Not every replica could be compared{at}; those that could hold the same.")
            }
        }];
        lines.extend(self.reason.clone());
        lines.extend(self.replicas.iter().map(Replica::describe));
        lines.extend(self.differences.iter().map(Difference::describe));
        lines.join("\n")
    }
}

impl Verification {
    /// Who is in question, and what would decide it.
    fn describe_doubt(&self, at: &str) -> String {
        let ids = |state: &str| {
            let of_state = self
                .replicas
                .iter()
                .filter(|replica| replica.state == state);
            let ids: Vec<&str> = of_state.map(|replica| replica.id.as_str()).collect();
            ids.join(" and ")
        };
        let (unclear, silent) = (ids("UNDECIDED"), ids("UNANSWERED"));
        let next = if silent.is_empty() {
            "Compare what each has, decide who is right, and replace the others.".to_owned()
        } else {
            format!(
                "What replica {silent} holds may decide it: start it, and the leader compares again by itself."
            )
        };
        format!(
            "Replicas {unclear} hold different rows{at}, and it cannot be told whose are right, so none is quarantined for \
             that: no majority of the {} replicas has the same. {next}",
            self.replicas.len()
        )
    }
}

impl Replica {
    fn describe(&self) -> String {
        let state = self.state.to_lowercase();
        let mut line = format!("  replica {}: {state}", self.id);
        if let (Some(digest), Some(took)) = (&self.digest, self.took_ms) {
            let digest: String = digest.chars().take(12).collect();
            line.push_str(&format!(
                ", {} rows read in {took} ms, digest {digest}",
                self.rows
            ));
        }
        if let Some(reason) = &self.reason {
            line.push_str(&format!(": {reason}"));
        }
        if self.quarantined {
            line.push_str("; quarantined");
        }
        line
    }
}

impl Difference {
    fn describe(&self) -> String {
        let mut text = format!("  table {}, {}", self.table, self.key);
        for version in &self.versions {
            let has = if version.present {
                let values = self.columns.iter().zip(&version.values);
                let values: Vec<String> = values
                    .map(|(column, value)| match value {
                        Some(value) => format!("{column}={value}"),
                        None => format!("{column} is null"),
                    })
                    .collect();
                values.join(", ")
            } else {
                "no such row".to_owned()
            };
            text.push_str(&format!("\n    replica {}: {has}", version.replica_id));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &str = r#"{"id": "x", "state": "DIFFERS", "reason": null, "beganAt": "2026-11-22T10:00:00Z",
      "endedAt": "2026-11-22T10:00:01Z", "revision": "512", "undecided": false, "replicas": [
        {"id": "1", "state": "EQUAL", "reason": null, "rows": 7, "digest": "9f86d081884c7d659a2f", "tookMs": 4,
         "quarantined": false},
        {"id": "2", "state": "DIFFERS", "reason": "table expense", "rows": 7, "digest": "0f86d081884c7d659a2f",
         "tookMs": 5, "quarantined": true},
        {"id": "3", "state": "UNANSWERED", "reason": "connection refused", "rows": 0, "digest": null,
         "tookMs": null, "quarantined": false}],
      "differences": [{"table": "expense", "key": "id=7", "columns": ["notes"], "versions": [
        {"replicaId": "1", "present": true, "values": [null]},
        {"replicaId": "2", "present": true, "values": ["paid"]},
        {"replicaId": "3", "present": false, "values": []}]}]}"#;

    #[test]
    fn people_read_who_differs_and_where() {
        let found: Verification = serde_json::from_str(FOUND).unwrap();
        let text = found.describe();
        let expected = "Replicas hold different rows at revision 512.
  replica 1: equal, 7 rows read in 4 ms, digest 9f86d081884c
  replica 2: differs, 7 rows read in 5 ms, digest 0f86d081884c: table expense; quarantined
  replica 3: unanswered: connection refused
  table expense, id=7
    replica 1: notes is null
    replica 2: notes=paid
    replica 3: no such row";
        assert_eq!(text, expected);
    }

    #[test]
    fn people_read_who_is_in_question_and_what_would_decide_it() {
        let undecided = FOUND
            .replace("EQUAL", "UNDECIDED")
            .replace("DIFFERS", "UNDECIDED")
            .replace("true", "false");
        let mut found: Verification = serde_json::from_str(&undecided).unwrap();
        let text = found.describe();
        let expected = "Replicas 1 and 2 hold different rows at revision 512, and it cannot be told whose are right, so none is \
                        quarantined for that: no majority of the 3 replicas has the same. What replica 3 holds may decide it: \
                        start it, and the leader compares again by itself.
  replica 1: undecided, 7 rows";
        assert!(text.starts_with(expected), "{text}");
        found.replicas[2].state = "UNDECIDED".to_owned();
        let text = found.describe();
        assert!(text.starts_with("Replicas 1 and 2 and 3 hold"), "{text}");
        assert!(text.contains("decide who is right"), "{text}");
    }

    #[test]
    fn programs_read_the_exit_code_and_the_names_of_the_api() {
        let mut found: Verification = serde_json::from_str(FOUND).unwrap();
        let expected: serde_json::Value = serde_json::from_str(FOUND).unwrap();
        assert_eq!(serde_json::to_value(&found).unwrap(), expected);
        for (state, code) in [
            ("EQUAL", 0),
            ("DIFFERS", 1),
            ("UNDECIDED", 3),
            ("INCOMPLETE", 2),
            ("RUNNING", 2),
        ] {
            found.state = state.to_owned();
            assert_eq!(found.exit_code(), ExitCode::from(code), "{state}");
        }
    }
}
