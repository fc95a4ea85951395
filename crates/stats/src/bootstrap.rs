//! S7: the bootstrap, for statistics that have no formula for their interval.
//!
//! Resamples are drawn in chunks of 64, each with its own stream of the seed, so that the result
//! does not depend on the number of threads.

use std::num::NonZeroUsize;

use values::Interval;

use crate::clusters::Clusters;
use crate::error::{
    Defined, InvalidInput, Undefined, at_least, check_count, check_length, check_values,
};
use crate::level::{Level, interval};
use crate::quantile::linear;
use crate::random::Draws;
use crate::{special, sums};

/// The resamples that share one stream of random numbers.
const CHUNK: usize = 64;

/// The largest number of resamples.
const MOST_RESAMPLES: usize = 100_000;

/// The fewest resamples and units of which a BCa interval is shown; below, its corrections are noise.
const BCA_RESAMPLES: usize = 2_000;
const BCA_UNITS: usize = 10;

/// How a bootstrap is drawn; all of it but the threads determines the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// The number of resamples B, 9,999 by default; at least 2,000 for BCa.
    pub resamples: usize,
    /// The seed of [`crate::RANDOM_ALGORITHM`].
    pub seed: u64,
    /// The threads that share the work.
    pub threads: NonZeroUsize,
}

impl Resampling {
    /// Returns 9,999 resamples on one thread.
    pub fn seeded(seed: u64) -> Self {
        Self { resamples: 9_999, seed, threads: NonZeroUsize::MIN }
    }
}

/// The bootstrap distribution of a statistic and the intervals read off it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The statistic of the data.
    pub estimate: Defined<f64>,
    /// The standard deviation of the resampled statistic.
    pub standard_error: Defined<f64>,
    /// The α/2 and 1 − α/2 quantiles of the resampled statistic (type 7).
    pub percentile: Defined<Interval>,
    /// The bias-corrected and accelerated interval; undefined where z₀ or the acceleration is, where
    /// clusters were resampled, and, of what is drawn here, below 2,000 resamples or 10 units. Show
    /// the percentile interval then, and say so.
    pub bca: Defined<Interval>,
    /// z₀, the bias correction.
    pub bias: Defined<f64>,
    /// The acceleration, from the jackknife.
    pub acceleration: Defined<f64>,
    /// The resamples on which the statistic was undefined; they are left out.
    pub undefined_resamples: usize,
    /// All resampled statistics are equal: the intervals are points, which is not evidence.
    pub zero_variance: bool,
}

/// Bootstraps the mean of independent values, percentile and BCa.
///
/// B·n draws; the jackknife is linear. For a mean of independent values prefer
/// [`crate::mean_interval`]: the percentile interval is too narrow for small n.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or the number of resamples is not in `1..=100_000`.
///
/// # Source
/// Efron (1987), JASA 82, 171–185. Checked against scipy `bootstrap`.
pub fn bootstrap_mean(
    values: &[f64],
    resampling: Resampling,
    level: Level,
) -> Result<Bootstrap, InvalidInput> {
    check_values("values", values)?;
    let n = values.len();
    let bound = checked_bound(n, resampling.resamples)?;
    let Err(reason) = at_least(1, n) else {
        let draw = |draws: &mut Draws| {
            // Four running sums hide the latency of the additions; n is small enough that plain
            // sums lose nothing that 10,000 resamples could show.
            let mut parts = [0.0_f64; 4];
            for i in 0..n {
                parts[i & 3] += values[draws.below(bound) as usize];
            }
            Ok((parts[0] + parts[1] + parts[2] + parts[3]) / n as f64)
        };
        let drawn = resample(resampling, Ok(0.0), draw);
        let total = sums::sum(values.iter().copied());
        let jackknife =
            jackknife_of(n, |left_out| Ok((total - values[left_out]) / (n as f64 - 1.0)));
        return Ok(summary(Ok(sums::mean(values)), drawn, jackknife, level)
            .with_enough_for_bca(n, resampling.resamples));
    };
    Ok(undefined(reason))
}

