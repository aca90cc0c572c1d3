//! A snapshot on its way to a peer, chunk by chunk. While it is, the engine sends the peer nothing else and waits: so an answer
//! that is lost must not be waited for, and the peer must not take the silence for the end of its leader.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use openraft::Vote;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use uuid::Uuid;

use super::super::types::TypeConfig;
use super::Client;
use crate::peer::{PeerError, PeerMethod, decode, encode};

/// Bytes of a snapshot sent in one call.
const CHUNK_BYTES: usize = 1 << 20;
/// First wait for the answer to a chunk; it doubles with each that does not come.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(80);
/// How long a chunk is sent again and again to a peer that is there.
const PATIENCE: Duration = Duration::from_secs(300);
/// Wait for the answer to the last chunk, which comes when the snapshot is installed: then it is asked for again.
const INSTALL_WAIT: Duration = Duration::from_secs(5);
/// How long a peer that is there may take for installing.
const INSTALL_PATIENCE: Duration = Duration::from_secs(3_600);
/// Pause before a chunk is sent again.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest wait for the answer to a heartbeat.
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
    /// The peer has answered a heartbeat since this was last looked at.
    is_there: AtomicBool,
}

impl<'a> Transfer<'a> {
    pub(super) const fn new(client: &'a Client, vote: Vote<u64>, repeats: bool) -> Self {
        Self {
            client,
            vote,
            repeats,
            is_there: AtomicBool::new(false),
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
            };
            match self.deliver(&message).await? {
                // A vote higher than ours, or the end.
                Some(response) => return Ok(response),
                None if done => {
                    let unconfirmed = "the peer did not confirm the snapshot";
                    return Err(TransferFailure::new(&unconfirmed));
                }
                None => {}
            }
            offset += length;
            chunk = next;
        }
    }

    /// Sends one chunk, again where no answer comes.
    async fn deliver(
        &self,
        chunk: &SnapshotChunk,
    ) -> Result<Option<SnapshotResponse<u64>>, TransferFailure> {
        let (mut wait, patience) = match chunk.done {
            _ if !self.repeats => (PATIENCE, PATIENCE),
            false => (FIRST_WAIT, PATIENCE),
            true => (INSTALL_WAIT, INSTALL_PATIENCE),
        };
        let begun = Instant::now();
        loop {
            self.is_there.store(false, Ordering::Relaxed);
            let silence = match self.call(PeerMethod::InstallSnapshot, chunk, wait).await {
                Ok(answer) => return Ok(answer),
                Err(error @ PeerError::Refused { .. }) => return Err(TransferFailure::new(&error)),
                Err(silence) => silence,
            };
            tokio::time::sleep(PAUSE).await;
            let is_there = self.is_there.load(Ordering::Relaxed);
            if !is_there || !self.repeats || begun.elapsed() > patience {
                return Err(TransferFailure::new(&silence));
            }
            if !chunk.done {
                wait = LONGEST_WAIT.min(wait * 2);
            }
        }
    }

    /// Tells the peer all the while that its leader is there; ends where it knows a higher vote.
    pub(super) async fn accompany(&self, interval: Duration) -> Vote<u64> {
        let heartbeat = AppendEntriesRequest::<TypeConfig> {
            vote: self.vote,
            prev_log_id: None,
            entries: Vec::new(),
            leader_commit: None,
        };
        loop {
            tokio::time::sleep(interval).await;
            let answer = self.call(PeerMethod::AppendEntries, &heartbeat, HEARTBEAT_TIMEOUT);
            match answer.await {
                Ok(AppendEntriesResponse::HigherVote(vote)) => return vote,
                Ok(_) => self.is_there.store(true, Ordering::Relaxed),
                Err(_) => {}
            }
        }
    }

    async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        method: PeerMethod,
        request: &Q,
        timeout: Duration,
    ) -> Result<A, PeerError> {
        let (peer, node) = (self.client.target, &self.client.node);
        let wire = &self.client.wire;
        let answer = wire.call(peer, Some(node), method, encode(request), timeout);
        let bytes = answer.await?;
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
