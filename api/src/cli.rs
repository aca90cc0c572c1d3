//! The command line: one module a subcommand, each with its flags (`Args`) and what it does (`run`).

mod client;
mod csv_error;
pub mod demo;
pub mod health;
pub mod import;
pub mod sample;
pub mod schema;
pub mod serve;
pub mod status;
mod stdout;
pub mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An expenses tracker that keeps every expense on three replicas at once.
#[derive(Debug, Parser)]
#[command(name = "threefold", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one replica.
    Serve(serve::Args),
    /// Run three replicas on this machine, to try Threefold out.
    Demo(demo::Args),
    /// Send the expenses of a CSV file to a cluster.
    Import(import::Args),
    /// Print a believable CSV of household expenses, the same for the same seed.
    Sample(sample::Args),
    /// Show the replicas of a cluster.
    Status(status::Args),
    /// Ask a replica whether it serves; the exit code says.
    Health(health::Args),
    /// Print the access token, to hand it to people and programs.
    Token(token::Args),
    /// Print the public GraphQL schema (SDL).
    Schema(schema::Args),
}

impl Cli {
    /// Runs the chosen subcommand to its end; a failure is printed to standard error with its causes.
    pub fn run(self) -> ExitCode {
        let runtime = match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("threefold: the async runtime cannot start: {error}");
                return ExitCode::FAILURE;
            }
        };
        let result = runtime.block_on(async {
            match self.command {
                Command::Serve(args) => serve::run(args).await,
                Command::Demo(args) => demo::run(args).await,
                Command::Import(args) => import::run(args).await,
                Command::Sample(args) => sample::run(args).await,
                Command::Status(args) => status::run(args).await,
                Command::Health(args) => health::run(args).await,
                Command::Token(args) => token::run(args).await,
                Command::Schema(args) => schema::run(args).await,
            }
        });
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("threefold: {error:#}");
                ExitCode::FAILURE
            }
        }
    }
}
