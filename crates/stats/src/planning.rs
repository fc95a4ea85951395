//! S4, second half: how many units a question needs, and what a number of units can show.

use crate::error::{Defined, InvalidInput, Undefined, check_parameter};
use crate::level::Level;
use crate::special;

/// What a paired comparison of means is planned on, in squared units of the score.
///
/// The variance of one unit's difference is ω² + σ²_A/K_A + σ²_B/K_B.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDesign {
    /// ω², the variance of the units' true differences.
    pub difference_variance: f64,
    /// σ²_A, the variance between samples of one unit under a.
    pub within_variance_a: f64,
    /// σ²_B, the same under b.
    pub within_variance_b: f64,
    /// K_A, the samples of each unit under a.
    pub samples_a: u32,
    /// K_B, the samples of each unit under b.
    pub samples_b: u32,
}

impl PairedDesign {
    /// Returns the variance of one unit's observed difference.
    fn variance(self) -> Result<f64, InvalidInput> {
        for (what, value) in [
            ("difference variance", self.difference_variance),
            ("within variance of a", self.within_variance_a),
            ("within variance of b", self.within_variance_b),
        ] {
            check_parameter(what, value, value >= 0.0, "at least 0")?;
        }
        for (what, samples) in [("samples of a", self.samples_a), ("samples of b", self.samples_b)]
        {
            check_parameter(what, f64::from(samples), samples > 0, "at least 1")?;
        }
        Ok(self.difference_variance
            + self.within_variance_a / f64::from(self.samples_a)
            + self.within_variance_b / f64::from(self.samples_b))
    }
}

/// Returns the number of units at which a true difference is found with the power.
///
/// (z_{1−α/2} + z_power)²(ω² + σ²_A/K_A + σ²_B/K_B)/δ², not rounded: take the ceiling, and
/// multiply by the design effect if the units come in clusters.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if a variance is negative, a count 0, the power not in (0, 1), or
/// the difference 0.
///
/// # Source
/// Miller (2024), arXiv 2411.00640, §5. Checked against statsmodels `NormalIndPower(ratio=0)`.
///
/// # Example
/// ω² = 1/9 without sampling noise, 3 points, 80 % power: 969 units.
/// ```
/// use stats::{Level, PairedDesign, sample_size_paired_mean};
/// let design = PairedDesign {
///     difference_variance: 1.0 / 9.0,
///     within_variance_a: 0.0,
///     within_variance_b: 0.0,
///     samples_a: 1,
///     samples_b: 1,
/// };
/// let n = sample_size_paired_mean(design, 0.03, 0.8, Level::P95)?;
/// assert!((n.ceil() - 969.0).abs() < 0.5);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn sample_size_paired_mean(
    design: PairedDesign,
    difference: f64,
    power: f64,
    level: Level,
) -> Result<f64, InvalidInput> {
    check_parameter("difference", difference, difference.abs() > 0.0, "not 0")?;
    let quantiles = quantile_sum(power, level)?;
    Ok(quantiles * quantiles * design.variance()? / (difference * difference))
}

/// Returns the smallest true difference that `units` pairs find with the power (the minimum
/// detectable effect), in the unit of the score.
///
/// (z_{1−α/2} + z_power)·√((ω² + σ²_A/K_A + σ²_B/K_B)/n).
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if a variance is negative, a count 0, or the power not in (0, 1).
///
/// # Source
/// Miller (2024), arXiv 2411.00640, §5.
pub fn smallest_detectable_difference(
    design: PairedDesign,
    units: u64,
    power: f64,
    level: Level,
) -> Result<f64, InvalidInput> {
    check_parameter("units", units as f64, units > 0, "at least 1")?;
    Ok(quantile_sum(power, level)? * (design.variance()? / units as f64).sqrt())
}

