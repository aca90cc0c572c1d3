//! Calls to peers: who they are, where they are, and the envelope that says so.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::consensus::Node;
use crate::directory::Directory;
use crate::format::Formats;
use crate::metrics::Metrics;
use crate::peer::{Envelope, PeerAddress, PeerError, PeerFault, PeerMethod, PeerTransport, encode};

/// The transport with the directory in hand.
pub(crate) struct Wire {
    transport: Arc<dyn PeerTransport>,
    own_id: u64,
    directory: Directory,
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
        Self {
            transport,
            own_id,
            directory: Directory::new(own_id, peers),
            cluster_id: OnceLock::new(),
            metrics,
        }
    }

    /// From here on calls carry the cluster's id. A replica never changes its cluster.
    pub(crate) fn joined(&self, cluster_id: Uuid) {
        let _already = self.cluster_id.set(cluster_id);
    }

    pub(crate) fn own_id(&self) -> u64 {
        self.own_id
    }

    pub(crate) fn cluster_id(&self) -> Option<Uuid> {
        self.cluster_id.get().copied()
    }

    /// What this replica measures.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Where the others are.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Everyone but this replica: those of the flags and those of the membership.
    pub(crate) fn others(&self) -> Vec<u64> {
        self.directory.others()
    }

    /// Sends one call. `known` is what the caller knows of the peer, where that is more than this replica does.
    pub(crate) async fn call(
        &self,
        to: u64,
        known: Option<&Node>,
        method: PeerMethod,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, PeerError> {
        let route = self.directory.route(to);
        let birth_mark = match known {
            Some(node) => node.birth_mark,
            None => route.as_ref().and_then(|route| route.birth_mark()),
        };
        let Some((route, address)) =
            route.and_then(|route| Some((route.clone(), route.address()?)))
        else {
            let address = PeerAddress {
                id: to,
                url: known.ok_or_else(|| unknown(to))?.peer_url.clone(),
            };
            let answer = self.call_at(&address, birth_mark, method, payload, timeout);
            return answer.await;
        };
        let answer = self.call_at(&address, birth_mark, method, payload, timeout);
        let answer = answer.await;
        if answer.as_ref().is_err_and(leads_nowhere) {
            route.turn(&address);
        }
        answer
    }

    /// Sends one call to an address, whatever is known of the replica.
    pub(crate) async fn call_at(
        &self,
        to: &PeerAddress,
        birth_mark: Option<Uuid>,
        method: PeerMethod,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, PeerError> {
        // Who is there at all is what a greeting is to find out.
        let birth_mark = birth_mark.filter(|_| method != PeerMethod::Hello);
        let envelope = self.envelope(to.id, birth_mark, payload);
        let begun = Instant::now();
        let answer = self.transport.call(to, method, envelope, timeout).await;
        self.metrics.peer_calls.ended(to.id, method, begun, &answer);
        answer
    }

    /// Follows a peer's reports.
    pub(crate) async fn reports(
        &self,
        peer: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PeerError>>, PeerError> {
        let route = self.directory.route(peer).ok_or_else(|| unknown(peer))?;
        let address = route.address().ok_or_else(|| unknown(peer))?;
        let own = self.directory.own_url().map(str::to_owned);
        let follower = encode(&Follower { url: own });
        let envelope = self.envelope(peer, route.birth_mark(), follower);
        let reports = self.transport.reports(&address, envelope).await;
        if reports.as_ref().is_err_and(leads_nowhere) {
            route.turn(&address);
        }
        reports
    }

    /// Takes a follower's word for where it is.
    pub(crate) fn heard_of(&self, peer: u64, follower: Follower) {
        let (Some(route), Some(url)) = (self.directory.route(peer), follower.url) else {
            return;
        };
        if route.said(url.clone()) {
            tracing::info!(
                peer,
                url,
                "replica {peer} says that it is at another address than is known here"
            );
        }
    }

    fn envelope(&self, to: u64, birth_mark: Option<Uuid>, payload: Bytes) -> Envelope {
        Envelope {
            cluster_id: self.cluster_id(),
            from: self.own_id,
            to,
            birth_mark,
            format: Formats::FIRST.message,
            payload,
        }
    }
}

/// What a replica says of itself to one whose reports it follows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Follower {
    /// Where its peer endpoint is, by its own flags.
    url: Option<String>,
}

/// True where nobody listens, or somebody else.
pub(crate) fn leads_nowhere(error: &PeerError) -> bool {
    matches!(
        error,
        PeerError::NotSent { .. }
            | PeerError::Refused {
                fault: PeerFault::WrongReplica { .. } | PeerFault::WrongBirth(_),
                ..
            }
    )
}

fn unknown(peer: u64) -> PeerError {
    PeerError::NotSent {
        peer,
        reason: "neither a --peer flag nor the membership names its address".to_owned(),
    }
}
