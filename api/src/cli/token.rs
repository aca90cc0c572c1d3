//! `threefold token`.

use std::path::PathBuf;

use crate::cli::stdout::print_line;
use crate::secret;

/// Flags of `threefold token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with the token, as `threefold serve` has it.
    #[arg(long, env = "THREEFOLD_ACCESS_TOKEN_FILE", value_name = "FILE")]
    access_token_file: PathBuf,
}

/// Prints the token to standard output.
///
/// # Errors
/// A file that holds none.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let token = secret::read_file(&args.access_token_file).map_err(anyhow::Error::msg)?;
    Ok(print_line(&token)?)
}