/// Bootstraps any statistic of independent units: a median, a kappa, an F1.
///
/// `statistic` gets the positions of the drawn units, `n` of them with repetition, and is evaluated
/// B + n + 1 times. Where it is undefined on a resample, the resample is counted and left out.
///
/// # Errors
/// [`InvalidInput`] if the number of resamples is not in `1..=100_000` or there are too many units.
///
/// # Source
/// Efron (1987), JASA 82, 171–185.
pub fn bootstrap_statistic(
    units: usize,
    statistic: impl Fn(&[usize]) -> Defined<f64> + Sync,
    resampling: Resampling,
    level: Level,
) -> Result<Bootstrap, InvalidInput> {
    let bound = checked_bound(units, resampling.resamples)?;
    if let Err(reason) = at_least(1, units) {
        return Ok(undefined(reason));
    }
    let everything: Vec<usize> = (0..units).collect();
    let drawn = resample(resampling, Ok(0.0), |draws| {
        let drawn: Vec<usize> = (0..units).map(|_| draws.below(bound) as usize).collect();
        statistic(&drawn)
    });
    let jackknife = jackknife_of(units, |left_out| {
        let mut rest = everything.clone();
        rest.remove(left_out);
        statistic(&rest)
    });
    Ok(summary(statistic(&everything), drawn, jackknife, level)
        .with_enough_for_bca(units, resampling.resamples))
}

/// Bootstraps any statistic by drawing whole clusters with replacement.
///
/// `statistic` gets the positions of all members of the drawn clusters. Use it with 20 clusters or
/// more; below, its intervals are too narrow (82 % at 5 clusters). No BCa: its jackknife would have
/// to leave out clusters.
///
/// # Errors
/// [`InvalidInput`] if the lengths differ or the number of resamples is not in `1..=100_000`.
///
/// # Source
/// Davison and Hinkley (1997), Bootstrap Methods and their Application, §3.8.
pub fn cluster_bootstrap(
    clusters: &[usize],
    statistic: impl Fn(&[usize]) -> Defined<f64> + Sync,
    resampling: Resampling,
    level: Level,
) -> Result<Bootstrap, InvalidInput> {
    let groups = Clusters::new(clusters, clusters.len())?;
    let bound = checked_bound(groups.len(), resampling.resamples)?;
    if groups.len() < 2 {
        return Ok(undefined(Undefined::OneCluster));
    }
    let everything: Vec<usize> = (0..clusters.len()).collect();
    let drawn = resample(resampling, Ok(0.0), |draws| {
        let mut members = Vec::with_capacity(clusters.len());
        for _ in 0..groups.len() {
            members.extend_from_slice(groups.members(draws.below(bound) as usize));
        }
        statistic(&members)
    });
    Ok(summary(statistic(&everything), drawn, Err(Undefined::NotIdentifiable), level))
}

/// Reads the intervals of a statistic off resamples that were drawn elsewhere.
///
/// Each resample lists positions in `values`. It separates the mathematics from the generator.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, or a resample has another length than `values` or a
/// position outside of them.
///
/// # Source
/// Efron (1987). Checked against numpy and scipy `_bca_interval` with the same indices.
pub fn bootstrap_given_indices(
    values: &[f64],
    resamples: &[Vec<usize>],
    statistic: impl Fn(&[f64]) -> Defined<f64>,
    level: Level,
) -> Result<Bootstrap, InvalidInput> {
    check_values("values", values)?;
    let n = values.len();
    let mut drawn = Vec::with_capacity(resamples.len());
    for resample in resamples {
        check_length("resample", resample.len(), n)?;
        drawn.push(statistic(&pick(values, resample)?));
    }
    let jackknife = jackknife_of(n, |left_out| {
        let mut rest = values.to_vec();
        rest.remove(left_out);
        statistic(&rest)
    });
    Ok(summary(statistic(values), drawn, jackknife, level))
}

/// Reads the interval of a statistic off clusters that were drawn elsewhere.
///
/// Each resample lists ranks of clusters, in the ascending order of their names; their members are
/// pooled.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or a rank does not exist.
///
/// # Source
/// Davison and Hinkley (1997), §3.8.
pub fn cluster_bootstrap_given_indices(
    values: &[f64],
    clusters: &[usize],
    resamples: &[Vec<usize>],
    statistic: impl Fn(&[f64]) -> Defined<f64>,
    level: Level,
) -> Result<Bootstrap, InvalidInput> {
    check_values("values", values)?;
    let groups = Clusters::new(clusters, values.len())?;
    let mut drawn = Vec::with_capacity(resamples.len());
    for resample in resamples {
        let mut pooled = Vec::with_capacity(values.len());
        for &rank in resample {
            if rank >= groups.len() {
                return Err(outside(rank));
            }
            pooled.extend(groups.members(rank).iter().map(|&i| values[i]));
        }
        drawn.push(statistic(&pooled));
    }
    Ok(summary(statistic(values), drawn, Err(Undefined::NotIdentifiable), level))
}

