//! Where PostgreSQL's programs are installed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;

/// Where Debian and Ubuntu keep one directory a major version, outside PATH.
const VERSIONED_ROOT: &str = "/usr/lib/postgresql";

/// One installation that can make and run a server.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    directory: PathBuf,
    major_version: u32,
}

impl Programs {
    /// The installation of the wanted major version, or the newest one where the data is yet to be made.
    pub(super) fn find(wanted: Option<u32>, data: &Path) -> Result<Self, Error> {
        let mut found = versioned(Path::new(VERSIONED_ROOT));
        found.extend(from_pg_config());
        found.extend(from_path());
        match wanted {
            None => found.into_iter().next().ok_or(Error::NotInstalled),
            Some(version) => found
                .into_iter()
                .find(|programs| programs.major_version == version)
                .ok_or_else(|| Error::VersionNotInstalled {
                    directory: data.to_owned(),
                    version,
                }),
        }
    }

    /// Any of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The server.
    pub(super) fn postgres(&self) -> PathBuf {
        self.program("postgres")
    }

    /// The program that makes a data directory.
    pub(super) fn initdb(&self) -> PathBuf {
        self.program("initdb")
    }

    fn in_directory(directory: PathBuf) -> Option<Self> {
        if !directory.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(directory.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major_version = parse_major_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self {
            directory,
            major_version,
        })
    }
}

/// All versions below a directory with one child a major version, newest first.
fn versioned(root: &Path) -> Vec<Programs> {
    let Ok(children) = fs::read_dir(root) else {
        return Vec::new();
    };
    let mut found: Vec<Programs> = children
        .filter_map(Result::ok)
        .filter_map(|child| Programs::in_directory(child.path().join("bin")))
        .collect();
    found.sort_by_key(|programs| std::cmp::Reverse(programs.major_version));
    found
}

fn from_pg_config() -> Option<Programs> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let directory = String::from_utf8(output.stdout).ok()?;
    Programs::in_directory(PathBuf::from(directory.trim_end()))
}

fn from_path() -> Vec<Programs> {
    let Some(path) = env::var_os("PATH") else {
        return Vec::new();
    };
    env::split_paths(&path)
        .filter_map(Programs::in_directory)
        .collect()
}

/// `15` of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `18` of `postgres (PostgreSQL) 18beta1`.
fn parse_major_version(output: &str) -> Option<u32> {
    let version = output.split_whitespace().nth(2)?;
    let digits = version
        .split(|character: char| !character.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read_from_what_the_server_prints() {
        assert_eq!(
            parse_major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(
            parse_major_version("postgres (PostgreSQL) 18beta1"),
            Some(18)
        );
        assert_eq!(parse_major_version("postgres"), None);
        assert_eq!(parse_major_version("postgres (PostgreSQL) devel"), None);
    }

    #[test]
    fn a_directory_without_programs_is_passed_over() {
        let empty = tempfile::tempdir().unwrap();
        assert!(versioned(empty.path()).is_empty());
        assert!(versioned(&empty.path().join("missing")).is_empty());
    }
}
