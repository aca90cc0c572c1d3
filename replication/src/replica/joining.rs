//! How this replica becomes part of a cluster, and what ends it.

use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use super::propose::LEADER_PAUSE;
use super::{Fault, Replica};
use crate::admission;
use crate::compaction;
use crate::consensus;
use crate::formation::{self, MetACluster};
use crate::identity::{self, Identity};
use crate::removed;
use crate::running::Running;
use crate::succession;

impl Replica {
    /// Makes this empty replica a member of a cluster that is being founded.
    pub(crate) async fn adopt(&self, cluster_id: Uuid) -> Result<(), Fault> {
        let _one_at_a_time = self.inner.adopting.lock().await;
        if self.inner.running.get().is_some() {
            return Ok(());
        }
        let identity = Identity {
            cluster_id,
            replica_id: self.id(),
            birth_mark: self.inner.birth_mark,
        };
        let written = identity::write(&self.inner.config.data, &self.inner.db, &identity).await;
        written.map_err(|e| Fault(e.to_string()))?;
        self.run(identity).await
    }

    pub(super) async fn run(&self, identity: Identity) -> Result<(), Fault> {
        let inner = &self.inner;
        let (config, db, log) = (inner.config.clone(), inner.db.clone(), inner.log.clone());
        let running = Running::start(
            config,
            identity,
            db,
            log,
            inner.wire.clone(),
            inner.stop.clone(),
        )
        .await?;
        let watching = watch_engine(running.clone(), inner.fault.clone());
        tokio::spawn(inner.stop.clone().run_until_cancelled_owned(watching));
        let admitting = admission::admit_newcomers(running.clone());
        tokio::spawn(inner.stop.clone().run_until_cancelled_owned(admitting));
        let looking = removed::watch(running.clone(), inner.fault.clone());
        tokio::spawn(inner.stop.clone().run_until_cancelled_owned(looking));
        let succeeding = succession::succeed(running.clone());
        tokio::spawn(inner.stop.clone().run_until_cancelled_owned(succeeding));
        let compacting = compaction::keep_within_bound(running.clone(), inner.log.clone());
        tokio::spawn(inner.stop.clone().run_until_cancelled_owned(compacting));
        let _first = inner.running.set(running);
        Ok(())
    }

    /// Forms the cluster if there is none yet; see [`formation`].
    pub(super) async fn take_part(self) {
        let founder = self.inner.config.peers.iter().map(|peer| peer.id).min() == Some(self.id());
        let result = if founder {
            self.found().await
        } else {
            self.wait_to_be_founded().await
        };
        if let Err(fault) = result {
            self.inner.fault.send_replace(Some(fault));
        }
    }

    async fn found(&self) -> Result<(), Fault> {
        let wire = &self.inner.wire;
        if self.inner.running.get().is_none() {
            let empty = tokio::select! {
                empty = formation::wait_for_empty_peers(wire) => empty,
                () = self.adopted() => return Ok(()),
            };
            if let Err(met) = empty {
                return self.unless_adopted(met);
            }
            self.adopt(Uuid::new_v4()).await?;
        }
        match self.inner.running.get() {
            Some(running) if !running.at_work().await? => match formation::found(wire).await {
                Some(births) => running.initialize(births).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Resolves when this replica belongs to a cluster.
    async fn adopted(&self) {
        while self.inner.running.get().is_none() {
            tokio::time::sleep(LEADER_PAUSE).await;
        }
    }

    async fn wait_to_be_founded(&self) -> Result<(), Fault> {
        if self.inner.running.get().is_some() {
            return Ok(());
        }
        let met = tokio::select! {
            met = formation::watch_for_cluster(&self.inner.wire) => met,
            () = self.adopted() => return Ok(()),
        };
        self.unless_adopted(met)
    }

    /// The cluster that was met may be the one that this replica has joined meanwhile.
    fn unless_adopted(&self, met: MetACluster) -> Result<(), Fault> {
        if self.inner.running.get().is_some() {
            Ok(())
        } else {
            Err(Fault(met.to_string()))
        }
    }
}

/// Reports the consensus engine's end, if it comes.
async fn watch_engine(running: Arc<Running>, fault: watch::Sender<Option<Fault>>) {
    let mut metrics = running.raft.metrics();
    let mut led = None;
    loop {
        let view = consensus::view(&running.raft);
        let leader = view.leader.map(|leader| (view.term, leader));
        if leader.is_some() && leader != led {
            led = leader;
            running.wire.metrics().leader_changes.inc();
        }
        if let Some(fatal) = view.fatal {
            let message = format!(
                "the replica cannot go on: {fatal}. Mend what it names and start it again; nothing acknowledged is lost"
            );
            fault.send_replace(Some(Fault(message)));
            return;
        }
        if metrics.changed().await.is_err() {
            let message = "the consensus engine ended unexpectedly; start the replica again, nothing acknowledged is lost";
            fault.send_replace(Some(Fault(message.to_owned())));
            return;
        }
    }
}
