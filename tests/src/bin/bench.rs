//! `make bench`: Threefold beside PostgreSQL's own replication, etcd and PostGraphile, in turns.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use threefold_tests::DatabaseKind;
use threefold_tests::bench::machine::Machine;
use threefold_tests::bench::offer::{self, Offer, Offered};
use threefold_tests::bench::report::{self, Topic};
use threefold_tests::bench::scale;
use threefold_tests::bench::sustained;
use threefold_tests::bench::turns::{self, Plan};

/// Measures and compares, with the binary that THREEFOLD_BIN names.
#[derive(Debug, Parser)]
struct Args {
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Writes, Part::Reads, Part::Sustained, Part::Scale])]
    part: Vec<Part>,
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
    /// Seconds of the steady stream.
    #[arg(long, default_value_t = 600)]
    sustained_seconds: u64,
    /// Expenses of the part that is about many.
    #[arg(long, default_value_t = 1_000_000)]
    expenses: u64,
    /// Of writes and reads only what has this in its name; again for more.
    #[arg(long)]
    only: Vec<String>,
    /// Folder for a page, the figures as JSON, and plots.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Mutations, beside pgbench and etcd.
    Writes,
    /// Pages, beside PostGraphile.
    Reads,
    /// A steady stream of mutations, and the memory it takes.
    Sustained,
    /// Pages, totals, imports and writes with many expenses.
    Scale,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    for part in &args.part {
        match part {
            Part::Writes => compare(&args, report::WRITES, offer::writes()).await,
            Part::Reads => compare(&args, report::READS, offer::pages()).await,
            Part::Sustained => sustain(&args).await,
            Part::Scale => scale(&args).await,
        }
    }
}

async fn compare(args: &Args, topic: Topic, offered: Vec<Offered>) {
    let wanted = |name: &str| {
        args.only.is_empty() || args.only.iter().any(|part| name.contains(part.as_str()))
    };
    let (systems, subjects) = offer::start(offered, wanted).await;
    let plan = Plan {
        turns: args.turns,
        clients: args.clients.clone(),
        warm_up: Duration::from_secs(args.warm_up),
        time: Duration::from_secs(args.seconds),
    };
    let results = turns::take(&plan, &systems, &subjects, |line| eprintln!("{line}")).await;
    for system in &systems {
        system.thaw().await;
    }
    let results = results.expect("answers");
    print!("{}", report::table(&results).expect("text"));
    if let Some(folder) = &args.report {
        report::comparison(folder, topic, &Machine::here(), &plan, &results)
            .expect("a folder to write to");
    }
}

async fn sustain(args: &Args) {
    let system = Offer::Threefold(DatabaseKind::Postgres, true).start().await;
    let time = Duration::from_secs(args.sustained_seconds);
    let measured = sustained::measure(&system, time).await.expect("answers");
    println!(
        "{:.0} mutations a second for {} s: median {:.1} ms, 99th percentile {:.1}, worst {:.1}",
        measured.rate,
        args.sustained_seconds,
        measured.all.p50_ms,
        measured.all.p99_ms,
        measured.all.max_ms,
    );
    if let Some(folder) = &args.report {
        report::sustained(folder, &Machine::here(), &measured).expect("a folder to write to");
    }
}

async fn scale(args: &Args) {
    let measured = scale::measure(DatabaseKind::Postgres, args.expenses).await;
    let measured = measured.expect("answers");
    let slowest = measured.pages.iter().map(|(_, [_, p95, _])| *p95);
    println!(
        "{} expenses imported in {:.0} s; writes {:.0} a second before, {:.0} after; slowest list {:.1} ms (95th percentile)",
        measured.import.0,
        measured.import.1,
        measured.writes[0],
        measured.writes[1],
        slowest.fold(0.0, f64::max),
    );
    if let Some(folder) = &args.report {
        report::scale(folder, &Machine::here(), &measured).expect("a folder to write to");
    }
}
