//! The change feed.
use crate::change::ChangeBatch;
use threefold_entity::Revision;

/// What a subscriber to the change feed receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEvent {
    /// All changes of one revision.
    Changes(ChangeBatch),
    /// Nothing new up to this revision.
    Bookmark(Revision),
    /// The revision asked for is no longer kept; the stream ends.
    ResyncRequired {
        /// Oldest revision that can be followed from.
        oldest: Revision,
        /// Newest revision.
        head: Revision,
    },
}
