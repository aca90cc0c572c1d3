//! What replicas take of the machine.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::cluster::Replica;

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
                true => peak_memory(replica.pid()).unwrap_or(0),
                false => 0,
            },
            data_bytes: size_of(&replica.data_folder()),
        }
    }
}

/// `VmHWM` of a process, in bytes.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
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
