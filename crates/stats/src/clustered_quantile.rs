//! S17: quantiles of values that come in clusters, and how they differ between two sides.

use values::Interval;

use crate::bootstrap::{Resampling, checked_bound, resample};
use crate::clusters::Clusters;
use crate::error::{
    Defined, InvalidInput, Undefined, at_least, check_length, check_parameter, check_values,
};
use crate::level::{Level, interval};
use crate::mean::clustered_mean;
use crate::quantile::{QuantileInterval, ascending_values, linear};
use crate::random::Draws;

/// Returns the interval of a quantile of clustered values.
///
/// The share of values that do not exceed the quantile is a mean of clustered values; its interval
/// p ± t(G − 1)·CR1 is read back as order statistics. For independent values
/// [`crate::quantile_interval`] is exact. An end is undefined where its share leaves `(0, 1)`.
/// n log n.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or the probability is not strictly
/// between 0 and 1.
///
/// # Source
/// Woodruff (1952), JASA 47, 635–646, with the standard error of [`crate::clustered_mean_interval`].
pub fn clustered_quantile_interval(
    values: &[f64],
    clusters: &[usize],
    probability: f64,
    level: Level,
) -> Result<QuantileInterval, InvalidInput> {
    check_values("values", values)?;
    let p = probability;
    check_parameter("probability", p, p > 0.0 && p < 1.0, "between 0 and 1")?;
    let groups = Clusters::new(clusters, values.len())?;
    let sorted = ascending_values(values);
    let n = sorted.len();
    let estimate = at_least(1, n).map(|()| linear(&sorted, p));
    let half = estimate.and_then(|at| {
        let below: Vec<f64> = values.iter().map(|x| f64::from(u8::from(*x <= at))).collect();
        let share = clustered_mean(&below, &groups, level);
        let error = share.cr1_standard_error?;
        if error <= 0.0 {
            return Err(Undefined::ZeroVariance);
        }
        Ok(level.t_two_sided(groups.len() as f64 - 1.0) * error)
    });
    let at_share = |share: f64| {
        if share <= 0.0 || share >= 1.0 {
            Err(Undefined::TooFew { needed: n + 1, found: n })
        } else {
            Ok(linear(&sorted, share))
        }
    };
    Ok(QuantileInterval {
        estimate,
        low: half.and_then(|half| at_share(p - half)),
        high: half.and_then(|half| at_share(p + half)),
    })
}

/// How a quantile differs between two sides, b − a, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileDifference {
    /// The difference of the type-7 quantiles; needs a value on both sides.
    pub difference: Defined<f64>,
    /// The percentile interval; needs 20 clusters, below which it is too narrow.
    pub interval: Defined<Interval>,
}

/// The clusters that a percentile interval needs.
const LEAST_CLUSTERS: usize = 20;

