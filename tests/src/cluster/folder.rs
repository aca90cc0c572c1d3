//! The folder with everything a cluster keeps on disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary folder, removed with the cluster unless it is kept.
#[derive(Debug)]
pub(super) struct ClusterFolder {
    folder: TempDir,
}

impl ClusterFolder {
    /// Open to others for passing through, because PostgreSQL may run as another user.
    pub(super) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("threefold-test-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .expect("a temporary folder");
        Self { folder }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that only its owner reads.
    pub(super) fn write_secret(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("a file for a secret");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a secret of one's own");
        path
    }

    /// Leaves the folder for a person to look into.
    pub(super) fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }
}
