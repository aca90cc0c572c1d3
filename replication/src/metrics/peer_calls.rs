//! Calls to other replicas: how long each took and what it came to, by peer and method.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::seconds;
use crate::peer::{PeerError, PeerMethod};

type CallLabels = [(&'static str, String); 2];
type OutcomeLabels = [(&'static str, String); 3];

const METHODS: [PeerMethod; 7] = [
    PeerMethod::Hello,
    PeerMethod::Found,
    PeerMethod::AppendEntries,
    PeerMethod::Vote,
    PeerMethod::InstallSnapshot,
    PeerMethod::Propose,
    PeerMethod::ReadIndex,
];
const OUTCOMES: [&str; 4] = ["answered", "refused", "unreachable", "not_sent"];

/// See the module. Peers are those that the configuration or the membership names; calls to others are not measured.
#[derive(Debug)]
pub(crate) struct PeerCalls {
    seconds: Family<CallLabels, Histogram, fn() -> Histogram>,
    counts: Family<OutcomeLabels, Counter>,
    handles: RwLock<BTreeMap<(u64, &'static str), Handles>>,
}

#[derive(Clone, Debug)]
struct Handles {
    seconds: Histogram,
    outcomes: [Counter; 4],
}

impl PeerCalls {
    pub(super) fn new(peers: impl Iterator<Item = u64>) -> Self {
        let seconds: Family<CallLabels, Histogram, _> =
            Family::new_with_constructor(seconds as fn() -> Histogram);
        let calls = Self {
            seconds,
            counts: Family::default(),
            handles: RwLock::default(),
        };
        calls.know(peers);
        calls
    }

    /// Measures the calls to these peers, too.
    pub(crate) fn know(&self, peers: impl Iterator<Item = u64>) {
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        for peer in peers {
            for method in METHODS.map(name) {
                handles
                    .entry((peer, method))
                    .or_insert_with(|| self.handles_of(peer, method));
            }
        }
    }

    /// Forgets the peers that are not among these.
    pub(crate) fn forget_all_but(&self, peers: &[u64]) {
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        handles.retain(|(peer, method), _| {
            let stays = peers.contains(peer);
            if !stays {
                self.seconds.remove(&labels(*peer, method));
                for outcome in OUTCOMES {
                    self.counts.remove(&with_outcome(*peer, method, outcome));
                }
            }
            stays
        });
    }

    fn handles_of(&self, peer: u64, method: &'static str) -> Handles {
        let count = |outcome| {
            self.counts
                .get_or_create_owned(&with_outcome(peer, method, outcome))
        };
        Handles {
            seconds: self.seconds.get_or_create_owned(&labels(peer, method)),
            outcomes: OUTCOMES.map(count),
        }
    }

    /// A call has come to an end. Only answers are timed, refusals among them.
    pub(crate) fn ended<T>(
        &self,
        peer: u64,
        method: PeerMethod,
        begun: Instant,
        answer: &Result<T, PeerError>,
    ) {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        let Some(handles) = handles.get(&(peer, name(method))) else {
            return;
        };
        let outcome = match answer {
            Ok(_) => 0,
            Err(PeerError::Refused { .. }) => 1,
            Err(PeerError::Unreachable { .. }) => 2,
            Err(PeerError::NotSent { .. }) => 3,
        };
        handles.outcomes[outcome].inc();
        if outcome < 2 {
            handles.seconds.observe(begun.elapsed().as_secs_f64());
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "peer_call",
            "One call to another replica until its answer; the answer to append_entries is the ACK",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register(
            "peer_calls",
            "Calls to other replicas, by what they came to; not_sent: nobody listens there",
            self.counts.clone(),
        );
    }
}

fn labels(peer: u64, method: &str) -> CallLabels {
    [("peer", peer.to_string()), ("method", method.to_owned())]
}

fn with_outcome(peer: u64, method: &str, outcome: &str) -> OutcomeLabels {
    let [peer, method] = labels(peer, method);
    [peer, method, ("outcome", outcome.to_owned())]
}

fn name(method: PeerMethod) -> &'static str {
    match method {
        PeerMethod::Hello => "hello",
        PeerMethod::Found => "found",
        PeerMethod::AppendEntries => "append_entries",
        PeerMethod::Vote => "vote",
        PeerMethod::InstallSnapshot => "install_snapshot",
        PeerMethod::Propose => "propose",
        PeerMethod::ReadIndex => "read_index",
        PeerMethod::TakeOver => "take_over",
        PeerMethod::Members => "members",
        PeerMethod::Add => "add",
        PeerMethod::Promote => "promote",
        PeerMethod::Remove => "remove",
        PeerMethod::Replace => "replace",
        PeerMethod::Dismiss => "dismiss",
        PeerMethod::Verify => "verify",
    }
}
