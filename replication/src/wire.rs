//! Calls to peers: who they are, where they are, and the envelope that says so.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use uuid::Uuid;

use crate::metrics::Metrics;
use crate::peer::{Envelope, PeerAddress, PeerError, PeerMethod, PeerTransport};

/// The transport with this replica's own addresses in hand.
pub(crate) struct Wire {
    transport: Arc<dyn PeerTransport>,
    own_id: u64,
    peers: BTreeMap<u64, PeerAddress>,
    cluster_id: OnceLock<Uuid>,
    metrics: Arc<Metrics>,
}

impl Wire {
    pub(crate) fn new(
        transport: Arc<dyn PeerTransport>,
        own_id: u64,
        peers: &[PeerAddress],
        metrics: Arc<Metrics>,
    ) -> Self {
        let peers = peers.iter().map(|peer| (peer.id, peer.clone())).collect();
        Self {
            transport,
            own_id,
            peers,
            cluster_id: OnceLock::new(),
            metrics,
        }
    }

    /// From here on calls carry the cluster's id. A replica never changes its cluster.
    pub(crate) fn joined(&self, cluster_id: Uuid) {
        let _already = self.cluster_id.set(cluster_id);
    }

    pub(crate) fn cluster_id(&self) -> Option<Uuid> {
        self.cluster_id.get().copied()
    }

    /// What this replica measures.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Everyone but this replica.
    pub(crate) fn others(&self) -> impl Iterator<Item = u64> {
        self.peers.keys().copied().filter(|id| *id != self.own_id)
    }

    /// Sends one call. `fallback_url` is used for a peer that no flag names.
    pub(crate) async fn call(
        &self,
        to: u64,
        fallback_url: Option<&str>,
        method: PeerMethod,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, PeerError> {
        let envelope = self.envelope(to, payload);
        let begun = Instant::now();
        let answer = match (self.peers.get(&to), fallback_url) {
            (Some(address), _) => {
                self.transport
                    .call(address, method, envelope, timeout)
                    .await
            }
            (None, Some(url)) => {
                let address = PeerAddress {
                    id: to,
                    url: url.to_owned(),
                };
                self.transport
                    .call(&address, method, envelope, timeout)
                    .await
            }
            (None, None) => Err(unknown(to)),
        };
        self.metrics.peer_calls.ended(to, method, begun, &answer);
        answer
    }

    /// Follows a peer's reports.
    pub(crate) async fn reports(
        &self,
        peer: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PeerError>>, PeerError> {
        let address = self.peers.get(&peer).ok_or_else(|| unknown(peer))?;
        self.transport
            .reports(address, self.envelope(peer, Bytes::new()))
            .await
    }

    fn envelope(&self, to: u64, payload: Bytes) -> Envelope {
        Envelope {
            cluster_id: self.cluster_id(),
            from: self.own_id,
            to,
            payload,
        }
    }
}

fn unknown(peer: u64) -> PeerError {
    PeerError::NotSent {
        peer,
        reason: "no --peer flag names its address".to_owned(),
    }
}
