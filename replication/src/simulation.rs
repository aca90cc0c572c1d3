//! What the simulation needs and nobody else has: a replica on a disk and a database that it makes, and a look inside.
//! Built for tests only.

pub mod disk;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sea_orm::DatabaseConnection;
use threefold_entity::Revision;
use uuid::Uuid;

use self::disk::{Contents, SimulatedDisk};
use crate::config::Config;
use crate::consensus::{self, EntryView, LogDisk};
use crate::database::Database;
use crate::history::HistoryHash;
use crate::peer::PeerTransport;
use crate::replica::{Fault, Replica};
use crate::status::Role;

/// Where a simulated replica keeps what it has.
pub struct Storage {
    /// Log and vote.
    pub disk: SimulatedDisk,
    /// The connection that writes to its database.
    pub writer: DatabaseConnection,
    /// The connection that reads it.
    pub reader: DatabaseConnection,
    /// Counts the connections of readers: a new number says that the database may have crashed since the old one.
    pub connections: Arc<AtomicU64>,
}

/// What a replica is at this moment, told from inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What it does.
    pub role: Role,
    /// Its term.
    pub term: u64,
    /// The leader that it knows of.
    pub leader: Option<u64>,
    /// Those who vote, as it knows.
    pub voters: Vec<u64>,
    /// The last entry in its log.
    pub last_log: Option<u64>,
    /// The last entry that it has told to be in its database.
    pub applied: Option<u64>,
    /// The last revision that it has told to be in its database.
    pub revision: Revision,
    /// Hash of its history up to there.
    pub hash: HistoryHash,
    /// Why it serves nothing, if it is quarantined.
    pub quarantine: Option<String>,
    /// Why its engine has stopped, if it has.
    pub fatal: Option<String>,
}

impl Replica {
    /// [`Replica::start`] on a disk and a database of the simulation's.
    ///
    /// # Errors
    /// As [`Replica::start`].
    pub async fn start_simulated(
        config: Config,
        transport: Arc<dyn PeerTransport>,
        storage: Storage,
    ) -> Result<Self, Fault> {
        let db = Database::simulated(storage.writer, storage.reader, storage.connections).await;
        let db = db.map_err(|e| Fault(format!("the database cannot be opened: {e}")))?;
        let disk = storage.disk;
        Self::assemble(config, None, transport, db, |_| {
            Ok(LogDisk::Simulated(disk))
        })
        .await
    }

    /// Looks inside; none until it belongs to a cluster.
    pub fn probe(&self) -> Option<Probe> {
        let running = self.running()?;
        let view = consensus::view(&running.raft);
        let applied = *running.applied.borrow();
        Some(Probe {
            role: view.role,
            term: view.term,
            leader: view.leader,
            voters: view.voters,
            last_log: view.last_log,
            applied: applied.index,
            revision: applied.revision,
            hash: applied.hash,
            quarantine: running.alarm.quarantine(),
            fatal: view.fatal,
        })
    }
}

/// Whoever leads, leads a term as one of the replicas: the term and its id, in this order. The engine lets a replica with a
/// higher id depose one of the same term, so that the term alone says nothing.
pub type Leader = (u64, u64);

/// Who made an encoded log entry, its index, and the keys of the proposals in it; none if it cannot be read.
pub fn entry(bytes: &[u8]) -> Option<(Leader, u64, Vec<Uuid>)> {
    let EntryView {
        leader,
        index,
        keys,
    } = consensus::view_entry(bytes)?;
    Some((leader, index, keys))
}

/// The index up to which a log was cut off, if it was.
pub fn purged(contents: &Contents) -> Option<u64> {
    consensus::purged_index(contents.marks.get("purged")?)
}