/// Bootstraps the differences of quantiles between two sides that share their clusters.
///
/// Whole clusters are drawn with replacement, with their values on both sides, so that what a cluster
/// does to both is kept. Each side is sorted once and a draw only weighs its values, so that a
/// resample takes linear time: n log n + B·n. `clusters[i]` names the cluster of `values[i]`.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, a probability is not strictly
/// between 0 and 1, or the number of resamples is not in `1..=100_000`.
///
/// # Source
/// Davison and Hinkley (1997), Bootstrap Methods and their Application, §3.8.
pub fn clustered_quantile_differences<const N: usize>(
    (a, clusters_a): (&[f64], &[usize]),
    (b, clusters_b): (&[f64], &[usize]),
    probabilities: [f64; N],
    resampling: Resampling,
    level: Level,
) -> Result<[QuantileDifference; N], InvalidInput> {
    check_values("a", a)?;
    check_values("b", b)?;
    check_length("clusters of a", clusters_a.len(), a.len())?;
    check_length("clusters of b", clusters_b.len(), b.len())?;
    for p in probabilities {
        check_parameter("probability", p, p > 0.0 && p < 1.0, "between 0 and 1")?;
    }
    let names = [clusters_a, clusters_b].concat();
    let groups = Clusters::new(&names, names.len())?;
    let bound = checked_bound(groups.len(), resampling.resamples)?;
    let mut rank_of = vec![0_u32; names.len()];
    for (rank, cluster) in (0_u32..).zip(0..groups.len()) {
        for &member in groups.members(cluster) {
            rank_of[member] = rank;
        }
    }
    let (of_a, of_b) = rank_of.split_at(a.len());
    let (a, b) = (Sorted::new(a, of_a), Sorted::new(b, of_b));
    let between = |weights: &[u32]| -> Option<[f64; N]> {
        let (total_a, total_b) = (a.total(weights), b.total(weights));
        if total_a == 0 || total_b == 0 {
            return None;
        }
        let at = |p| b.quantile(weights, total_b, p) - a.quantile(weights, total_a, p);
        Some(probabilities.map(at))
    };
    let Some(whole) = between(&vec![1; groups.len()]) else {
        let reason = Undefined::TooFew { needed: 1, found: 0 };
        let none = QuantileDifference { difference: Err(reason), interval: Err(reason) };
        return Ok([none; N]);
    };
    let enough = at_least(LEAST_CLUSTERS, groups.len());
    let drawn = if enough.is_err() {
        Vec::new()
    } else {
        resample(resampling, None, |draws: &mut Draws| {
            let mut weights = vec![0_u32; groups.len()];
            for _ in 0..groups.len() {
                weights[draws.below(bound) as usize] += 1;
            }
            between(&weights)
        })
    };
    Ok(std::array::from_fn(|place| QuantileDifference {
        difference: Ok(whole[place]),
        interval: enough.and_then(|()| percentile(&drawn, place, level)),
    }))
}

fn percentile<const N: usize>(
    drawn: &[Option<[f64; N]>],
    place: usize,
    level: Level,
) -> Defined<Interval> {
    let values: Vec<f64> = drawn.iter().flatten().map(|resample| resample[place]).collect();
    at_least(1, values.len())?;
    let sorted = ascending_values(&values);
    let tail = level.alpha() / 2.0;
    Ok(interval(linear(&sorted, tail), linear(&sorted, 1.0 - tail)))
}

/// The values of one side in ascending order, with the rank of their cluster.
struct Sorted {
    values: Vec<f64>,
    clusters: Vec<u32>,
    /// How many values each cluster has, by rank.
    sizes: Vec<u32>,
}

impl Sorted {
    fn new(values: &[f64], clusters: &[u32]) -> Self {
        let mut pairs: Vec<(f64, u32)> =
            values.iter().copied().zip(clusters.iter().copied()).collect();
        pairs.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
        let most = clusters.iter().max().map_or(0, |last| *last as usize + 1);
        let mut sizes = vec![0; most];
        for &cluster in clusters {
            sizes[cluster as usize] += 1;
        }
        let (values, clusters) = pairs.into_iter().unzip();
        Self { values, clusters, sizes }
    }

    /// Returns the number of values of a draw.
    fn total(&self, weights: &[u32]) -> u64 {
        self.sizes
            .iter()
            .zip(weights)
            .map(|(size, weight)| u64::from(*size) * u64::from(*weight))
            .sum()
    }

