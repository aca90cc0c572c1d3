//! Deterministic simulation: the replication crate's own code, three or five replicas of it, in one thread, in a simulated
//! network and clock, on disks and databases that lose what was not flushed. A seed decides everything, and repeats.
//!
//! `simulate --seed N` runs one seed in this process. `simulate --seeds N --from M` runs many, each in a process of its
//! own, as many at a time as there are processors. See docs/simulation.md.

mod breakage;
mod client;
mod database;
mod history;
mod host;
mod invariants;
mod ledger;
mod many;
mod nemesis;
mod network;
mod plan;
mod simulation;
mod subscriber;
mod trace;
mod value;
mod world;

use std::process::ExitCode;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::breakage::Breakage;
use crate::plan::Plan;

/// Runs the replication code in a simulation.
#[derive(Debug, Parser)]
struct Arguments {
    /// Run this seed alone.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run so many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many replicas [default: 5 for every fourth seed, else 3]
    #[arg(long)]
    replicas: Option<u64>,
    /// Processes at a time [default: one a processor]
    #[arg(long)]
    jobs: Option<usize>,
    /// Break a rule on purpose, to see that the simulation notices.
    #[arg(long = "break", value_enum)]
    breakage: Option<Breakage>,
    /// Print what happens.
    #[arg(long)]
    print: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => alone(seed, &arguments),
        None => many::run(&arguments),
    }
}

/// Runs one seed, deterministically.
fn alone(seed: u64, arguments: &Arguments) -> ExitCode {
    if let Ok(filter) = std::env::var("SIMULATE_LOG") {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .without_time();
        subscriber
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .init();
    }
    // A task that panics would only end itself.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        std::process::exit(3);
    }));
    mad_turmoil::rand::set_rng(StdRng::seed_from_u64(seed));
    let _clocks = mad_turmoil::time::SimClocksGuard::init();
    let replicas = arguments
        .replicas
        .unwrap_or(if seed.is_multiple_of(4) { 5 } else { 3 });
    let plan = Plan::of(seed, replicas);
    let folder = scratch().join(format!("threefold-simulation-{}", std::process::id()));
    // A process that was killed has left its own, and numbers of processes come again.
    if folder.exists()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        eprintln!("{} was not removed: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    let (breakage, print, below) = (arguments.breakage, arguments.print, folder.clone());
    if print {
        println!("{plan:?}");
    }
    // A thread of its own: what this one has drawn from the system's random numbers before is not repeated.
    let simulated = std::thread::spawn(move || simulation::run(plan, breakage, print, below));
    let report = simulated.join().expect("a panic has ended the process");
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        eprintln!("{} was not removed: {error}", folder.display());
    }
    let [in_doubt, accepted, refused, not_written] = report.operations;
    println!(
        "seed={seed} replicas={replicas} hash={} events={} simulated_ms={} recovery_ms={} faults={} terms={} entries={} \
         accepted={accepted} refused={refused} in_doubt={in_doubt} not_written={not_written}",
        report.digest.0,
        report.digest.1,
        report.simulated.as_millis(),
        report.recovery.as_millis(),
        report.faults,
        report.log.0,
        report.log.1,
    );
    match report.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!(
                "seed {seed} BREAKS \"{}\" at {:.3} s: {}",
                violation.invariant,
                violation.at.as_secs_f64(),
                violation.detail
            );
            ExitCode::FAILURE
        }
    }
}

/// Memory, where there is a file system of it: folders are flushed often.
fn scratch() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}
