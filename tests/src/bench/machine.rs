//! What a report was made on, and with.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// The machine, and the versions of what was compared.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processors' name, as Linux tells it.
    pub processor: String,
    /// How many there are.
    pub processors: usize,
    /// In gigabytes.
    pub memory_gb: f64,
    /// Linux.
    pub kernel: String,
    /// By program.
    pub versions: Vec<String>,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split(':').nth(1));
            value.unwrap_or_default().trim().to_owned()
        };
        let memory = value(&read("/proc/meminfo"), "MemTotal");
        let kilobytes = memory.trim_end_matches(" kB").parse::<f64>();
        let threefold = crate::binary::path();
        let programs: [(&str, &[&str]); 3] = [
            (&threefold.to_string_lossy(), &["--version"]),
            ("pg_config", &["--version"]),
            ("etcd", &["--version"]),
        ];
        Self {
            processor: value(&read("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gb: kilobytes.unwrap_or(0.0) / 1e6,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            versions: programs
                .iter()
                .filter_map(|(program, arguments)| first_line(program, arguments))
                .collect(),
        }
    }
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().next().map(str::to_owned)
}
