//! Writing to standard output so that `threefold ... | head` ends quietly.

use std::io::{self, ErrorKind, Write};

/// Prints `text` and a line end. A reader that has gone away is a clean end, not a failure.
///
/// # Errors
/// Any other failure to write, for example a full disk.
pub fn print_line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    unless_closed(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Turns "the reader has closed the pipe" into success and leaves every other result alone.
///
/// # Errors
/// Whatever `result` held, except [`ErrorKind::BrokenPipe`].
pub fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
