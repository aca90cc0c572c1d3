//! A command on its way into the log.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::command::Command;
use crate::format::{self, Formats, NewerFormat};
use crate::peer::{PeerFault, decode, encode};
use crate::trace::TraceContext;

/// A command with everything that is not a function of stored data: ids, actor and time. What applies it reads no
/// clock and makes no random number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// For logs: never what is in it.
impl std::fmt::Debug for Proposal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut proposal = f.debug_struct("Proposal");
        proposal
            .field("key", &self.key)
            .field("command", &self.command);
        proposal.finish_non_exhaustive()
    }
}

/// The log's payload: many proposals in one entry. They are encoded once, where they are made, and carried as bytes
/// until they are applied.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Version of the proposals' encoding, and of the rules by which they are applied.
    format: u32,
    /// The encoded proposals, in order.
    proposals: Vec<Bytes>,
    /// Traces of those that are sampled, for whoever stores and applies them to follow. Nothing is computed from them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    traces: Vec<TraceContext>,
    /// Set in an entry without proposals: whoever applies it looks at its tables as they are then. It changes no row, and
    /// replicas that do not know it pass it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Uuid>,
}

/// For logs: the consensus engine writes entries there at its finer levels.
impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes: usize = self.proposals.iter().map(Bytes::len).sum();
        let mut batch = f.debug_struct("Batch");
        batch.field("proposals", &self.proposals.len());
        batch.field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// A log entry that this version cannot read. It is never skipped: the replica stops.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableBatch {
    #[error(transparent)]
    Newer(#[from] NewerFormat),
    #[error("{0}")]
    Proposal(#[from] PeerFault),
}

impl Batch {
    /// Proposals in a format that all members of the cluster read: MessagePack with field names, so far.
    pub(crate) fn new(format: u32, proposals: Vec<Bytes>) -> Self {
        Self {
            format,
            proposals,
            traces: Vec::new(),
            checkpoint: None,
        }
    }

    /// A place in the log at which all replicas can be compared.
    pub(crate) fn checkpoint(id: Uuid) -> Self {
        Self {
            checkpoint: Some(id),
            // It has nothing that a format could change.
            ..Self::new(Formats::FIRST.log, Vec::new())
        }
    }

    /// The checkpoint that it is, if it is one.
    pub(crate) fn is_checkpoint(&self) -> Option<Uuid> {
        self.checkpoint
    }

    /// The same, to be followed in these traces.
    pub(crate) fn traced(self, traces: Vec<TraceContext>) -> Self {
        Self { traces, ..self }
    }

    /// The traces to follow it in.
    pub(crate) fn traces(&self) -> &[TraceContext] {
        &self.traces
    }

    /// Whether this version reads it. What it does not read it must not store for others either: its acknowledgement would
    /// be worth nothing.
    pub(crate) fn check(&self) -> Result<(), NewerFormat> {
        format::check(self.format, Formats::OWN.log)
    }

    pub(crate) fn decode(&self) -> Result<Vec<Proposal>, UnreadableBatch> {
        self.check()?;
        self.proposals
            .iter()
            .map(|bytes| Ok(decode(bytes)?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::AddCategory;

    #[test]
    fn a_batch_survives_its_encoding() {
        let command = Command::delete_expense(Uuid::from_u128(7), Some(2));
        let proposal = Proposal::new(command, None, "anyone");
        let batch = Batch::new(1, vec![encode(&proposal)]);
        let carried: Batch = decode(&encode(&batch)).unwrap();
        assert_eq!(carried.decode().unwrap(), [proposal]);
    }

    #[test]
    fn traces_take_26_bytes_each_and_change_nothing_else() {
        let command = Command::delete_expense(Uuid::from_u128(7), Some(2));
        let proposal = Proposal::new(command, None, "anyone");
        let plain = Batch::new(1, vec![encode(&proposal)]);
        let bytes = encode(&plain).len();
        let trace: TraceContext = decode(&encode(&serde_bytes::Bytes::new(&[1; 24]))).unwrap();
        let traced = |count: usize| plain.clone().traced(vec![trace; count]);
        assert_eq!(encode(&traced(0)).len(), bytes);
        // The field's name and length, once an entry.
        assert_eq!(encode(&traced(1)).len(), bytes + 8 + 26);
        assert_eq!(encode(&traced(9)).len(), bytes + 8 + 9 * 26);
        let carried: Batch = decode(&encode(&traced(2))).unwrap();
        assert_eq!(carried.traces(), [trace, trace]);
        assert_eq!(carried.decode().unwrap(), [proposal]);
    }

    #[test]
    fn an_entry_from_before_traces_is_read_and_one_with_them_by_older_replicas() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct Before {
            format: u8,
            proposals: Vec<Bytes>,
        }
        let before = Before {
            format: 1,
            proposals: vec![Bytes::from_static(b"x")],
        };
        let read: Batch = decode(&encode(&before)).unwrap();
        assert_eq!(read, Batch::new(1, before.proposals.clone()));
        let trace: TraceContext = decode(&encode(&serde_bytes::Bytes::new(&[1; 24]))).unwrap();
        assert_eq!(
            decode::<Before>(&encode(&read.traced(vec![trace]))).unwrap(),
            before
        );
    }

    #[test]
    fn a_checkpoint_is_an_entry_without_proposals_to_older_replicas_and_costs_others_nothing() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct Before {
            format: u8,
            proposals: Vec<Bytes>,
        }
        let before = Before {
            format: 1,
            proposals: Vec::new(),
        };
        let id = Uuid::from_u128(7);
        let carried = encode(&Batch::checkpoint(id));
        assert_eq!(decode::<Before>(&carried).unwrap(), before);
        let carried: Batch = decode(&carried).unwrap();
        assert_eq!(carried.is_checkpoint(), Some(id));
        assert_eq!(carried.decode().unwrap(), []);
        assert_eq!(encode(&Batch::new(1, Vec::new())), encode(&before));
    }

    #[test]
    fn a_log_line_shows_nothing_of_what_is_stored() {
        let category = AddCategory {
            id: None,
            ledger_id: Uuid::from_u128(7),
            name: "Doctor".to_owned(),
            color: None,
        };
        let command = Command::add_category(category).unwrap();
        let proposal = Proposal::new(command, None, "anyone");
        let batch = Batch::new(1, vec![encode(&proposal)]);
        for text in [format!("{proposal:?}"), format!("{batch:?}")] {
            assert!(!text.contains("Doctor"), "{text}");
            assert!(!text.contains("anyone"), "{text}");
        }
    }

    #[test]
    fn another_format_is_not_guessed_at() {
        let batch = Batch {
            format: 9,
            proposals: Vec::new(),
            ..Batch::default()
        };
        let refused = batch.decode().unwrap_err();
        assert!(matches!(
            refused,
            UnreadableBatch::Newer(NewerFormat { format: 9, .. })
        ));
        assert!(refused.to_string().contains("upgrade this replica"));
        assert!(batch.check().is_err());
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
