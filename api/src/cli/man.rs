//! `threefold man`.

use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;

use super::Cli;

/// Flags of `threefold man`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the pages, one a command; made if it does not exist.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the pages.
///
/// # Errors
/// The folder cannot be written to.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let folder = args.folder;
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &folder))
        .with_context(|| format!("man pages cannot be written to {}", folder.display()))
}
