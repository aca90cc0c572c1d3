//! The secret that the replicas know each other by.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::secret::create;

/// The secret's file in the demo's folder: made on the first start, never changed after.
pub(super) fn ensure(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("cluster-secret");
    create::ensure(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}
