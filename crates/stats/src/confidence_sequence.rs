//! S10, second half: intervals that hold at every moment at once.

use values::Interval;

use crate::eprocess::{Bets, Bounds, TRUNCATION, gain_above};
use crate::error::InvalidInput;
use crate::level::{Level, interval};
use crate::root::decreasing_root;

/// The width, as a share of the bounds, to which an end is found.
const END_WIDTH: f64 = 1e-10;

/// A confidence sequence of a bounded mean that grows with each observation.
///
/// It holds the true mean at all times with the confidence of its level, however often it is looked
/// at and whenever one stops. It never widens (running intersection). Memory grows with the
/// observations; one takes time linear in those before only where an end moves.
#[derive(Debug, Clone)]
pub struct HedgedSequence {
    bounds: Bounds,
    bets: Bets,
    /// −ln(α/2): one hedged half must reach 2/α.
    threshold: f64,
    lower: End,
    upper: End,
    history: Vec<(f64, f64)>,
}

/// One end, in shares; the upper one is kept as the lower end of the mirrored data.
#[derive(Debug, Clone)]
struct End {
    at: f64,
    /// ln E at `at`, kept so that an observation that moves nothing costs one step.
    log_e: f64,
}

impl HedgedSequence {
    /// Starts a sequence without observations: the whole range.
    pub fn new(bounds: Bounds, level: Level) -> Self {
        let half = level.alpha() / 2.0;
        let end = End { at: 0.0, log_e: 0.0 };
        Self {
            bounds,
            bets: Bets::new(half),
            threshold: -half.ln(),
            lower: end.clone(),
            upper: end,
            history: Vec::new(),
        }
    }

    /// Takes one observation and returns the interval after it.
    ///
    /// # Errors
    /// [`InvalidInput`] if the observation lies outside of the bounds.
    pub fn push(&mut self, observation: f64) -> Result<Interval, InvalidInput> {
        self.bounds.check(&[observation])?;
        let x = self.bounds.share_of(observation);
        let bet = self.bets.next();
        self.bets.see(x);
        self.history.push((bet, x));
        // An end may come close to the other one, but not pass it: an empty intersection has
        // probability at most α, and then the last interval stays.
        let most_low = 1.0 - self.upper.at;
        self.lower.advance(&self.history, |x| x, self.threshold, most_low);
        let most_high = 1.0 - self.lower.at;
        self.upper.advance(&self.history, |x| 1.0 - x, self.threshold, most_high);
        Ok(self.interval())
    }

    /// Returns the interval now.
    pub fn interval(&self) -> Interval {
        interval(self.bounds.at_share(self.lower.at), self.bounds.at_share(1.0 - self.upper.at))
    }

    /// Returns the number of observations.
    pub fn len(&self) -> usize {
        self.history.len()
    }

    /// Tells whether there was no observation yet.
    pub fn is_empty(&self) -> bool {
        self.history.is_empty()
    }
}

impl End {
    /// Moves the end up to where the evidence for a larger mean stays below the threshold.
    fn advance(
        &mut self,
        history: &[(f64, f64)],
        side: impl Fn(f64) -> f64,
        threshold: f64,
        most: f64,
    ) {
        let Some(&(bet, x)) = history.last() else { return };
        self.log_e += gain_above(bet, side(x), self.at);
        if self.log_e < threshold {
            return;
        }
        let evidence =
            |m: f64| history.iter().map(|&(bet, x)| gain_above(bet, side(x), m)).sum::<f64>();
        let excess = |m: f64| evidence(m) - threshold;
        // The evidence falls in m; beyond `most` the interval would be empty.
        let end = decreasing_root(excess, self.at, most, END_WIDTH);
        self.at = end;
        self.log_e = evidence(end);
    }
}

