//! A replica's log: added to by the replica, quoted from by the demo.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// As much of the end as a last line may need.
const TAIL_BYTES: u64 = 4_096;

/// Opens a log to add to it, and makes it if it is missing.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The last line with anything in it: why a process ended, as a rule.
pub(super) fn last_line(path: &Path) -> Option<String> {
    let mut log = File::open(path).ok()?;
    let length = log.metadata().ok()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))
        .ok()?;
    let mut tail = Vec::new();
    log.take(TAIL_BYTES).read_to_end(&mut tail).ok()?;
    let text = String::from_utf8_lossy(&tail);
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn the_last_line_is_found_at_the_end_of_a_long_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replica.log");
        assert_eq!(last_line(&path), None);
        fs::write(&path, "\n\n").unwrap();
        assert_eq!(last_line(&path), None);

        let mut log = open(&path).unwrap();
        for number in 0..1_000 {
            writeln!(log, "line {number}: ü").unwrap();
        }
        writeln!(log, "the reason\n").unwrap();
        assert_eq!(last_line(&path).as_deref(), Some("the reason"));
    }
}
