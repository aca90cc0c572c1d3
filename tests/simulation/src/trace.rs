//! What happened, in order: hashed, so that two runs can be compared, and printed where somebody asks for it.

use std::fmt::Display;
use std::time::Duration;

/// See the module.
pub struct Trace {
    hasher: blake3::Hasher,
    print: bool,
    now: Duration,
    events: u64,
}

impl Trace {
    /// An empty one.
    pub fn new(print: bool) -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            print,
            now: Duration::ZERO,
            events: 0,
        }
    }

    /// The simulated time from here on.
    pub fn at(&mut self, now: Duration) {
        self.now = now;
    }

    /// The simulated time.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Something happened.
    pub fn event(&mut self, what: impl Display) {
        let line = format!("{:>9.3} {what}\n", self.now.as_secs_f64());
        self.hasher.update(line.as_bytes());
        self.events += 1;
        if self.print {
            print!("{line}");
        }
    }

    /// Something that is told by every run alike, but too long to be printed.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The hash of all that happened, and how many events that was.
    pub fn digest(&self) -> (String, u64) {
        let hash = self.hasher.finalize().to_hex();
        (hash[..16].to_owned(), self.events)
    }
}
