//! The way out when a majority is lost for good: one survivor becomes a cluster of its own, with all that it has.
//!
//! The survivor is given a new cluster's id, so that the lost ones, should they come back, are strangers to it and it to
//! them; and a membership of one, as the last entry of its log. What its log holds, it will apply: an entry that was not
//! known to be committed may have been, and to drop it could lose what was acknowledged. What only the lost ones had is
//! gone. Empty replicas then take the places of the lost ones ([`admission`](crate::admission)).

use std::sync::Arc;

use uuid::Uuid;

use crate::alarm::{self, Alarm};
use crate::config::Config;
use crate::consensus::{self, LogStore};
use crate::database::Database;
use crate::formation;
use crate::identity::{self, Identity};
use crate::metrics::Metrics;
use crate::peer::PeerTransport;
use crate::replica::{self, Fault};
use crate::wire::Wire;

/// A replica that is stopped, and could go on alone.
pub struct Recovery {
    config: Config,
    db: Database,
    log: LogStore,
    survivor: Survivor,
}

/// What a stopped replica has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// The cluster it belongs to.
    pub cluster_id: Uuid,
    /// Its id.
    pub replica_id: u64,
    /// The sets of voters of which each has to agree, by its own last knowledge: one, or two where the membership was
    /// being changed.
    pub quorums: Vec<Vec<u64>>,
    /// Term and index of the last entry it has: of two survivors, the one whose log ends later has more.
    pub log_end: Option<(u64, u64)>,
    /// The last revision in its database. Its log may hold more, which it applies when it starts.
    pub revision: u64,
    /// Live expenses in its database.
    pub expense_count: i64,
    /// Entries of its log that its database does not hold yet.
    pub entries_to_apply: u64,
    /// Replicas of the same cluster that answered just now.
    pub alive: Vec<u64>,
    /// Those that did not, and what was heard instead.
    pub silent: Vec<(u64, String)>,
}

impl Survivor {
    /// True where it and those alive are a majority, and nothing needs a recovery.
    pub fn has_majority(&self) -> bool {
        let is_alive = |id: &&u64| **id == self.replica_id || self.alive.contains(id);
        let agrees = |voters: &Vec<u64>| voters.iter().filter(is_alive).count() > voters.len() / 2;
        self.quorums.iter().all(agrees)
    }

    /// True where it has a vote. Only a voter has had to have what was acknowledged.
    fn is_voter(&self) -> bool {
        self.quorums
            .iter()
            .any(|voters| voters.contains(&self.replica_id))
    }
}

impl Recovery {
    /// Looks at a replica that is stopped, and asks who else of its cluster is alive. Changes nothing.
    ///
    /// # Errors
    /// A data folder or database that cannot be opened (a replica that runs holds its folder locked), or do not belong
    /// together, or are empty; or a replica that is quarantined.
    pub async fn inspect(config: Config, transport: Arc<dyn PeerTransport>) -> Result<Self, Fault> {
        let db = replica::open_database(&config).await?;
        let identity = identity::read(&config.data, &db, config.id).await;
        let identity = identity.map_err(|e| Fault(e.to_string()))?;
        let identity = identity.ok_or_else(|| {
            Fault(format!(
                "the data folder {} and the database are empty: there is nothing to go on with",
                config.data.display()
            ))
        })?;
        if let Some(reason) = Alarm::open(&config.data).quarantine() {
            return Err(Fault(format!(
                "this replica is quarantined: {reason}. Recover another one. If there is none, and these rows are better than \
                 none at all, remove {} first",
                alarm::file(&config.data).display()
            )));
        }
        let metrics = Arc::new(Metrics::new(config.id, &config.peers));
        let log = replica::open_log(&config, &db, metrics.clone())?;
        let position = consensus::stored_position(&db, &log).await;
        let position = position.map_err(|e| Fault(format!("the replica cannot be read: {e}")))?;
        let wire = Wire::new(transport, config.id, &config.peers, metrics);
        wire.joined(identity.cluster_id);
        wire.directory().follow(&position.nodes);
        let (mut alive, mut silent) = (Vec::new(), Vec::new());
        for (peer, said) in formation::ask_all(&wire).await {
            match said {
                Ok(()) => alive.push(peer),
                Err(reason) => silent.push((peer, reason)),
            }
        }
        let survivor = Survivor {
            alive,
            silent,
            cluster_id: identity.cluster_id,
            replica_id: identity.replica_id,
            quorums: position.quorums,
            log_end: position.log_end,
            revision: position.revision.get(),
            expense_count: position.expense_count,
            entries_to_apply: position.entries_to_apply,
        };
        if !survivor.is_voter() {
            return Err(Fault(format!(
                "replica {} has no vote in its cluster: it may lack what was acknowledged, and cannot go on alone",
                survivor.replica_id
            )));
        }
        Ok(Self {
            config,
            db,
            log,
            survivor,
        })
    }

    /// What the replica has.
    pub fn survivor(&self) -> &Survivor {
        &self.survivor
    }

    /// Makes the replica a cluster of its own, and returns that cluster's id. After a crash in the middle it is to be
    /// repeated; the replica does not serve before.
    ///
    /// # Errors
    /// A replica that still has a majority, or a folder or database that cannot be written.
    pub async fn carry_out(self) -> Result<Uuid, Fault> {
        if self.survivor.has_majority() {
            return Err(Fault(format!(
                "replicas {:?} of this cluster are alive: with this one they are a majority. Start this replica instead",
                self.survivor.alive
            )));
        }
        let identity = Identity {
            cluster_id: Uuid::new_v4(),
            replica_id: self.config.id,
            birth_mark: Uuid::new_v4(),
        };
        // The name first: from here on the replica cannot speak with its old cluster. Without the membership of one it
        // would have no majority, and so wait.
        let renamed = identity::rename(&self.config.data, &self.db, &identity).await;
        renamed.map_err(|e| Fault(e.to_string()))?;
        let address = self
            .config
            .peers
            .iter()
            .find(|peer| peer.id == self.config.id);
        let address = address.map(|peer| peer.url.clone()).unwrap_or_default();
        consensus::make_only_voter(
            &self.db,
            &self.log,
            self.config.id,
            address,
            identity.birth_mark,
        )
        .await
        .map_err(|e| {
            Fault(format!(
                "the log cannot be written: {e}; repeat the command"
            ))
        })?;
        self.db.close().await;
        Ok(identity.cluster_id)
    }
}
