//! S15: do stated confidences come true?

use crate::error::{Defined, InvalidInput, at_least, check_between, check_length};
use crate::random::Draws;
use crate::ranks::ascending;
use crate::sums;

/// One bin of confidences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The number of the bin, from 0.
    pub bin: usize,
    /// The answers in it.
    pub count: usize,
    /// Their mean confidence.
    pub mean_confidence: f64,
    /// The share that is correct.
    pub correct_share: f64,
}

/// How far confidences are from what comes true; shares in `[0, 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Σ(n_b/n)·|confidence − correct|, the expected calibration error. Biased upward below some
    /// 200 answers: compare it with [`calibration_error_by_chance`].
    pub expected_error: Defined<f64>,
    /// The largest of the gaps.
    pub maximum_error: Defined<f64>,
    /// The mean of (confidence − correct)².
    pub brier: Defined<f64>,
    /// The bins that are not empty.
    pub bins: Vec<CalibrationBin>,
}

/// How confidences are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binning {
    /// Bins of equal width: bin ⌊confidence·B⌋, 1 in the last.
    EqualWidth,
    /// Bins of equal size in ascending order; the first n mod B hold one more. For confidences that
    /// pile up at a few values.
    EqualMass,
}

/// Returns the calibration of confidences in `[0, 1]` against what was correct.
///
/// n log n.
///
/// # Errors
/// [`InvalidInput`] if a confidence is not in `[0, 1]`, the lengths differ, or there is no bin.
///
/// # Source
/// Naeini, Cooper and Hauskrecht (2015), AAAI; Brier (1950), Mon. Weather Rev. 78, 1–3. Checked
/// against netcal and scikit-learn.
pub fn calibration(
    confidences: &[f64],
    correct: &[bool],
    bins: usize,
    binning: Binning,
) -> Result<Calibration, InvalidInput> {
    check_between("confidence", confidences, (0.0, 1.0), "in 0..=1")?;
    check_length("correct", correct.len(), confidences.len())?;
    check_bins(bins)?;
    let n = confidences.len();
    let outcomes: Vec<f64> = correct.iter().map(|c| f64::from(u8::from(*c))).collect();
    let bins: Vec<CalibrationBin> = members(confidences, bins, binning)
        .into_iter()
        .enumerate()
        .filter(|(_, members)| !members.is_empty())
        .map(|(bin, members)| {
            let mean = |values: &[f64]| {
                sums::sum(members.iter().map(|&i| values[i])) / members.len() as f64
            };
            CalibrationBin {
                bin,
                count: members.len(),
                mean_confidence: mean(confidences),
                correct_share: mean(&outcomes),
            }
        })
        .collect();
    let gap = |bin: &CalibrationBin| (bin.mean_confidence - bin.correct_share).abs();
    let one = at_least(1, n);
    Ok(Calibration {
        expected_error: one
            .map(|()| sums::sum(bins.iter().map(|bin| bin.count as f64 / n as f64 * gap(bin)))),
        maximum_error: one.map(|()| bins.iter().map(gap).fold(0.0, f64::max)),
        brier: one.map(|()| {
            sums::sum(confidences.iter().zip(&outcomes).map(|(p, y)| (p - y) * (p - y))) / n as f64
        }),
        bins,
    })
}

/// Returns the mean calibration error that these confidences would show if they were perfect.
///
/// `draws` times, each answer is made correct with exactly its confidence; 200 draws are enough to
/// see whether an observed error is more than noise. draws · n log n.
///
/// # Errors
/// [`InvalidInput`] as [`calibration`], or if `draws` is 0.
///
/// # Source
/// Bröcker and Smith (2007), Weather Forecast. 22, 651–661 (consistency resampling).
pub fn calibration_error_by_chance(
    confidences: &[f64],
    bins: usize,
    binning: Binning,
    draws: usize,
    seed: u64,
) -> Result<Defined<f64>, InvalidInput> {
    crate::error::check_parameter("draws", draws as f64, draws > 0, "at least 1")?;
    let mut errors = Vec::with_capacity(draws);
    for chunk in 0..draws {
        let mut random = Draws::new(seed, chunk as u64);
        let correct: Vec<bool> = confidences.iter().map(|p| random.unit() < *p).collect();
        match calibration(confidences, &correct, bins, binning)?.expected_error {
            Ok(error) => errors.push(error),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(sums::mean(&errors)))
}

fn check_bins(bins: usize) -> Result<(), InvalidInput> {
    crate::error::check_parameter("bins", bins as f64, (1..=10_000).contains(&bins), "in 1..=10000")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a confidence times the bins lies in 0..=10000"
)]
fn members(confidences: &[f64], bins: usize, binning: Binning) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); bins];
    match binning {
        Binning::EqualWidth => {
            for (i, confidence) in confidences.iter().enumerate() {
                members[((confidence * bins as f64) as usize).min(bins - 1)].push(i);
            }
        }
        Binning::EqualMass => {
            let order = ascending(confidences);
            let (size, more) = (order.len() / bins, order.len() % bins);
            let mut rest = order.as_slice();
            for (bin, members) in members.iter_mut().enumerate() {
                let (head, tail) = rest.split_at(size + usize::from(bin < more));
                *members = head.to_vec();
                rest = tail;
            }
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_perfect_confidences_show_an_error_in_few_answers() {
        let confidences = [0.6; 40];
        let chance =
            calibration_error_by_chance(&confidences, 10, Binning::EqualWidth, 200, 3).unwrap();
        assert!((0.02..0.15).contains(&chance.unwrap()));
    }
}
