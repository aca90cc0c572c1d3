//! What can go wrong with a PostgreSQL server of one's own, each with what to do about it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a local PostgreSQL server does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No server program was found anywhere.
    #[error(
        "PostgreSQL is not installed (looked in /usr/lib/postgresql/*/bin, at `pg_config --bindir` and in PATH); \
         on Debian or Ubuntu: apt-get install postgresql"
    )]
    NotInstalled,

    /// The data was made by another major version than those installed.
    #[error(
        "{} holds data of PostgreSQL {version}, which is not installed; on Debian or Ubuntu: \
         apt-get install postgresql-{version}, or choose another folder",
        directory.display()
    )]
    VersionNotInstalled {
        /// The data directory.
        directory: PathBuf,
        /// Its major version.
        version: u32,
    },

    /// PostgreSQL does not run as root, and its usual user is missing.
    #[error(
        "PostgreSQL does not run as root, and there is no user `postgres` to run it as; on Debian or Ubuntu: \
         apt-get install postgresql creates it, or start this as another user"
    )]
    NoPostgresUser,

    /// The user database of the system could not be read.
    #[error("the system's users cannot be read")]
    Users(#[source] nix::Error),

    /// The user `postgres` may not enter the directory or one of its parents.
    #[error(
        "the user `postgres` may not enter {}: choose a folder whose parents it may enter, such as one in /var/lib",
        directory.display()
    )]
    DirectoryClosed {
        /// The data directory.
        directory: PathBuf,
    },

    /// Something else lies where the data should be.
    #[error("{} is neither empty nor a PostgreSQL data directory: choose another folder", directory.display())]
    NotADataDirectory {
        /// The directory that was given.
        directory: PathBuf,
    },

    /// The directory or a file in it cannot be used.
    #[error("{} cannot be used", directory.display())]
    Directory {
        /// The path in question.
        directory: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// Another program has the port.
    #[error("port {port} on 127.0.0.1 cannot be used")]
    Port {
        /// The port that was given.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// The server of an earlier run has the directory and the port.
    #[error(
        "the PostgreSQL server of an earlier run still uses {} (process {process_id}): stop it with `kill -INT {process_id}`",
        directory.display()
    )]
    StillRunning {
        /// The server's process.
        process_id: i32,
        /// The data directory.
        directory: PathBuf,
    },

    /// A program of PostgreSQL could not be started.
    #[error("{} cannot be started", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// Making the data directory failed.
    #[error("{} failed ({status}): {output}", program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it printed.
        output: String,
    },

    /// The server ended instead of taking connections.
    #[error("the PostgreSQL server ended ({status}): see {}", log.display())]
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
    },

    /// The server runs and takes no connections.
    #[error("the PostgreSQL server took no connections within {seconds} seconds: see {}", log.display())]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },

    /// The server's process could not be watched or signalled.
    #[error("the process of the PostgreSQL server cannot be reached")]
    Process(#[source] io::Error),
}
