//! Calls to peers: who they are, where they are, and the envelope that says so.
//!
//! Where a peer is, the `--peer` flag says. A peer that has moved says so itself when it follows this replica's reports;
//! its word is taken where the flag leads nowhere, so that a wrong word does no harm.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::format::Formats;
use crate::metrics::Metrics;
use crate::peer::{Envelope, PeerAddress, PeerError, PeerFault, PeerMethod, PeerTransport, encode};
use crate::running::lock;

/// The transport with this replica's own addresses in hand.
pub(crate) struct Wire {
    transport: Arc<dyn PeerTransport>,
    own_id: u64,
    peers: BTreeMap<u64, Route>,
    cluster_id: OnceLock<Uuid>,
    metrics: Arc<Metrics>,
}

/// Ways to one peer: two at most, of which one is in use.
struct Route {
    configured: PeerAddress,
    moved: Mutex<Moved>,
}

#[derive(Default)]
struct Moved {
    /// Where the peer says it is, if that is elsewhere.
    to: Option<PeerAddress>,
    in_use: bool,
}

impl Route {
    fn address(&self) -> PeerAddress {
        let moved = lock(&self.moved);
        match &moved.to {
            Some(address) if moved.in_use => address.clone(),
            _ => self.configured.clone(),
        }
    }

    /// The address in use led nowhere, or to somebody else: the next call goes to the other one, if there is one.
    fn turn(&self, failed: &PeerAddress) {
        let mut moved = lock(&self.moved);
        let used = match &moved.to {
            Some(address) if moved.in_use => address,
            _ => &self.configured,
        };
        // Calls that fail together turn once.
        if used == failed && moved.to.is_some() {
            moved.in_use = !moved.in_use;
        }
    }
}

impl Wire {
    pub(crate) fn new(
        transport: Arc<dyn PeerTransport>,
        own_id: u64,
        peers: &[PeerAddress],
        metrics: Arc<Metrics>,
    ) -> Self {
        let route = |peer: &PeerAddress| Route {
            configured: peer.clone(),
            moved: Mutex::default(),
        };
        let peers = peers.iter().map(|peer| (peer.id, route(peer)));
        Self {
            transport,
            own_id,
            peers: peers.collect(),
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
        let Some(route) = self.peers.get(&to) else {
            let address = PeerAddress {
                id: to,
                url: fallback_url.ok_or_else(|| unknown(to))?.to_owned(),
            };
            return self
                .transport
                .call(&address, method, envelope, timeout)
                .await;
        };
        let address = route.address();
        let begun = Instant::now();
        let answer = self
            .transport
            .call(&address, method, envelope, timeout)
            .await;
        self.metrics.peer_calls.ended(to, method, begun, &answer);
        if answer.as_ref().is_err_and(leads_nowhere) {
            route.turn(&address);
        }
        answer
    }

    /// Follows a peer's reports.
    pub(crate) async fn reports(
        &self,
        peer: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, PeerError>>, PeerError> {
        let route = self.peers.get(&peer).ok_or_else(|| unknown(peer))?;
        let address = route.address();
        let own = self
            .peers
            .get(&self.own_id)
            .map(|own| own.configured.url.clone());
        let envelope = self.envelope(peer, encode(&Follower { url: own }));
        let reports = self.transport.reports(&address, envelope).await;
        if reports.as_ref().is_err_and(leads_nowhere) {
            route.turn(&address);
        }
        reports
    }

    /// Takes a follower's word for where it is.
    pub(crate) fn heard_of(&self, peer: u64, follower: Follower) {
        let (Some(route), Some(url)) = (self.peers.get(&peer), follower.url) else {
            return;
        };
        let address = PeerAddress { id: peer, url };
        let mut moved = lock(&route.moved);
        if address == route.configured {
            *moved = Moved::default();
        } else if moved.to.as_ref() != Some(&address) {
            tracing::info!(
                peer,
                url = address.url,
                "replica {peer} says that it is at another address than its --peer flag here"
            );
            moved.to = Some(address);
        }
    }

    fn envelope(&self, to: u64, payload: Bytes) -> Envelope {
        Envelope {
            cluster_id: self.cluster_id(),
            from: self.own_id,
            to,
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
fn leads_nowhere(error: &PeerError) -> bool {
    matches!(
        error,
        PeerError::NotSent { .. }
            | PeerError::Refused {
                fault: PeerFault::WrongReplica { .. },
                ..
            }
    )
}

fn unknown(peer: u64) -> PeerError {
    PeerError::NotSent {
        peer,
        reason: "no --peer flag names its address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> (Route, [PeerAddress; 2]) {
        let addresses = ["http://here", "http://there"].map(|url| PeerAddress {
            id: 2,
            url: url.to_owned(),
        });
        let route = Route {
            configured: addresses[0].clone(),
            moved: Mutex::default(),
        };
        (route, addresses)
    }

    #[test]
    fn a_moved_peer_is_sought_where_it_says_it_is_once_the_flag_leads_nowhere() {
        let (route, [here, there]) = route();
        route.turn(&here);
        assert_eq!(route.address(), here, "there is only one way");
        lock(&route.moved).to = Some(there.clone());
        assert_eq!(route.address(), here, "the flag goes first");
        route.turn(&here);
        route.turn(&here);
        assert_eq!(route.address(), there, "calls that fail together turn once");
        route.turn(&there);
        assert_eq!(route.address(), here, "a wrong word does no harm");
    }
}
