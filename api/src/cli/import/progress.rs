//! What people see of an import while it runs: a bar on standard error, if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const CHECKING: &str = "checking {bar:30} {bytes}/{total_bytes} {eta}";
const SENDING: &str = "sending  {bar:30} {human_pos}/{human_len} rows {per_sec} {eta}";

/// A progress bar; clones move the same bar.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for reading a file of that many bytes.
    pub fn checking(bytes: u64) -> Self {
        Self::new(bytes, CHECKING)
    }

    /// A bar for sending that many rows.
    pub fn sending(rows: u64) -> Self {
        Self::new(rows, SENDING)
    }

    fn new(length: u64, template: &str) -> Self {
        let bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Moves the bar to a position.
    pub fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    /// Moves the bar on.
    pub fn advance(&self, by: usize) {
        self.0.inc(by as u64);
    }

    /// Says something on standard error, above the bar, or alone where there is no bar.
    pub fn note(&self, text: &str) {
        self.0.suspend(|| eprintln!("threefold: {text}"));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
