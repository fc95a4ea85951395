//! S18: which units to label next, and what labels so chosen say.
//!
//! Only labels drawn with known probabilities measure anything: those found by hunting for faults
//! belong in no rate.

use values::Interval;

use crate::error::{
    Defined, InvalidInput, Undefined, at_least, check_length, check_parameter, check_values,
};
use crate::level::{Level, interval_around};
use crate::random::Draws;
use crate::sums;

/// The probability of labelling each unit.
#[derive(Debug, Clone, PartialEq)]
pub struct LabellingPlan {
    /// π for each unit, in `[0, 1]`; to be stored with the label for ever.
    pub probabilities: Vec<f64>,
    /// Σπ, which falls short of the budget where probabilities were capped at 1.
    pub expected_labels: f64,
}

/// Returns probabilities of labelling that spend a budget where the uncertainty is.
///
/// π = min(1, (1 − τ)·b·u/Σu + τ·b/n). τ mixes in uniform sampling, 0.2 by default, and keeps π away
/// from 0, without which weights explode. Uncertainties are at least 0, such as √(f(1 − f)); if all
/// are 0, sampling is uniform.
///
/// # Errors
/// [`InvalidInput`] if an uncertainty is negative or not finite, or τ not in `[0, 1]`.
///
/// # Source
/// Zrnic and Candès (2024), "Active Statistical Inference", arXiv 2403.03208.
pub fn labelling_probabilities(
    uncertainty: &[f64],
    budget: f64,
    uniform_share: f64,
) -> Result<LabellingPlan, InvalidInput> {
    crate::error::check_between(
        "uncertainty",
        uncertainty,
        (0.0, crate::error::LARGEST_VALUE),
        "at least 0",
    )?;
    check_parameter("budget", budget, budget >= 0.0, "at least 0")?;
    let tau = uniform_share;
    check_parameter("uniform share", tau, (0.0..=1.0).contains(&tau), "in 0..=1")?;
    let n = uncertainty.len() as f64;
    let total = sums::sum(uncertainty.iter().copied());
    let probability = |u: &f64| {
        let by_uncertainty = if total > 0.0 { u / total } else { 1.0 / n };
        ((1.0 - tau) * budget * by_uncertainty + tau * budget / n).min(1.0)
    };
    let probabilities: Vec<f64> = uncertainty.iter().map(probability).collect();
    let expected_labels = sums::sum(probabilities.iter().copied());
    Ok(LabellingPlan { probabilities, expected_labels })
}

/// Draws the units to label, each independently with its probability.
///
/// # Errors
/// [`InvalidInput`] if a probability is not in `[0, 1]`.
///
/// # Source
/// Poisson sampling; [`crate::RANDOM_ALGORITHM`].
pub fn draw_labelled(probabilities: &[f64], seed: u64) -> Result<Vec<bool>, InvalidInput> {
    crate::error::check_between("probability", probabilities, (0.0, 1.0), "in 0..=1")?;
    let mut draws = Draws::new(seed, 0);
    Ok(probabilities.iter().map(|p| draws.unit() < *p).collect())
}

/// A mean of labels that were drawn with known probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedMean {
    /// The estimate over all units.
    pub estimate: Defined<f64>,
    /// Its standard error.
    pub standard_error: Defined<f64>,
    /// estimate ± z · standard error.
    pub interval: Defined<Interval>,
    /// The number of labels.
    pub labels: usize,
}

/// Returns the mean of a label over all units, from predictions for all and labels for some.
///
/// θ = mean(f + (y − f)·ξ/π), SE = sd/√n with divisor n − 1: unbiased whatever the predictions are.
/// `labels[i]` is `Some` exactly where unit i was drawn.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, lengths differ, or a labelled unit's probability is
/// not in `(0, 1]`.
///
/// # Source
/// Zrnic and Candès (2024), arXiv 2403.03208.
pub fn active_mean(
    predictions: &[f64],
    labels: &[Option<f64>],
    probabilities: &[f64],
    level: Level,
) -> Result<WeightedMean, InvalidInput> {
    check_values("predictions", predictions)?;
    check_values("labels", &labels.iter().flatten().copied().collect::<Vec<f64>>())?;
    check_length("labels", labels.len(), predictions.len())?;
    check_length("probabilities", probabilities.len(), predictions.len())?;
    let mut terms = Vec::with_capacity(predictions.len());
    for ((f, label), &p) in predictions.iter().zip(labels).zip(probabilities) {
        let Some(y) = label else {
            terms.push(*f);
            continue;
        };
        let inside = (1e-9..=1.0).contains(&p);
        check_parameter("probability", p, inside, "in 1e-9..=1 where there is a label")?;
        terms.push(f + (y - f) / p);
    }
    let n = terms.len();
    let estimate = at_least(1, n).map(|()| sums::mean(&terms));
    let standard_error = at_least(2, n).map(|()| (sums::variance(&terms) / n as f64).sqrt());
    Ok(WeightedMean {
        estimate,
        standard_error,
        interval: standard_error
            .and_then(|error| Ok(interval_around(estimate?, level.z_two_sided() * error))),
        labels: labels.iter().flatten().count(),
    })
}

