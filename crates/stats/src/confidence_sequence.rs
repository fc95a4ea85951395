//! S10, second half: intervals that hold at every moment at once.

use values::Interval;

use crate::eprocess::{Bets, Bounds, Direction, TRUNCATION, gain_above};
use crate::error::{InvalidInput, check_parameter};
use crate::level::{Level, interval};
use crate::root::decreasing_root;

/// The width, as a share of the bounds, to which an end is found.
const END_WIDTH: f64 = 1e-10;

/// A confidence sequence of a bounded mean that grows with each observation.
///
/// It holds the true mean at all times with the confidence of its level, however often it is looked
/// at and whenever one stops. It never widens (running intersection). Memory grows with the
/// observations. One observation takes constant time; reading the interval takes time linear in all
/// of them where an end has moved since the last reading, else none.
#[derive(Debug, Clone)]
pub struct HedgedSequence {
    bounds: Bounds,
    bets: Bets,
    /// −ln(α/2): one hedged half must reach 2/α.
    threshold: f64,
    /// The bets and the observations as shares.
    history: Vec<(f64, f64)>,
    lower: End,
    /// Kept as the lower end of the mirrored data.
    upper: End,
    /// How many observations the ends have been found for.
    settled: usize,
    /// The ends have met: an empty intersection has probability at most α, and then the last
    /// interval stays.
    is_closed: bool,
}

/// One end, in shares.
#[derive(Debug, Clone, Copy)]
struct End {
    /// Where it was when it was last found.
    at: f64,
    /// ln E at that place now.
    log_e: f64,
    /// The largest ln E there since: the end has moved where it reached the threshold.
    highest: f64,
}

/// Which data an end sees.
#[derive(Clone, Copy)]
enum Sight {
    Plain,
    Mirrored,
}

impl HedgedSequence {
    /// Starts a sequence without observations: the whole range.
    pub fn new(bounds: Bounds, level: Level) -> Self {
        let half = level.alpha() / 2.0;
        let end = End { at: 0.0, log_e: 0.0, highest: f64::NEG_INFINITY };
        Self {
            bounds,
            bets: Bets::new(half),
            threshold: -half.ln(),
            history: Vec::new(),
            lower: end,
            upper: end,
            settled: 0,
            is_closed: false,
        }
    }

    /// Takes one observation.
    ///
    /// # Errors
    /// [`InvalidInput`] if the observation lies outside of the bounds.
    pub fn push(&mut self, observation: f64) -> Result<(), InvalidInput> {
        self.bounds.check(&[observation])?;
        let x = self.bounds.share_of(observation);
        let bet = self.bets.next();
        self.bets.see(x);
        self.history.push((bet, x));
        self.lower.see(bet, x);
        self.upper.see(bet, 1.0 - x);
        Ok(())
    }

    /// Returns the interval now.
    pub fn interval(&mut self) -> Interval {
        self.settle();
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

    /// Finds the ends of the running intersection after all observations.
    fn settle(&mut self) {
        let steps = self.history.len();
        if self.is_closed || self.settled == steps {
            return;
        }
        let (low, high) = self.ends(steps);
        let (low, high) = if low <= high {
            (low, high)
        } else {
            self.is_closed = true;
            let point = self.meeting_point();
            (point, point)
        };
        self.lower = self.end_at(low, self.lower, Sight::Plain);
        self.upper = self.end_at(1.0 - high, self.upper, Sight::Mirrored);
        self.settled = steps;
    }

    /// Returns both ends after so many observations, as shares; the first may lie above the second.
    fn ends(&self, steps: usize) -> (f64, f64) {
        let low = self.end(self.lower, Sight::Plain, steps);
        (low, 1.0 - self.end(self.upper, Sight::Mirrored, steps))
    }

    /// Returns where an end stands after so many observations: at the largest mean that the evidence
    /// for a larger one has ruled out at any step. That evidence falls in the mean, and so does its
    /// largest value so far, whose root is the end of the running intersection.
    fn end(&self, end: End, sight: Sight, steps: usize) -> f64 {
        if end.highest < self.threshold {
            return end.at;
        }
        let excess = |m: f64| self.evidence(m, sight, steps).1 - self.threshold;
        decreasing_root(excess, end.at, 1.0, END_WIDTH)
    }

    /// Returns ln E against a mean after so many observations, and the largest since the ends were
    /// last found.
    fn evidence(&self, m: f64, sight: Sight, steps: usize) -> (f64, f64) {
        let (mut log_e, mut highest) = (0.0_f64, f64::NEG_INFINITY);
        for (step, &(bet, x)) in self.history[..steps].iter().enumerate() {
            log_e += gain_above(bet, sight.of(x), m);
            if step >= self.settled {
                highest = highest.max(log_e);
            }
        }
        (log_e, highest)
    }

    /// Returns the end at a new place, or as it is where it has not moved.
    fn end_at(&self, at: f64, end: End, sight: Sight) -> End {
        let has_moved = at > end.at;
        let log_e =
            if has_moved { self.evidence(at, sight, self.history.len()).0 } else { end.log_e };
        End { at: at.max(end.at), log_e, highest: f64::NEG_INFINITY }
    }

    /// Returns the point to which the interval shrinks at the first step at which it would be empty.
    fn meeting_point(&self) -> f64 {
        let (mut open, mut empty) = (self.settled, self.history.len());
        while empty - open > 1 {
            let middle = usize::midpoint(open, empty);
            let (low, high) = self.ends(middle);
            if low <= high { open = middle } else { empty = middle }
        }
        // The lower end moves first, up to where the upper one stood before.
        let (low, _) = self.ends(empty);
        let before = if open == self.settled { 1.0 - self.upper.at } else { self.ends(open).1 };
        low.min(before)
    }
}

impl End {
    fn see(&mut self, bet: f64, x: f64) {
        self.log_e += gain_above(bet, x, self.at);
        self.highest = self.highest.max(self.log_e);
    }
}

impl Sight {
    fn of(self, x: f64) -> f64 {
        match self {
            Self::Plain => x,
            Self::Mirrored => 1.0 - x,
        }
    }
}

/// Whether a confidence sequence has come to exclude one value: constant time and memory for each
/// observation.
///
/// It answers what [`HedgedSequence`] with the same level would answer for this value, to the
/// rounding of that sequence's ends.
#[derive(Debug, Clone)]
pub struct HedgedExclusion {
    bounds: Bounds,
    bets: Bets,
    threshold: f64,
    /// The value, a share of the bounds.
    value: f64,
    log_e_above: f64,
    log_e_below: f64,
    highest: f64,
    excluded: Option<Direction>,
}

impl HedgedExclusion {
    /// Starts without observations.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`] if the value does not lie strictly inside the bounds.
    pub fn new(bounds: Bounds, value: f64, level: Level) -> Result<Self, InvalidInput> {
        let inside = value > bounds.low() && value < bounds.high();
        check_parameter("value", value, inside, "inside the bounds")?;
        let half = level.alpha() / 2.0;
        Ok(Self {
            bounds,
            bets: Bets::new(half),
            threshold: -half.ln(),
            value: bounds.share_of(value),
            log_e_above: 0.0,
            log_e_below: 0.0,
            highest: 0.0,
            excluded: None,
        })
    }

