//! Where each subscriber to the feed is, so that somebody can see how far behind the slowest is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use threefold_entity::Revision;

use crate::running::lock;

/// Everybody's positions. As many as there are subscribers, whose number the sockets bound.
#[derive(Default)]
pub(super) struct Positions {
    places: Mutex<BTreeMap<u64, Arc<AtomicU64>>>,
    next: AtomicU64,
}

/// One subscriber's position; it leaves when this is dropped.
pub(super) struct Place {
    positions: Arc<Positions>,
    number: u64,
    revision: Arc<AtomicU64>,
}

impl Positions {
    pub(super) fn enter(self: &Arc<Self>, revision: Revision) -> Place {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let revision = Arc::new(AtomicU64::new(revision.get()));
        lock(&self.places).insert(number, revision.clone());
        Place {
            positions: self.clone(),
            number,
            revision,
        }
    }

    pub(super) fn count_and_slowest(&self) -> (u64, Option<Revision>) {
        let places = lock(&self.places);
        let revisions = places.values().map(|it| it.load(Ordering::Relaxed));
        (places.len() as u64, revisions.min().map(Revision::from))
    }
}

impl Place {
    pub(super) fn moved(&self, to: Revision) {
        self.revision.store(to.get(), Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.positions.places).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_counts_until_it_leaves() {
        let positions = Arc::new(Positions::default());
        assert_eq!(positions.count_and_slowest(), (0, None));
        let (fast, slow) = (positions.enter(1.into()), positions.enter(1.into()));
        fast.moved(9.into());
        slow.moved(3.into());
        assert_eq!(positions.count_and_slowest(), (2, Some(3.into())));
        drop(slow);
        assert_eq!(positions.count_and_slowest(), (1, Some(9.into())));
    }
}