fn pick(values: &[f64], positions: &[usize]) -> Result<Vec<f64>, InvalidInput> {
    positions.iter().map(|&i| values.get(i).copied().ok_or_else(|| outside(i))).collect()
}

fn outside(position: usize) -> InvalidInput {
    InvalidInput::OutOfRange {
        what: "position in a resample",
        value: position as f64,
        expected: "a position that exists",
    }
}

pub(crate) fn checked_bound(units: usize, resamples: usize) -> Result<u32, InvalidInput> {
    check_count("resamples", resamples, MOST_RESAMPLES)?;
    check_count("units", units, crate::error::MOST_VALUES)?;
    if resamples == 0 {
        return Err(InvalidInput::OutOfRange {
            what: "resamples",
            value: 0.0,
            expected: "at least 1",
        });
    }
    Ok(u32::try_from(units).expect("a million fits"))
}

/// Draws all resamples, chunk by chunk, in the order of the chunks whatever the threads. `empty` fills
/// the places until they are drawn.
pub(crate) fn resample<T: Clone + Send>(
    resampling: Resampling,
    empty: T,
    draw: impl Fn(&mut Draws) -> T + Sync,
) -> Vec<T> {
    let total = resampling.resamples;
    let mut results: Vec<T> = vec![empty; total];
    let chunks = total.div_ceil(CHUNK);
    let per_thread = chunks.div_ceil(resampling.threads.get());
    let fill = |part: &mut [T], first: usize| {
        for (offset, chunk) in part.chunks_mut(CHUNK).enumerate() {
            let mut draws = Draws::new(resampling.seed, (first + offset) as u64);
            for slot in chunk {
                *slot = draw(&mut draws);
            }
        }
    };
    if resampling.threads.get() == 1 {
        fill(&mut results, 0);
        return results;
    }
    std::thread::scope(|scope| {
        for (thread, part) in results.chunks_mut(per_thread * CHUNK).enumerate() {
            scope.spawn(move || fill(part, thread * per_thread));
        }
    });
    results
}

/// Returns the statistic without each unit in turn.
fn jackknife_of(units: usize, without: impl Fn(usize) -> Defined<f64>) -> Defined<Vec<f64>> {
    at_least(2, units)?;
    (0..units).map(without).collect()
}

fn undefined(reason: Undefined) -> Bootstrap {
    Bootstrap {
        estimate: Err(reason),
        standard_error: Err(reason),
        percentile: Err(reason),
        bca: Err(reason),
        bias: Err(reason),
        acceleration: Err(reason),
        undefined_resamples: 0,
        zero_variance: false,
    }
}

fn summary(
    estimate: Defined<f64>,
    drawn: Vec<Defined<f64>>,
    jackknife: Defined<Vec<f64>>,
    level: Level,
) -> Bootstrap {
    let total = drawn.len();
    let mut sorted: Vec<f64> = drawn.into_iter().filter_map(Result::ok).collect();
    let undefined_resamples = total - sorted.len();
    let standard_error = at_least(2, sorted.len()).map(|()| sums::variance(&sorted).sqrt());
    sorted.sort_unstable_by(f64::total_cmp);
    let zero_variance = !sorted.is_empty() && sums::all_equal(&sorted);
    let tail = level.alpha() / 2.0;
    let between = |low: f64, high: f64| interval(linear(&sorted, low), linear(&sorted, high));
    let percentile = at_least(1, sorted.len()).map(|()| between(tail, 1.0 - tail));
    let (bias, acceleration) = if zero_variance {
        (Ok(0.0), Ok(0.0))
    } else {
        (estimate.and_then(|at| bias_of(&sorted, at)), jackknife.and_then(|j| acceleration_of(&j)))
    };
    let corrected = |z: f64| -> Defined<f64> {
        let (z0, a) = (bias?, acceleration?);
        Ok(special::normal_cdf(z0 + (z0 + z) / (1.0 - a * (z0 + z))))
    };
    let z = level.z_two_sided();
    let bca = if zero_variance {
        percentile
    } else {
        percentile.and_then(|_| Ok(between(corrected(-z)?, corrected(z)?)))
    };
    Bootstrap {
        estimate,
        standard_error,
        percentile,
        bca,
        bias,
        acceleration,
        undefined_resamples,
        zero_variance,
    }
}

