//! `make torture`: runs a real cluster under faults, and judges what its clients saw.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use threefold_tests::DatabaseKind;
use threefold_tests::torture::checker;
use threefold_tests::torture::fault::KINDS;
use threefold_tests::torture::history::History;
use threefold_tests::torture::report::Report;
use threefold_tests::torture::run::{self, Options};
use threefold_tests::torture::workload::Load;
use uuid::Uuid;

/// Kills, cuts and fills a cluster of real replicas while clients use it, heals it, and judges what they saw.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a cluster under faults.
    Run(RunArguments),
    /// Judge the history of an earlier run again.
    Judge {
        /// Its file history.jsonl.
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// How long faults come.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// What the replicas keep their rows in.
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Database,
    /// How many replicas.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(3..=7))]
    replicas: u16,
    /// Decides which faults come, and what clients do; drawn where it is missing.
    #[arg(long)]
    seed: Option<u64>,
    /// How long each client pauses between two operations, in milliseconds: longer where runs share a machine.
    #[arg(long, default_value_t = Load::default().pause_ms, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pause_ms: u64,
    /// Only these kinds of faults.
    #[arg(long, value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(KINDS))]
    only: Vec<String>,
    /// Run a binary that has no failpoints.
    #[arg(long)]
    no_failpoints: bool,
    /// Keep the folder of the run also where nothing is wrong.
    #[arg(long)]
    keep: bool,
    /// Where the report goes, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Database {
    Postgres,
    Sqlite,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => {
            tokio::select! {
                code = run(arguments) => code,
                _ = tokio::signal::ctrl_c() => {
                    eprintln!("stopped; nothing is judged");
                    ExitCode::from(130)
                }
            }
        }
        Command::Judge { file } => judge(&file),
    }
}

async fn run(arguments: RunArguments) -> ExitCode {
    let seed = arguments
        .seed
        .unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0 >> 32);
    println!("seed {seed}");
    let options = Options {
        database: match arguments.database {
            Database::Postgres => DatabaseKind::Postgres,
            Database::Sqlite => DatabaseKind::Sqlite,
        },
        replicas: arguments.replicas,
        duration: Duration::from_secs_f64(arguments.minutes.max(0.0) * 60.0),
        seed,
        only: arguments.only,
        first: Vec::new(),
        failpoints: !arguments.no_failpoints,
        load: Load {
            pause_ms: arguments.pause_ms,
            ..Load::default()
        },
        heal_within: run::HEAL_WITHIN,
    };
    let (report, mut cluster) = run::run(&options).await;
    println!("{report}");
    if let Some(path) = arguments.report
        && let Err(error) = write(&report, &path)
    {
        eprintln!(
            "the report cannot be written to {}: {error}",
            path.display()
        );
        return ExitCode::FAILURE;
    }
    if report.holds() {
        if arguments.keep {
            println!("kept: {}", cluster.keep().display());
        }
        return ExitCode::SUCCESS;
    }
    let folder = cluster.keep();
    println!(
        "violations; history, logs and databases are kept in {}; seed {seed}",
        folder.display()
    );
    if let Err(error) = write(&report, &folder.join("report.json")) {
        eprintln!("the report cannot be kept: {error}");
    }
    ExitCode::FAILURE
}

fn write(report: &Report, path: &std::path::Path) -> std::io::Result<()> {
    std::fs::write(path, serde_json::to_string_pretty(report)?)
}

fn judge(file: &std::path::Path) -> ExitCode {
    let (history, finals) = match History::load(file) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let verdicts = checker::judge(&history, &finals);
    for verdict in &verdicts {
        println!("{verdict:#?}");
    }
    match verdicts.iter().all(checker::Verdict::holds) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
