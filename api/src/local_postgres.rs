//! A PostgreSQL server of one's own, from the installed binaries: for the demo and for tests, never for production.
//!
//! Start reading at [`LocalPostgres::start`]. The data directory is made on the first start, complete or not at all, and
//! later starts find their data in it. The server listens on loopback only, and every local user may log in.

mod account;
mod data_directory;
mod error;
mod programs;

use std::fs::OpenOptions;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::net::TcpSocket;

use crate::child_process::ChildProcess;

use self::account::Account;
pub use self::error::Error;
use self::programs::Programs;

/// The database that every server has from its first start.
pub const DATABASE_NAME: &str = "threefold";

const START_TIMEOUT: Duration = Duration::from_secs(30);
const FAST_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(15);
const IMMEDIATE_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);
const LEFTOVER_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Where a server keeps its data, and where it is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory. Made if it is missing; its parent must exist.
    pub directory: PathBuf,
    /// What the server says is added to this file.
    pub log: PathBuf,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Whether making the data directory waits until all of it is on disk. Without that, a power cut soon after the first
    /// start loses it. What is committed later is always waited for.
    pub flush_new_directory: bool,
}

/// A running server. It is stopped in an orderly way by [`LocalPostgres::stop`], and in haste when it is dropped.
#[derive(Debug)]
pub struct LocalPostgres {
    process: ChildProcess,
    settings: Settings,
}

impl LocalPostgres {
    /// Starts a server and returns once it takes connections.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let settings = absolute(settings)?;
        // The helpers of a server that was killed hold its port and its memory until they notice.
        let had_crashed = data_directory::was_left_in_haste(&settings.directory);
        let deadline = Instant::now() + LEFTOVER_TIMEOUT;
        loop {
            match Self::try_start(settings.clone()).await {
                Err(Error::Port { .. } | Error::Exited { .. })
                    if had_crashed && Instant::now() < deadline =>
                {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
                result => return result,
            }
        }
    }

    async fn try_start(settings: Settings) -> Result<Self, Error> {
        refuse_port_in_use(&settings)?;
        let account = Account::find()?;
        let version = data_directory::major_version(&settings.directory)?;
        let programs = Programs::find(version, &settings.directory)?;
        if version.is_none() {
            data_directory::create(&settings, &programs, account).await?;
        }
        let process = spawn(&settings, &programs, account)?;
        let mut server = Self { process, settings };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// The address of the database `threefold` on this server.
    pub fn url(&self) -> String {
        url(self.settings.port)
    }

    /// How the server ended, or `None` while it runs.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.process.exited().map_err(Error::Process)
    }

    /// The server's own process; its end is the end of all its helpers.
    pub fn process(&mut self) -> &mut ChildProcess {
        &mut self.process
    }

    /// Ends all connections and stops, leaving nothing to recover (PostgreSQL's fast shutdown); harder and harder where that
    /// takes too long.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.process
            .signal(Signal::SIGINT)
            .map_err(Error::Process)?;
        let status = self
            .process
            .wait(FAST_SHUTDOWN_TIMEOUT)
            .await
            .map_err(Error::Process)?;
        if status.is_none() {
            self.process
                .stop(Signal::SIGQUIT, IMMEDIATE_SHUTDOWN_TIMEOUT)
                .await
                .map_err(Error::Process)?;
        }
        Ok(())
    }

    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = self.exited()? {
                return Err(Error::Exited {
                    status,
                    log: self.settings.log.clone(),
                });
            }
            if data_directory::is_ready(&self.settings.directory, self.process.id()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Error::NotReady {
                    seconds: START_TIMEOUT.as_secs(),
                    log: self.settings.log.clone(),
                });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl Drop for LocalPostgres {
    /// Blocks for at most [`IMMEDIATE_SHUTDOWN_TIMEOUT`]. An immediate shutdown, because the server ends its helpers in it;
    /// killed outright, it would leave them behind for a moment.
    fn drop(&mut self) {
        // The process itself is killed when it is dropped, whatever comes of this.
        self.process
            .stop_blocking(Signal::SIGQUIT, IMMEDIATE_SHUTDOWN_TIMEOUT)
            .ok();
    }
}

/// The address of the database `threefold` on the server at `port`.
pub fn url(port: u16) -> String {
    format!(
        "postgres://{user}@127.0.0.1:{port}/{DATABASE_NAME}",
        user = data_directory::SUPERUSER
    )
}

/// Another of PostgreSQL's programs, of the installation that new servers are made with.
///
/// # Errors
/// PostgreSQL is not installed.
pub fn program(name: &str) -> Result<PathBuf, Error> {
    Ok(Programs::find(None, Path::new(""))?.program(name))
}

fn absolute(settings: Settings) -> Result<Settings, Error> {
    let resolve = |path: PathBuf| {
        std::path::absolute(&path).map_err(|source| Error::Directory {
            directory: path.clone(),
            source,
        })
    };
    Ok(Settings {
        directory: resolve(settings.directory)?,
        log: resolve(settings.log)?,
        ..settings
    })
}

/// Asked first, so that a foreign server at the port is named, and is never taken for this one.
fn refuse_port_in_use(settings: &Settings) -> Result<(), Error> {
    match bind(settings.port) {
        Ok(()) => Ok(()),
        Err(source) => Err(match data_directory::running_server(&settings.directory) {
            Some(process_id) => Error::StillRunning {
                process_id,
                directory: settings.directory.clone(),
            },
            None => Error::Port {
                port: settings.port,
                source,
            },
        }),
    }
}

/// Without listening: a process that another thread starts just now would go on to, until it has become another program.
fn bind(port: u16) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())
}

fn spawn(
    settings: &Settings,
    programs: &Programs,
    account: Account,
) -> Result<ChildProcess, Error> {
    let log = open_log(&settings.log).map_err(|source| Error::Directory {
        directory: settings.log.clone(),
        source,
    })?;
    let errors = log.try_clone().map_err(Error::Process)?;
    let mut command = Command::new(programs.postgres());
    command
        .arg("-D")
        .arg(&settings.directory)
        .args(["-p", &settings.port.to_string()])
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "unix_socket_directories="])
        .args(["-c", "logging_collector=off"])
        .args(["-c", "log_destination=stderr"])
        .env("LC_ALL", "C")
        .current_dir(&settings.directory)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    account.apply(&mut command);
    ChildProcess::spawn(&mut command)
        .map_err(|source| account.explain(&programs.postgres(), &settings.directory, source))
}

fn open_log(path: &Path) -> std::io::Result<std::fs::File> {
    OpenOptions::new().create(true).append(true).open(path)
}
