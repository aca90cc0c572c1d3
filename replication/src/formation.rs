//! How three empty replicas become a cluster, in whatever order they start.
//!
//! The replica with the lowest id founds it: once every peer answers that it is empty, the founder makes the
//! cluster's id, has every peer adopt it, and only then starts the consensus engine's membership. A crash at any
//! point is repeated from where it stood. An empty replica that meets a cluster already at work is not let in: it
//! has lost its vote and log, and coming back blank could undo what was acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::consensus::Node;
use crate::format::Formats;
use crate::peer::{PeerAddress, PeerError, PeerMethod, decode, encode};
use crate::wire::Wire;

/// Longest wait for one peer's answer, and the pause between rounds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for one that an operator adds to begin its folder and its tables.
const ADOPTION_TIMEOUT: Duration = Duration::from_secs(15);
const ROUND_PAUSE: Duration = Duration::from_millis(200);
/// How often a peer is asked before it is taken to be lost.
const ATTEMPTS: usize = 10;
/// Rounds between two lines in the log about replicas that are missing: five seconds.
const ROUNDS_A_LINE: u32 = 25;

/// What a replica says of its membership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HelloAnswer {
    /// The cluster it belongs to; none while it is empty.
    pub(crate) cluster_id: Option<Uuid>,
    /// True once its consensus engine has a membership.
    pub(crate) at_work: bool,
    /// The replicas in that membership; none from a version that did not say.
    #[serde(default)]
    pub(crate) members: Option<Vec<u64>>,
    /// What it reads.
    #[serde(default)]
    pub(crate) formats: Formats,
    /// Those of them that have a vote; none from a version that did not say.
    #[serde(default)]
    pub(crate) voters: Option<Vec<u64>>,
    /// Index of the log entry that made this membership, once it is there to stay.
    #[serde(default)]
    pub(crate) settled_at: Option<u64>,
    /// The mark of its birth, or the one that it will have when it belongs to a cluster; none from a version that did not say.
    #[serde(default)]
    pub(crate) birth_mark: Option<Uuid>,
    /// Those of the members that are known.
    #[serde(default)]
    pub(crate) births: BTreeMap<u64, Uuid>,
    /// A chunk of a snapshot that comes twice is taken for the same.
    #[serde(default)]
    pub(crate) repeats: bool,
}

impl HelloAnswer {
    /// True for one that has been at work in the cluster. Whoever is not a member of it any more has left it, by its own
    /// knowledge or not, and does not come back with what it had.
    pub(crate) fn has_data_of(&self, cluster_id: Uuid) -> bool {
        self.cluster_id == Some(cluster_id) && self.at_work
    }
}

/// An empty replica among others that are not.
#[derive(Debug, thiserror::Error)]
#[error(
    "this replica is empty, but replica {peer} already belongs to cluster {cluster_id}, which is at work: a lost log \
     and vote must not come back as blank ones. Point --data and --database to what this replica had last, never to an \
     older copy; if that is lost, run `threefold cluster replace {own_id}` with the settings of another replica, and start this \
     one again"
)]
pub(crate) struct MetACluster {
    own_id: u64,
    peer: u64,
    cluster_id: Uuid,
}

/// Asks a peer who it is.
pub(crate) async fn hello(wire: &Wire, peer: u64) -> Result<HelloAnswer, PeerError> {
    let answer = wire
        .call(peer, None, PeerMethod::Hello, encode(&()), ANSWER_TIMEOUT)
        .await?;
    decode(&answer).map_err(|fault| PeerError::Refused { peer, fault })
}

/// Asks whoever is at an address the same.
pub(crate) async fn hello_at(wire: &Wire, peer: &PeerAddress) -> Result<HelloAnswer, PeerError> {
    let answer = wire
        .call_at(peer, None, PeerMethod::Hello, encode(&()), ANSWER_TIMEOUT)
        .await?;
    let peer = peer.id;
    decode(&answer).map_err(|fault| PeerError::Refused { peer, fault })
}

