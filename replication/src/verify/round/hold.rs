//! Keeps those that have told their digests at their checkpoint. A replica closes its read transaction when nobody asks about
//! it for a while ([`examination`](crate::verify::examination)); but the others may still be reading, or looking for the rows
//! that differ, and it will be asked for its rows after that.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;

use crate::running::lock;
use crate::verify::examination::ABANDONED;

/// Pause between two questions: some get lost, and a replica is still held.
pub(super) const PAUSE: Duration = Duration::from_secs(ABANDONED.as_secs() / 5);

/// Those that are to be held.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<BTreeSet<u64>>);

impl Held {
    pub(super) fn add(&self, id: u64) {
        lock(&self.0).insert(id);
    }

    fn ids(&self) -> Vec<u64> {
        lock(&self.0).iter().copied().collect()
    }
}

/// Asks all that are held, again and again. Never ends.
pub(super) async fn hold<F>(held: &Held, pause: Duration, ask: impl Fn(u64) -> F)
where
    F: Future<Output = ()>,
{
    loop {
        tokio::time::sleep(pause).await;
        join_all(held.ids().into_iter().map(&ask)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_has_told_its_digest_is_asked_until_the_end() {
        let (held, asked) = (Held::default(), Mutex::new(Vec::new()));
        let ask = async |id: u64| lock(&asked).push(id);
        let rounds = async |count: u32| {
            tokio::time::sleep(PAUSE * count + Duration::from_millis(1)).await;
        };
        let story = async {
            rounds(2).await;
            assert!(lock(&asked).is_empty(), "nobody has told anything");
            held.add(2);
            rounds(3).await;
            held.add(1);
            rounds(1).await;
        };
        tokio::select! {
            () = hold(&held, PAUSE, ask) => {}
            () = story => {}
        }
        assert_eq!(*lock(&asked), [2, 2, 2, 1, 2]);
        assert!(PAUSE * 2 < ABANDONED);
    }
}
