//! The `threefold` binary.

use std::process::ExitCode;

use threefold_api::cli::Cli;

fn main() -> ExitCode {
    Cli::load().map_or_else(|code| code, Cli::run)
}
