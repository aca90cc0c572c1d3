//! Settles what kind of cluster a test wants, and makes it.

use std::path::Path;

use futures_util::future::join_all;

use crate::binary;
use crate::ports::{self, Port};
use crate::postgres::TestPostgres;

use super::replica::{Database, Plan};
use super::{Cluster, ClusterFolder, DatabaseKind, Links, Replica, new_secret};

/// A cluster to be. Three replicas on SQLite with the defaults of `threefold serve`, unless told otherwise.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    replicas: u16,
    spares: u16,
    database: DatabaseKind,
    access_token: Option<String>,
    flags: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    links: bool,
    failpoints: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            replicas: 3,
            spares: 0,
            database: DatabaseKind::Sqlite,
            access_token: None,
            flags: Vec::new(),
            environment: Vec::new(),
            links: false,
            failpoints: false,
        }
    }
}

impl Builder {
    /// How many replicas.
    pub fn replicas(mut self, count: u16) -> Self {
        self.replicas = count;
        self
    }

    /// How many more are made ready and neither started nor known to the others: [`Cluster::everybody`].
    pub fn spares(mut self, count: u16) -> Self {
        self.spares = count;
        self
    }

    /// What they keep their rows in.
    pub fn database(mut self, database: DatabaseKind) -> Self {
        self.database = database;
        self
    }

    /// How many must be in sync for a write to be taken.
    pub fn min_in_sync(self, count: u16) -> Self {
        self.flag("--min-in-sync", &count.to_string())
    }

    /// How long a silent replica counts as in sync.
    pub fn in_sync_timeout_ms(self, timeout: u64) -> Self {
        self.flag("--in-sync-timeout-ms", &timeout.to_string())
    }

    /// What every client has to know.
    pub fn access_token(mut self, token: &str) -> Self {
        self.access_token = Some(token.to_owned());
        self
    }

    /// Any other flag of `threefold serve`, for every replica.
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A variable in the environment of every replica.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts a link between every two replicas, which a test can cut or spoil: [`Cluster::links`].
    pub fn links(mut self) -> Self {
        self.links = true;
        self
    }

    /// Runs the binary that has failpoints: [`Replica::set_failpoint`].
    pub fn failpoints(mut self) -> Self {
        self.failpoints = true;
        self
    }

    /// Starts everything, and waits until every replica serves.
    pub async fn start(self) -> Cluster {
        let cluster = self.prepare().await;
        for replica in cluster.replicas() {
            replica.start();
        }
        cluster.wait_until_ready().await;
        cluster
    }

    /// Starts the databases and settles the addresses; the replicas are left for the test to start.
    pub async fn prepare(self) -> Cluster {
        let folder = ClusterFolder::new();
        let secret = folder.write_secret("cluster-secret", &new_secret());
        let token = self
            .access_token
            .as_deref()
            .map(|token| folder.write_secret("access-token", token));
        let ports: Vec<(Port, Port)> = (0..self.replicas + self.spares)
            .map(|_| (ports::reserve(), ports::reserve()))
            .collect();
        let addresses: Vec<u16> = ports.iter().map(|(_, peer)| peer.number()).collect();
        let links = match self.links {
            true => Some(Links::start(&addresses).await),
            false => None,
        };
        // Where one replica finds another; with links there is no other way.
        let peer_port = |from: u16, to: u16| match &links {
            Some(links) => links.port(from, to),
            None => addresses[usize::from(to) - 1],
        };
        let founders = self.replicas;
        let binary = match self.failpoints {
            true => binary::with_failpoints(),
            false => binary::path(),
        };

        let plans: Vec<Plan> = (1..)
            .zip(ports)
            .map(|(id, (public, peer))| {
                let own = folder.path().join(format!("replica-{id}"));
                std::fs::create_dir_all(&own).expect("a folder for the replica");
                Plan {
                    id,
                    folder: own,
                    public,
                    peer,
                    peers: (1..=founders)
                        .chain((id > founders).then_some(id))
                        .map(|to| format!("{to}=http://127.0.0.1:{}", peer_port(id, to)))
                        .collect(),
                    binary: binary.clone(),
                    secret: secret.clone(),
                    token: token.clone(),
                    flags: self.flags.clone(),
                    environment: self.environment.clone(),
                }
            })
            .collect();
        let kind = self.database;
        let access_token = self.access_token;
        let replicas = join_all(plans.into_iter().map(async |plan| {
            let database = start_database(kind, &plan.folder).await;
            Replica::new(plan, database, access_token.clone())
        }))
        .await;
        Cluster {
            replicas,
            founders: usize::from(founders),
            links,
            folder,
        }
    }
}

pub(super) async fn start_database(kind: DatabaseKind, folder: &Path) -> Database {
    match kind {
        DatabaseKind::Postgres => Database::Postgres(TestPostgres::start(folder).await),
        DatabaseKind::Sqlite => Database::Sqlite(folder.join("threefold.db")),
    }
}
