//! The hash chain over the history: equal revision, equal hash, on every replica.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use threefold_entity::Revision;
use uuid::Uuid;

/// blake3 hash of everything accepted up to a revision.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HistoryHash([u8; 32]);

impl HistoryHash {
    /// The hash of the empty history.
    pub const EMPTY: Self = Self([0; 32]);

    /// The hash after one more revision. `payload` is the exact text that is stored.
    pub fn extend(
        self,
        revision: Revision,
        ledger_id: Uuid,
        committed_at: DateTime<Utc>,
        payload: &str,
    ) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(&revision.get().to_be_bytes());
        hasher.update(ledger_id.as_bytes());
        hasher.update(&committed_at.timestamp_micros().to_be_bytes());
        hasher.update(payload.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// The 32 bytes, as stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hash in a stored column, if it has 32 bytes.
    pub fn from_column(column: &[u8]) -> Option<Self> {
        column.try_into().ok().map(Self)
    }
}

impl fmt::Display for HistoryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        blake3::Hash::from_bytes(self.0).to_hex().fmt(f)
    }
}

impl fmt::Debug for HistoryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let at = DateTime::UNIX_EPOCH;
        let base = HistoryHash::EMPTY.extend(1.into(), Uuid::nil(), at, "a");
        assert_eq!(
            base,
            HistoryHash::EMPTY.extend(1.into(), Uuid::nil(), at, "a")
        );
        for other in [
            base.extend(1.into(), Uuid::nil(), at, "a"),
            HistoryHash::EMPTY.extend(2.into(), Uuid::nil(), at, "a"),
            HistoryHash::EMPTY.extend(1.into(), Uuid::from_u128(1), at, "a"),
            HistoryHash::EMPTY.extend(
                1.into(),
                Uuid::nil(),
                at + chrono::Duration::microseconds(1),
                "a",
            ),
            HistoryHash::EMPTY.extend(1.into(), Uuid::nil(), at, "b"),
        ] {
            assert_ne!(base, other);
        }
    }
}
