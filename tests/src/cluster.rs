//! A cluster of real `threefold serve` processes, each with a database of its own.

mod builder;
mod folder;
pub mod links;
mod newcomer;
mod replica;

use std::time::Duration;

use futures_util::future::join_all;
use uuid::Uuid;

pub use self::builder::Builder;
use self::folder::ClusterFolder;
pub use self::links::Links;
pub use self::replica::Replica;
use crate::client::{Client, ReplicaView};
use crate::wait::until;

/// Longest wait for a cluster to form, or to find a leader after a fault.
pub const LEADER_TIMEOUT: Duration = Duration::from_secs(40);

/// What the replicas keep their rows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A server process a replica.
    Postgres,
    /// A file a replica.
    Sqlite,
}

/// The replicas. When the test fails, the ends of their logs are printed and the folder is kept.
#[derive(Debug)]
pub struct Cluster {
    // Stopped before the folder goes: fields are dropped in this order.
    replicas: Vec<Replica>,
    /// So many of them form the cluster; the others are spares.
    founders: usize,
    links: Option<Links>,
    folder: ClusterFolder,
}

impl Cluster {
    /// Settles what kind of cluster is wanted.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Three replicas with default settings, ready to serve.
    pub async fn start(database: DatabaseKind) -> Self {
        Self::builder().database(database).start().await
    }

    /// The replicas that form the cluster, in the order of their ids.
    pub fn replicas(&self) -> &[Replica] {
        &self.replicas[..self.founders]
    }

    /// The same, and behind them the spares: empty replicas that no flag of the others names, which a test starts and has taken in.
    pub fn everybody(&self) -> &[Replica] {
        &self.replicas
    }

    /// The replica with that id; ids count from 1.
    pub fn replica(&self, id: u16) -> &Replica {
        &self.replicas[usize::from(id) - 1]
    }

    /// What lies between the replicas, in a cluster that was built with links.
    pub fn links(&self) -> &Links {
        self.links.as_ref().expect("a cluster that has links")
    }

    /// Leaves the folder for a person to look into, and says where it is.
    pub fn keep(&mut self) -> &std::path::Path {
        self.folder.keep();
        self.folder.path()
    }

    /// A client of each replica.
    pub fn clients(&self) -> Vec<Client> {
        self.replicas().iter().map(Replica::client).collect()
    }

    /// The addresses of all replicas.
    pub fn urls(&self) -> Vec<String> {
        self.replicas()
            .iter()
            .map(|replica| replica.url().to_owned())
            .collect()
    }

    /// A file in the cluster's folder.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until every replica that runs has a leader and serves.
    pub async fn wait_until_ready(&self) {
        join_all(
            self.replicas()
                .iter()
                .filter(|replica| replica.is_running())
                .map(Replica::wait_until_ready),
        )
        .await;
    }

    /// Waits until every replica sees all of them in sync: until then one more that stops could leave no majority.
    pub async fn wait_until_in_sync(&self) {
        until("all replicas to be in sync", LEADER_TIMEOUT, async || {
            for client in self.clients() {
                let views = client.local().replicas().await;
                let views = views.map_err(|error| error.to_string())?;
                if !views.iter().all(|view| view.in_sync) {
                    return Err(format!("{views:?}"));
                }
            }
            Ok(())
        })
        .await;
    }

    /// The id of the replica that says of itself that it leads, once a majority agrees.
    pub async fn leader(&self) -> u16 {
        until("a leader", LEADER_TIMEOUT, async || {
            let views = join_all(self.clients().iter().map(|client| client.replica())).await;
            let views: Vec<ReplicaView> = views.into_iter().flatten().collect();
            let term = views
                .iter()
                .map(|view| view.term)
                .max()
                .ok_or("no replica answers")?;
            let agreeing = views.iter().filter(|view| view.term == term).count();
            let leader = views
                .iter()
                .find(|view| view.term == term && view.role == "LEADER");
            match leader {
                Some(leader) if agreeing > self.founders / 2 => leader
                    .id
                    .parse()
                    .map_err(|_| format!("the leader calls itself {:?}", leader.id)),
                _ => Err(format!("the replicas say: {views:?}")),
            }
        })
        .await
    }

    /// The ids of the others.
    pub async fn followers(&self) -> Vec<u16> {
        let leader = self.leader().await;
        self.replicas()
            .iter()
            .map(Replica::id)
            .filter(|id| *id != leader)
            .collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.keep();
            for replica in &self.replicas {
                replica.print_log_tail();
            }
            eprintln!(
                "the cluster's folder is kept: {}",
                self.folder.path().display()
            );
        }
    }
}

/// A secret that no other cluster has.
fn new_secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
