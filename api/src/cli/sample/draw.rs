//! Draws from a ChaCha stream, in integers only, so that a release of another crate cannot change them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// An endless, repeatable row of draws.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The draws of `seed`; `stream` keeps separate uses of one seed apart.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&stream.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number below `end`, which must be at least 1.
    pub fn below(&mut self, end: u32) -> u32 {
        // The high half of the product: spread evenly enough, and with one draw whatever `end` is.
        ((u64::from(self.0.next_u32()) * u64::from(end)) >> 32) as u32
    }

    /// True in `chances` out of a thousand draws.
    pub fn per_mille(&mut self, chances: u32) -> bool {
        self.below(1000) < chances
    }

    /// One of `items`, each as likely as the next; none if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(u32::try_from(items.len()).unwrap_or(u32::MAX)) as usize)
    }

    /// One of `items`, as likely as its weight says; none if all weights are 0.
    pub fn pick_weighted<'a, T>(
        &mut self,
        items: &'a [T],
        weight: impl Fn(&T) -> u32,
    ) -> Option<&'a T> {
        let total = items.iter().map(&weight).sum();
        let mut left = self.below(total);
        items.iter().find(|item| {
            let weight = weight(item);
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })
    }

    /// A number from `low` to `high`, small ones more often: prices are like that.
    pub fn price(&mut self, low: u32, high: u32) -> u32 {
        let width = high.saturating_sub(low).saturating_add(1);
        low + self.below(width).min(self.below(width))
    }
}
