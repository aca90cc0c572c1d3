//! The live view of the replicas.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::Replica;
use crate::consensus;
use crate::error::ServiceError;
use crate::status::{ReplicaStatus, Role};
use crate::verify::{Verification, Verifier};

/// Shortest time between two views of the replicas: 20 a second.
const STATUS_INTERVAL: Duration = Duration::from_millis(50);
/// Longest time until a replica's silence is noticed in the view.
const STATUS_TICK: Duration = Duration::from_millis(250);

impl Replica {
    /// Every replica as this one sees it, in order of ids. Empty until this replica belongs to a cluster.
    pub fn statuses(&self) -> Vec<ReplicaStatus> {
        let mut statuses = self
            .inner
            .running
            .get()
            .map(|running| running.statuses())
            .unwrap_or_default();
        statuses.sort_by_key(|status| status.id);
        statuses
    }

    /// The addresses of the replicas' public APIs: this one's, and those of all that have been heard from.
    pub fn public_urls(&self) -> Vec<String> {
        let others = self.inner.running.get().map(|running| running.board.urls());
        std::iter::once(self.inner.config.public_url.clone())
            .chain(others.into_iter().flatten())
            .collect()
    }

    /// The statuses now, and again whenever it changes, at most 20 times a second.
    pub fn watch_statuses(&self) -> BoxStream<'static, Vec<ReplicaStatus>> {
        let replica = self.clone();
        let statuses = async_stream::stream! {
            let mut last: Option<Vec<ReplicaStatus>> = None;
            loop {
                let now = replica.statuses();
                if last.as_ref().is_none_or(|last| differ(last, &now)) {
                    yield now.clone();
                    last = Some(now);
                }
                let Some(running) = replica.inner.running.get() else {
                    tokio::time::sleep(STATUS_TICK).await;
                    continue;
                };
                let mut reports = running.board.subscribe();
                let mut applied = running.applied.clone();
                let mut own_role = running.raft.server_metrics();
                own_role.mark_unchanged();
                let mut quarantine = running.alarm.subscribe();
                let changed = async {
                    tokio::select! {
                        _ = reports.changed() => {}
                        _ = applied.changed() => {}
                        _ = own_role.changed() => {}
                        _ = quarantine.changed() => {}
                    }
                };
                let started = Instant::now();
                let _woken = tokio::time::timeout(STATUS_TICK, changed).await;
                tokio::time::sleep(STATUS_INTERVAL.saturating_sub(started.elapsed())).await;
            }
        };
        statuses
            .take_until(self.inner.stop.clone().cancelled_owned())
            .boxed()
    }

    /// Begins to compare the tables of all replicas, and returns at once; where a comparison that this replica has begun is
    /// under way, that is it. Follow it by [`verification`](Self::verification). A replica that is found to be wrong is
    /// quarantined.
    ///
    /// # Errors
    /// A replica that is quarantined itself, waits for its cluster, or is stopping.
    pub fn verify(&self) -> Result<Verification, ServiceError> {
        let running = self.serving()?.ok_or(ServiceError::Forming)?;
        Ok(Verifier::begin(running))
    }

    /// The last comparison that this replica has begun, by itself or because it was asked; none since its start.
    pub fn verification(&self) -> Option<Verification> {
        self.inner.running.get()?.verifier.last()
    }

    /// Ok when this replica has a leader, has caught up and serves; otherwise why not, for people.
    ///
    /// # Errors
    /// The reason.
    pub fn ready(&self) -> Result<(), String> {
        let running = self.serving().map_err(|e| e.to_string())?;
        let running = running.ok_or("waiting for the other replicas, to form the cluster")?;
        let view = consensus::view(&running.raft);
        // A leader that is cut off does not know it has been deposed.
        let silence = self.inner.config.election_timeout * 4;
        let cut_off =
            view.role == Role::Leader && view.majority_heard.is_none_or(|ago| ago > silence);
        match view.leader {
            Some(_) if cut_off => Err("this leader does not hear from a majority".to_owned()),
            Some(leader) if leader != self.id() && !running.board.hears(leader) => Err(format!(
                "this replica does not hear the reports of its leader, replica {leader}"
            )),
            Some(_) if running.board.left_behind() => {
                Err("this replica has not caught up with the others".to_owned())
            }
            Some(_) => Ok(()),
            None => Err("there is no leader at the moment".to_owned()),
        }
    }
}

/// True where more has changed than when a replica was last heard from.
fn differ(before: &[ReplicaStatus], now: &[ReplicaStatus]) -> bool {
    let ageless = |status: &ReplicaStatus| ReplicaStatus {
        last_seen_at: None,
        ..status.clone()
    };
    before.len() != now.len()
        || before
            .iter()
            .zip(now)
            .any(|(a, b)| ageless(a) != ageless(b))
}
