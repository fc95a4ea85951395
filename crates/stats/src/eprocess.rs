//! S10, first half: evidence that may be looked at after every observation.
//!
//! A test of fixed size that is looked at repeatedly rejects a true null in a third of all cases;
//! an e-process keeps its error at every stopping time.

use crate::error::{InvalidInput, check_between, check_parameter};
use crate::level::Level;

/// The bounds of the observations, which a betting method must know beforehand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    low: f64,
    high: f64,
}

impl Bounds {
    /// The bounds of a difference of shares, −1 to 1.
    pub const DIFFERENCE: Self = Self { low: -1.0, high: 1.0 };

    /// Makes bounds.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`] if they are not finite or `low` is not below `high`.
    pub fn new(low: f64, high: f64) -> Result<Self, InvalidInput> {
        check_parameter("lower bound", low, true, "a finite number")?;
        check_parameter("upper bound", high, high > low, "above the lower bound")?;
        Ok(Self { low, high })
    }

    /// Returns the lower bound.
    pub fn low(self) -> f64 {
        self.low
    }

    /// Returns the upper bound.
    pub fn high(self) -> f64 {
        self.high
    }

    /// Returns the place of a value between the bounds, a share.
    pub(crate) fn share_of(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Returns the value at a share.
    pub(crate) fn at_share(self, share: f64) -> f64 {
        self.low + share * (self.high - self.low)
    }

    pub(crate) fn check(self, values: &[f64]) -> Result<(), InvalidInput> {
        check_between("observation", values, (self.low, self.high), "within the bounds")
    }
}

/// What an e-process collects evidence for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Against "the mean is at most the null", for a larger one.
    Greater,
    /// Against "the mean is at least the null", for a smaller one.
    Less,
}

/// The course of an e-process.
#[derive(Debug, Clone, PartialEq)]
pub struct EProcess {
    /// ln E after each observation.
    pub log_e: Vec<f64>,
    /// How many observations it took until E ≥ 1/α for the first time, from 1.
    pub first_crossing: Option<usize>,
    /// min(1, 1/max E), a p-value that holds at any stopping time.
    pub anytime_p: f64,
}

/// The largest share of the wealth that may be lost in one bet.
pub(crate) const TRUNCATION: f64 = 0.5;

/// Bets that are made from the past alone: the plug-in for one more observation.
///
/// With shares x, μ̂_t = min(1, (½ + Σx)/(t + 1)), σ̂²_t = (¼ + Σ(xᵢ − μ̂ᵢ)²)/(t + 1), σ̂²₀ = ¼, the
/// bet is λ_t = √(2·ln(1/α)/(t·ln(1 + t)·σ̂²_{t−1})).
#[derive(Debug, Clone)]
pub(crate) struct Bets {
    log_inverse_alpha: f64,
    seen: f64,
    sum: f64,
    squares: f64,
}

impl Bets {
    pub(crate) fn new(alpha: f64) -> Self {
        Self { log_inverse_alpha: -alpha.ln(), seen: 0.0, sum: 0.0, squares: 0.25 }
    }

    /// Returns the next bet, before its observation is seen.
    pub(crate) fn next(&self) -> f64 {
        let t = self.seen + 1.0;
        let variance = self.squares / t;
        (2.0 * self.log_inverse_alpha / (t * t.ln_1p() * variance)).sqrt()
    }

    pub(crate) fn see(&mut self, x: f64) {
        self.seen += 1.0;
        self.sum += x;
        let mean = ((0.5 + self.sum) / (self.seen + 1.0)).min(1.0);
        self.squares += (x - mean) * (x - mean);
    }
}

/// Returns ln(1 + λ(x − m)) with λ cut at ½/m: evidence for a mean above m.
pub(crate) fn gain_above(bet: f64, x: f64, m: f64) -> f64 {
    let bet = if m > 0.0 { bet.min(TRUNCATION / m) } else { bet };
    (bet * (x - m)).ln_1p()
}

