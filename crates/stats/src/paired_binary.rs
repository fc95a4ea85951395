//! S5: two yes-or-no results of the same units: the paired 2×2 square.
//!
//! Valid with one result per unit and independent units. Several results of a unit are averaged
//! and go to [`crate::paired_difference`], clusters to [`crate::clustered_paired_difference`].

use values::Interval;

use crate::error::{Defined, InvalidInput, Undefined, check_parameter};
use crate::level::{Level, interval};
use crate::proportion::wilson_ends;
use crate::root::decreasing_root;
use crate::special;

/// The paired square: how many units passed under a, under b, under both or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairedCounts {
    /// Passed under a and under b.
    pub both: u64,
    /// Passed under a only.
    pub a_only: u64,
    /// Passed under b only.
    pub b_only: u64,
    /// Passed under neither.
    pub neither: u64,
}

/// The largest sum of a [`PairedCounts`].
const MOST_PAIRS: u64 = 1 << 52;

impl PairedCounts {
    /// Counts pairs of results; `a[i]` and `b[i]` belong to the same unit.
    ///
    /// # Errors
    /// [`InvalidInput::Length`] if the lengths differ.
    pub fn of(a: &[bool], b: &[bool]) -> Result<Self, InvalidInput> {
        crate::error::check_length("b", b.len(), a.len())?;
        let count =
            |kind: (bool, bool)| a.iter().zip(b).filter(|(a, b)| (**a, **b) == kind).count() as u64;
        Ok(Self {
            both: count((true, true)),
            a_only: count((true, false)),
            b_only: count((false, true)),
            neither: count((false, false)),
        })
    }

    /// Returns the number of pairs.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`] if they are more than 2⁵², which an `f64` counts exactly.
    pub fn total(self) -> Result<u64, InvalidInput> {
        let total = u128::from(self.both)
            + u128::from(self.a_only)
            + u128::from(self.b_only)
            + u128::from(self.neither);
        match u64::try_from(total) {
            Ok(total) if total <= MOST_PAIRS => Ok(total),
            _ => Err(InvalidInput::OutOfRange {
                what: "pairs",
                value: total as f64,
                expected: "at most 2^52",
            }),
        }
    }

    /// Returns the square with a and b swapped.
    pub fn swapped(self) -> Self {
        Self { a_only: self.b_only, b_only: self.a_only, ..self }
    }

    /// Returns (b_only − a_only)/n, a share in `[-1, 1]`.
    pub(crate) fn difference(self) -> Result<Defined<f64>, InvalidInput> {
        let total = self.total()?;
        if total == 0 {
            return Ok(Err(Undefined::TooFew { needed: 1, found: 0 }));
        }
        Ok(Ok((self.b_only as f64 - self.a_only as f64) / total as f64))
    }
}

/// A difference of two paired proportions, b − a, a share in `[-1, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionDifference {
    /// (b_only − a_only)/n; needs one pair.
    pub difference: Defined<f64>,
    /// The two-sided interval, within `[-1, 1]`.
    pub interval: Defined<Interval>,
}

/// McNemar's tests of "b passes as often as a", two-sided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// (b_only − a_only)/n; needs one pair.
    pub difference: Defined<f64>,
    /// a_only + b_only: only these pairs say anything about the difference.
    pub discordant: u64,
    /// The exact binomial p-value; too conservative for a default.
    pub exact_p: f64,
    /// The mid-p value: exact minus the probability of the observed split. The default.
    pub mid_p: f64,
    /// (b_only − a_only)²/(a_only + b_only).
    pub chi_square: Defined<f64>,
    /// The p-value of [`McNemar::chi_square`].
    pub chi_square_p: Defined<f64>,
    /// (|b_only − a_only| − 1)²/(a_only + b_only), Edwards' correction.
    pub corrected_chi_square: Defined<f64>,
    /// The p-value of [`McNemar::corrected_chi_square`].
    pub corrected_chi_square_p: Defined<f64>,
}