    /// Takes one observation.
    ///
    /// # Errors
    /// [`InvalidInput`] if the observation lies outside of the bounds.
    pub fn push(&mut self, observation: f64) -> Result<(), InvalidInput> {
        self.bounds.check(&[observation])?;
        let x = self.bounds.share_of(observation);
        let bet = self.bets.next();
        self.bets.see(x);
        self.log_e_above += gain_above(bet, x, self.value);
        self.log_e_below += gain_above(bet, 1.0 - x, 1.0 - self.value);
        self.highest = self.highest.max(self.log_e_above).max(self.log_e_below);
        if self.excluded.is_none() {
            // The first to be excluded stays so: a sequence is never empty.
            if self.log_e_above >= self.threshold {
                self.excluded = Some(Direction::Greater);
            } else if self.log_e_below >= self.threshold {
                self.excluded = Some(Direction::Less);
            }
        }
        Ok(())
    }

    /// Returns on which side of the value the sequence lies, if it has excluded it.
    pub fn excluded(&self) -> Option<Direction> {
        self.excluded
    }

    /// Returns min(1, 1/max e) for the hedged e = ½·max(E⁺, E⁻) against the value: a two-sided
    /// p-value that holds at any stopping time.
    pub fn anytime_p(&self) -> f64 {
        (2.0 * (-self.highest).exp()).min(1.0)
    }
}

/// Returns the hedged confidence sequence after each observation.
///
/// {m: max(½E⁺(m), ½E⁻(m)) < 1/α} with the bets of [`crate::betting_eprocess`] at α/2 each; E⁺ falls
/// in m and E⁻ rises, so each end is a root. In the unit of the observations. Quadratic where an end
/// moves at every step: for the interval after all of them, read a [`HedgedSequence`] once.
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
    let step = |&observation: &f64| {
        sequence.push(observation)?;
        Ok(sequence.interval())
    };
    observations.iter().map(step).collect()
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
    fn reading_once_gives_what_reading_at_every_step_gives() {
        let drift = |i: u32| f64::from(i * 7 % 5) / 2.0 - 0.6;
        // The second half contradicts the first, so that the intersection would become empty.
        let turn = |i: u32| if i < 60 { 1.0 } else { -1.0 };
        let back = |i: u32| if i < 40 { -1.0 } else { f64::from(i % 2) };
        for stream in [drift, turn, back] {
            let d: Vec<f64> = (0..400).map(|i| stream(i).clamp(-1.0, 1.0)).collect();
            let steps = hedged_confidence_sequence(&d, Bounds::DIFFERENCE, Level::P95).unwrap();
            for stop in [1, 5, 61, 62, 63, 90, 170, 400] {
                let mut sequence = HedgedSequence::new(Bounds::DIFFERENCE, Level::P95);
                let mut zero = HedgedExclusion::new(Bounds::DIFFERENCE, 0.0, Level::P95).unwrap();
                for &observation in &d[..stop] {
                    sequence.push(observation).unwrap();
                    zero.push(observation).unwrap();
                }
                let (once, all) = (sequence.interval(), steps[stop - 1]);
                assert!((once.low() - all.low()).abs() < 1e-8, "{stop}: {once:?} {all:?}");
                assert!((once.high() - all.high()).abs() < 1e-8, "{stop}: {once:?} {all:?}");
                let side = if all.low() > 0.0 {
                    Some(Direction::Greater)
                } else if all.high() < 0.0 {
                    Some(Direction::Less)
                } else {
                    None
                };
                assert_eq!(zero.excluded(), side, "{stop}");
            }
        }
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
