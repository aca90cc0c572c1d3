//! `make measure`: figures for docs/reliability.md, as text and as one line of JSON a measurement.

use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::json;
use threefold_tests::DatabaseKind;
use threefold_tests::measure::etcd::{self, Etcd};
use threefold_tests::measure::failover::Failovers;
use threefold_tests::measure::{Spread, follower, million};

/// Measures what a bad day costs, on a cluster of the binary that THREEFOLD_BIN names.
#[derive(Debug, Parser)]
struct Args {
    /// What the replicas keep their rows in.
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    database: Database,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Database {
    Postgres,
    Sqlite,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Kill the leader; by turns with etcd's, where it is installed.
    Failover {
        /// Kills.
        #[arg(long, default_value_t = 50)]
        rounds: usize,
    },
    /// Stop a follower.
    Follower,
    /// Fill a cluster, replace a replica, start one again.
    Million {
        /// Expenses in each database.
        #[arg(long, default_value_t = 1_000_000)]
        expenses: u64,
    },
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let database = match args.database {
        Database::Postgres => DatabaseKind::Postgres,
        Database::Sqlite => DatabaseKind::Sqlite,
    };
    match args.what {
        What::Failover { rounds } => failover(database, rounds).await,
        What::Follower => {
            let silent = follower::measure(database).await;
            println!("all three in sync:        {}", silent.before);
            println!("first after the silence:  {:.1} ms", silent.first_ms);
            println!("afterwards:               {}", silent.after);
            println!(
                "{}",
                json!({ "follower": silent, "database": name(database) })
            );
        }
        What::Million { expenses } => {
            let million = million::measure(database, expenses).await;
            println!("import:           {:.1} s", million.import_s);
            println!("join by snapshot: {:.1} s", million.join_s);
            println!("  newcomer's peak {:.0} MB", million.newcomer_peak_mb);
            println!(
                "  leader's peak   {:.0} MB, {:.0} before",
                million.leader_peak_mb, million.leader_before_mb
            );
            println!("  writes          {}", million.writes_meanwhile);
            println!("ready after kill: {}", million.ready_after_kill);
            println!("ready after stop: {}", million.ready_after_stop);
            println!(
                "{}",
                json!({ "million": million, "database": name(database) })
            );
        }
    }
}

async fn failover(database: DatabaseKind, rounds: usize) {
    let mut threefold = Failovers::start(database).await;
    let mut peer = match etcd::is_installed() {
        true => Some(Etcd::start().await),
        false => None,
    };
    let (mut first, mut all, mut etcd) = (Vec::new(), Vec::new(), Vec::<Duration>::new());
    for round in 1..=rounds {
        let failover = threefold.kill().await;
        first.push(failover.first);
        all.push(failover.all);
        let mut line = format!("{round:3}: {:5} ms", failover.first.as_millis());
        if let Some(peer) = &mut peer {
            let took = peer.kill().await;
            etcd.push(took);
            line.push_str(&format!(", etcd {:5} ms", took.as_millis()));
        }
        eprintln!("{line}");
    }
    let [first, all, etcd] = [first, all, etcd].map(|durations| Spread::of(&durations));
    let text = |spread: &Option<Spread>| {
        spread
            .as_ref()
            .map_or_else(|| "not measured".to_owned(), Spread::to_string)
    };
    println!("first survivor: {}", text(&first));
    println!("each survivor:  {}", text(&all));
    println!("etcd:           {}", text(&etcd));
    println!(
        "{}",
        json!({ "failover": { "first": first, "each": all, "etcd": etcd }, "database": name(database) })
    );
}

fn name(database: DatabaseKind) -> &'static str {
    match database {
        DatabaseKind::Postgres => "postgres",
        DatabaseKind::Sqlite => "sqlite",
    }
}