/// Returns McNemar's tests of a paired square.
///
/// With m = a_only + b_only and k the smaller of both: exact p = min(1, 2·P(X ≤ k)) for
/// X ~ Binomial(m, ½); mid-p = exact − P(X = k), or 1 − P(X = k)/2 if the counts are equal; both
/// are 1 if m = 0, where the χ² statistics are undefined.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if the counts are too large.
///
/// # Source
/// McNemar (1947), Psychometrika 12, 153–157; Fagerland, Lydersen and Laake (2013), BMC Med. Res.
/// Methodol. 13:91. Checked against statsmodels `mcnemar`.
pub fn mcnemar(counts: PairedCounts) -> Result<McNemar, InvalidInput> {
    let difference = counts.difference()?;
    let discordant = counts.a_only + counts.b_only;
    let smaller = counts.a_only.min(counts.b_only);
    let (exact_p, mid_p) = if discordant == 0 {
        (1.0, 1.0)
    } else {
        let point = special::binomial_term(smaller as f64, discordant as f64, 0.5, 0.5);
        let exact = special::sign_test_p(smaller, discordant);
        let equal = counts.a_only == counts.b_only;
        (exact, if equal { 1.0 - 0.5 * point } else { (exact - point).max(0.0) })
    };
    let gap = (counts.b_only as f64 - counts.a_only as f64).abs();
    let chi_square = |gap: f64| {
        if discordant == 0 {
            Err(Undefined::ZeroDenominator)
        } else {
            Ok(gap * gap / discordant as f64)
        }
    };
    let p_of = |statistic: Defined<f64>| statistic.map(|x| special::normal_both(x.sqrt()));
    Ok(McNemar {
        difference,
        discordant,
        exact_p,
        mid_p,
        chi_square: chi_square(gap),
        chi_square_p: p_of(chi_square(gap)),
        corrected_chi_square: chi_square(gap - 1.0),
        corrected_chi_square_p: p_of(chi_square(gap - 1.0)),
    })
}

/// Returns Newcombe's interval of the difference of two paired proportions (method 10).
///
/// Wilson limits of both margins, put together by squares with the correlation φ̂ of the square,
/// its numerator corrected for continuity. An alternative to [`tango_interval`].
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if the counts are too large.
///
/// # Source
/// Newcombe (1998), Stat. Med. 17, 2635–2650, method 10. Checked against the table of Bentur in
/// Fagerland, Lydersen and Laake (2014), Stat. Med. 33, 2850–2875 (−0.507 to −0.026).
pub fn newcombe_paired_interval(
    counts: PairedCounts,
    level: Level,
) -> Result<ProportionDifference, InvalidInput> {
    let difference = counts.difference()?;
    let delta = match difference {
        Ok(delta) => delta,
        Err(reason) => return Ok(ProportionDifference { difference, interval: Err(reason) }),
    };
    let n = counts.total()? as f64;
    let z = level.z_two_sided();
    let passed_a = (counts.both + counts.a_only) as f64;
    let passed_b = (counts.both + counts.b_only) as f64;
    let (low_a, high_a) = wilson_ends(passed_a / n, n, z);
    let (low_b, high_b) = wilson_ends(passed_b / n, n, z);
    let phi = corrected_phi(counts, n, passed_a, passed_b);
    let (p_a, p_b) = (passed_a / n, passed_b / n);
    let joined = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    let low = delta - joined(p_b - low_b, high_a - p_a);
    let high = delta + joined(p_a - low_a, high_b - p_b);
    Ok(ProportionDifference {
        difference,
        interval: Ok(interval(low.clamp(-1.0, 1.0), high.clamp(-1.0, 1.0))),
    })
}

/// Returns φ̂ with Newcombe's continuity correction; 0 if a margin is empty.
fn corrected_phi(counts: PairedCounts, n: f64, passed_a: f64, passed_b: f64) -> f64 {
    let margins = passed_a * (n - passed_a) * passed_b * (n - passed_b);
    if margins <= 0.0 {
        return 0.0;
    }
    let product =
        counts.both as f64 * counts.neither as f64 - counts.a_only as f64 * counts.b_only as f64;
    let corrected = if product > 0.0 { (product - n / 2.0).max(0.0) } else { product };
    corrected / margins.sqrt()
}

