//! `threefold restore`: an empty replica becomes a cluster of its own, with everything that a backup holds.

use std::path::PathBuf;

use anyhow::Context;
use threefold_replication::restore::Restore;

use super::backup::{Progress, describe};
use super::serve;
use super::stdout::print_line;
use crate::config::ServeConfig;
use crate::telemetry;

/// Flags of `threefold restore`: the backup, and those of `threefold serve`.
///
/// Run it with the settings of a replica whose data folder and database are empty. The whole backup is checked before anything
/// is changed. Then start that replica, and the others, empty, with the settings they always have: they join by themselves.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// File that `threefold backup` has written.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    serve: serve::Args,
}

impl Args {
    /// The settings of the replica.
    pub(super) fn serve_mut(&mut self) -> &mut serve::Args {
        &mut self.serve
    }
}

/// Restores, and prints what was restored.
///
/// # Errors
/// A backup that cannot be used, a replica that is not empty, and what cannot be written.
pub async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::start(args.serve.telemetry()).map_err(anyhow::Error::msg)?;
    let config = ServeConfig::try_from(args.serve).context(serve::UNUSABLE)?;
    let id = config.replica.id;
    let file = args.file;
    let bytes = std::fs::metadata(&file)
        .with_context(|| format!("{} cannot be read", file.display()))?
        .len();
    let progress = Progress::checking(bytes);
    let shown = progress.clone();
    let prepared = Restore::prepare(config.replica, file, move |_, bytes| shown.set(bytes)).await;
    progress.finish();
    let restore = prepared?;
    let content = describe(restore.content(), bytes);
    let cluster_id = restore.carry_out().await?;
    Ok(print_line(&format!(
        "{content}\n\nReplica {id} is now cluster {cluster_id}, with all of this. Start it; then start the others with empty data \
         folders and databases: they join by themselves."
    ))?)
}
