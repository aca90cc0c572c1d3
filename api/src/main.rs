//! The `threefold` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use threefold_api::cli::Cli;

/// Quicker than the system's with many small pieces from many threads, and it gives memory back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    Cli::load().map_or_else(|code| code, Cli::run)
}