/// Returns the probability that the two-sided test of `units` pairs finds a true difference.
///
/// Φ(δ/SE − z) + Φ(−δ/SE − z) with z = z_{1−α/2}. Undefined where nothing varies.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if a variance is negative or a count 0.
///
/// # Source
/// Checked against statsmodels `NormalIndPower(ddof=0, ratio=0)`.
pub fn power_paired_mean(
    design: PairedDesign,
    difference: f64,
    units: u64,
    level: Level,
) -> Result<Defined<f64>, InvalidInput> {
    check_parameter("units", units as f64, units > 0, "at least 1")?;
    check_parameter("difference", difference, true, "a finite number")?;
    let variance = design.variance()? / units as f64;
    if variance <= 0.0 {
        return Ok(Err(Undefined::ZeroVariance));
    }
    let shift = difference / variance.sqrt();
    let z = level.z_two_sided();
    Ok(Ok(special::normal_upper(z - shift) + special::normal_upper(z + shift)))
}

/// Returns the number of pairs at which McNemar's test finds a true difference with the power.
///
/// (z_{1−α/2}√p_d + z_power√(p_d − δ²))²/δ², not rounded, where p_d is the share of pairs on which
/// both results differ. Undefined as [`Undefined::NotIdentifiable`] where |δ| > p_d, because a
/// difference cannot exceed the discordance.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if a share is not in range or the power not in (0, 1).
///
/// # Source
/// Connor (1987), Biometrics 43, 207–211.
pub fn sample_size_mcnemar(
    discordant_share: f64,
    difference: f64,
    power: f64,
    level: Level,
) -> Result<Defined<f64>, InvalidInput> {
    let share = discordant_share;
    check_parameter("discordant share", share, (0.0..=1.0).contains(&share), "in 0..=1")?;
    let size = difference.abs();
    check_parameter("difference", difference, size > 0.0 && size <= 1.0, "in -1..=1, not 0")?;
    let z_power = power_quantile(power)?;
    if size > share {
        return Ok(Err(Undefined::NotIdentifiable));
    }
    let spread = (share - size * size).max(0.0).sqrt();
    let root = (level.z_two_sided() * share.sqrt() + z_power * spread) / size;
    Ok(Ok(root * root))
}

/// Returns the number of pairs at which Tango's one-sided bound lies above −margin with the power, if
/// in truth as many pairs change for the better as for the worse.
///
/// n = (z_{1−α}√(2q̃ − δ(1 + δ)) + z_power√p_d)²/δ², where the first root is that of the variance under
/// the margin, whose q̃ depends on the discordant share p_d alone, and p_d is the variance in truth. Not
/// rounded: take the next whole number above. With a power of one half it is the number at which the
/// bound of evenly split changes passes the margin. `level` is one-sided. The counts are whole, so that
/// the true power lies up to 5 points below and 15 above where few discordant pairs are expected.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if the share is not in `0..=1`, the margin or the power not in `(0, 1)`,
/// or the level's confidence not above one half.
///
/// # Source
/// Nam (1997), Biometrics 53, 1422–1430, with the statistic of Tango (1998), Stat. Med. 17, 891–908.
///
/// # Example
/// Without a discordant pair 5 points need 52 pairs, whatever the power.
/// ```
/// use stats::{Level, sample_size_noninferiority_binary};
/// let n = sample_size_noninferiority_binary(0.0, 0.05, 0.8, Level::P95)?;
/// assert!(n > 51.0 && n < 52.0);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn sample_size_noninferiority_binary(
    discordant_share: f64,
    margin: f64,
    power: f64,
    level: Level,
) -> Result<f64, InvalidInput> {
    let share = discordant_share;
    check_parameter("discordant share", share, (0.0..=1.0).contains(&share), "in 0..=1")?;
    check_parameter("margin", margin, margin > 0.0 && margin < 1.0, "in 0..1, not 0")?;
    let z_power = power_quantile(power)?;
    let two_sided = level.two_sided_of_bound().ok_or(InvalidInput::OutOfRange {
        what: "confidence",
        value: level.confidence(),
        expected: "above 0.5",
    })?;
    // The quadratic of `tango_interval` at −δ with b = c = share·n/2, divided by n.
    let linear = share + 2.0 * margin;
    let constant = 0.5 * share * margin * (1.0 + margin);
    let q = ((linear * linear - 8.0 * constant).max(0.0).sqrt() + linear) / 4.0;
    let variance = (2.0 * q - margin * (1.0 + margin)).max(0.0);
    let root = two_sided.z_two_sided() * variance.sqrt() + z_power * share.sqrt();
    Ok((root.max(0.0) / margin).powi(2))
}

