//! This process, as the operating system sees it, under the names that Prometheus gives such measures.

use std::fmt;

use procfs::process::{LimitValue, Process};
use procfs::{ProcResult, WithCurrentSystemInfo};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// See the module. Reads `/proc/self` when it is asked.
#[derive(Debug, Default)]
pub(super) struct ProcessCollector {}

struct Usage {
    cpu_seconds: f64,
    /// None where only processes may be seen (`ProcSubset=pid`), and so not when the system was started.
    start_seconds: Option<f64>,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: u64,
    open_fds: u64,
    max_fds: Option<u64>,
}

fn usage() -> ProcResult<Usage> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let ticks = procfs::ticks_per_second() as f64;
    let max_fds = match process.limits()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => Some(limit),
        LimitValue::Unlimited => None,
    };
    Ok(Usage {
        cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
        start_seconds: start_seconds(procfs::boot_time_secs(), stat.starttime as f64 / ticks),
        resident_bytes: stat.rss_bytes().get(),
        virtual_bytes: stat.vsize,
        threads: u64::try_from(stat.num_threads).unwrap_or(0),
        open_fds: process.fd_count()? as u64,
        max_fds,
    })
}

/// Since the Unix epoch, for a process that began some seconds after the system.
fn start_seconds(boot_time: ProcResult<u64>, after_boot: f64) -> Option<f64> {
    boot_time
        .ok()
        .map(|boot_time| boot_time as f64 + after_boot)
}

impl Collector for ProcessCollector {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let usage = match usage() {
            Ok(usage) => usage,
            Err(error) => {
                // The rest of the page is worth more than an error.
                tracing::debug!(%error, "/proc/self cannot be read");
                return Ok(());
            }
        };
        let mut page = Page(encoder);
        page.gauge(
            "process_resident_memory",
            "Memory that this process has in RAM",
            Some(&Unit::Bytes),
            usage.resident_bytes as f64,
        )?;
        page.gauge(
            "process_virtual_memory",
            "Address space of this process",
            Some(&Unit::Bytes),
            usage.virtual_bytes as f64,
        )?;
        page.gauge(
            "process_open_fds",
            "Open file descriptors, sockets among them",
            None,
            usage.open_fds as f64,
        )?;
        if let Some(limit) = usage.max_fds {
            page.gauge(
                "process_max_fds",
                "Most file descriptors that may be open",
                None,
                limit as f64,
            )?;
        }
        page.gauge(
            "process_threads",
            "Threads of this process",
            None,
            usage.threads as f64,
        )?;
        if let Some(start) = usage.start_seconds {
            page.gauge(
                "process_start_time",
                "When this process began, since the Unix epoch",
                Some(&Unit::Seconds),
                start,
            )?;
        }
        let encoder = page.0.encode_descriptor(
            "process_cpu",
            "Processor time that this process has used.",
            Some(&Unit::Seconds),
            MetricType::Counter,
        )?;
        ConstCounter::new(usage.cpu_seconds).encode(encoder)
    }
}

struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
        let encoder =
            self.0
                .encode_descriptor(name, &format!("{help}."), unit, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use procfs::ProcError;

    use super::*;

    #[test]
    fn without_the_time_of_boot_only_the_time_of_start_is_missing() {
        assert_eq!(start_seconds(Ok(1_000), 2.5), Some(1_002.5));
        let unseen = Err(ProcError::NotFound(Some("/proc/stat".into())));
        assert_eq!(start_seconds(unseen, 2.5), None);
    }
}
