//! S6: the sign-flip (paired permutation) test of a mean difference.

use crate::clusters::Clusters;
use crate::error::{Defined, InvalidInput, Undefined, at_least, check_count, check_values};
use crate::random::Draws;
use crate::sums;
use crate::wilcoxon::Alternative;

/// The largest number of differences whose 2ⁿ signs are enumerated.
const MOST_EXACT: usize = 20;

/// The largest number of random sign changes.
const MOST_RESAMPLES: usize = 100_000;

/// The random sign changes that one chunk draws.
const CHUNK: usize = 1_000;

/// A sign-flip test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlip {
    /// The mean difference.
    pub mean: Defined<f64>,
    /// The p-value in the direction asked for; two-sided is twice the smaller tail.
    pub p_value: Defined<f64>,
    /// The probability of a mean at least as far from 0.
    pub absolute_p: Defined<f64>,
    /// The smallest two-sided p-value that this many differences can give, 2^(1−n): with five or
    /// fewer it cannot fall below 0.05.
    pub smallest_p: Defined<f64>,
}

/// Tests a mean difference by all 2ⁿ changes of sign, for up to 20 differences.
///
/// Under the null the sign of each difference is a coin. Sums equal within 1e-12 relative count as
/// ties. More than 20 differences are [`Undefined::TooManyForExact`].
///
/// # Errors
/// [`InvalidInput`] if a difference is not finite.
///
/// # Source
/// Fisher (1935), The Design of Experiments, §21. Checked against scipy `permutation_test`.
pub fn signflip_exact(
    differences: &[f64],
    alternative: Alternative,
) -> Result<SignFlip, InvalidInput> {
    check_values("differences", differences)?;
    let n = differences.len();
    let tails = at_least(1, n).and_then(|()| {
        if n > MOST_EXACT {
            return Err(Undefined::TooManyForExact { limit: MOST_EXACT, found: n });
        }
        Ok(all_flips(differences))
    });
    Ok(result(differences, n, tails, alternative))
}

/// Tests a mean difference by random changes of sign: p = (1 + hits)/(1 + `resamples`).
///
/// # Errors
/// [`InvalidInput`] if a difference is not finite, or `resamples` is 0 or above 100,000.
///
/// # Source
/// Phipson and Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9:39, for the added 1. Checked against
/// scipy `permutation_test`.
pub fn signflip_monte_carlo(
    differences: &[f64],
    alternative: Alternative,
    resamples: usize,
    seed: u64,
) -> Result<SignFlip, InvalidInput> {
    check_values("differences", differences)?;
    check_resamples(resamples)?;
    let tails = at_least(1, differences.len()).map(|()| random_flips(differences, resamples, seed));
    Ok(result(differences, differences.len(), tails, alternative))
}

/// Tests a mean difference of clustered pairs by changing the signs of whole clusters.
///
/// Exact for up to 20 clusters, otherwise `resamples` random changes. Flipping single members of a
/// cluster would treat them as independent.
///
/// # Errors
/// [`InvalidInput`] if a difference is not finite, the lengths differ, or `resamples` is 0 or above
/// 100,000.
///
/// # Source
/// [`signflip_exact`] of the cluster sums.
pub fn clustered_signflip(
    differences: &[f64],
    clusters: &[usize],
    alternative: Alternative,
    resamples: usize,
    seed: u64,
) -> Result<SignFlip, InvalidInput> {
    check_values("differences", differences)?;
    check_resamples(resamples)?;
    let sums = Clusters::new(clusters, differences.len())?.sums(differences);
    let tails = at_least(1, sums.len()).map(|()| {
        if sums.len() > MOST_EXACT {
            random_flips(&sums, resamples, seed)
        } else {
            all_flips(&sums)
        }
    });
    Ok(result(differences, sums.len(), tails, alternative))
}

fn check_resamples(resamples: usize) -> Result<(), InvalidInput> {
    check_count("resamples", resamples, MOST_RESAMPLES)?;
    if resamples == 0 {
        return Err(InvalidInput::OutOfRange {
            what: "resamples",
            value: 0.0,
            expected: "at least 1",
        });
    }
    Ok(())
}

