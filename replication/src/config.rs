//! Settings of one replica.

use std::path::PathBuf;
use std::time::Duration;

use crate::peer::PeerAddress;

/// Longest silence between two reports of a replica to its peers.
pub const REPORT_INTERVAL: Duration = Duration::from_millis(200);
/// Shortest time between two reports of a replica's progress to a peer that does not lead.
pub(crate) const REPORT_PAUSE: Duration = Duration::from_millis(50);
/// Revisions whose changes and idempotency keys are kept. It decides whether a key is known, so it is the same on all
/// replicas, and a constant.
pub const KEEP_REVISIONS: u64 = 1_000_000;
/// Most proposals in one log entry.
pub const MAX_BATCH_PROPOSALS: usize = 1_024;
/// Most bytes of proposals in one log entry, unless a single proposal is larger.
pub const MAX_BATCH_BYTES: usize = 1 << 20;
/// Most bytes of one proposal: 1,000 expenses with the longest notes do not fit, with usual ones they do.
pub const MAX_PROPOSAL_BYTES: usize = 4 << 20;
/// Most proposals that wait for their turn on one replica.
pub const MAX_WAITING_PROPOSALS: usize = 16_384;
/// Most reads that wait for a read barrier on one replica.
pub const MAX_WAITING_READS: usize = 16_384;

/// Settings of one replica. Validated by the command line; see its help for meanings and defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// This replica's id; one of the peers'.
    pub id: u64,
    /// Where log, vote and identity live.
    pub data: PathBuf,
    /// `postgres://` or `sqlite://` URL of this replica's own database.
    pub database_url: String,
    /// Base URL of this replica's public API, as clients reach it.
    pub public_url: String,
    /// All replicas that found the cluster, this one included.
    pub peers: Vec<PeerAddress>,
    /// Fewest replicas in sync for a mutation to be taken; none: the majority of the voters.
    pub min_in_sync: Option<usize>,
    /// A replica not heard from, or not caught up, for this long is not in sync.
    pub in_sync_timeout: Duration,
    /// Shortest wait of a follower that misses its leader before it asks to be elected; the longest is twice that,
    /// heartbeats go out at a third of it.
    pub election_timeout: Duration,
    /// Longest wait of a mutation for a leader and an answer.
    pub write_timeout: Duration,
    /// Longest wait of a read for this replica to be fresh enough.
    pub read_timeout: Duration,
    /// How long a database that fails is tried again before the replica stops.
    pub database_patience: Duration,
    /// How often the leader compares the tables of all replicas; none: only when it is asked.
    pub verify_interval: Option<Duration>,
    /// Log entries after which the log is compacted.
    pub compact_after_entries: u64,
    /// Bytes that the log keeps at most, about.
    pub compact_after_bytes: u64,
    /// Proposals share log entries. Switched off only to measure what it gains.
    pub group_commit: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One replica with the defaults, in a folder and on a database that are still to be named.
    pub(crate) fn config() -> Config {
        Config {
            id: 1,
            data: PathBuf::new(),
            database_url: String::new(),
            public_url: "http://127.0.0.1:1".to_owned(),
            peers: vec![PeerAddress {
                id: 1,
                url: "http://127.0.0.1:2".to_owned(),
            }],
            min_in_sync: None,
            in_sync_timeout: Duration::from_secs(2),
            election_timeout: Duration::from_millis(750),
            write_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(5),
            database_patience: Duration::from_secs(5),
            verify_interval: None,
            compact_after_entries: 50_000,
            compact_after_bytes: 256_000_000,
            group_commit: true,
        }
    }
}
