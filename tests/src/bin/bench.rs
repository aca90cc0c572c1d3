//! `make bench`: Threefold beside PostgreSQL's own replication and etcd, in turns.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Parser;
use threefold_tests::bench::machine::Machine;
use threefold_tests::bench::report;
use threefold_tests::bench::subject::{Subject, Through, Use};
use threefold_tests::bench::system::{Standbys, System, Wait};
use threefold_tests::bench::turns::{self, Plan};
use threefold_tests::measure::etcd::{self, Etcd};
use threefold_tests::{Cluster, DatabaseKind};

/// Compares writes, with the binary that THREEFOLD_BIN names.
#[derive(Debug, Parser)]
struct Args {
    /// Clients at once, one number after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    clients: Vec<usize>,
    /// Turns of each.
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Seconds of a turn.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds before each turn that do not count.
    #[arg(long, default_value_t = 2)]
    warm_up: u64,
    /// Only what has this in its name; again for more.
    #[arg(long)]
    only: Vec<String>,
    /// Folder for a page, the figures as JSON, and plots.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let mut systems = Vec::new();
    let mut subjects = Vec::new();
    let wanted = |name: &str| {
        args.only.is_empty() || args.only.iter().any(|part| name.contains(part.as_str()))
    };
    for (system, ways) in offered() {
        let ways: Vec<_> = ways.into_iter().filter(|(name, _)| wanted(name)).collect();
        if ways.is_empty() || (system == Offer::Etcd && !etcd::is_installed()) {
            continue;
        }
        let started = system.start().await;
        started.freeze().await;
        systems.push(started);
        subjects.extend(ways.into_iter().map(|(name, what)| Subject {
            name,
            system: systems.len() - 1,
            what,
        }));
    }
    let plan = Plan {
        turns: args.turns,
        clients: args.clients,
        warm_up: Duration::from_secs(args.warm_up),
        time: Duration::from_secs(args.seconds),
    };
    let results = turns::take(&plan, &systems, &subjects, |line| eprintln!("{line}")).await;
    for system in &systems {
        system.thaw().await;
    }
    let results = results.expect("answers");
    print!("{}", report::table(&results).expect("text"));
    if let Some(folder) = args.report {
        report::writes(&folder, &Machine::here(), &plan, &results).expect("a folder to write to");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Standbys,
    Etcd,
    Threefold(DatabaseKind, bool),
}

impl Offer {
    async fn start(self) -> System {
        match self {
            Self::Standbys => System::Standbys(Standbys::start().await),
            Self::Etcd => System::Etcd(Etcd::start().await),
            Self::Threefold(database, together) => {
                let cluster = Cluster::builder()
                    .database(database)
                    .flag("--group-commit", if together { "true" } else { "false" })
                    // Each has its share of this machine, as in the demo.
                    .environment("TOKIO_WORKER_THREADS", &threads().to_string())
                    .start()
                    .await;
                cluster.wait_until_in_sync().await;
                System::Threefold(Box::new(cluster))
            }
        }
    }
}

/// Threads of each of three replicas on one machine.
fn threads() -> usize {
    let processors = available_parallelism().map_or(1, NonZero::get);
    (processors / 3).max(1)
}

/// Everything that can be compared.
fn offered() -> Vec<(Offer, Vec<(&'static str, Use)>)> {
    use DatabaseKind::{Postgres, Sqlite};
    let add = |acknowledgement, through| Use::AddExpense(acknowledgement, through);
    vec![
        (
            Offer::Standbys,
            vec![
                ("pgbench, both applied", Use::Insert(Wait::BothApplied)),
                ("pgbench, quorum", Use::Insert(Wait::OneFlushed)),
            ],
        ),
        (Offer::Etcd, vec![("etcd", Use::Put)]),
        (
            Offer::Threefold(Postgres, true),
            vec![
                ("PostgreSQL, all", add("all", Through::Leader)),
                ("PostgreSQL, quorum", add("quorum", Through::Leader)),
                (
                    "PostgreSQL, all, by a follower",
                    add("all", Through::Follower),
                ),
            ],
        ),
        (
            Offer::Threefold(Sqlite, true),
            vec![
                ("SQLite, all", add("all", Through::Leader)),
                ("SQLite, quorum", add("quorum", Through::Leader)),
            ],
        ),
        (
            Offer::Threefold(Postgres, false),
            vec![(
                "PostgreSQL, no group commit, all",
                add("all", Through::Leader),
            )],
        ),
    ]
}
