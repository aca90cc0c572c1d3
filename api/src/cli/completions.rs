//! `threefold completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::stdout::print_line;

/// Flags of `threefold completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell that is to complete the commands and flags of threefold.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script that teaches the shell.
///
/// # Errors
/// Standard output cannot be written.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "threefold", &mut script);
    Ok(print_line(String::from_utf8(script)?.trim_end())?)
}
