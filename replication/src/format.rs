//! Versions of what outlives a build or leaves it: log entries, snapshots and backups, messages between replicas.
//!
//! A build reads every format from the first up to its own, and refuses what is newer: to skip or guess it would be to
//! differ. It writes the newest format that all who must read it can, so that a cluster may hold two builds while it is
//! upgraded. What a replica reads, it says in every greeting and report; one that says nothing reads format 1, as the
//! builds did that did not say. `docs/formats.md` tells how a new format comes about.

use serde::{Deserialize, Serialize};

/// What a replica reads: everything from format 1 up to these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formats {
    /// Of log entries.
    #[serde(default = "first")]
    pub log: u32,
    /// Of snapshots and backups.
    #[serde(default = "first")]
    pub snapshot: u32,
    /// Of messages between replicas.
    #[serde(default = "first")]
    pub message: u32,
}

fn first() -> u32 {
    Formats::FIRST.log
}

/// What a build reads that does not say.
impl Default for Formats {
    fn default() -> Self {
        Self::FIRST
    }
}

impl Formats {
    /// Where all formats began, and what every build reads.
    pub const FIRST: Self = Self {
        log: 1,
        snapshot: 1,
        message: 1,
    };

    /// What this build reads, and the newest it can write.
    pub const OWN: Self = Self {
        log: 1,
        snapshot: 1,
        message: 1,
    };

    /// What both read.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self {
            log: self.log.min(other.log),
            snapshot: self.snapshot.min(other.snapshot),
            message: self.message.min(other.message),
        }
    }
}

/// Something that a newer build wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its format is {format}, this version reads up to {newest}: upgrade this replica")]
pub struct NewerFormat {
    /// What it is of.
    pub format: u32,
    /// The newest that this build reads.
    pub newest: u32,
}

/// Lets pass what is not newer than the newest that is read.
///
/// # Errors
/// What is.
pub(crate) fn check(format: u32, newest: u32) -> Result<(), NewerFormat> {
    if format > newest {
        return Err(NewerFormat { format, newest });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{decode, encode};

    #[test]
    fn the_common_format_is_the_lower_one_in_each() {
        let (old, new) = (
            Formats::FIRST,
            Formats {
                log: 3,
                snapshot: 2,
                message: 1,
            },
        );
        assert_eq!(old.common(new), old);
        assert_eq!(new.common(new), new);
        let other = Formats {
            log: 2,
            snapshot: 5,
            message: 4,
        };
        let common = Formats {
            log: 2,
            snapshot: 2,
            message: 1,
        };
        assert_eq!(new.common(other), common);
    }

    #[test]
    fn who_says_nothing_reads_the_first_format_and_what_is_new_is_ignored() {
        #[derive(Serialize)]
        struct Later {
            log: u32,
            backups_of_the_moon: u32,
        }
        let later = Later {
            log: 7,
            backups_of_the_moon: 9,
        };
        let read: Formats = decode(&encode(&later)).unwrap();
        assert_eq!((read.log, read.snapshot, read.message), (7, 1, 1));
    }

    #[test]
    fn only_what_is_newer_is_refused() {
        assert_eq!(check(1, 2), Ok(()));
        assert_eq!(check(2, 2), Ok(()));
        let refused = check(3, 2).unwrap_err().to_string();
        assert!(refused.contains("upgrade this replica"), "{refused}");
    }
}
