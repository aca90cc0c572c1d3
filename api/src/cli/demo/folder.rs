//! The demo's folder, used by one demo at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The folder, locked until this is dropped.
#[derive(Debug)]
pub(super) struct DemoFolder {
    path: PathBuf,
    _lock: File,
}

impl DemoFolder {
    /// Makes the folder if it is missing, and refuses one that another demo runs on.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let path =
            std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))?;
        fs::create_dir_all(&path)
            .with_context(|| format!("the folder {} cannot be made", path.display()))?;
        let lock_path = path.join("demo.lock");
        let lock = File::create(&lock_path)
            .with_context(|| format!("{} cannot be written", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another demo runs on {}: stop it, or choose another folder with --data",
                    path.display()
                )
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", lock_path.display()))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_demo_a_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("demo");
        let first = DemoFolder::open(&path).unwrap();
        let error = DemoFolder::open(&path).unwrap_err();
        assert!(
            error.to_string().contains("another demo runs on"),
            "{error}"
        );
        drop(first);
        DemoFolder::open(&path).unwrap();
    }
}
