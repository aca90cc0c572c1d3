//! The cluster on which faults are injected, and what they are told of and leave behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::history::Recorder;
use crate::Cluster;
use crate::client::ReplicaView;

/// Longest wait until all replicas serve again after everything was undone.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(90);
/// How often a replica may end by itself meanwhile: one that a fault had caught takes some seconds to stop.
const MOST_STARTS: usize = 4;
const POLL: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub struct Scene {
    /// The replicas.
    pub cluster: Cluster,
    recorder: Arc<Recorder>,
    left: Mutex<Left>,
}

/// What faults have left behind.
#[derive(Debug, Default)]
struct Left {
    frozen: BTreeSet<u16>,
    failpoints: BTreeSet<(u16, String)>,
    /// Leaders that were killed while nothing else happened: when, by the recorder's clock, and who.
    gone_leaders: Vec<(u64, u16)>,
    ended_by_themselves: u64,
    /// Faults of this round.
    faults: usize,
}

impl Scene {
    /// A cluster that was built with links, and the recorder of its workloads.
    pub fn new(cluster: Cluster, recorder: Arc<Recorder>) -> Self {
        Self {
            cluster,
            recorder,
            left: Mutex::default(),
        }
    }

    /// All replicas, first the one that leads by the highest term that anybody reports, or any where nobody answers.
    pub async fn leader_first(&self) -> Vec<u16> {
        let clients = self.cluster.clients();
        let quick: Vec<_> = clients
            .iter()
            .map(|client| client.with_timeout(Duration::from_millis(700)))
            .collect();
        let views = join_all(quick.iter().map(|client| client.replica_once())).await;
        let views: Vec<ReplicaView> = views.into_iter().flatten().collect();
        let leader = views
            .iter()
            .filter(|view| view.role == "LEADER")
            .max_by_key(|view| view.term)
            .and_then(|view| view.id.parse::<u16>().ok());
        let mut ids: Vec<u16> = self.cluster.replicas().iter().map(|r| r.id()).collect();
        if let Some(position) = ids.iter().position(|id| Some(*id) == leader) {
            ids.rotate_left(position);
        }
        ids
    }

    /// `kill -9`, if it runs.
    pub fn kill(&self, id: u16) {
        self.left().frozen.remove(&id);
        let replica = self.cluster.replica(id);
        if replica.is_running() {
            self.disturb(id);
            replica.kill9();
        }
    }

    /// Starts a replica, if it does not run.
    pub fn start(&self, id: u16) {
        let replica = self.cluster.replica(id);
        if !replica.is_running() {
            replica.start();
            self.disturb(id);
        }
    }

    /// Lets a replica stand still.
    pub fn freeze(&self, id: u16) {
        let replica = self.cluster.replica(id);
        if replica.is_running() {
            replica.stop();
            self.left().frozen.insert(id);
        }
    }

    /// Lets those go on that stand still.
    pub fn thaw(&self) {
        for id in std::mem::take(&mut self.left().frozen) {
            let replica = self.cluster.replica(id);
            if replica.is_running() {
                replica.cont();
            }
        }
    }

    /// Sets a failpoint where the replica takes it.
    pub async fn set_failpoint(&self, id: u16, name: &str, action: &str) -> bool {
        if !self.cluster.replica(id).is_running() {
            return false;
        }
        let key = (id, name.to_owned());
        match action {
            "off" => self.left().failpoints.remove(&key),
            _ => self.left().failpoints.insert(key),
        };
        self.cluster.replica(id).set_failpoint(name, action).await
    }

    /// Takes down that a replica forgets what it had only in memory.
    pub fn disturb(&self, id: u16) {
        self.recorder.disturbed(id);
    }

    /// How long ago the last write was answered.
    pub fn silence(&self) -> Duration {
        self.recorder.silence()
    }

    /// Says how many faults come together now.
    pub fn begin_round(&self, faults: usize) {
        self.left().faults = faults;
    }

    /// Takes down that a leader is killed now, where nothing else happens that would delay its successor.
    pub fn leader_goes(&self, id: u16) {
        let now = self.recorder.now();
        let mut left = self.left();
        if left.faults == 1 {
            left.gone_leaders.push((now, id));
        }
    }

    /// The leaders that were killed while nothing else happened, and when.
    pub fn gone_leaders(&self) -> Vec<(u64, u16)> {
        self.left().gone_leaders.clone()
    }

    /// How many processes ended without being killed: by failpoints, or by faults that they do not survive.
    pub fn ended_by_themselves(&self) -> u64 {
        self.left().ended_by_themselves
    }

    /// Undoes all that faults have left: whoever is down is started, until all replicas serve.
    pub async fn restore(&self) {
        self.cluster.links().heal();
        self.thaw();
        let left = self.left().failpoints.clone();
        for (id, name) in left {
            self.set_failpoint(id, &name, "off").await;
        }
        self.left().failpoints.clear();
        let begun = Instant::now();
        let mut starts: BTreeMap<u16, usize> = BTreeMap::new();
        loop {
            for replica in self.cluster.replicas().iter().filter(|r| !r.is_running()) {
                let id = replica.id();
                if replica.has_ended_by_itself() {
                    self.left().ended_by_themselves += 1;
                }
                let started = starts.entry(id).or_default();
                *started += 1;
                assert!(
                    *started <= MOST_STARTS,
                    "replica {id} does not stay up; see its log"
                );
                self.disturb(id);
                self.start(id);
            }
            let ready = join_all(self.cluster.replicas().iter().map(|r| r.is_ready())).await;
            if ready.iter().all(|ready| *ready) {
                return;
            }
            assert!(
                begun.elapsed() < RESTORE_TIMEOUT,
                "not all replicas serve again: {ready:?}"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().expect("the lock of what is left")
    }
}
