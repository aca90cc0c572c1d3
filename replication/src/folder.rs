//! A data folder belongs to one process at a time: whoever serves from it, restores into it or recovers what is in it holds
//! its lock from before the first look until after the last change. The system lets go of it when the process ends, however
//! that comes.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::replica::Fault;

/// Attempts to take the lock: a process that was just told to stop may still be ending.
const ATTEMPTS: u32 = 10;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(100);

/// The lock of a data folder, for as long as this lives.
#[derive(Debug)]
pub(crate) struct FolderLock(#[expect(dead_code, reason = "it is held, not used")] File);

impl FolderLock {
    /// Makes the folder where there is none, and locks it.
    pub(crate) async fn make(folder: &Path) -> Result<Self, Fault> {
        fs::create_dir_all(folder).map_err(|e| unusable(folder, &e))?;
        Self::take(folder).await
    }

    /// Locks a folder that is there.
    pub(crate) async fn take(folder: &Path) -> Result<Self, Fault> {
        let unusable = |e: std::io::Error| unusable(folder, &e);
        let mut open = File::options();
        open.create(true).write(true).truncate(false);
        let file = open.open(folder.join("lock")).map_err(unusable)?;
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(e)) => return Err(unusable(e)),
            }
        }
        Err(Fault(format!(
            "the data folder {} is in use by another process of Threefold: stop that one first",
            folder.display()
        )))
    }
}

fn unusable(folder: &Path, error: &std::io::Error) -> Fault {
    Fault(format!(
        "the data folder {} cannot be used: {error}",
        folder.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        FolderLock::take(&folder).await.unwrap_err();
        let first = FolderLock::make(&folder).await.unwrap();
        let refused = FolderLock::take(&folder).await.unwrap_err();
        assert!(refused.to_string().contains("is in use"), "{refused}");
        drop(first);
        FolderLock::take(&folder).await.unwrap();
    }

    #[tokio::test]
    async fn who_is_about_to_end_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).await.unwrap();
        let ends = async {
            tokio::time::sleep(PAUSE * 2).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(FolderLock::take(folder.path()), ends);
        second.unwrap();
    }
}
