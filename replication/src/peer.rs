//! How replicas talk: what travels is defined here, how it travels is the caller's, who implements [`PeerTransport`].

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// What one replica can ask of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerMethod {
    /// Who are you, and do you belong to a cluster yet? The only call allowed before a cluster exists, with `Found`.
    Hello,
    /// Join the cluster that the sender is founding.
    Found,
    /// Raft AppendEntries: store these log entries; the result is the ACK.
    AppendEntries,
    /// Raft RequestVote.
    Vote,
    /// One chunk of a snapshot.
    InstallSnapshot,
    /// Proposals on their way from a follower to the leader.
    Propose,
    /// The leader's read index, for a linearizable read on a follower.
    ReadIndex,
    /// Lead in the sender's place: it is stopping, and you have all that it has.
    TakeOver,
    /// An operator asks who is in the membership.
    Members,
    /// An operator asks to take in a replica.
    Add,
    /// An operator asks to give a replica a vote.
    Promote,
    /// An operator asks to take a replica out of the membership.
    Remove,
    /// An operator asks to take in a replica in the place of another.
    Replace,
    /// You leave the membership: finish what you have begun, and stop.
    Dismiss,
    /// A step of a comparison of the replicas' tables.
    Verify,
}

/// A peer and where its peer endpoint is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PeerAddress {
    /// Its id.
    pub id: u64,
    /// Base URL of its peer endpoint, such as `http://10.0.0.2:9081`.
    pub url: String,
}

/// A call with its addresses, so that a wrong node can refuse it: taking another node's messages loses data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The sender's cluster; none while it belongs to none.
    pub cluster_id: Option<Uuid>,
    /// The sender.
    pub from: u64,
    /// The replica it is meant for.
    pub to: u64,
    /// That replica's birth mark, so that one which had the number before does not take its calls; none where the sender does
    /// not know it.
    pub birth_mark: Option<Uuid>,
    /// Format of the payload, and of the answer; see [`Formats::message`](crate::format::Formats::message). Transports that
    /// carry none carry format 1.
    pub format: u32,
    /// Encoded by this crate; opaque to transports.
    pub payload: Bytes,
}

/// Why a peer refused a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PeerFault {
    /// The call was meant for another replica.
    #[error(
        "this is replica {actual}, the call was meant for replica {expected}: check the --peer addresses"
    )]
    WrongReplica {
        /// Who it was meant for.
        expected: u64,
        /// Who got it.
        actual: u64,
    },
    /// The call was meant for another replica that has, or had, this one's number.
    #[error(
        "the call was meant for another replica {0}: one of the two has left the cluster; see that it is not running"
    )]
    WrongBirth(u64),
    /// The sender belongs to another cluster.
    #[error(
        "this replica belongs to cluster {actual:?}, the sender to {expected:?}: check the --peer addresses"
    )]
    WrongCluster {
        /// The sender's.
        expected: Option<Uuid>,
        /// The receiver's.
        actual: Option<Uuid>,
    },
    /// The payload cannot be decoded: another version, or damage.
    #[error("the message cannot be read: {0}")]
    Malformed(String),
    /// The receiver does not lead; it may know who does.
    #[error("replica {0} is not the leader")]
    NotLeader(u64, Option<u64>),
    /// The receiver could not do it.
    #[error(transparent)]
    Service(#[from] ServiceFault),
}

/// A service error as it travels between replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ServiceFault {
    /// See [`ServiceError::NotEnoughReplicas`](crate::ServiceError::NotEnoughReplicas).
    #[error("{in_sync} of {required} required replicas are in sync")]
    NotEnoughReplicas {
        /// How many are.
        in_sync: usize,
        /// How many must be.
        required: usize,
    },
    /// See [`ServiceError::Overloaded`](crate::ServiceError::Overloaded).
    #[error("{0} requests are waiting already")]
    Overloaded(usize),
    /// The receiver is stopping, failed, or not ready.
    #[error("{0}")]
    Unavailable(String),
}

/// Why a call got no answer that could be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// No answer in time, or an answer that is none: the call may or may not have arrived.
    #[error("replica {peer} did not answer: {reason}")]
    Unreachable {
        /// The peer.
        peer: u64,
        /// What went wrong.
        reason: String,
    },
    /// Nothing reached the peer: no connection, or it turned the sender away unheard.
    #[error("replica {peer} could not be reached: {reason}")]
    NotSent {
        /// The peer.
        peer: u64,
        /// What went wrong.
        reason: String,
    },
    /// The peer understood and refused.
    #[error("replica {peer} refused: {fault}")]
    Refused {
        /// The peer.
        peer: u64,
        /// Why.
        fault: PeerFault,
    },
}

/// Carries calls to peers. An implementation keeps connections alive, authenticates both sides with the cluster
/// secret, and never sends a call twice by itself.
#[async_trait]
pub trait PeerTransport: Send + Sync + 'static {
    /// Sends one call and waits for its answer, for no longer than `timeout`.
    async fn call(
        &self,
        peer: &PeerAddress,
        method: PeerMethod,
        envelope: Envelope,
        timeout: Duration,
    ) -> Result<Bytes, PeerError>;

    /// Follows the peer's reports of itself (encoded [`Report`](crate::status::Report)s), until the stream ends or
    /// fails. [`PeerError::NotSent`] is taken to mean that nobody listens for the peer.
    async fn reports(
        &self,
        peer: &PeerAddress,
        envelope: Envelope,
    ) -> Result<BoxStream<'static, Result<Bytes, PeerError>>, PeerError>;
}

/// Encodes a message for a peer or for the log: MessagePack with field names, so that fields can be added.
pub(crate) fn encode<T: Serialize>(message: &T) -> Bytes {
    // Serialising these plain types into memory has no failing case.
    Bytes::from(rmp_serde::to_vec_named(message).unwrap_or_default())
}

/// Decodes a peer's message.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, PeerFault> {
    rmp_serde::from_slice(bytes).map_err(|e| PeerFault::Malformed(e.to_string()))
}
