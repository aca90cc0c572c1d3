//! The data directory: made complete or not at all, and asked whether its server is ready.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::account::Account;
use super::programs::Programs;
use super::{DATABASE_NAME, Error, Settings};

/// The name everybody logs in with.
pub(super) const SUPERUSER: &str = "postgres";

/// The server's own lock on the directory: its process in the first line, whether it is ready further down.
const LOCK_FILE: &str = "postmaster.pid";

/// The major version that made the data, or `None` where there is no data yet.
pub(super) fn major_version(directory: &Path) -> Result<Option<u32>, Error> {
    match fs::read_to_string(directory.join("PG_VERSION")) {
        Ok(version) => match version.trim().parse() {
            Ok(version) => Ok(Some(version)),
            Err(_) => Err(Error::NotADataDirectory {
                directory: directory.to_owned(),
            }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Directory {
            directory: directory.to_owned(),
            source,
        }),
    }
}

/// Makes the directory with an empty database in it. All work is done beside it, so that an interrupted attempt leaves
/// nothing that looks like data.
pub(super) async fn create(
    settings: &Settings,
    programs: &Programs,
    account: Account,
) -> Result<(), Error> {
    refuse_foreign_content(&settings.directory)?;
    let (settings, programs) = (settings.clone(), programs.clone());
    tokio::task::spawn_blocking(move || create_blocking(&settings, &programs, account))
        .await
        .map_err(|error| Error::Process(io::Error::other(error)))?
}

fn create_blocking(
    settings: &Settings,
    programs: &Programs,
    account: Account,
) -> Result<(), Error> {
    let directory = &settings.directory;
    let unfinished = sibling(directory);
    let failed = |source| Error::Directory {
        directory: unfinished.clone(),
        source,
    };
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(failed)?;
    account.own(&unfinished).map_err(failed)?;

    let mut initdb = Command::new(programs.initdb());
    initdb.arg("-D").arg(&unfinished).args([
        "--username",
        SUPERUSER,
        "--auth",
        "trust",
        "--encoding",
        "UTF8",
        "--locale",
        "C",
    ]);
    let mut single_user = Command::new(programs.postgres());
    single_user
        .arg("--single")
        .arg("-D")
        .arg(&unfinished)
        .args(["-c", "exit_on_error=on"]);
    if !settings.flush_new_directory {
        initdb.arg("--no-sync");
        single_user.args(["-c", "fsync=off"]);
    }
    single_user.arg("postgres");

    run(initdb, "", &unfinished, account)?;
    run(
        single_user,
        &format!("CREATE DATABASE {DATABASE_NAME}\n"),
        &unfinished,
        account,
    )?;

    fs::rename(&unfinished, directory).map_err(|source| Error::Directory {
        directory: directory.to_owned(),
        source,
    })
}

/// Whether the server of that process takes connections, a hot standby's to read: it writes so into its lock file, where `pg_ctl` looks too.
pub(super) fn is_ready(directory: &Path, process_id: u32) -> bool {
    const STATUS_LINE: usize = 7;
    let Ok(lock) = fs::read_to_string(directory.join(LOCK_FILE)) else {
        return false;
    };
    let lines: Vec<&str> = lock.lines().map(str::trim).collect();
    lines.first() == Some(&process_id.to_string().as_str())
        && matches!(lines.get(STATUS_LINE), Some(&("ready" | "standby")))
}

/// Whether the last server of the directory ended without tidying up.
pub(super) fn was_left_in_haste(directory: &Path) -> bool {
    directory.join(LOCK_FILE).exists() && running_server(directory).is_none()
}

/// The process that holds the directory, if it is alive.
pub(super) fn running_server(directory: &Path) -> Option<i32> {
    let lock = fs::read_to_string(directory.join(LOCK_FILE)).ok()?;
    let process_id = lock.lines().next()?.trim().parse().ok()?;
    kill(Pid::from_raw(process_id), None).ok()?;
    Some(process_id)
}

fn refuse_foreign_content(directory: &Path) -> Result<(), Error> {
    let is_empty = match fs::read_dir(directory) {
        Ok(mut children) => children.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(source) => {
            return Err(Error::Directory {
                directory: directory.to_owned(),
                source,
            });
        }
    };
    if is_empty {
        Ok(())
    } else {
        Err(Error::NotADataDirectory {
            directory: directory.to_owned(),
        })
    }
}

/// `data.new` for `data`: on the same file system, so that it can be renamed.
fn sibling(directory: &Path) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    directory.with_file_name(name)
}

/// Runs a program to its end, in the directory and as the account.
fn run(mut command: Command, input: &str, directory: &Path, account: Account) -> Result<(), Error> {
    let program = PathBuf::from(command.get_program());
    command
        .env("LC_ALL", "C")
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    account.apply(&mut command);
    let mut child = command
        .spawn()
        .map_err(|source| account.explain(&program, directory, source))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading says why in its output.
        stdin.write_all(input.as_bytes()).ok();
    }
    let output = child.wait_with_output().map_err(Error::Process)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        program,
        status: output.status,
        output: said(&output),
    })
}

fn said(output: &Output) -> String {
    let mut said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if said.is_empty() {
        said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    }
    said
}
