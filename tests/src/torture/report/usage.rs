//! What replicas take of the machine.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::cluster::Replica;
use crate::measure::process::peak_resident_bytes;

/// What a replica takes.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Usage {
    /// The most memory that its process held.
    pub memory_bytes: u64,
    /// Its data folder.
    pub data_bytes: u64,
}

impl Usage {
    pub(in crate::torture) fn of(replica: &Replica) -> Self {
        Self {
            memory_bytes: match replica.is_running() {
                true => peak_resident_bytes(replica.pid()),
                false => 0,
            },
            data_bytes: size_of(&replica.data_folder()),
        }
    }
}

/// All files below a folder; what cannot be read counts as nothing, since files come and go.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
