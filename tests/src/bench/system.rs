//! Sets of processes that take turns. Who has no turn is frozen, so that it takes nothing of the machine.

pub mod reads;
mod standbys;

use std::collections::BTreeSet;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::all_processes;

pub use self::reads::Reads;
pub use self::standbys::{Into, Standbys, Wait};
use super::cpu::Families;
use crate::cluster::{Cluster, DatabaseKind, Replica};
use crate::measure::etcd::Etcd;

/// See the module.
#[derive(Debug)]
pub enum System {
    /// Three replicas.
    Threefold(Box<Cluster>),
    /// The same, full of expenses, with PostGraphile beside it.
    Reads(Box<Reads>),
    /// Three members.
    Etcd(Etcd),
    /// A PostgreSQL server and two standbys.
    Standbys(Standbys),
}

impl System {
    /// Its processes, by what they do. Threefold's leader is told from its followers as of now.
    pub async fn families(&self) -> Families {
        let mut families = Families::new();
        let mut add = |name: &str, pid| families.entry(name.to_owned()).or_default().push(pid);
        match self {
            Self::Threefold(cluster) => of_cluster(cluster, &mut add).await,
            Self::Reads(reads) => {
                of_cluster(&reads.cluster, &mut add).await;
                add("postgraphile", reads.pid());
            }
            Self::Etcd(etcd) => etcd.pids().into_iter().for_each(|pid| add("members", pid)),
            Self::Standbys(standbys) => {
                let pids = standbys.pids();
                add("primary", pids[0]);
                pids[1..].iter().for_each(|pid| add("standbys", *pid));
            }
        }
        families
    }

    /// Stops all its processes where they are.
    pub async fn freeze(&self) {
        self.signal(Signal::SIGSTOP).await;
    }

    /// Lets them go on, and waits until they are one again.
    pub async fn thaw(&self) {
        self.signal(Signal::SIGCONT).await;
        match self {
            Self::Threefold(cluster) => settle(cluster).await,
            Self::Reads(reads) => settle(&reads.cluster).await,
            Self::Etcd(etcd) => etcd.all_answer().await,
            Self::Standbys(standbys) => standbys.wait_until_streaming().await,
        }
    }

    /// The first process of each server.
    async fn firsts(&self) -> Vec<u32> {
        match self {
            Self::Threefold(cluster) => firsts_of(cluster).await,
            Self::Reads(reads) => {
                let mut firsts = firsts_of(&reads.cluster).await;
                firsts.push(reads.pid());
                firsts
            }
            Self::Etcd(etcd) => etcd.pids(),
            Self::Standbys(standbys) => standbys.pids(),
        }
    }

    async fn signal(&self, signal: Signal) {
        for pid in with_children(&self.firsts().await) {
            // One that has ended meanwhile needs no signal.
            kill(Pid::from_raw(pid), signal).ok();
        }
    }
}

async fn of_cluster(cluster: &Cluster, add: &mut impl FnMut(&str, u32)) {
    let leader = cluster.leader().await;
    for replica in cluster.replicas() {
        let leads = replica.id() == leader;
        add(if leads { "leader" } else { "followers" }, replica.pid());
        if let Some(pid) = database(replica).await {
            add("databases", pid);
        }
    }
}

async fn settle(cluster: &Cluster) {
    cluster.wait_until_ready().await;
    cluster.wait_until_in_sync().await;
}

async fn firsts_of(cluster: &Cluster) -> Vec<u32> {
    let mut firsts = Vec::new();
    for replica in cluster.replicas() {
        firsts.push(replica.pid());
        firsts.extend(database(replica).await);
    }
    firsts
}

/// The process of a replica's own PostgreSQL, if it has one.
async fn database(replica: &Replica) -> Option<u32> {
    match replica.database_kind() {
        DatabaseKind::Postgres => Some(replica.postgres().pid().await),
        DatabaseKind::Sqlite => None,
    }
}

/// Processes with all that they have started, and those in turn.
fn with_children(firsts: &[u32]) -> BTreeSet<i32> {
    let mut pids: BTreeSet<i32> = firsts
        .iter()
        .filter_map(|pid| i32::try_from(*pid).ok())
        .collect();
    let stats: Vec<_> = all_processes()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|process| process.stat().ok())
        .collect();
    loop {
        let before = pids.len();
        for stat in &stats {
            if pids.contains(&stat.ppid) {
                pids.insert(stat.pid);
            }
        }
        if pids.len() == before {
            return pids;
        }
    }
}
