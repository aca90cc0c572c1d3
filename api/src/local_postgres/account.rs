//! Who runs the server: PostgreSQL refuses to run as root, so root lends it the user `postgres`.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{User, geteuid};

use super::Error;

const USER: &str = "postgres";

/// The user that PostgreSQL's programs run as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    /// User and group to change to; `None` to stay who one is.
    change_to: Option<(u32, u32)>,
}

impl Account {
    /// Whoever runs this, or the user `postgres` where that is root.
    pub(super) fn find() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self { change_to: None });
        }
        let user = User::from_name(USER)
            .map_err(Error::Users)?
            .ok_or(Error::NoPostgresUser)?;
        Ok(Self {
            change_to: Some((user.uid.as_raw(), user.gid.as_raw())),
        })
    }

    /// Makes the command run as this user.
    pub(super) fn apply(self, command: &mut Command) {
        if let Some((user, group)) = self.change_to {
            command.uid(user).gid(group);
        }
    }

    /// Gives a directory to this user.
    pub(super) fn own(self, directory: &Path) -> io::Result<()> {
        match self.change_to {
            Some((user, group)) => std::os::unix::fs::chown(directory, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// Why a command that was to run in `directory` did not start. The directory is entered as this user, so a closed
    /// parent shows here first.
    pub(super) fn explain(self, program: &Path, directory: &Path, source: io::Error) -> Error {
        if self.change_to.is_some() && source.kind() == io::ErrorKind::PermissionDenied {
            Error::DirectoryClosed {
                directory: directory.to_owned(),
            }
        } else {
            Error::Program {
                program: program.to_owned(),
                source,
            }
        }
    }
}