impl Bootstrap {
    /// Leaves out a BCa interval of too few resamples or units (S7). A point stays a point.
    fn with_enough_for_bca(self, units: usize, resamples: usize) -> Self {
        if self.zero_variance {
            return self;
        }
        let usable = resamples - self.undefined_resamples;
        let enough = if units < BCA_UNITS {
            Err(Undefined::TooFew { needed: BCA_UNITS, found: units })
        } else if usable < BCA_RESAMPLES {
            Err(Undefined::TooFewResamples { needed: BCA_RESAMPLES, found: usable })
        } else {
            Ok(())
        };
        Self { bca: self.bca.and_then(|bca| enough.map(|()| bca)), ..self }
    }
}

/// Returns z₀; undefined where all resamples lie on one side of the estimate.
fn bias_of(sorted: &[f64], estimate: f64) -> Defined<f64> {
    at_least(1, sorted.len())?;
    let below = sorted.partition_point(|&t| t < estimate);
    let up_to = sorted.partition_point(|&t| t <= estimate);
    let share = (below + up_to) as f64 / (2.0 * sorted.len() as f64);
    if share > 0.0 && share < 1.0 {
        Ok(special::normal_quantile(share))
    } else {
        Err(Undefined::NotIdentifiable)
    }
}

/// Returns Σd³/(6(Σd²)^1.5), d = mean of the jackknife values minus each.
fn acceleration_of(jackknife: &[f64]) -> Defined<f64> {
    if sums::all_equal(jackknife) {
        return Err(Undefined::ZeroVariance);
    }
    let mean = sums::mean(jackknife);
    let squares = sums::sum(jackknife.iter().map(|value| (mean - value) * (mean - value)));
    let cubes = sums::sum(jackknife.iter().map(|value| (mean - value).powi(3)));
    let scale = 6.0 * squares * squares.sqrt();
    if scale > 0.0 { Ok(cubes / scale) } else { Err(Undefined::ZeroVariance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i % 7)).collect();
        let one = Resampling { resamples: 500, seed: 9, threads: NonZeroUsize::MIN };
        let three = Resampling { threads: NonZeroUsize::new(3).unwrap(), ..one };
        assert_eq!(
            bootstrap_mean(&values, one, Level::P95),
            bootstrap_mean(&values, three, Level::P95)
        );
    }

    #[test]
    fn bca_needs_2000_resamples_and_10_units() {
        let values: Vec<f64> = (0..10).map(|i| f64::from(i * i)).collect();
        let bca = |units: usize, resamples: usize| {
            let resampling = Resampling { resamples, ..Resampling::seeded(3) };
            let values = &values[..units];
            let result = bootstrap_mean(values, resampling, Level::P95).unwrap();
            let of = |drawn: &[usize]| {
                Ok(drawn.iter().map(|&i| values[i]).sum::<f64>() / drawn.len() as f64)
            };
            let other = bootstrap_statistic(units, of, resampling, Level::P95).unwrap();
            assert_eq!(other.bca.err(), result.bca.err());
            assert!(result.percentile.is_ok() && result.bias.is_ok());
            result.bca.err()
        };
        assert_eq!(bca(10, 2_000), None);
        assert_eq!(bca(9, 2_000), Some(Undefined::TooFew { needed: 10, found: 9 }));
        let few = Undefined::TooFewResamples { needed: 2_000, found: 1_999 };
        assert_eq!(bca(10, 1_999), Some(few));
    }

    #[test]
    fn a_constant_gives_a_point_with_a_flag() {
        let result = bootstrap_mean(&[0.5; 9], Resampling::seeded(1), Level::P95).unwrap();
        assert!(result.zero_variance);
        assert_eq!(result.percentile, result.bca);
    }

    #[test]
    fn resamples_without_a_value_are_counted() {
        let first_only = |drawn: &[usize]| {
            if drawn.contains(&0) { Ok(1.0) } else { Err(Undefined::OneCategory) }
        };
        let result = bootstrap_statistic(5, first_only, Resampling::seeded(1), Level::P95).unwrap();
        assert!(result.undefined_resamples > 2_000, "{}", result.undefined_resamples);
    }
}
