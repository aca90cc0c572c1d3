//! Rules that are broken on purpose, in the simulation and nowhere else, to show that it notices: with any of these some
//! seeds must fail.

use clap::ValueEnum;
use threefold_replication::simulation::disk::Lie;

/// One broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Breakage {
    /// The log's disk says that it has flushed, and has not.
    LogFlush,
    /// The disk forgets votes that it said to have flushed.
    VoteFlush,
    /// The database says that it has flushed before the log is cut off, and has not.
    DatabaseFlush,
    /// A follower acknowledges entries that it does not store.
    Acknowledge,
    /// A leader answers how far reads must have come as it once did, whoever leads now.
    ReadIndex,
    /// No idempotency key is kept.
    Keys,
    /// The words that expenses are found by do not reach the table of one replica.
    Rows,
    /// The feed leaves out a revision now and then.
    Feed,
}

impl Breakage {
    /// How the disks lie under this.
    pub fn lie(breakage: Option<Self>) -> Lie {
        match breakage {
            Some(Self::LogFlush) => Lie::Everything,
            Some(Self::VoteFlush) => Lie::Mark("vote"),
            _ => Lie::None,
        }
    }

    /// The database does nothing where it is told this.
    pub fn swallows(self, sql: &str) -> bool {
        match self {
            Self::Keys => sql.starts_with("INSERT INTO idempotency_key"),
            Self::Rows => sql.starts_with("INSERT INTO expense_term"),
            _ => false,
        }
    }
}