/// Returns the hedged confidence sequence after each observation.
///
/// {m: max(½E⁺(m), ½E⁻(m)) < 1/α} with the bets of [`crate::betting_eprocess`] at α/2 each; E⁺ falls
/// in m and E⁻ rises, so each end is a root. In the unit of the observations.
///
/// # Errors
/// [`InvalidInput`] if an observation lies outside of the bounds.
///
/// # Source
/// Waudby-Smith and Ramdas (2024), JRSS-B 86, 1–27, §4.4 (hedged capital). Checked against confseq
/// `hedged_cs`, whose grid is coarser.
pub fn hedged_confidence_sequence(
    observations: &[f64],
    bounds: Bounds,
    level: Level,
) -> Result<Vec<Interval>, InvalidInput> {
    bounds.check(observations)?;
    let mut sequence = HedgedSequence::new(bounds, level);
    observations.iter().map(|&observation| sequence.push(observation)).collect()
}

/// Returns the predictable plug-in empirical-Bernstein confidence sequence after each observation.
///
/// Σλx/Σλ ∓ (ln(2/α) + Σ(xᵢ − μ̂ᵢ₋₁)²ψ(λᵢ))/Σλ with ψ(λ) = −ln(1 − λ) − λ and λ cut at ½; running
/// intersection. A closed form, linear, wider than the hedged sequence.
///
/// # Errors
/// [`InvalidInput`] if an observation lies outside of the bounds.
///
/// # Source
/// Waudby-Smith and Ramdas (2024), JRSS-B 86, 1–27, theorem 2. Checked against confseq
/// `predmix_empbern_twosided_cs`.
pub fn empirical_bernstein_confidence_sequence(
    observations: &[f64],
    bounds: Bounds,
    level: Level,
) -> Result<Vec<Interval>, InvalidInput> {
    bounds.check(observations)?;
    let shares: Vec<f64> = observations.iter().map(|&d| bounds.share_of(d)).collect();
    let mirrored: Vec<f64> = shares.iter().map(|x| 1.0 - x).collect();
    let lower = bernstein_lower(&shares, level.alpha() / 2.0);
    let upper = bernstein_lower(&mirrored, level.alpha() / 2.0);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let ends = lower.into_iter().zip(upper).map(|(l, u)| {
        // An intersection that would be empty leaves the last interval.
        let (next_low, next_high) = (low.max(l), high.min(1.0 - u));
        if next_low <= next_high {
            (low, high) = (next_low, next_high);
        }
        interval(bounds.at_share(low), bounds.at_share(high))
    });
    Ok(ends.collect())
}

fn bernstein_lower(shares: &[f64], alpha: f64) -> Vec<f64> {
    let mut bets = Bets::new(alpha);
    let (mut weights, mut weighted, mut penalty) = (0.0, 0.0, 0.0);
    let (mut seen, mut sum) = (0.0_f64, 0.0);
    shares
        .iter()
        .map(|&x| {
            let bet = bets.next().min(TRUNCATION);
            bets.see(x);
            let mean = if seen > 0.0 { sum / seen } else { 0.0 };
            let psi = -(-bet).ln_1p() - bet;
            weights += bet;
            weighted += bet * x;
            penalty += (x - mean) * (x - mean) * psi;
            seen += 1.0;
            sum += x;
            (weighted - (penalty - alpha.ln())) / weights
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_never_widens() {
        let d: Vec<f64> = (0..200_u32).map(|i| f64::from(i * 7 % 3) - 1.0).collect();
        let sequence = hedged_confidence_sequence(&d, Bounds::DIFFERENCE, Level::P95).unwrap();
        for pair in sequence.windows(2) {
            assert!(pair[1].low() >= pair[0].low() && pair[1].high() <= pair[0].high());
        }
        assert!(sequence[199].contains(0.0));
    }

    #[test]
    fn swapping_the_sides_mirrors_the_sequence() {
        let d = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        let mirrored: Vec<f64> = d.iter().map(|d| -d).collect();
        let up = hedged_confidence_sequence(&d, Bounds::DIFFERENCE, Level::P95).unwrap();
        let down = hedged_confidence_sequence(&mirrored, Bounds::DIFFERENCE, Level::P95).unwrap();
        for (a, b) in up.iter().zip(&down) {
            assert!((a.low() + b.high()).abs() < 1e-8 && (a.high() + b.low()).abs() < 1e-8);
        }
    }
}