/// Runs the betting e-process of a bounded mean against one null value.
///
/// Observations become shares x of their bounds, the null m. E_t = Π(1 + λ(x − m)) with the bets of
/// predictable plug-in, cut at ½/m ([`Direction::Less`] mirrors). E stays below 1/α forever with
/// probability 1 − α if the null holds, whenever one looks. Linear; ln E cannot overflow.
///
/// # Errors
/// [`InvalidInput`] if an observation lies outside of the bounds, or the null not strictly inside.
///
/// # Source
/// Waudby-Smith and Ramdas (2024), JRSS-B 86, 1–27, §4. Checked against confseq `betting_mart`.
///
/// # Example
/// ```
/// use stats::{Bounds, Direction, Level, betting_eprocess};
/// let all_better = [1.0; 20];
/// let e = betting_eprocess(&all_better, Bounds::DIFFERENCE, 0.0, Direction::Greater, Level::P95)?;
/// assert!(e.first_crossing.is_some() && e.anytime_p < 0.05);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn betting_eprocess(
    observations: &[f64],
    bounds: Bounds,
    null_mean: f64,
    direction: Direction,
    level: Level,
) -> Result<EProcess, InvalidInput> {
    bounds.check(observations)?;
    let inside = null_mean > bounds.low && null_mean < bounds.high;
    check_parameter("null mean", null_mean, inside, "strictly within the bounds")?;
    let m = bounds.share_of(null_mean);
    let mut bets = Bets::new(level.alpha());
    let threshold = -level.alpha().ln();
    let mut log_e = Vec::with_capacity(observations.len());
    let mut current = 0.0;
    let mut highest = 0.0_f64;
    let mut first_crossing = None;
    for (i, &observation) in observations.iter().enumerate() {
        let x = bounds.share_of(observation);
        current += match direction {
            Direction::Greater => gain_above(bets.next(), x, m),
            Direction::Less => gain_above(bets.next(), 1.0 - x, 1.0 - m),
        };
        bets.see(x);
        log_e.push(current);
        highest = highest.max(current);
        if first_crossing.is_none() && current >= threshold {
            first_crossing = Some(i + 1);
        }
    }
    Ok(EProcess { log_e, first_crossing, anytime_p: (-highest).exp().min(1.0) })
}

/// Returns which of several e-values are rejected at false-discovery rate α (e-BH).
///
/// In descending order, the k largest with e₍ₖ₎ ≥ m/(αk). Holds for any dependence. `log_e` are
/// natural logarithms. m log m.
///
/// # Errors
/// [`InvalidInput`] if a logarithm is not finite.
///
/// # Source
/// Wang and Ramdas (2022), JRSS-B 84, 822–852.
pub fn e_benjamini_hochberg(log_e: &[f64], level: Level) -> Result<Vec<bool>, InvalidInput> {
    crate::error::check_values("log e", log_e)?;
    let order = crate::ranks::ascending(log_e);
    let m = log_e.len() as f64;
    let rejected = order
        .iter()
        .rev()
        .enumerate()
        .filter(|(rank, i)| log_e[**i] >= (m / (level.alpha() * (*rank as f64 + 1.0))).ln())
        .map(|(rank, _)| rank + 1)
        .max()
        .unwrap_or(0);
    let mut answers = vec![false; log_e.len()];
    for &i in order.iter().rev().take(rejected) {
        answers[i] = true;
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_for_more_is_evidence_for_less_of_the_mirror() {
        let d = [1.0, 0.0, -1.0, 1.0, 0.5, 0.0, 1.0];
        let mirrored: Vec<f64> = d.iter().map(|d| -d).collect();
        let run = |d: &[f64], null, direction| {
            betting_eprocess(d, Bounds::DIFFERENCE, null, direction, Level::P95).unwrap()
        };
        let up = run(&d, 0.1, Direction::Greater);
        let down = run(&mirrored, -0.1, Direction::Less);
        for (a, b) in up.log_e.iter().zip(&down.log_e) {
            // The prior mean ½ is its own mirror, so only rounding differs.
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn only_large_e_values_are_rejected() {
        let e = [100.0_f64.ln(), 1.0_f64.ln(), 35.0_f64.ln()];
        assert_eq!(e_benjamini_hochberg(&e, Level::P95), Ok(vec![true, false, true]));
    }

    #[test]
    fn an_observation_out_of_bounds_is_refused() {
        let result = betting_eprocess(&[2.0], Bounds::DIFFERENCE, 0.0, Direction::Less, Level::P95);
        assert!(result.is_err());
    }
}
