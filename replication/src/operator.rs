//! What an operator asks of a cluster about its membership, from outside of any replica that runs. Any replica may be
//! asked; the leader decides ([`membership`](crate::membership)).

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::formation;
use crate::metrics::Metrics;
use crate::peer::{
    PeerAddress, PeerError, PeerFault, PeerMethod, PeerTransport, ServiceFault, decode, encode,
};
use crate::replica::Fault;
use crate::wire::Wire;

/// Longest wait for one answer: a replica that leaves is given ten seconds to finish what it has begun.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a leader is looked for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Who is in the membership?
    Members,
    /// Take in a replica that is started empty, without a vote.
    Add {
        /// The replica.
        newcomer: PeerAddress,
        /// Give it a vote as soon as it has everything.
        voter: bool,
    },
    /// Give a replica that has everything a vote.
    Promote(u64),
    /// Take a replica out of the membership.
    Remove(u64),
    /// Take in a replica that is started empty, and give it the vote of another one, which leaves.
    Replace {
        /// The one that leaves.
        lost: u64,
        /// The one that takes its place.
        newcomer: PeerAddress,
    },
}

impl Request {
    pub(crate) fn method(&self) -> PeerMethod {
        match self {
            Self::Members => PeerMethod::Members,
            Self::Add { .. } => PeerMethod::Add,
            Self::Promote(_) => PeerMethod::Promote,
            Self::Remove(_) => PeerMethod::Remove,
            Self::Replace { .. } => PeerMethod::Replace,
        }
    }
}

/// A request on its way to the leader.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    /// True where a replica has passed it on to the one that it takes for the leader.
    pub(crate) passed_on: bool,
}

/// What the leader says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It is done, or the cluster will see to it; the membership now.
    Done(Vec<Member>),
    /// It is not done, and why; for people.
    Refused(String),
}

/// A replica in the membership, as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub id: u64,
    /// Base URL of its peer endpoint, as the membership has it.
    pub peer_url: String,
    /// Whether it has a vote.
    pub standing: Standing,
    /// True for the leader.
    pub leads: bool,
    /// True where it has been heard from in time.
    pub reachable: bool,
    /// True where it has also caught up, and serves.
    pub in_sync: bool,
    /// Log entries that the leader has and it has not; none where the leader has not found out yet.
    pub behind: Option<u64>,
}

/// What a replica is in the membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It has a vote.
    Voter,
    /// It follows without a vote.
    Learner,
    /// It follows, and gets a vote once it has everything.
    Joining,
    /// It is on its way out.
    Leaving,
}

/// Why an operator's request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The leader refused.
    #[error("{0}")]
    Refused(String),
    /// No leader could be asked, or its answer did not come: it may have been carried out.
    #[error("{0}")]
    Unheard(String),
}

impl From<Unanswered> for Fault {
    fn from(unanswered: Unanswered) -> Self {
        Self(unanswered.to_string())
    }
}

/// Speaks with a cluster for an operator, by the settings of one of its replicas.
pub struct Operator {
    config: Config,
    transport: Arc<dyn PeerTransport>,
    metrics: Arc<Metrics>,
}

impl Operator {
    /// With these settings.
    pub fn new(config: Config, transport: Arc<dyn PeerTransport>) -> Self {
        let metrics = Arc::new(Metrics::new(config.id, &config.peers));
        Self {
            config,
            transport,
            metrics,
        }
    }

    /// Has the leader carry out a request, and returns the membership as it is then. Looks for a leader for ten seconds.
    ///
    /// # Errors
    /// The leader's refusal, or that none answered.
    pub async fn ask(&self, request: &Request) -> Result<Vec<Member>, Unanswered> {
        let begun = Instant::now();
        let mut in_doubt = false;
        loop {
            let unheard = match self.ask_each(request, &mut in_doubt).await {
                Ok(Answer::Done(members)) => return Ok(members),
                Ok(Answer::Refused(reason)) => {
                    // The answer to an earlier attempt may have been lost.
                    return match self.has_left(request).await {
                        Some(members) if in_doubt => Ok(members),
                        _ => Err(Unanswered::Refused(reason)),
                    };
                }
                Err(reason) => reason,
            };
            if begun.elapsed() > PATIENCE {
                return Err(Unanswered::Unheard(unheard));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The membership, where it lacks the replica that is to be removed.
    async fn has_left(&self, request: &Request) -> Option<Vec<Member>> {
        let Request::Remove(leaves) = request else {
            return None;
        };
        match self.ask_each(&Request::Members, &mut false).await {
            Ok(Answer::Done(members)) => {
                let is_in = members.iter().any(|member| member.id == *leaves);
                (!is_in).then_some(members)
            }
            _ => None,
        }
    }

    /// Asks one replica of the flags after the other, until one has an answer. `in_doubt` is set where one may have carried
    /// it out without saying so.
    async fn ask_each(&self, request: &Request, in_doubt: &mut bool) -> Result<Answer, String> {
        let mut last = "no replica of the cluster answers".to_owned();
        let mut peers: Vec<&PeerAddress> = self.config.peers.iter().collect();
        // One that is to leave may be gone before it has passed on the answer.
        let leaves = |peer: &PeerAddress| *request == Request::Remove(peer.id);
        peers.sort_by_key(|peer| leaves(peer));
        for peer in peers {
            // They may belong to different clusters.
            let wire = Wire::new(
                self.transport.clone(),
                self.config.id,
                &self.config.peers,
                self.metrics.clone(),
            );
            match formation::hello_at(&wire, peer).await {
                Ok(answer) => match answer.cluster_id {
                    Some(cluster_id) if answer.at_work => wire.joined(cluster_id),
                    _ => continue,
                },
                Err(error) => {
                    tracing::debug!(%error, "a replica does not answer");
                    continue;
                }
            }
            let asked = encode(&Asked {
                request: request.clone(),
                passed_on: false,
            });
            let answer = wire.call_at(peer, None, request.method(), asked, ANSWER_TIMEOUT);
            match answer.await {
                Ok(answer) => return decode(&answer).map_err(|fault| fault.to_string()),
                Err(PeerError::Refused {
                    fault: PeerFault::NotLeader(..),
                    ..
                }) => last = "there is no leader at the moment; try again".to_owned(),
                Err(PeerError::Refused {
                    fault: PeerFault::Service(ServiceFault::Unavailable(reason)),
                    ..
                }) => {
                    *in_doubt = true;
                    last = reason;
                }
                Err(error) => {
                    *in_doubt = true;
                    last = error.to_string();
                }
            }
        }
        Err(last)
    }
}
