//! `threefold schema`.

use std::io::Write;

/// Flags of `threefold schema`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints the public schema, as committed in `api/schema.graphql`.
pub async fn run(_args: Args) -> anyhow::Result<()> {
    std::io::stdout().write_all(crate::graphql::sdl().as_bytes())?;
    Ok(())
}
