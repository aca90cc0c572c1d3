//! What people see while a backup comes or is read: a bar on standard error, if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const DOWNLOADING: &str = "taking    {spinner} {human_pos} rows {per_sec} {elapsed}";
const DOWNLOADING_OF: &str = "taking    {bar:30} {human_pos}/{human_len} rows {per_sec} {eta}";
const CHECKING: &str = "checking  {bar:30} {bytes}/{total_bytes} {eta}";

/// A progress bar; clones move the same bar.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for rows of which nobody knows the number yet.
    pub(crate) fn downloading() -> Self {
        Self::new(ProgressBar::no_length(), DOWNLOADING)
    }

    /// A bar for reading a file of that many bytes.
    pub(crate) fn checking(bytes: u64) -> Self {
        Self::new(ProgressBar::new(bytes), CHECKING)
    }

    fn new(bar: ProgressBar, template: &str) -> Self {
        let progress = Self(bar);
        progress.style(template);
        progress.0.enable_steady_tick(Duration::from_millis(200));
        progress
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }

    /// Says how many expenses are to come. Deleted ones, changes and keys are rows on top, and move the end of the bar.
    pub(crate) fn expect(&self, expenses: Option<u64>) {
        if let Some(expenses) = expenses.filter(|expenses| *expenses > 0) {
            self.style(DOWNLOADING_OF);
            self.0.set_length(expenses);
        }
    }

    /// Moves the bar to a position.
    pub(crate) fn set(&self, position: u64) {
        if self.0.length().is_some_and(|length| length < position) {
            self.0.set_length(position);
        }
        self.0.set_position(position);
    }

    /// Says something on standard error, above the bar, or alone where there is no bar.
    pub(crate) fn note(&self, text: &str) {
        self.0.suspend(|| eprintln!("threefold: {text}"));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
