//! S8: many tests at once.

use crate::error::{InvalidInput, check_count};
use crate::level::Level;

/// The largest number of p-values.
const MOST_TESTS: usize = 100_000;

/// p-values corrected for their number, in the order of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustedTests {
    /// The corrected p-values (q-values for the false-discovery methods), `None` where a test gave
    /// none.
    pub adjusted: Vec<Option<f64>>,
    /// Whether the test is rejected; `false` where there was none.
    pub rejected: Vec<bool>,
    /// The number of tests that were counted.
    pub tested: usize,
}

/// Corrects p-values so that the chance of even one false rejection is at most α (Holm).
///
/// adj₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1)·p₍ⱼ₎). A test without a p-value (`None`) is left
/// out of m. n log n.
///
/// # Errors
/// [`InvalidInput`] if a p-value is not in `[0, 1]` or there are more than 100,000.
///
/// # Source
/// Holm (1979), Scand. J. Stat. 6, 65–70. Checked against statsmodels `multipletests("holm")`.
pub fn holm(p_values: &[Option<f64>], level: Level) -> Result<AdjustedTests, InvalidInput> {
    let sorted = sorted(p_values)?;
    let m = sorted.len();
    let mut largest = 0.0_f64;
    let adjusted = sorted.into_iter().enumerate().map(|(rank, (position, p))| {
        largest = largest.max(((m - rank) as f64 * p).min(1.0));
        (position, largest)
    });
    Ok(in_input_order(p_values.len(), adjusted.collect(), level))
}

/// Corrects p-values so that the expected share of false ones among the rejections is at most α
/// (Benjamini–Hochberg), for independent or positively dependent tests.
///
/// adj₍ᵢ₎ = min over j ≥ i of min(1, m·p₍ⱼ₎/j). A test without a p-value is left out of m.
/// n log n.
///
/// # Errors
/// [`InvalidInput`] if a p-value is not in `[0, 1]` or there are more than 100,000.
///
/// # Source
/// Benjamini and Hochberg (1995), JRSS-B 57, 289–300. Checked against statsmodels
/// `multipletests("fdr_bh")`.
pub fn benjamini_hochberg(
    p_values: &[Option<f64>],
    level: Level,
) -> Result<AdjustedTests, InvalidInput> {
    step_up(p_values, level, |_| 1.0)
}

/// Corrects p-values as [`benjamini_hochberg`] does, for tests of any dependence
/// (Benjamini–Yekutieli).
///
/// The adjusted values are larger by H_m = 1 + ½ + … + 1/m, at most 1.
///
/// # Errors
/// [`InvalidInput`] if a p-value is not in `[0, 1]` or there are more than 100,000.
///
/// # Source
/// Benjamini and Yekutieli (2001), Ann. Stat. 29, 1165–1188. Checked against statsmodels
/// `multipletests("fdr_by")`.
pub fn benjamini_yekutieli(
    p_values: &[Option<f64>],
    level: Level,
) -> Result<AdjustedTests, InvalidInput> {
    step_up(p_values, level, |m| crate::sums::sum((1..=m).map(|j| 1.0 / j as f64)))
}

/// Returns the level of intervals that belong to rejections at false-discovery rate α.
///
/// 1 − α·R/m for R rejections of m tests, so that on average at most a share α of the reported
/// intervals misses its value. `None` without a rejection: there is nothing to report.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if there are more rejections than tests.
///
/// # Source
/// Benjamini and Yekutieli (2005), JASA 100, 71–81.
pub fn false_coverage_level(
    rejected: usize,
    tested: usize,
    level: Level,
) -> Result<Option<Level>, InvalidInput> {
    if rejected > tested {
        return Err(InvalidInput::OutOfRange {
            what: "rejected",
            value: rejected as f64,
            expected: "at most the number of tests",
        });
    }
    if rejected == 0 {
        return Ok(None);
    }
    Level::of_alpha(level.alpha() * rejected as f64 / tested as f64).map(Some)
}

fn step_up(
    p_values: &[Option<f64>],
    level: Level,
    penalty: impl Fn(usize) -> f64,
) -> Result<AdjustedTests, InvalidInput> {
    let sorted = sorted(p_values)?;
    let m = sorted.len();
    let penalty = penalty(m);
    let mut smallest = 1.0_f64;
    let adjusted = sorted.into_iter().enumerate().rev().map(|(rank, (position, p))| {
        // m/j is exactly 1 for the largest p-value, which so keeps its digits.
        smallest = smallest.min(m as f64 / (rank as f64 + 1.0) * p * penalty);
        (position, smallest)
    });
    Ok(in_input_order(p_values.len(), adjusted.collect(), level))
}

/// Returns the p-values that are there with their positions, ascending.
fn sorted(p_values: &[Option<f64>]) -> Result<Vec<(usize, f64)>, InvalidInput> {
    check_count("p-values", p_values.len(), MOST_TESTS)?;
    let mut found = Vec::with_capacity(p_values.len());
    for (position, p) in p_values.iter().enumerate() {
        let Some(p) = *p else { continue };
        if !(0.0..=1.0).contains(&p) {
            return Err(InvalidInput::OutOfRange {
                what: "p-value",
                value: p,
                expected: "in 0..=1",
            });
        }
        found.push((position, p));
    }
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    Ok(found)
}

fn in_input_order(count: usize, tests: Vec<(usize, f64)>, level: Level) -> AdjustedTests {
    let tested = tests.len();
    let mut adjusted = vec![None; count];
    let mut rejected = vec![false; count];
    for (position, p) in tests {
        adjusted[position] = Some(p);
        // A p-value that meets α in decimals must not miss it by the rounding of a product.
        rejected[position] = p <= level.alpha() * (1.0 + 1e-12);
    }
    AdjustedTests { adjusted, rejected, tested }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_without_a_p_value_is_not_counted() {
        let result = holm(&[Some(0.02), None, Some(0.03)], Level::P95).unwrap();
        assert_eq!(result.tested, 2);
        assert_eq!(result.adjusted, [Some(0.04), None, Some(0.04)]);
        assert_eq!(result.rejected, [true, false, true]);
    }

    #[test]
    fn intervals_of_few_rejections_are_wider() {
        let level = false_coverage_level(3, 24, Level::P95).unwrap().unwrap();
        assert!((level.alpha() - 0.00625).abs() < 1e-12);
        assert_eq!(false_coverage_level(0, 24, Level::P95), Ok(None));
    }
}
