//! `threefold config`: what stands in a configuration file, and what comes of it.

use anyhow::Context;
use clap::Subcommand;

use crate::cli::serve;
use crate::cli::stdout::print_line;
use crate::config::{self, ReportFormat, ServeConfig};

/// Flags of `threefold config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell what is wrong with the settings of serve, or what they are and where each comes from. Takes the flags of
    /// serve, opens no port and no database.
    Check(Box<CheckArgs>),
    /// Print a configuration file with every setting, its meaning and its default.
    Example,
}

/// Flags of `threefold config check`.
#[derive(Debug, clap::Args)]
struct CheckArgs {
    #[command(flatten)]
    serve: serve::Args,
    /// How the settings are printed.
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        help_heading = "Options"
    )]
    format: ReportFormat,
}

impl Args {
    /// The settings that are to be checked.
    pub(super) fn serve_mut(&mut self) -> Option<&mut serve::Args> {
        match &mut self.command {
            Command::Check(check) => Some(&mut check.serve),
            Command::Example => None,
        }
    }
}

/// Runs the chosen subcommand.
///
/// # Errors
/// Settings that cannot be used.
pub async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Example => Ok(print_line(config::example().trim_end())?),
        Command::Check(check) => {
            let settings = check.serve.sources.settings().to_vec();
            let checked = ServeConfig::try_from(check.serve).context(serve::UNUSABLE)?;
            for warning in &checked.warnings {
                eprintln!("threefold: warning: {warning}");
            }
            Ok(print_line(&config::report(&settings, check.format))?)
        }
    }
}