/// Returns Tango's score interval of the difference of two paired proportions.
///
/// All δ with |T(δ)| ≤ z, where T(δ) = (c − b − nδ)/√(n(2q̃ + δ(1 − δ))) for b = a_only and
/// c = b_only, and q̃ is the maximum-likelihood estimate under δ: the larger root of
/// 2n·q² + (−b − c + (2n − (c − b))δ)·q − bδ(1 − δ) = 0. T falls in δ, so each end is one root.
/// The default for paired results: it keeps its coverage for small n and for no discordant pairs.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if the counts are too large.
///
/// # Source
/// Tango (1998), Stat. Med. 17, 891–908. Checked against Fagerland, Lydersen and Laake (2014)
/// (Bentur: −0.517 to −0.026).
///
/// # Example
/// 12 gained, 4 lost of 200: +4 points, about 0.1 to 8.5.
/// ```
/// use stats::{Level, PairedCounts, tango_interval};
/// let counts = PairedCounts { both: 150, a_only: 4, b_only: 12, neither: 34 };
/// let interval = tango_interval(counts, Level::P95)?.interval.unwrap();
/// assert!((interval.low() - 0.001).abs() < 5e-4 && (interval.high() - 0.085).abs() < 2e-3);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn tango_interval(
    counts: PairedCounts,
    level: Level,
) -> Result<ProportionDifference, InvalidInput> {
    let difference = counts.difference()?;
    let interval = difference.map(|delta| {
        let z = level.z_two_sided();
        // T falls from +∞ at −1 to −∞ at 1 wherever these ends are not themselves the estimate.
        let low = decreasing_root(|d| score(counts, d) - z, -1.0, delta, 1e-13);
        let high = decreasing_root(|d| score(counts, d) + z, delta, 1.0, 1e-13);
        interval(low.min(delta), high.max(delta))
    });
    Ok(ProportionDifference { difference, interval })
}

/// The score test of "b − a ≤ −margin".
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScoreTest {
    pub(crate) z: f64,
    pub(crate) p_value: f64,
}

/// Tests δ ≤ −margin with Tango's score statistic; `counts` are not empty.
pub(crate) fn score_test(counts: PairedCounts, margin: f64) -> Result<ScoreTest, InvalidInput> {
    check_parameter("margin", margin, (0.0..1.0).contains(&margin), "in 0..1")?;
    let z = score(counts, -margin);
    Ok(ScoreTest { z, p_value: special::normal_upper(z) })
}

/// Returns T(δ); infinite only at the ends −1 and 1.
fn score(counts: PairedCounts, delta: f64) -> f64 {
    let (b, c) = (counts.a_only as f64, counts.b_only as f64);
    let n = b + c + (counts.both + counts.neither) as f64;
    let numerator = c - b - n * delta;
    let linear = -b - c + (2.0 * n - (c - b)) * delta;
    let constant = -b * delta * (1.0 - delta);
    let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
    let q = (root - linear) / (4.0 * n);
    let variance = n * (2.0 * q + delta * (1.0 - delta));
    if variance > 0.0 {
        numerator / variance.sqrt()
    } else if numerator > 0.0 {
        f64::INFINITY
    } else if numerator < 0.0 {
        f64::NEG_INFINITY
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_discordant_pair_is_still_uncertain() {
        let counts = PairedCounts { both: 15, a_only: 0, b_only: 0, neither: 0 };
        let interval = tango_interval(counts, Level::P90).unwrap().interval.unwrap();
        assert!((interval.low() + 0.153).abs() < 5e-4, "{interval:?}");
    }

    #[test]
    fn published_intervals_of_bentur_are_reproduced() {
        let counts = PairedCounts { both: 1, a_only: 7, b_only: 1, neither: 12 };
        let newcombe = newcombe_paired_interval(counts, Level::P95).unwrap().interval.unwrap();
        let tango = tango_interval(counts, Level::P95).unwrap().interval.unwrap();
        for (got, expected) in [
            (newcombe.low(), -0.507),
            (newcombe.high(), -0.026),
            (tango.low(), -0.517),
            (tango.high(), -0.026),
        ] {
            assert!((got - expected).abs() < 6e-4, "{got} is not {expected}");
        }
    }

    #[test]
    fn an_empty_square_has_no_difference() {
        let empty = PairedCounts { both: 0, a_only: 0, b_only: 0, neither: 0 };
        assert!(tango_interval(empty, Level::P95).unwrap().interval.is_err());
        assert!(mcnemar(empty).unwrap().difference.is_err());
    }
}
