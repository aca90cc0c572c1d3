//! `threefold verify`, as an operator runs it.

use serde_json::Value;

use crate::binary;
use crate::cluster::Replica;

/// What it said.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The exit code: 0 equal, 1 different, 2 not told, 3 different and undecided.
    pub code: i32,
    /// What it printed with `--json`; null where it printed nothing.
    pub found: Value,
    /// What it complained of.
    pub complaint: String,
}

/// Compares the tables of all replicas, by asking this one.
pub async fn verify(replica: &Replica) -> Verdict {
    let mut command = binary::command();
    command.args(["verify", "--json", "--url", replica.url()]);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("the task that runs the binary")
        .expect("the binary starts");
    Verdict {
        code: output.status.code().expect("an exit code"),
        found: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Verdict {
    /// What was found of a replica's tables.
    pub fn state_of(&self, id: u16) -> &str {
        let replicas = self.found["replicas"].as_array().expect("replicas");
        let replica = replicas
            .iter()
            .find(|replica| replica["id"] == id.to_string().as_str());
        replica.expect("the replica")["state"]
            .as_str()
            .expect("a state")
    }

    /// Whether a replica was quarantined for it.
    pub fn quarantined(&self, id: u16) -> bool {
        let replicas = self.found["replicas"].as_array().expect("replicas");
        let replica = replicas
            .iter()
            .find(|replica| replica["id"] == id.to_string().as_str());
        replica.expect("the replica")["quarantined"] == true
    }

    /// The rows of a table that differ.
    pub fn differences(&self, table: &str) -> Vec<&Value> {
        let all = self.found["differences"].as_array().expect("differences");
        all.iter()
            .filter(|difference| difference["table"] == table)
            .collect()
    }

    /// What a replica has in a column of a difference; none where it has no such row.
    pub fn value<'a>(difference: &'a Value, column: &str, id: u16) -> Option<&'a str> {
        let columns = difference["columns"].as_array().expect("columns");
        let place = columns.iter().position(|name| name == column);
        let place = place.unwrap_or_else(|| panic!("no column {column} in {difference}"));
        let versions = difference["versions"].as_array().expect("versions");
        let version = versions
            .iter()
            .find(|version| version["replicaId"] == id.to_string().as_str());
        version.expect("a version")["values"].get(place)?.as_str()
    }
}
