//! The secret that the replicas know each other by.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rand::Rng;

const SECRET_BYTES: usize = 32;

/// The secret's file in the demo's folder: made on the first start, readable by its owner alone, never changed after.
pub(super) fn ensure(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("cluster-secret");
    if !path.exists() {
        create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(path)
}

/// Written beside its place first: an interrupted start leaves no empty secret.
fn create(path: &Path) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut secret = [0_u8; SECRET_BYTES];
    rand::rng().fill_bytes(&mut secret);
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = ensure(folder.path()).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(first.trim().len(), 2 * SECRET_BYTES);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        assert_eq!(
            fs::read_to_string(ensure(folder.path()).unwrap()).unwrap(),
            first
        );
        let other = tempfile::tempdir().unwrap();
        assert_ne!(
            fs::read_to_string(ensure(other.path()).unwrap()).unwrap(),
            first
        );
    }
}
