//! Chance that a seed repeats.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What the scheduler of faults throws.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The throws of that seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    /// True that often in a hundred times.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these; there must be one.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let count = u64::try_from(from.len()).expect("few things");
        from[usize::try_from(self.below(count)).expect("few things")]
    }

    /// A time within bounds, in milliseconds.
    pub fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most - least + 1))
    }
}

/// Cards that are dealt in an order that the dice decide: each comes once before any comes again.
#[derive(Debug)]
pub struct Deck<T> {
    cards: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy> Deck<T> {
    /// These cards; there must be one.
    pub fn new(cards: &[T]) -> Self {
        Self {
            cards: cards.to_vec(),
            left: Vec::new(),
        }
    }

    /// The next one.
    pub fn deal(&mut self, dice: &mut Dice) -> T {
        if self.left.is_empty() {
            self.left.clone_from(&self.cards);
        }
        let count = u64::try_from(self.left.len()).expect("few cards");
        let index = usize::try_from(dice.below(count)).expect("few cards");
        self.left.swap_remove(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_card_comes_once_before_any_comes_again() {
        let mut dice = Dice::new(1);
        let mut deck = Deck::new(&[1, 2, 3]);
        for _ in 0..5 {
            let mut dealt: Vec<i32> = (0..3).map(|_| deck.deal(&mut dice)).collect();
            dealt.sort_unstable();
            assert_eq!(dealt, [1, 2, 3]);
        }
    }
}
