//! openraft's calls to other replicas, put into envelopes and handed to the transport.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use openraft::error::{
    Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable,
};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, Snapshot, Vote};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracing::Instrument;
use uuid::Uuid;

use super::types::{Node, TypeConfig, traces_of};
use crate::format::Formats;
use crate::formation::HelloAnswer;
use crate::metrics::Direction;
use crate::peer::{PeerError, PeerMethod, decode, encode};
use crate::trace;
use crate::wire::{self, Wire};

/// Bytes of a snapshot sent in one call.
const CHUNK_BYTES: usize = 1 << 20;
/// Longest wait for a peer to say that it is there.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for one chunk; the last one is answered when the snapshot is installed.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(300);

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

/// Makes one client a peer.
pub(crate) struct NetworkFactory {
    pub(crate) wire: Arc<Wire>,
}

impl RaftNetworkFactory<TypeConfig> for NetworkFactory {
    type Network = Client;

    async fn new_client(&mut self, target: u64, node: &Node) -> Client {
        Client {
            wire: self.wire.clone(),
            target,
            node: node.clone(),
        }
    }
}

/// A client of one peer.
pub(crate) struct Client {
    wire: Arc<Wire>,
    target: u64,
    /// As the membership has it.
    node: Node,
}

type Rpc<T> = Result<T, RPCError<u64, Node, RaftError<u64>>>;

impl Client {
    async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        method: PeerMethod,
        request: &Q,
        timeout: Duration,
    ) -> Rpc<A> {
        let answer = self
            .wire
            .call(
                self.target,
                Some(&self.node),
                method,
                encode(request),
                timeout,
            )
            .await;
        // A peer that is down or refuses is not asked again at once: openraft backs off from the unreachable.
        let bytes = answer.map_err(|error| match error {
            PeerError::Unreachable { .. } => RPCError::Unreachable(Unreachable::new(&error)),
            error if wire::leads_nowhere(&error) => RPCError::Unreachable(Unreachable::new(&error)),
            error => RPCError::Network(NetworkError::new(&error)),
        })?;
        decode(&bytes).map_err(|fault| RPCError::Network(NetworkError::new(&fault)))
    }

    async fn send_file(
        &self,
        vote: Vote<u64>,
        path: &std::path::Path,
    ) -> Result<SnapshotResponse<u64>, PeerFailure> {
        let mut file = std::fs::File::open(path).map_err(|e| PeerFailure(e.to_string()))?;
        let transfer = Uuid::now_v7();
        let mut offset = 0;
        let mut chunk = read_chunk(&mut file)?;
        loop {
            failpoint!("snapshot.send", |e| PeerFailure(ToString::to_string(&e)));
            let next = read_chunk(&mut file)?;
            let length = chunk.len() as u64;
            let done = next.is_empty();
            let message = SnapshotChunk {
                transfer,
                vote,
                offset,
                bytes: chunk,
                done,
            };
            let answer: Option<SnapshotResponse<u64>> = self
                .call(PeerMethod::InstallSnapshot, &message, CHUNK_TIMEOUT)
                .await
                .map_err(|e| PeerFailure(e.to_string()))?;
            match answer {
                // A vote higher than ours, or the end.
                Some(response) => return Ok(response),
                None if done => {
                    return Err(PeerFailure(
                        "the peer did not confirm the snapshot".to_owned(),
                    ));
                }
                None => {}
            }
            offset += length;
            chunk = next;
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct PeerFailure(String);

fn read_chunk(file: &mut std::fs::File) -> Result<Bytes, PeerFailure> {
    let mut bytes = Vec::new();
    file.take(CHUNK_BYTES as u64)
        .read_to_end(&mut bytes)
        .map_err(|e| PeerFailure(e.to_string()))?;
    Ok(bytes.into())
}

impl RaftNetwork<TypeConfig> for Client {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<AppendEntriesResponse<u64>> {
        let span = trace::call(
            "peer appendEntries",
            self.target,
            traces_of(&request.entries),
        );
        let answer = self
            .call(PeerMethod::AppendEntries, &request, option.hard_ttl())
            .instrument(span.clone())
            .await;
        if answer.is_err() {
            trace::fail(&span);
        }
        answer
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        option: RPCOption,
    ) -> Rpc<VoteResponse<u64>> {
        self.call(PeerMethod::Vote, &request, option.hard_ttl())
            .await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote<u64>,
        snapshot: Snapshot<TypeConfig>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<TypeConfig, Fatal<u64>>> {
        let unreachable = |error: &(dyn std::error::Error + 'static)| {
            StreamingError::Unreachable(Unreachable::new(&PeerFailure(error.to_string())))
        };
        // A snapshot of a large database is not written to find that nobody is there to take it.
        let hello = self.wire.call(
            self.target,
            Some(&self.node),
            PeerMethod::Hello,
            encode(&()),
            HELLO_TIMEOUT,
        );
        let hello = hello.await.map_err(|e| unreachable(&e))?;
        let hello: HelloAnswer = decode(&hello).map_err(|e| unreachable(&e))?;
        let format = hello.formats.common(Formats::OWN).snapshot;
        let begun = Instant::now();
        let send = async {
            let file = snapshot
                .snapshot
                .into_file(format)
                .await
                .map_err(|e| unreachable(&e))?;
            tracing::info!(peer = self.target, "sending a snapshot");
            let sent = self.send_file(vote, file.path()).await;
            let snapshots = &self.wire.metrics().snapshots;
            snapshots.ended(Direction::Sent, sent.is_ok(), file.size(), begun);
            sent.map_err(|e| unreachable(&e))
        };
        tokio::select! {
            sent = send => sent,
            closed = cancel => Err(StreamingError::Closed(closed)),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(Duration::from_millis(200)))
    }
}