/// The probabilities of a sum at most, at least, and at least as far from 0 as the observed one.
#[derive(Clone, Copy)]
struct Tails {
    below: f64,
    above: f64,
    beyond: f64,
}

/// Counts sums against the observed one.
struct Counter {
    observed: f64,
    slack: f64,
    below: u64,
    above: u64,
    beyond: u64,
}

impl Counter {
    fn new(differences: &[f64]) -> Self {
        let size = sums::sum(differences.iter().map(|d| d.abs()));
        let observed = sums::sum(differences.iter().copied());
        Self { observed, slack: 1e-12 * size, below: 0, above: 0, beyond: 0 }
    }

    fn count(&mut self, sum: f64) {
        self.below += u64::from(sum <= self.observed + self.slack);
        self.above += u64::from(sum >= self.observed - self.slack);
        self.beyond += u64::from(sum.abs() >= self.observed.abs() - self.slack);
    }

    /// Turns counts into shares, `extra` being what counts once in every tail.
    fn tails(&self, total: u64, extra: u64) -> Tails {
        let share = |count: u64| (count + extra) as f64 / (total + extra) as f64;
        Tails { below: share(self.below), above: share(self.above), beyond: share(self.beyond) }
    }
}

fn all_flips(differences: &[f64]) -> Tails {
    let mut counter = Counter::new(differences);
    let total = 1_u64 << differences.len();
    // Half of the signs at a time: 2ⁿ sums of two of 2^(n/2) partial sums, each exact to rounding.
    let (left, right) = differences.split_at(differences.len() / 2);
    let right = signed_sums(right);
    for a in signed_sums(left) {
        for b in &right {
            counter.count(a + b);
        }
    }
    counter.tails(total, 0)
}

/// Returns the sums under all choices of signs.
fn signed_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums = sums.iter().flat_map(|sum| [sum + value, sum - value]).collect();
    }
    sums
}

fn random_flips(differences: &[f64], resamples: usize, seed: u64) -> Tails {
    let mut counter = Counter::new(differences);
    for chunk in 0..resamples.div_ceil(CHUNK) {
        let mut draws = Draws::new(seed, chunk as u64);
        for _ in 0..CHUNK.min(resamples - chunk * CHUNK) {
            let mut sum = 0.0;
            for block in differences.chunks(64) {
                let mut bits = draws.bits();
                for value in block {
                    sum += if bits & 1 == 1 { *value } else { -*value };
                    bits >>= 1;
                }
            }
            counter.count(sum);
        }
    }
    counter.tails(resamples as u64, 1)
}

fn result(
    differences: &[f64],
    units: usize,
    tails: Defined<Tails>,
    alternative: Alternative,
) -> SignFlip {
    let p_value = tails.map(|tails| match alternative {
        Alternative::TwoSided => (2.0 * tails.below.min(tails.above)).min(1.0),
        Alternative::Greater => tails.above,
        Alternative::Less => tails.below,
    });
    SignFlip {
        mean: at_least(1, differences.len()).map(|()| sums::mean(differences)),
        p_value,
        absolute_p: tails.map(|tails| tails.beyond),
        smallest_p: at_least(1, units)
            .map(|()| 0.5_f64.powi(i32::try_from(units.min(1_001)).unwrap_or(1_001) - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_differences_give_two_to_the_one_minus_n() {
        let result = signflip_exact(&[0.1; 6], Alternative::TwoSided).unwrap();
        assert!((result.p_value.unwrap() - 0.5_f64.powi(5)).abs() < 1e-15);
        assert_eq!(result.smallest_p, result.p_value);
    }

    #[test]
    fn whole_clusters_flip() {
        let d = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        let result =
            clustered_signflip(&d, &[0, 0, 1, 1, 2, 2], Alternative::TwoSided, 99, 1).unwrap();
        assert_eq!(result.p_value, Ok(0.25));
    }

    #[test]
    fn twenty_one_differences_are_too_many_to_enumerate() {
        let result = signflip_exact(&[1.0; 21], Alternative::Greater).unwrap();
        assert_eq!(result.p_value, Err(Undefined::TooManyForExact { limit: 20, found: 21 }));
    }
}
