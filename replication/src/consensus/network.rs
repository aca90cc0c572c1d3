//! openraft's calls to other replicas, put into envelopes and handed to the transport.

mod transfer;

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
use serde::{Serialize, de::DeserializeOwned};
use tracing::Instrument;

pub(crate) use transfer::SnapshotChunk;
use transfer::{Transfer, TransferFailure};

use super::append;
use super::log_store::LogStore;
use super::types::{Node, TypeConfig, traces_of};
use crate::format::Formats;
use crate::formation::HelloAnswer;
use crate::metrics::Direction;
use crate::peer::{PeerError, PeerFault, PeerMethod, decode, encode};
use crate::retention::Retention;
use crate::trace;
use crate::wire::{self, Wire};

/// Longest wait for a peer to say that it is there.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes one client a peer.
pub(crate) struct NetworkFactory {
    pub(crate) wire: Arc<Wire>,
    pub(crate) retention: Arc<Retention>,
    pub(crate) log: LogStore,
    /// Between two heartbeats of a leader.
    pub(crate) heartbeat: Duration,
}

impl RaftNetworkFactory<TypeConfig> for NetworkFactory {
    type Network = Client;

    async fn new_client(&mut self, target: u64, node: &Node) -> Client {
        Client {
            wire: self.wire.clone(),
            retention: self.retention.clone(),
            log: self.log.clone(),
            target,
            node: node.clone(),
            heartbeat: self.heartbeat,
        }
    }
}

/// A client of one peer.
pub(crate) struct Client {
    wire: Arc<Wire>,
    retention: Arc<Retention>,
    log: LogStore,
    target: u64,
    /// As the membership has it.
    node: Node,
    heartbeat: Duration,
}

type Rpc<T> = Result<T, RPCError<u64, Node, RaftError<u64>>>;

impl Client {
    /// Sends one call to this peer.
    async fn ask<Q: Serialize>(
        &self,
        method: PeerMethod,
        request: &Q,
        timeout: Duration,
    ) -> Result<Bytes, PeerError> {
        let (peer, node) = (self.target, Some(&self.node));
        let answer = self.wire.call(peer, node, method, encode(request), timeout);
        answer.await
    }

    async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        method: PeerMethod,
        request: &Q,
        timeout: Duration,
    ) -> Rpc<A> {
        let answer = self.ask(method, request, timeout).await;
        // A peer that is down or refuses is not asked again at once: openraft backs off from the unreachable.
        let bytes = answer.map_err(|error| match error {
            PeerError::Unreachable { .. }
            | PeerError::Refused {
                fault: PeerFault::Malformed(_),
                ..
            } => RPCError::Unreachable(Unreachable::new(&error)),
            error if wire::leads_nowhere(&error) => RPCError::Unreachable(Unreachable::new(&error)),
            error => RPCError::Network(NetworkError::new(&error)),
        })?;
        decode(&bytes).map_err(|fault| RPCError::Network(NetworkError::new(&fault)))
    }
}

impl RaftNetwork<TypeConfig> for Client {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<AppendEntriesResponse<u64>> {
        if let Err(unsound) = append::may_send(&self.log, &request) {
            tracing::info!(peer = self.target, "entries are not sent: {unsound}");
            // The engine backs off.
            return Err(RPCError::Unreachable(Unreachable::new(&unsound)));
        }
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
            StreamingError::Unreachable(Unreachable::new(&TransferFailure::new(&error)))
        };
        // A snapshot of a large database is not written to find that nobody is there to take it.
        let hello = self.ask(PeerMethod::Hello, &(), HELLO_TIMEOUT);
        let hello = hello.await.map_err(|e| unreachable(&e))?;
        let hello: HelloAnswer = decode(&hello).map_err(|e| unreachable(&e))?;
        let format = hello.formats.common(Formats::OWN).snapshot;
        let last = snapshot.meta.last_log_id.map_or(0, |log_id| log_id.index);
        let _sending = self.retention.sending(self.target, last);
        let transfer = Transfer::new(self, vote, hello.repeats);
        let begun = Instant::now();
        let send = async {
            let file = snapshot
                .snapshot
                .into_file(format)
                .await
                .map_err(|e| unreachable(&e))?;
            tracing::info!(peer = self.target, "sending a snapshot");
            let sent = transfer.send(file.path()).await;
            let snapshots = &self.wire.metrics().snapshots;
            snapshots.ended(Direction::Sent, sent.is_ok(), file.size(), begun);
            sent.map_err(|e| unreachable(&e))
        };
        tokio::select! {
            sent = send => sent,
            vote = transfer.accompany(self.heartbeat) => Ok(SnapshotResponse { vote }),
            closed = cancel => Err(StreamingError::Closed(closed)),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(Duration::from_millis(200)))
    }
}