fn power_quantile(power: f64) -> Result<f64, InvalidInput> {
    let inside = (1e-12..=1.0 - 1e-12).contains(&power);
    check_parameter("power", power, inside, "between 0 and 1")?;
    Ok(special::normal_quantile(power))
}

fn quantile_sum(power: f64, level: Level) -> Result<f64, InvalidInput> {
    Ok(level.z_two_sided() + power_quantile(power)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: PairedDesign = PairedDesign {
        difference_variance: 1.0 / 9.0,
        within_variance_a: 0.0,
        within_variance_b: 0.0,
        samples_a: 1,
        samples_b: 1,
    };

    #[test]
    fn two_hundred_units_show_six_point_six_points() {
        let mde = smallest_detectable_difference(DESIGN, 200, 0.8, Level::P95).unwrap();
        assert!((mde - 0.066).abs() < 5e-4);
        let power = power_paired_mean(DESIGN, mde, 200, Level::P95).unwrap().unwrap();
        assert!((power - 0.8).abs() < 1e-4);
    }

    #[test]
    fn the_size_for_no_worse_is_where_the_bound_passes_the_margin() {
        // One change for the better and one for the worse in `every` pairs.
        for (every, margin) in [(None, 0.03), (Some(20_u64), 0.05), (Some(4), 0.1), (Some(3), 0.3)]
        {
            let share = every.map_or(0.0, |every| 2.0 / every as f64);
            let needed = sample_size_noninferiority_binary(share, margin, 0.5, Level::P95).unwrap();
            let passes = |pairs: u64| {
                let changed = every.map_or(0, |every| pairs / every);
                let both = pairs - 2 * changed;
                let counts =
                    crate::PairedCounts { both, a_only: changed, b_only: changed, neither: 0 };
                let test = crate::noninferiority_binary(counts, margin, Level::P95).unwrap();
                test.noninferior.unwrap()
            };
            for pairs in (1..400).map(|step| step * every.unwrap_or(1)) {
                assert_eq!(passes(pairs), pairs as f64 > needed, "{every:?} {margin} {pairs}");
            }
        }
    }

    #[test]
    fn the_power_of_a_size_for_no_worse_is_the_one_that_is_asked_for() {
        let mut random = crate::random::Draws::new(7, 0);
        for (share, margin) in [(0.01, 0.05), (0.02, 0.05), (0.04, 0.05), (0.1, 0.05), (0.05, 0.1)]
        {
            let asked = sample_size_noninferiority_binary(share, margin, 0.8, Level::P95).unwrap();
            let pairs = (1..10_000_u64).find(|pairs| *pairs as f64 > asked).unwrap();
            let passes = |_: &u32| {
                let (mut fixed, mut broke) = (0, 0);
                for _ in 0..pairs {
                    let drawn = random.unit();
                    fixed += u64::from(drawn < share / 2.0);
                    broke += u64::from(drawn > 1.0 - share / 2.0);
                }
                let both = pairs - fixed - broke;
                let counts = crate::PairedCounts { both, a_only: broke, b_only: fixed, neither: 0 };
                let test = crate::noninferiority_binary(counts, margin, Level::P95).unwrap();
                test.noninferior.unwrap()
            };
            let power = (0..4_000_u32).filter(passes).count() as f64 / 4_000.0;
            assert!((0.73..0.88).contains(&power), "{share} {margin} {pairs}: {power}");
        }
    }

    #[test]
    fn a_difference_beyond_the_discordance_cannot_be_planned() {
        assert_eq!(
            sample_size_mcnemar(0.05, 0.1, 0.8, Level::P95),
            Ok(Err(Undefined::NotIdentifiable))
        );
    }
}