/// Asks everybody once. True if all answered and are empty. A cluster at work that does not know this replica will take
/// it in ([`admission`](crate::admission)); one that does know it must not.
async fn all_empty(wire: &Wire, round: u32) -> Result<bool, MetACluster> {
    let mut all = true;
    for peer in wire.others() {
        match hello(wire, peer).await {
            Ok(HelloAnswer {
                cluster_id: Some(cluster_id),
                at_work: true,
                members,
                voters,
                ..
            }) => {
                let own_id = wire.own_id();
                let worth_a_line = round % ROUNDS_A_LINE == ROUNDS_A_LINE - 1;
                // Without a vote, nobody counts on what it had: it is sent everything again.
                if voters
                    .or(members)
                    .is_none_or(|voters| voters.contains(&own_id))
                {
                    return Err(MetACluster {
                        own_id,
                        peer,
                        cluster_id,
                    });
                }
                if worth_a_line {
                    tracing::info!(
                        "waiting to be taken in by cluster {cluster_id}: by a leader whose --peer flags name this replica, or by \
                         `threefold cluster add {own_id} --url URL`, with this replica's peer address and the settings of another one"
                    );
                }
                all = false;
            }
            Ok(answer) => all &= answer.cluster_id.is_none(),
            Err(error) => {
                // Replicas start one after the other: worth a line only when it lasts.
                if round % ROUNDS_A_LINE == ROUNDS_A_LINE - 1 {
                    tracing::warn!(%error, "waiting for all replicas, to form the cluster");
                }
                all = false;
            }
        }
    }
    Ok(all)
}

/// The founder's wait: until every peer is there and empty.
pub(crate) async fn wait_for_empty_peers(wire: &Wire) -> Result<(), MetACluster> {
    let mut round = 0;
    while !all_empty(wire, round).await? {
        round = round.wrapping_add(1);
        tokio::time::sleep(ROUND_PAUSE).await;
    }
    Ok(())
}

/// An empty follower's watch: ends only if it meets a cluster at work.
pub(crate) async fn watch_for_cluster(wire: &Wire) -> MetACluster {
    let mut round = 0;
    loop {
        tokio::time::sleep(ROUND_PAUSE).await;
        if let Err(met) = all_empty(wire, round).await {
            return met;
        }
        round = round.wrapping_add(1);
    }
}

/// Has whoever is at an address adopt this replica's cluster, and returns its birth mark; none from a version that did not
/// say.
pub(crate) async fn adopt_at(wire: &Wire, peer: &PeerAddress) -> Result<Option<Uuid>, PeerError> {
    let adopted = wire.call_at(peer, None, PeerMethod::Found, encode(&()), ADOPTION_TIMEOUT);
    birth_mark(peer.id, adopted.await)
}

/// Has one peer adopt this replica's cluster, as [`adopt_at`] does. `known` is for one that neither a flag nor the membership
/// names.
pub(crate) async fn adopt(
    wire: &Wire,
    peer: u64,
    known: Option<&Node>,
) -> Result<Option<Uuid>, PeerError> {
    let adopted = wire.call(peer, known, PeerMethod::Found, encode(&()), ANSWER_TIMEOUT);
    birth_mark(peer, adopted.await)
}

fn birth_mark(peer: u64, answer: Result<Bytes, PeerError>) -> Result<Option<Uuid>, PeerError> {
    decode(&answer?).map_err(|fault| PeerError::Refused { peer, fault })
}

/// Has every peer adopt the cluster; tried until all have. Returns their birth marks, as far as they say them. None if the
/// cluster turns out to be at work: then this replica was about to be taken in, and founds nothing.
pub(crate) async fn found(wire: &Wire) -> Option<BTreeMap<u64, Uuid>> {
    let mut births = BTreeMap::new();
    for peer in wire.others() {
        loop {
            let met = match hello(wire, peer).await {
                Ok(answer) if answer.at_work && answer.cluster_id == wire.cluster_id() => {
                    return None;
                }
                Ok(_) => adopt(wire, peer, None).await,
                Err(error) => Err(error),
            };
            match met {
                Ok(birth_mark) => {
                    births.extend(birth_mark.map(|mark| (peer, mark)));
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, peer, "a replica has not joined the new cluster yet");
                    tokio::time::sleep(ROUND_PAUSE).await;
                }
            }
        }
    }
    Some(births)
}

/// What the peers of a replica that is not running say: of its cluster, or why they say nothing that tells so. Asked for
/// some seconds, since a process may be starting.
pub(crate) async fn ask_all(wire: &Wire) -> Vec<(u64, Result<(), String>)> {
    let asked = wire.others().into_iter().map(async |peer| {
        let mut said = Err(String::new());
        for _ in 0..ATTEMPTS {
            said = match hello(wire, peer).await {
                Ok(answer) if answer.cluster_id == wire.cluster_id() => Ok(()),
                Ok(HelloAnswer {
                    cluster_id: Some(other),
                    ..
                }) => Err(format!("it belongs to another cluster, {other}")),
                Ok(_) => Err("it is empty".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            if said.is_ok() {
                break;
            }
            tokio::time::sleep(ROUND_PAUSE).await;
        }
        (peer, said)
    });
    join_all(asked).await
}
