//! The cluster on which faults are injected, who is to be in it, and what faults are told of and leave behind.

mod errand;
mod failpoints;
mod healing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::join_all;

pub use self::errand::Errand;
pub use self::healing::{LastWords, Unhealed};
use super::history::Recorder;
use super::workload::Target;
use crate::Cluster;
use crate::client::{Client, ReplicaView};
use crate::cluster::Replica;

/// Longest wait for one replica's answer, while faults are about.
const QUICK: Duration = Duration::from_millis(700);

/// See the module.
#[derive(Debug)]
pub struct Scene {
    /// The replicas, spares among them.
    pub cluster: Cluster,
    /// Where clients go.
    target: Target,
    recorder: Arc<Recorder>,
    /// Longest wait until all members serve again after everything was undone.
    heal_within: Duration,
    left: Mutex<Left>,
}

/// What faults have left behind.
#[derive(Debug, Default)]
struct Left {
    /// Who is to run: the membership as it is to be once all has healed. Newcomers come last.
    members: Vec<u16>,
    frozen: BTreeSet<u16>,
    failpoints: BTreeSet<(u16, String)>,
    /// How often failpoints had acted when that process was asked last.
    acted: BTreeMap<(u16, u32), BTreeMap<String, u64>>,
    /// Leaders that were killed while nothing else happened: when, by the recorder's clock, and who.
    gone_leaders: Vec<(u64, u16)>,
    ended_by_themselves: u64,
    /// Faults of this round.
    faults: usize,
}

impl Scene {
    /// A cluster that was built with links, where its clients go, the recorder of its workloads, and how long its members may take to serve
    /// again after everything was undone.
    pub fn new(
        cluster: Cluster,
        target: Target,
        recorder: Arc<Recorder>,
        heal_within: Duration,
    ) -> Self {
        let members = cluster.replicas().iter().map(Replica::id).collect();
        let left = Left {
            members,
            ..Left::default()
        };
        Self {
            cluster,
            target,
            recorder,
            heal_within,
            left: Mutex::new(left),
        }
    }

    /// How many members there are to be when all is over.
    pub fn planned(&self) -> usize {
        self.cluster.replicas().len()
    }

    /// Who is to be in the membership now; newcomers last.
    pub fn members(&self) -> Vec<u16> {
        self.left().members.clone()
    }

    /// The same replicas.
    pub fn replicas(&self) -> Vec<&Replica> {
        let members = self.members().into_iter();
        members.map(|id| self.cluster.replica(id)).collect()
    }

    /// Empty replicas that are in no membership.
    pub fn spares(&self) -> Vec<u16> {
        let members = self.members();
        let all = self.cluster.everybody().iter().map(Replica::id);
        all.filter(|id| !members.contains(id)).collect()
    }

    /// Whether the flags of all replicas name it: then a leader takes it in unasked.
    pub fn is_founder(&self, id: u16) -> bool {
        usize::from(id) <= self.planned()
    }

    /// Starts a spare, which is to become a member.
    pub fn enter(&self, id: u16) {
        self.left().members.push(id);
        self.start(id);
    }

    /// It is to be a member no longer: nobody starts it again.
    pub fn leave(&self, id: u16) {
        self.disturb(id);
        self.left().members.retain(|member| *member != id);
    }

    /// Sends clients to a replica as well.
    pub fn open_to_clients(&self, id: u16) {
        let replica = self.cluster.replica(id);
        self.target.set(id, replica.url(), replica.client());
    }

    /// Sends no clients to a replica any more.
    pub fn close_to_clients(&self, id: u16) {
        self.target.remove(id);
    }

    /// All members, first the one that leads by the highest term that anybody reports, or any where nobody answers.
    pub async fn leader_first(&self) -> Vec<u16> {
        let mut ids = self.members();
        let leader = self.find_leader(&ids).await;
        if let Some(position) = ids.iter().position(|id| Some(*id) == leader) {
            ids.rotate_left(position);
        }
        ids
    }

    async fn find_leader(&self, ids: &[u16]) -> Option<u16> {
        let quick: Vec<Client> = ids
            .iter()
            .map(|id| self.cluster.replica(*id).client().with_timeout(QUICK))
            .collect();
        let views = join_all(quick.iter().map(|client| client.replica_once())).await;
        let views: Vec<ReplicaView> = views.into_iter().flatten().collect();
        let leading = views.iter().filter(|view| view.role == "LEADER");
        let leader = leading.max_by_key(|view| view.term)?;
        leader.id.parse().ok()
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
            if replica.has_ended_by_itself() {
                self.left().ended_by_themselves += 1;
            }
            self.disturb(id);
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

    /// How many processes ended without being killed: at failpoints, by faults that they do not survive, or because an empty replica
    /// is not let in.
    pub fn ended_by_themselves(&self) -> u64 {
        self.left().ended_by_themselves
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().expect("the lock of what is left")
    }
}
