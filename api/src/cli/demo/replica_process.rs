//! Starting `threefold serve` as a child process.

use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;
use std::{env, io};

use anyhow::Context;

use crate::child_process::ChildProcess;

use super::member::MemberPlan;
use super::{REPLICA_IDS, log_file};

/// Where the asynchronous runtime reads how many threads work; where it says nothing, one a processor.
const THREADS: &str = "TOKIO_WORKER_THREADS";

/// A replica's share of the machine: replicas that take each other's processors are slower, all of them.
fn threads() -> usize {
    let processors = available_parallelism().map_or(1, NonZero::get);
    (processors / REPLICA_IDS.len()).max(1)
}

/// Starts the replica from this program's own executable. What it says is added to its log.
pub(super) fn start(plan: &MemberPlan) -> anyhow::Result<ChildProcess> {
    let program = program().context("this program does not know its own file")?;
    let log = log_file::open(&plan.log)
        .with_context(|| format!("the log {} cannot be written", plan.log.display()))?;
    let errors = log.try_clone().context("the log cannot be shared")?;
    let mut command = Command::new(program);
    command
        .args(&plan.serve_arguments)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    // The demo's replicas are the same on every machine: settings meant for another replica do not reach them.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("THREEFOLD_") {
            command.env_remove(name);
        }
    }
    if env::var_os(THREADS).is_none() {
        command.env(THREADS, threads().to_string());
    }
    ChildProcess::spawn(&mut command)
        .with_context(|| format!("replica {} cannot be started", plan.id))
}

/// This program's own file. Where it was built anew, the one that runs has no name any more, but the system still has it; and
/// it is the one that the other replicas are.
fn program() -> io::Result<PathBuf> {
    let named = env::current_exe()?;
    Ok(if named.exists() {
        named
    } else {
        "/proc/self/exe".into()
    })
}
