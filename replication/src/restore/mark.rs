//! The mark of a restore that is under way: a file in the data folder, there before the first change and until after the last.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::identity::Identity;
use crate::replica::Fault;

fn file(folder: &Path) -> PathBuf {
    folder.join("restore.json")
}

fn fault(folder: &Path, error: &dyn std::fmt::Display) -> Fault {
    Fault(format!("{}: {error}", file(folder).display()))
}

/// True where a restore was interrupted, or is under way.
pub(crate) fn is_unfinished(folder: &Path) -> bool {
    file(folder).exists()
}

/// Whose replica the restore was to make; none where there is no mark.
pub(super) fn read(folder: &Path) -> Result<Option<Identity>, Fault> {
    match fs::read(file(folder)) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| fault(folder, &e)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault(folder, &error)),
    }
}

/// Makes the mark, whole or not at all.
pub(crate) fn write(folder: &Path, identity: &Identity) -> Result<(), Fault> {
    let put = || -> std::io::Result<()> {
        let new = folder.join("restore.json.new");
        let mut out = File::create(&new)?;
        serde_json::to_writer_pretty(&mut out, identity)?;
        out.write_all(b"\n")?;
        out.sync_all()?;
        fs::rename(new, file(folder))?;
        File::open(folder)?.sync_all()
    };
    put().map_err(|error| fault(folder, &error))
}

/// Takes the mark away: all is done.
pub(super) fn remove(folder: &Path) -> Result<(), Fault> {
    let taken = fs::remove_file(file(folder)).and_then(|()| File::open(folder)?.sync_all());
    taken.map_err(|error| fault(folder, &error))
}