    /// Returns the type-7 quantile of a draw of `total` values, at least one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position lies in 0..total, which is at most a million times a thousand"
    )]
    fn quantile(&self, weights: &[u32], total: u64, p: f64) -> f64 {
        let position = p * (total - 1) as f64;
        let below = (position.floor() as u64).min(total - 1);
        let above = (below + 1).min(total - 1);
        let weight = |place: usize| u64::from(weights[self.clusters[place] as usize]);
        // From the nearer side, so that p95 looks at one value in twenty.
        let (low, high) = if p <= 0.5 {
            self.two(0..self.values.len(), weight, (below, above))
        } else {
            let from_top = (total - 1 - above, total - 1 - below);
            let (high, low) = self.two((0..self.values.len()).rev(), weight, from_top);
            (low, high)
        };
        low + (position - below as f64) * (high - low)
    }

    /// Returns the values at two ranks, counted from 0, the second not before the first.
    fn two(
        &self,
        places: impl Iterator<Item = usize>,
        weight: impl Fn(usize) -> u64,
        (first, second): (u64, u64),
    ) -> (f64, f64) {
        let (mut seen, mut at_first) = (0, None);
        let mut last = 0.0;
        for place in places {
            seen += weight(place);
            if at_first.is_none() && seen > first {
                at_first = Some(self.values[place]);
            }
            if seen > second {
                last = self.values[place];
                break;
            }
        }
        (at_first.unwrap_or(last), last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: u32, shift: f64) -> Vec<f64> {
        (0..n).map(|i| f64::from(i * 37 % 101) + shift).collect()
    }

    #[test]
    fn weighing_the_values_is_repeating_them() {
        let values = sample(30, 0.0);
        let clusters: Vec<u32> = (0..30).map(|i| i % 7).collect();
        let sorted = Sorted::new(&values, &clusters);
        let weights = [2, 0, 1, 3, 0, 1, 0];
        let repeated: Vec<f64> = values
            .iter()
            .zip(&clusters)
            .flat_map(|(x, cluster)| vec![*x; weights[*cluster as usize] as usize])
            .collect();
        let total = sorted.total(&weights);
        assert_eq!(total, repeated.len() as u64);
        let expected = crate::quantiles(&repeated, &[0.05, 0.5, 0.63, 0.95]).unwrap().unwrap();
        for (p, expected) in [0.05, 0.5, 0.63, 0.95].into_iter().zip(expected.linear) {
            assert!((sorted.quantile(&weights, total, p) - expected).abs() < 1e-12, "{p}");
        }
    }

    #[test]
    fn a_shift_of_all_values_is_found_exactly() {
        let clusters: Vec<usize> = (0..60).collect();
        let (a, b) = (sample(60, 0.0), sample(60, 5.0));
        let resampling = Resampling { resamples: 200, ..Resampling::seeded(3) };
        let found = clustered_quantile_differences(
            (&a, &clusters),
            (&b, &clusters),
            [0.5, 0.95],
            resampling,
            Level::P95,
        )
        .unwrap();
        for quantile in found {
            assert!((quantile.difference.unwrap() - 5.0).abs() < 1e-12);
            let interval = quantile.interval.unwrap();
            assert!((interval.low() - 5.0).abs() < 1e-9 && (interval.high() - 5.0).abs() < 1e-9);
        }
    }

    #[test]
    fn few_clusters_have_a_difference_and_no_interval() {
        let clusters: Vec<usize> = (0..60).map(|i| i % 19).collect();
        let (a, b) = (sample(60, 0.0), sample(60, 5.0));
        let [found] = clustered_quantile_differences(
            (&a, &clusters),
            (&b, &clusters),
            [0.5],
            Resampling::seeded(3),
            Level::P95,
        )
        .unwrap();
        assert!(found.difference.is_ok());
        assert_eq!(found.interval, Err(Undefined::TooFew { needed: 20, found: 19 }));
    }

    #[test]
    fn clusters_of_equal_values_widen_the_interval_of_a_quantile() {
        let alone: Vec<usize> = (0..200).collect();
        let grouped: Vec<usize> = (0..200).map(|i| i / 4).collect();
        let values: Vec<f64> = (0..200_u32).map(|i| f64::from(i / 4 * 37 % 101)).collect();
        let width = |clusters: &[usize]| {
            let found = clustered_quantile_interval(&values, clusters, 0.5, Level::P95).unwrap();
            let interval = found.interval().unwrap();
            interval.high() - interval.low()
        };
        assert!(width(&grouped) > 1.5 * width(&alone), "{} {}", width(&grouped), width(&alone));
        let p95 = clustered_quantile_interval(&values[..40], &grouped[..40], 0.95, Level::P95);
        assert!(p95.unwrap().high.is_err());
    }
}
