//! Everything that can be compared.

use std::num::NonZero;
use std::thread::available_parallelism;

use super::subject::{Subject, Through, Use};
use super::system::{Into, Reads, Standbys, System, Wait, reads};
use crate::cluster::{Builder, Cluster, DatabaseKind};
use crate::measure::etcd::{self, Etcd};

/// Expenses that pages are read from.
const READ_ROWS: u64 = 200_000;

/// A system that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// PostgreSQL with two synchronous standbys.
    Standbys,
    /// Three members.
    Etcd,
    /// Three replicas: on what, and whether many proposals go together.
    Threefold(DatabaseKind, bool),
    /// Threefold full of expenses, and PostGraphile; so many expenses.
    Reads(u64),
}

/// A system, and by name what is done with it.
pub type Offered = (Offer, Vec<(&'static str, Use)>);

impl Offer {
    /// True where it is installed.
    pub fn is_there(self) -> bool {
        match self {
            Self::Etcd => etcd::is_installed(),
            Self::Reads(_) => reads::is_installed(),
            Self::Standbys | Self::Threefold(..) => true,
        }
    }

    /// Starts it.
    pub async fn start(self) -> System {
        match self {
            Self::Standbys => System::Standbys(Standbys::start().await),
            Self::Etcd => System::Etcd(Etcd::start().await),
            Self::Threefold(database, together) => {
                let together = if together { "true" } else { "false" };
                let cluster = cluster(database).flag("--group-commit", together);
                System::Threefold(Box::new(in_sync(cluster).await))
            }
            Self::Reads(rows) => {
                // One replica answers, with all processors, as on a machine of its own.
                let cluster = Cluster::builder().database(DatabaseKind::Postgres);
                let cluster = in_sync(cluster).await;
                System::Reads(Box::new(Reads::start(cluster, rows).await))
            }
        }
    }
}

/// Three replicas, each with its share of this machine, as in the demo.
pub fn cluster(database: DatabaseKind) -> Builder {
    let processors = available_parallelism().map_or(1, NonZero::get);
    let threads = (processors / 3).max(1).to_string();
    Cluster::builder()
        .database(database)
        .environment("TOKIO_WORKER_THREADS", &threads)
}

/// Starts a cluster, and waits until all its replicas are in sync.
pub async fn in_sync(builder: Builder) -> Cluster {
    let cluster = builder.start().await;
    cluster.wait_until_in_sync().await;
    cluster
}

/// Ways to write.
pub fn writes() -> Vec<Offered> {
    use DatabaseKind::{Postgres, Sqlite};
    let add = |acknowledgement, through| Use::AddExpense(acknowledgement, through);
    let (leader, follower) = (Through::Leader, Through::Follower);
    vec![
        (
            Offer::Standbys,
            vec![
                (
                    "pgbench, both applied",
                    Use::Insert(Wait::BothApplied, Into::Bare),
                ),
                ("pgbench, quorum", Use::Insert(Wait::OneFlushed, Into::Bare)),
                (
                    "pgbench, both applied, with the indexes",
                    Use::Insert(Wait::BothApplied, Into::Indexed),
                ),
            ],
        ),
        (Offer::Etcd, vec![("etcd", Use::Put)]),
        (
            Offer::Threefold(Postgres, true),
            vec![
                ("PostgreSQL, all", add("all", leader)),
                ("PostgreSQL, quorum", add("quorum", leader)),
                ("PostgreSQL, all, by a follower", add("all", follower)),
            ],
        ),
        (
            Offer::Threefold(Sqlite, true),
            vec![
                ("SQLite, all", add("all", leader)),
                ("SQLite, quorum", add("quorum", leader)),
            ],
        ),
        (
            Offer::Threefold(Postgres, false),
            vec![("PostgreSQL, no group commit, all", add("all", leader))],
        ),
    ]
}

/// Ways to read a page.
pub fn pages() -> Vec<Offered> {
    let page = |consistency, through| Use::Page(consistency, through);
    let (leader, follower) = (Through::Leader, Through::Follower);
    vec![(
        Offer::Reads(READ_ROWS),
        vec![
            ("PostGraphile", Use::PostGraphilePage),
            ("local", page("local", leader)),
            ("linearizable", page("linearizable", leader)),
            (
                "linearizable, by a follower",
                page("linearizable", follower),
            ),
        ],
    )]
}

/// Starts what is offered, installed, and wanted by its name. What is started is frozen.
pub async fn start(
    offered: Vec<Offered>,
    wanted: impl Fn(&str) -> bool,
) -> (Vec<System>, Vec<Subject>) {
    let (mut systems, mut subjects) = (Vec::new(), Vec::new());
    for (offer, uses) in offered {
        let uses: Vec<_> = uses.into_iter().filter(|(name, _)| wanted(name)).collect();
        if uses.is_empty() || !offer.is_there() {
            continue;
        }
        let system = offer.start().await;
        system.freeze().await;
        systems.push(system);
        subjects.extend(uses.into_iter().map(|(name, what)| Subject {
            name,
            system: systems.len() - 1,
            what,
        }));
    }
    (systems, subjects)
}
