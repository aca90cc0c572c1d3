//! The disk that a replica's data folder is on: a log that cannot be written stops the replica.

use std::fmt;
use std::path::PathBuf;

use nix::sys::statvfs::statvfs;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// See the module.
#[derive(Debug)]
pub(super) struct DiskCollector {
    pub(super) folder: PathBuf,
}

impl Collector for DiskCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let disk = match statvfs(&self.folder) {
            Ok(disk) => disk,
            Err(error) => {
                tracing::debug!(%error, "the data folder's disk cannot be looked at");
                return Ok(());
            }
        };
        // What the owner of the folder may use: less than what is free, where some is kept for root.
        let free = disk.blocks_available() * disk.fragment_size();
        let size = disk.blocks() * disk.fragment_size();
        let values = [
            (
                "data_disk_free",
                "Room left for this replica on the disk of its data folder.",
                free,
            ),
            (
                "data_disk_size",
                "Size of the disk of its data folder.",
                size,
            ),
        ];
        for (name, help, bytes) in values {
            let encoder =
                encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?;
            ConstGauge::new(bytes).encode(encoder)?;
        }
        Ok(())
    }
}
