//! What a process takes of its machine, as Linux tells it.

use std::fs;

/// Bytes that a process has in memory now; 0 where it has ended.
pub fn resident_bytes(pid: u32) -> u64 {
    status_field(pid, "VmRSS:")
}

/// The most bytes that a process has had in memory so far; 0 where it has ended.
pub fn peak_resident_bytes(pid: u32) -> u64 {
    status_field(pid, "VmHWM:")
}

fn status_field(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    kilobytes
        .and_then(|number| number.trim().parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_memory_and_one_that_never_was_is_not() {
        let pid = std::process::id();
        assert!(resident_bytes(pid) > 0);
        assert!(peak_resident_bytes(pid) >= resident_bytes(pid) / 2);
        assert_eq!(resident_bytes(u32::MAX), 0);
    }
}