/// One stratum to allocate labels to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// The units in it.
    pub size: u64,
    /// The standard deviation that is expected in it.
    pub sd: f64,
}

/// Returns how many labels each stratum should get, as real numbers.
///
/// Neyman: n_h ∝ N_h·max(s_h, floor), at least `minimum`, at most N_h. The sum may differ from the
/// budget where these bounds hold.
///
/// # Errors
/// [`InvalidInput`] if a standard deviation, the floor or the budget is negative.
///
/// # Source
/// Neyman (1934), JRSS 97, 558–625.
pub fn neyman_allocation(
    strata: &[Stratum],
    budget: f64,
    minimum: f64,
    sd_floor: f64,
) -> Result<Vec<f64>, InvalidInput> {
    check_parameter("budget", budget, budget >= 0.0, "at least 0")?;
    check_parameter("minimum", minimum, minimum >= 0.0, "at least 0")?;
    check_parameter("sd floor", sd_floor, sd_floor > 0.0, "above 0")?;
    for stratum in strata {
        check_parameter("sd", stratum.sd, stratum.sd >= 0.0, "at least 0")?;
    }
    let weight = |stratum: &Stratum| stratum.size as f64 * stratum.sd.max(sd_floor);
    let total = sums::sum(strata.iter().map(weight));
    let share = |stratum: &Stratum| if total > 0.0 { weight(stratum) / total } else { 0.0 };
    Ok(strata.iter().map(|s| (budget * share(s)).max(minimum).min(s.size as f64)).collect())
}

/// Returns the mean over strata that were sampled separately.
///
/// ΣW_h ȳ_h with W_h = N_h/N and the finite population correction 1 − n_h/N_h. `samples[h]` are the
/// labels of stratum h. The standard error needs two labels in each stratum that is not labelled
/// whole.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, lengths differ, or a stratum has more labels than units.
///
/// # Source
/// Cochran (1977), Sampling Techniques, §5.6.
pub fn stratified_mean(
    sizes: &[u64],
    samples: &[&[f64]],
    level: Level,
) -> Result<WeightedMean, InvalidInput> {
    check_length("samples", samples.len(), sizes.len())?;
    for (&size, sample) in sizes.iter().zip(samples) {
        check_values("samples", sample)?;
        let fits = sample.len() as u64 <= size;
        check_parameter("labels of a stratum", sample.len() as f64, fits, "at most its size")?;
    }
    let total = sums::sum(sizes.iter().map(|size| *size as f64));
    let strata = || sizes.iter().zip(samples).filter(|(size, _)| **size > 0);
    let labels = samples.iter().map(|sample| sample.len()).sum();
    let mut estimate =
        if total > 0.0 { Ok(0.0) } else { Err(Undefined::TooFew { needed: 1, found: 0 }) };
    let mut variance = estimate;
    for (&size, sample) in strata() {
        let weight = size as f64 / total;
        let n = sample.len();
        estimate =
            estimate.and_then(|sum| at_least(1, n).map(|()| sum + weight * sums::mean(sample)));
        let correction = 1.0 - n as f64 / size as f64;
        variance = variance.and_then(|sum| {
            if n as u64 == size {
                return Ok(sum);
            }
            at_least(2, n)?;
            Ok(sum + weight * weight * correction * sums::variance(sample) / n as f64)
        });
    }
    let standard_error = variance.map(f64::sqrt);
    Ok(WeightedMean {
        estimate,
        standard_error,
        interval: standard_error
            .and_then(|error| Ok(interval_around(estimate?, level.z_two_sided() * error))),
        labels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelling_everything_gives_the_mean_of_the_labels() {
        let labels = [Some(1.0), Some(0.0), Some(1.0), Some(1.0)];
        let result = active_mean(&[0.2; 4], &labels, &[1.0; 4], Level::P95).unwrap();
        assert!((result.estimate.unwrap() - 0.75).abs() < 1e-12);
    }

    #[test]
    fn draws_follow_their_probabilities() {
        let drawn = draw_labelled(&vec![0.25; 20_000], 5).unwrap();
        let share = drawn.iter().filter(|d| **d).count() as f64 / 20_000.0;
        assert!((share - 0.25).abs() < 0.015, "{share}");
    }

    #[test]
    fn a_stratum_without_labels_leaves_the_mean_open() {
        let result = stratified_mean(&[10, 10], &[&[1.0, 0.0], &[]], Level::P95).unwrap();
        assert!(result.estimate.is_err());
    }
}
