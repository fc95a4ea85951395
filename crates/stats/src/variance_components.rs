//! S4, first half: how much of a mean's uncertainty comes from repeating a measurement, and how much
//! from the units differing.

use crate::error::{Defined, InvalidInput, Undefined, at_least, check_count, check_values};
use crate::sums;

/// The split of the variance of a mean over units with repeated samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceComponents {
    /// The number of units.
    pub units: usize,
    /// The mean of the unit means.
    pub mean: Defined<f64>,
    /// The standard error of the mean, from the unit means alone; needs two units.
    pub standard_error: Defined<f64>,
    /// σ²_within = MSW, the variance between samples of one unit; needs a unit with two samples.
    pub within: Defined<f64>,
    /// (MSB − MSW)/K, which may come out negative.
    pub between_raw: Defined<f64>,
    /// σ²_between, the variance of the units' true means: the raw value, at least 0.
    pub between: Defined<f64>,
    /// ICC(1) = (MSB − MSW)/(MSB + (K − 1)·MSW): how alike the samples of one unit are.
    pub intraclass_correlation: Defined<f64>,
    /// MSW/MSB, the share of the squared standard error that more samples would remove; above 1 where
    /// the units differ even less than noise alone would make them. Above ½ add samples, else units.
    pub within_share: Defined<f64>,
    /// The standard error that endless samples of the same units would leave.
    pub standard_error_without_noise: Defined<f64>,
    /// The units have different numbers of samples: K is their harmonic mean and the split
    /// approximate.
    pub approximate: bool,
}

/// Splits the variance of a mean over units into sampling noise and differences of the units.
///
/// One-way random effects: `scores[i]` are the samples of unit i, at least one each. With K samples
/// each, MSB = K·var(unit means) and MSW the mean variance within units; SE² = MSB/(nK).
/// With unequal K the within variance is pooled by Σ(Kᵢ − 1)sᵢ²/Σ(Kᵢ − 1) and K is the harmonic
/// mean. Linear in the number of samples.
///
/// # Errors
/// [`InvalidInput`] if a score is not finite, a unit has no sample, or there are too many.
///
/// # Source
/// Searle, Casella and McCulloch (1992), Variance Components, §3.6; Miller (2024), arXiv
/// 2411.00640. Checked against scipy `f_oneway`.
pub fn variance_components(scores: &[&[f64]]) -> Result<VarianceComponents, InvalidInput> {
    check_count("units", scores.len(), crate::error::MOST_VALUES)?;
    for samples in scores {
        check_values("scores", samples)?;
        if samples.is_empty() {
            return Err(InvalidInput::OutOfRange {
                what: "samples of a unit",
                value: 0.0,
                expected: "at least one",
            });
        }
    }
    let units = scores.len();
    let means: Vec<f64> = scores.iter().map(|samples| sums::mean(samples)).collect();
    let variance_of_means = at_least(2, units).map(|()| sums::variance(&means));
    let within = pooled_within(scores);
    let samples = harmonic_mean_count(scores);
    let split =
        variance_of_means.and_then(|of_means| Ok(Split { of_means, within: within?, samples }));
    let n = units as f64;
    Ok(VarianceComponents {
        units,
        mean: at_least(1, units).map(|()| sums::mean(&means)),
        standard_error: variance_of_means.map(|variance| (variance / n).sqrt()),
        within,
        between_raw: split.map(Split::between_raw),
        between: split.map(|split| split.between_raw().max(0.0)),
        intraclass_correlation: split.and_then(Split::intraclass_correlation),
        within_share: split.and_then(Split::within_share),
        standard_error_without_noise: split.map(|split| (split.between_raw().max(0.0) / n).sqrt()),
        approximate: scores.windows(2).any(|pair| pair[0].len() != pair[1].len()),
    })
}

#[derive(Clone, Copy)]
struct Split {
    /// The variance of the unit means, MSB/K.
    of_means: f64,
    /// MSW.
    within: f64,
    /// K.
    samples: f64,
}

impl Split {
    fn between_raw(self) -> f64 {
        self.of_means - self.within / self.samples
    }

    fn intraclass_correlation(self) -> Defined<f64> {
        let between = self.samples * self.of_means;
        let total = between + (self.samples - 1.0) * self.within;
        if total > 0.0 { Ok((between - self.within) / total) } else { Err(Undefined::ZeroVariance) }
    }

    fn within_share(self) -> Defined<f64> {
        let between = self.samples * self.of_means;
        if between > 0.0 { Ok(self.within / between) } else { Err(Undefined::ZeroVariance) }
    }
}

fn pooled_within(scores: &[&[f64]]) -> Defined<f64> {
    let freedom: usize = scores.iter().map(|samples| samples.len() - 1).sum();
    if freedom == 0 {
        return Err(Undefined::NotIdentifiable);
    }
    let squares = sums::sum(
        scores
            .iter()
            .filter(|samples| samples.len() > 1)
            .map(|samples| sums::variance(samples) * (samples.len() as f64 - 1.0)),
    );
    Ok(squares / freedom as f64)
}

fn harmonic_mean_count(scores: &[&[f64]]) -> f64 {
    scores.len() as f64 / sums::sum(scores.iter().map(|samples| 1.0 / samples.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_each_says_nothing_of_sampling_noise() {
        let result = variance_components(&[&[1.0], &[0.0], &[1.0]]).unwrap();
        assert!(result.standard_error.is_ok());
        assert_eq!(result.within, Err(Undefined::NotIdentifiable));
    }

    #[test]
    fn unequal_numbers_of_samples_are_marked() {
        let result = variance_components(&[&[1.0, 0.0], &[0.0], &[1.0, 1.0, 0.0]]).unwrap();
        assert!(result.approximate && result.within.is_ok());
    }
}
