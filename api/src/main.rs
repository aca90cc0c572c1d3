//! The `threefold` binary.

use std::process::ExitCode;

use clap::Parser;
use threefold_api::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
