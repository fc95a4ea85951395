//! The one source of random numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The name of the generator and of how its numbers are used, to be stored with a seed.
///
/// ChaCha with 8 rounds, seeded by `seed_from_u64`, one stream for each chunk of draws; a draw
/// below a bound by multiplication and rejection (Lemire 2019), so no index is favoured.
pub const RANDOM_ALGORITHM: &str = "chacha8-stream-lemire-1";

/// Random draws of one chunk of work.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// Starts the draws of a chunk: its numbers depend on the seed and the chunk alone.
    pub(crate) fn new(seed: u64, chunk: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(chunk);
        Self(generator)
    }

    /// Returns 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Returns a number below `bound`, each equally likely; `bound` is at least 1.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(bound);
            let [low, high] = halves(product);
            // Fewer than `bound` of the 2³² products fall into the uneven rest.
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return high;
            }
        }
    }

    /// Returns a number in `[0, 1)` with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of 64 bits have 32")]
fn halves(product: u64) -> [u32; 2] {
    [product as u32, (product >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_below_a_bound_are_even() {
        let mut draws = Draws::new(1, 0);
        let mut counts = [0_u32; 3];
        for _ in 0..30_000 {
            counts[draws.below(3) as usize] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 400), "{counts:?}");
    }

    #[test]
    fn chunks_of_one_seed_differ() {
        assert_ne!(Draws::new(7, 0).bits(), Draws::new(7, 1).bits());
        assert_eq!(Draws::new(7, 1).bits(), Draws::new(7, 1).bits());
        assert!((0.0..1.0).contains(&Draws::new(7, 1).unit()));
    }
}
