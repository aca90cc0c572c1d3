//! What earlier formats are checked with: looks into files and messages that another build has written. Built for tests only.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openraft::EntryPayload;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use rmpv::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::log_disk::LogDisk;
use super::types::{Entry, TypeConfig};
use super::{LogStore, SnapshotChunk, snapshot};
use crate::backup::Content;
use crate::database::Database;
use crate::formation::HelloAnswer;
use crate::forward::{ForwardedAnswers, ForwardedProposals};
use crate::metrics::Metrics;
use crate::operator::Asked;
use crate::peer::{decode, encode};
use crate::proposal::Proposal;
use crate::status::Report;
use crate::wire::Follower;

/// The log in a data folder, a line an entry: what it is, and what is in it as far as it may be told.
///
/// # Errors
/// A log that cannot be opened, or an entry that cannot be read.
pub async fn log_lines(data: &Path, database_url: &str) -> Result<Vec<String>, String> {
    let db = Database::open(database_url).await.map_err(text)?;
    let metrics = Arc::new(Metrics::new(1, &[]));
    let disk = LogDisk::open(&data.join("log")).map_err(text)?;
    let log = LogStore::new(disk, db, Duration::from_secs(1), metrics);
    let mut lines = Vec::new();
    let mut next = 0;
    loop {
        let entries = log.read(next..).map_err(text)?;
        let Some(last) = entries.last() else {
            return Ok(lines);
        };
        next = last.log_id.index + 1;
        for entry in entries {
            lines.push(line(entry)?);
        }
    }
}

fn line(entry: Entry) -> Result<String, String> {
    let at = format!(
        "{} of term {}",
        entry.log_id.index, entry.log_id.leader_id.term
    );
    match entry.payload {
        EntryPayload::Blank => Ok(format!("{at}: blank")),
        EntryPayload::Membership(membership) => {
            let voters: Vec<u64> = membership.voter_ids().collect();
            Ok(format!("{at}: membership of {voters:?}"))
        }
        EntryPayload::Normal(batch) => {
            let proposals = batch.decode().map_err(text)?;
            let told: Vec<String> = proposals.iter().map(proposal).collect();
            Ok(format!("{at}: {}", told.join("; ")))
        }
    }
}

fn proposal(proposal: &Proposal) -> String {
    let hash: String = proposal
        .payload_hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{:?} under key {} ({}), hash {hash}, by {} at {}, {} ids",
        proposal.command,
        proposal.key,
        if proposal.client_key {
            "the client's"
        } else {
            "ours"
        },
        proposal.actor,
        proposal.proposed_at.timestamp_micros(),
        proposal.fresh_ids.len()
    )
}

/// What a snapshot holds that a replica sent.
///
/// # Errors
/// One that cannot be read.
pub fn snapshot_content(path: &Path) -> Result<Content, String> {
    snapshot::verify(path).map(Content::from).map_err(text)
}

/// Checks that a request and its answer are read, and that nothing in them is lost on the way: whatever was in a message is
/// in it still when this build writes it again. `method` is the name of its field in the peer schema; for the subscription, the
/// answer is one report.
///
/// # Errors
/// What was lost, or could not be read.
pub fn check_call(method: &str, request: &[u8], answer: &[u8]) -> Result<(), String> {
    type Append = AppendEntriesRequest<TypeConfig>;
    type Installed = Option<SnapshotResponse<u64>>;
    match method {
        "hello" => both::<(), HelloAnswer>(request, answer),
        "found" => both::<(), Option<Uuid>>(request, answer),
        "appendEntries" => both::<Append, AppendEntriesResponse<u64>>(request, answer),
        "vote" => both::<VoteRequest<u64>, VoteResponse<u64>>(request, answer),
        "installSnapshot" => both::<SnapshotChunk, Installed>(request, answer),
        "propose" => both::<ForwardedProposals, ForwardedAnswers>(request, answer),
        "readIndex" => both::<(), Option<u64>>(request, answer),
        "takeOver" => both::<(), bool>(request, answer),
        // What operators ask, they ask replicas of their own build; an earlier one is refused, and never misread.
        "remove" => match decode::<Asked>(request) {
            Ok(_) => Err("it was read as something that it does not say".to_owned()),
            Err(_) => Ok(()),
        },
        "replicaStatus" => both::<Follower, Report>(request, answer),
        other => Err(format!("nobody has said what {other:?} carries")),
    }
}

/// The bytes of a snapshot in a message of `installSnapshot`.
///
/// # Errors
/// A message that cannot be read, and one that does not hold a whole snapshot.
pub fn snapshot_in(request: &[u8]) -> Result<Vec<u8>, String> {
    let chunk: SnapshotChunk = decode(request).map_err(text)?;
    if chunk.offset > 0 || !chunk.done {
        return Err("it is a part of a snapshot".to_owned());
    }
    Ok(chunk.bytes.to_vec())
}

fn both<Q, A>(request: &[u8], answer: &[u8]) -> Result<(), String>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
{
    survives::<Q>(request).map_err(|e| format!("request: {e}"))?;
    survives::<A>(answer).map_err(|e| format!("answer: {e}"))
}

fn survives<T: Serialize + DeserializeOwned>(message: &[u8]) -> Result<(), String> {
    let read: T = decode(message).map_err(text)?;
    let written = value(&encode(&read)).map_err(text)?;
    lost(&value(message).map_err(text)?, &written, "")
}

fn value(bytes: &[u8]) -> io::Result<Value> {
    let mut rest = bytes;
    rmpv::decode::read_value(&mut rest).map_err(io::Error::other)
}

/// Looks for something that the first has and the second has not. Fields may be added.
fn lost(before: &Value, after: &Value, path: &str) -> Result<(), String> {
    match (before, after) {
        (Value::Map(before), Value::Map(after)) => before.iter().try_for_each(|(name, value)| {
            let path = format!("{path}/{name}");
            match after.iter().find(|(other, _)| other == name) {
                Some((_, other)) => lost(value, other, &path),
                None => Err(format!("{path} is lost")),
            }
        }),
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .enumerate()
            .try_for_each(|(n, (value, other))| lost(value, other, &format!("{path}/{n}"))),
        _ if before == after => Ok(()),
        _ => Err(format!("{path} was {before} and is {after}")),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_told_and_what_is_added_is_not() {
        #[derive(serde::Serialize)]
        struct Hello {
            cluster_id: Option<uuid::Uuid>,
            at_work: bool,
        }
        let hello = encode(&Hello {
            cluster_id: None,
            at_work: true,
        });
        survives::<HelloAnswer>(&hello).unwrap();
        #[derive(serde::Serialize)]
        struct Later {
            cluster_id: Option<uuid::Uuid>,
            at_work: bool,
            mood: &'static str,
        }
        let later = encode(&Later {
            cluster_id: None,
            at_work: true,
            mood: "good",
        });
        let told = survives::<HelloAnswer>(&later).unwrap_err();
        assert!(told.contains("mood"), "{told}");
    }
}
