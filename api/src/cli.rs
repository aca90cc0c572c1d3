//! The command line: one module a subcommand, each with its flags (`Args`) and what it does (`run`).

pub mod backup;
mod client;
pub mod cluster;
pub mod completions;
pub mod config;
mod csv_error;
pub mod demo;
pub mod health;
pub mod import;
pub mod man;
pub mod restore;
pub mod sample;
pub mod schema;
pub mod serve;
pub mod status;
mod stdout;
pub mod token;
pub mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{LoadError, load};

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
    Serve(Box<serve::Args>),
    /// Run three replicas on this machine, to try Threefold out.
    Demo(demo::Args),
    /// Send the expenses of a CSV file to a cluster.
    Import(import::Args),
    /// Print a believable CSV of household expenses, the same for the same seed.
    Sample(sample::Args),
    /// Show the replicas of a cluster.
    Status(status::Args),
    /// Compare the tables of all replicas, row by row; the exit code says.
    ///
    /// It is 0 if every replica holds the same at one revision, 1 if rows differ, which are named, and 2 if that could not be
    /// told. A replica whose tables are found to be wrong serves no more.
    Verify(verify::Args),
    /// Ask a replica whether it serves; the exit code says.
    Health(health::Args),
    /// Print the access token, to hand it to people and programs.
    Token(token::Args),
    /// Print the public GraphQL schema (SDL).
    Schema(schema::Args),
    /// Take a backup of everything, from any replica while it serves, or check one.
    Backup(backup::Args),
    /// Make an empty replica a cluster of its own, with everything that a backup holds.
    Restore(Box<restore::Args>),
    /// Who is in the cluster, and what to do on a bad day.
    Cluster(cluster::Args),
    /// Check the settings of a replica, or print a configuration file to begin with.
    Config(config::Args),
    /// Print a script that makes a shell complete commands and flags.
    Completions(completions::Args),
    /// Write the man pages into a folder.
    Man(man::Args),
}

impl Cli {
    /// Reads the command line and, for commands that have the settings of a replica, the environment and the configuration file.
    ///
    /// # Errors
    /// Settings that cannot be used; they have been printed. A command line that is none of ours, or asks for help,
    /// ends the process as usual.
    pub fn load() -> Result<Self, ExitCode> {
        let (matches, sources) = match load(Self::command(), std::env::args_os().collect()) {
            Ok(loaded) => loaded,
            Err(LoadError::Usage(error)) => error.exit(),
            Err(LoadError::Settings(error)) => {
                eprintln!("threefold: {}: {error}", serve::UNUSABLE);
                return Err(ExitCode::FAILURE);
            }
        };
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let args = match &mut cli.command {
            Command::Serve(args) => Some(&mut **args),
            Command::Config(args) => args.serve_mut(),
            Command::Cluster(args) => Some(args.serve_mut()),
            Command::Restore(args) => Some(args.serve_mut()),
            _ => None,
        };
        if let (Some(args), Some(sources)) = (args, sources) {
            args.sources = sources;
        }
        Ok(cli)
    }

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
            let done = match self.command {
                Command::Serve(args) => serve::run(*args).await,
                Command::Demo(args) => demo::run(args).await,
                Command::Import(args) => import::run(args).await,
                Command::Sample(args) => sample::run(args).await,
                Command::Status(args) => status::run(args).await,
                Command::Verify(args) => return Ok(verify::run(args).await),
                Command::Health(args) => health::run(args).await,
                Command::Token(args) => token::run(args).await,
                Command::Schema(args) => schema::run(args).await,
                Command::Backup(args) => backup::run(args).await,
                Command::Restore(args) => restore::run(*args).await,
                Command::Cluster(args) => cluster::run(args).await,
                Command::Config(args) => config::run(args).await,
                Command::Completions(args) => completions::run(args).await,
                Command::Man(args) => man::run(args).await,
            };
            done.map(|()| ExitCode::SUCCESS)
        });
        match result {
            Ok(code) => code,
            Err(error) => {
                eprintln!("threefold: {error:#}");
                ExitCode::FAILURE
            }
        }
    }
}
