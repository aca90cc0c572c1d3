//! One thing that one client wanted, and what it was told.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// From the first request for it to the last answer, however often it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Counts the operations of a history.
    pub number: u64,
    /// The logical client. It does one thing after the other.
    pub worker: u16,
    /// The replica that was asked last.
    pub replica: u16,
    /// When it was sent first, in nanoseconds since the workloads began.
    pub begin: u64,
    /// When the client was answered or gave up.
    pub end: u64,
    /// What was asked for.
    pub action: Action,
    /// What the client was told.
    pub answer: Answer,
    /// What became of it, asked once all had healed. Only where the answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
}

/// What a client asks for. Amounts and labels are numbers that no other operation of the history uses, so that whatever is
/// read tells who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// `addExpense`.
    Add {
        /// Idempotency key.
        key: Uuid,
        /// What is added.
        item: Item,
    },
    /// `addExpenses`.
    AddMany {
        /// Idempotency key.
        key: Uuid,
        /// The tag that they share and no other expense has.
        tag: u64,
        /// What is added, all or none.
        items: Vec<Item>,
    },
    /// `updateExpense`, of one field or two.
    Edit {
        /// Idempotency key.
        key: Uuid,
        /// The expense.
        id: Uuid,
        /// The new amount.
        amount: Option<u64>,
        /// The new label.
        label: Option<u64>,
        /// `expectedVersion`.
        expected: Option<u32>,
    },
    /// `deleteExpense`.
    Delete {
        /// Idempotency key.
        key: Uuid,
        /// The expense.
        id: Uuid,
        /// `expectedVersion`.
        expected: Option<u32>,
    },
    /// `restoreExpense`.
    Restore {
        /// Idempotency key.
        key: Uuid,
        /// The expense.
        id: Uuid,
    },
    /// `expense`.
    Read {
        /// The expense.
        id: Uuid,
        /// How fresh.
        freshness: Freshness,
    },
    /// `expenses`, those of one batch.
    List {
        /// The batch's tag.
        tag: u64,
        /// How fresh.
        freshness: Freshness,
    },
    /// The revision of a list, read over a connection that stays.
    Position {
        /// Counts the connections of a worker.
        session: u32,
    },
}

impl Action {
    /// The idempotency key of a mutation.
    pub fn key(&self) -> Option<Uuid> {
        match self {
            Self::Add { key, .. }
            | Self::AddMany { key, .. }
            | Self::Edit { key, .. }
            | Self::Delete { key, .. }
            | Self::Restore { key, .. } => Some(*key),
            Self::Read { .. } | Self::List { .. } | Self::Position { .. } => None,
        }
    }

    /// What kind it is, for counting.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add",
            Self::AddMany { .. } => "add many",
            Self::Edit { .. } => "edit",
            Self::Delete { .. } => "delete",
            Self::Restore { .. } => "restore",
            Self::Read { freshness, .. } => match freshness {
                Freshness::Linearizable => "read",
                Freshness::Local => "local read",
                Freshness::AtLeast(_) => "read at a revision",
            },
            Self::List { .. } => "list",
            Self::Position { .. } => "position",
        }
    }
}

/// An expense to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id, where the client chooses it.
    pub id: Option<Uuid>,
    /// Its amount and its label at first.
    pub mark: u64,
}

/// How fresh a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Freshness {
    /// Sees whatever was answered before it began.
    Linearizable,
    /// Sees what this replica has.
    Local,
    /// Sees everything up to a revision.
    AtLeast(u64),
}

/// What the client was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// The mutation was carried out.
    Accepted {
        /// Proof of what was stored where.
        receipt: Receipt,
        /// The expenses as they were after it.
        rows: Vec<Row>,
    },
    /// The mutation was refused for a reason of the domain: a user error's code.
    Refused(String),
    /// What a read of one expense saw.
    Saw(Option<Row>),
    /// What a read of a list saw.
    Listed {
        /// The revision it was read at.
        revision: u64,
        /// The expenses.
        rows: Vec<Row>,
    },
    /// A fault that promises that nothing was done, each time it was sent: an error's code, or that no connection was made.
    NotDone(String),
    /// No answer, or one that promises nothing. A mutation may have been carried out, or may be yet.
    Lost(String),
}

impl Answer {
    /// What kind it is, for counting.
    pub fn name(&self) -> &str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused(_) => "refused",
            Self::Saw(_) | Self::Listed { .. } => "answered",
            Self::NotDone(_) => "not done",
            Self::Lost(_) => "lost",
        }
    }
}

/// What `outcome(idempotencyKey:)` said once all had healed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Settlement {
    /// It was carried out, and made this revision.
    Accepted(u64),
    /// It was refused: a user error's code.
    Refused(String),
    /// It never took effect.
    Never,
}

/// Proof of what was stored where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The revision that the mutation made.
    pub revision: u64,
    /// Whether this is the first outcome once more.
    pub replayed: bool,
    /// Who had applied it.
    pub applied: ReplicaSet,
    /// Who had it on disk, and no more.
    pub durable: ReplicaSet,
}

/// Some replicas, by their ids, which are below 64.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplicaSet(u64);

impl ReplicaSet {
    /// Adds one.
    pub fn insert(&mut self, id: u16) {
        assert!(id < 64, "a torture test has no replica {id}");
        self.0 |= 1 << id;
    }

    /// Whether it is in.
    pub fn contains(self, id: u16) -> bool {
        id < 64 && self.0 & (1 << id) != 0
    }

    /// All that are in, in order.
    pub fn iter(self) -> impl Iterator<Item = u16> {
        (0..64).filter(move |id| self.contains(*id))
    }
}

impl FromIterator<u16> for ReplicaSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ids: I) -> Self {
        let mut set = Self::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

/// An expense as a client or a database shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// Identity.
    pub id: Uuid,
    /// Counts its changes.
    pub version: u32,
    /// Who wrote the amount.
    pub amount: u64,
    /// Who wrote the description.
    pub label: u64,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Revision of its last change.
    pub revision: u64,
}
