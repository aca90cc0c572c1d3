//! `threefold demo`: three replicas on this machine, to try Threefold out.
//!
//! [`run`] reads like the demo's life: look that nothing is in the way, start, wait for a leader, say where to go,
//! keep watch, stop.

mod cluster_secret;
mod folder;
mod log_file;
mod member;
mod ports;
mod readiness;
mod replica_process;
mod supervisor;
mod welcome;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use self::folder::DemoFolder;
use self::member::MemberPlan;
use self::ports::Ports;
use self::supervisor::Supervisor;
use crate::http::Origin;

/// Three replicas, as in the name.
const REPLICA_IDS: [u16; 3] = [1, 2, 3];

/// Flags of `threefold demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Database of each replica: `sqlite` needs nothing installed, `postgres` starts three servers of its own from the
    /// installed PostgreSQL. Each keeps its own expenses.
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    database: Database,

    /// Folder for the data and the logs. A later start finds its expenses in it.
    #[arg(long, value_name = "DIR", default_value = "./threefold-demo")]
    data: PathBuf,

    /// Replicas that must be in sync for a write to be taken [default: the majority, 2].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=3))]
    min_in_sync: Option<u16>,

    /// Milliseconds without a sign of life after which a replica is no longer waited for [default: that of `serve`].
    #[arg(long, value_name = "N")]
    in_sync_timeout_ms: Option<u64>,

    /// Origin of a web page that may use the replicas' API from a browser; their own pages always may. More of them: the
    /// flag again, or separated by commas.
    #[arg(long = "allow-origin", value_name = "ORIGIN", value_delimiter = ',')]
    allowed_origins: Vec<Origin>,

    /// Port of the first replica's API; the others take the next two.
    #[arg(long, value_name = "PORT", default_value_t = 8081, value_parser = clap::value_parser!(u16).range(1..=65533))]
    public_port: u16,

    /// Port on which the first replica talks to the others; they take the next two.
    #[arg(long, value_name = "PORT", default_value_t = 9081, value_parser = clap::value_parser!(u16).range(1..=65533))]
    peer_port: u16,

    /// Port of the first PostgreSQL server, with `--database postgres`; the others take the next two.
    #[arg(long, value_name = "PORT", default_value_t = 5441, value_parser = clap::value_parser!(u16).range(1..=65533))]
    postgres_port: u16,
}

/// What the replicas keep their expenses in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    /// A file a replica.
    Sqlite,
    /// A PostgreSQL server a replica.
    Postgres,
}

/// Runs the subcommand until it is told to stop.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopSignals::listen().context("signals cannot be received")?;
    let ports = Ports::plan(&args)?;
    let folder = DemoFolder::open(&args.data)?;
    ports.refuse_used()?;
    let secret_file = cluster_secret::ensure(folder.path())?;

    let plans = REPLICA_IDS.map(|id| MemberPlan::new(id, &args, &ports, &folder, &secret_file));
    for plan in &plans {
        plan.create_folders()?;
    }
    say(&format!(
        "Starting three replicas in {} ...",
        folder.path().display()
    ));
    let urls: Vec<String> = plans.iter().map(|plan| plan.public_url.clone()).collect();
    let mut supervisor = Supervisor::new(plans);

    let result = tokio::select! {
        result = serve(&mut supervisor, &urls) => result,
        () = stop.received() => Ok(()),
    };
    say("Stopping ...");
    tokio::select! {
        () = supervisor.stop() => say("Stopped. The next start finds the data."),
        () = stop.received() => say("Stopped in haste."),
    }
    result
}

/// Starts everything and keeps it running; ends only with an error.
async fn serve(supervisor: &mut Supervisor, urls: &[String]) -> anyhow::Result<()> {
    supervisor.start_databases().await?;
    supervisor.start_replicas()?;
    tokio::select! {
        never = supervisor.watch() => match never {},
        ready = readiness::wait_until_ready(urls) => ready?,
    }
    say(&welcome::message(supervisor.plans()));
    match supervisor.watch().await {}
}

/// Prints a line for the person at the terminal. Nobody listening any more is no reason to fail.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .ok();
}

/// Ctrl-C, a polite `kill`, and a terminal that is closed.
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
