//! A command on its way into the log.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::command::Command;
use crate::peer::{PeerFault, decode, encode};

/// A command with everything that is not a function of stored data: ids, actor and time. What applies it reads no
/// clock and makes no random number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal {
    /// The client's idempotency key, or one made here: a proposal that is sent twice is carried out once.
    pub(crate) key: Uuid,
    /// True where the client chose the key, and may ask for the outcome of a refusal.
    pub(crate) client_key: bool,
    /// Hash of the command as the client gave it: tells a retry from another use of the key.
    #[serde(with = "serde_bytes")]
    pub(crate) payload_hash: Vec<u8>,
    /// On whose behalf.
    pub(crate) actor: String,
    /// When it was proposed; microseconds, as both databases keep them.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub(crate) proposed_at: DateTime<Utc>,
    /// One id for each thing added whose id the client left open, in the command's order.
    pub(crate) fresh_ids: Vec<Uuid>,
    /// What is to be done.
    pub(crate) command: Command,
}

impl Proposal {
    /// Completes a command. This is the last place that reads the clock or makes ids.
    pub(crate) fn new(command: Command, key: Option<Uuid>, actor: &str) -> Self {
        let now = Utc::now();
        Self {
            key: key.unwrap_or_else(Uuid::now_v7),
            client_key: key.is_some(),
            payload_hash: blake3::hash(&encode(&command)).as_bytes().to_vec(),
            actor: actor.to_owned(),
            proposed_at: DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now),
            fresh_ids: (0..command.fresh_ids()).map(|_| Uuid::now_v7()).collect(),
            command,
        }
    }
}

/// The log's payload: many proposals in one entry. They are encoded once, where they are made, and carried as bytes
/// until they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Version of the proposals' encoding.
    format: u8,
    /// The encoded proposals, in order.
    proposals: Vec<Bytes>,
}

/// The encoding written by this version: MessagePack with field names.
const FORMAT: u8 = 1;

/// A log entry that this version cannot read. It is never skipped: the replica stops.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableBatch {
    #[error("its format is {0}, this version reads {FORMAT}: upgrade this replica")]
    Format(u8),
    #[error("{0}")]
    Proposal(#[from] PeerFault),
}

impl Batch {
    pub(crate) fn new(proposals: Vec<Bytes>) -> Self {
        Self {
            format: FORMAT,
            proposals,
        }
    }

    pub(crate) fn decode(&self) -> Result<Vec<Proposal>, UnreadableBatch> {
        if self.format != FORMAT {
            return Err(UnreadableBatch::Format(self.format));
        }
        self.proposals
            .iter()
            .map(|bytes| Ok(decode(bytes)?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_survives_its_encoding() {
        let command = Command::delete_expense(Uuid::from_u128(7), Some(2));
        let proposal = Proposal::new(command, None, "anyone");
        let batch = Batch::new(vec![encode(&proposal)]);
        let carried: Batch = decode(&encode(&batch)).unwrap();
        assert_eq!(carried.decode().unwrap(), [proposal]);
    }

    #[test]
    fn another_format_is_not_guessed_at() {
        let batch = Batch {
            format: 9,
            proposals: Vec::new(),
        };
        assert!(matches!(batch.decode(), Err(UnreadableBatch::Format(9))));
    }

    #[test]
    fn the_payload_hash_ignores_what_the_proposal_adds() {
        let command = Command::restore_expense(Uuid::from_u128(7));
        let (a, b) = (
            Proposal::new(command.clone(), None, "a"),
            Proposal::new(command, None, "b"),
        );
        assert_eq!(a.payload_hash, b.payload_hash);
        assert_ne!(a.key, b.key);
    }
}
