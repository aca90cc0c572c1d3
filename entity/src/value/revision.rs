use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Position in the replicated history: the number of commands accepted so far. Zero is the empty history.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u64);

/// The text or number is no revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a revision is a whole number of 0 or more, as a decimal string")]
pub struct RevisionError;

impl Revision {
    /// Before the first command.
    pub const ZERO: Self = Self(0);

    /// The revision after this one.
    pub fn next(self) -> Self {
        // At a million commands a second this is reached in half a million years.
        Self(self.0.saturating_add(1))
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number as a database column holds it; revisions never exceed `i64::MAX`.
    pub fn to_column(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The revision in a database column; a negative number, which is never written, reads as zero.
    pub fn from_column(column: i64) -> Self {
        Self(u64::try_from(column).unwrap_or(0))
    }

    /// How many revisions this one is behind `head`, zero if it is not.
    pub fn behind(self, head: Self) -> u64 {
        head.0.saturating_sub(self.0)
    }
}

impl From<u64> for Revision {
    fn from(number: u64) -> Self {
        Self(number.min(i64::MAX as u64))
    }
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, RevisionError> {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse::<i64>().ok().filter(|_| plain);
        number
            .and_then(|n| u64::try_from(n).ok())
            .map(Self)
            .ok_or(RevisionError)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_revisions() {
        assert_eq!("42".parse(), Ok(Revision(42)));
        for text in ["", "-1", "+1", "1.0", " 1", "9223372036854775808", "x"] {
            assert_eq!(text.parse::<Revision>(), Err(RevisionError), "{text:?}");
        }
    }
}
