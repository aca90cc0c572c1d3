//! A snapshot on its way to a peer, chunk by chunk. While it is, the engine sends the peer nothing else and waits: so an answer
//! that is lost must not be waited for, and the peer must not take the silence for the end of its leader.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use openraft::Vote;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use uuid::Uuid;

use super::super::types::TypeConfig;
use super::Client;
use crate::peer::{PeerError, PeerMethod, decode};

/// Bytes of a snapshot sent in one call.
const CHUNK_BYTES: usize = 1 << 20;
/// Times that a chunk is sent without an answer, but for the first: for two and a half minutes in all.
const REPETITIONS: u32 = 4;
/// First wait for the answer to a chunk; it doubles with each that does not come.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Pause before a chunk is sent again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a peer that goes on answering may take to install what it has.
const INSTALL_PATIENCE: Duration = Duration::from_secs(3_600);
/// The same for one that answers only when it is done.
const SILENT_PATIENCE: Duration = Duration::from_secs(300);
/// Wait for the answer to a heartbeat, where they do not come more rarely.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_millis(500);

/// One chunk of a snapshot on its way to a peer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotChunk {
    /// Names this transfer; a new one starts anew.
    pub(crate) transfer: Uuid,
    /// The sender's vote: a deposed leader's snapshot is refused.
    pub(crate) vote: Vote<u64>,
    /// Where the bytes belong in the file.
    pub(crate) offset: u64,
    pub(crate) bytes: Bytes,
    /// True for the last chunk.
    pub(crate) done: bool,
    /// The sender asks again, with the last chunk, until the snapshot is installed; false from a version that waits.
    #[serde(default)]
    pub(crate) asks_again: bool,
}

/// Why a snapshot did not arrive.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct TransferFailure(String);

impl TransferFailure {
    pub(super) fn new(reason: &impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// See the module.
pub(super) struct Transfer<'a> {
    client: &'a Client,
    vote: Vote<u64>,
    /// The peer takes a chunk twice for the same.
    repeats: bool,
}

impl<'a> Transfer<'a> {
    pub(super) const fn new(client: &'a Client, vote: Vote<u64>, repeats: bool) -> Self {
        Self {
            client,
            vote,
            repeats,
        }
    }

    /// Sends a file, and waits until it is installed.
    pub(super) async fn send(&self, path: &Path) -> Result<SnapshotResponse<u64>, TransferFailure> {
        let mut file = File::open(path).map_err(|e| TransferFailure::new(&e))?;
        let transfer = Uuid::now_v7();
        let mut offset = 0;
        let mut chunk = read_chunk(&mut file)?;
        loop {
            failpoint!("snapshot.send", |e| TransferFailure::new(&e));
            let next = read_chunk(&mut file)?;
            let length = chunk.len() as u64;
            let done = next.is_empty();
            let message = SnapshotChunk {
                transfer,
                vote: self.vote,
                offset,
                bytes: chunk,
                done,
                asks_again: self.repeats,
            };
            // A vote higher than ours, or the end.
            if let Some(response) = self.deliver(message).await? {
                return Ok(response);
            }
            if done {
                let unconfirmed = "the peer did not confirm the snapshot";
                return Err(TransferFailure::new(&unconfirmed));
            }
            offset += length;
            chunk = next;
        }
    }

    /// Sends one chunk, again where no answer comes; the last one until it is installed.
    async fn deliver(
        &self,
        mut chunk: SnapshotChunk,
    ) -> Result<Option<SnapshotResponse<u64>>, TransferFailure> {
        if !self.repeats {
            let answer = self.call(PeerMethod::InstallSnapshot, &chunk, SILENT_PATIENCE);
            return answer.await.map_err(|e| TransferFailure::new(&e));
        }
        let begun = Instant::now();
        let mut silences = 0;
        loop {
            let wait = FIRST_WAIT * 2_u32.pow(silences);
            match self.call(PeerMethod::InstallSnapshot, &chunk, wait).await {
                Ok(None) if chunk.done && begun.elapsed() < INSTALL_PATIENCE => {
                    // It has everything, and is at it.
                    chunk.bytes = Bytes::new();
                    silences = 0;
                }
                Ok(answer) => return Ok(answer),
                Err(PeerError::Unreachable { .. } | PeerError::NotSent { .. })
                    if silences < REPETITIONS =>
                {
                    silences += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(TransferFailure::new(&error)),
            }
        }
    }

    /// Tells the peer all the while that its leader is there; ends where it, or this replica, knows a higher vote.
    pub(super) async fn accompany(&self, interval: Duration) -> Vote<u64> {
        let heartbeat = AppendEntriesRequest::<TypeConfig> {
            vote: self.vote,
            prev_log_id: None,
            entries: Vec::new(),
            leader_commit: None,
        };
        let wait = HEARTBEAT_TIMEOUT.max(interval);
        loop {
            tokio::time::sleep(interval).await;
            // A peer that hears of a leader elects no other one.
            if let Some(vote) = self
                .client
                .log
                .last_vote()
                .filter(|vote| *vote != self.vote)
            {
                return vote;
            }
            let answer = self.call(PeerMethod::AppendEntries, &heartbeat, wait).await;
            if let Ok(AppendEntriesResponse::HigherVote(vote)) = answer {
                return vote;
            }
        }
    }

    async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        method: PeerMethod,
        request: &Q,
        timeout: Duration,
    ) -> Result<A, PeerError> {
        let bytes = self.client.ask(method, request, timeout).await?;
        let peer = self.client.target;
        decode(&bytes).map_err(|fault| PeerError::Refused { peer, fault })
    }
}

fn read_chunk(file: &mut File) -> Result<Bytes, TransferFailure> {
    let mut bytes = Vec::new();
    file.take(CHUNK_BYTES as u64)
        .read_to_end(&mut bytes)
        .map_err(|e| TransferFailure::new(&e))?;
    Ok(bytes.into())
}
