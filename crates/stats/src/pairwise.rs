//! S16: candidates that were compared in pairs.

use values::Interval;

use crate::error::{
    Defined, InvalidInput, Undefined, at_least, check_between, check_length, check_values,
};
use crate::level::{Level, interval, interval_around};
use crate::linear::inverse;
use crate::mean::{MeanInterval, mean_interval};
use crate::proportion::wilson_interval;
use crate::{special, sums};

/// How often one candidate wins; shares in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WinRate {
    /// Outcomes above ½.
    pub wins: u64,
    /// Outcomes of ½.
    pub ties: u64,
    /// Outcomes below ½.
    pub losses: u64,
    /// (wins + ties/2)/n, its standard error and t interval.
    pub rate: MeanInterval,
    /// The Wilson interval; [`Undefined::NotBinary`] with ties.
    pub wilson: Defined<Interval>,
    /// The exact two-sided p-value of wins against losses, without ties.
    pub sign_test_p: f64,
}

/// Returns the win rate of outcomes 1 (won), ½ (tie) and 0 (lost).
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if an outcome is none of them.
///
/// # Source
/// Dixon and Mood (1946), JASA 41, 557–566, for the sign test. Checked against scipy `binomtest`.
pub fn win_rate(outcomes: &[f64], level: Level) -> Result<WinRate, InvalidInput> {
    check_outcomes(outcomes)?;
    let count = |of: fn(f64) -> bool| outcomes.iter().filter(|x| of(**x)).count() as u64;
    let (wins, losses) = (count(|x| x > 0.75), count(|x| x < 0.25));
    let ties = outcomes.len() as u64 - wins - losses;
    let wilson = wilson_interval(wins, wins + losses, level)?.interval;
    Ok(WinRate {
        wins,
        ties,
        losses,
        rate: mean_interval(outcomes, level)?,
        wilson: if ties > 0 {
            Err(Undefined::NotBinary)
        } else {
            at_least(1, outcomes.len()).map(|()| wilson)
        },
        sign_test_p: special::sign_test_p(wins, wins + losses),
    })
}

fn check_outcomes(outcomes: &[f64]) -> Result<(), InvalidInput> {
    check_between("outcome", outcomes, (0.0, 1.0), "0, 0.5 or 1")?;
    match outcomes.iter().find(|x| (*x * 2.0 - (*x * 2.0).round()).abs() > 1e-12) {
        Some(&value) => {
            Err(InvalidInput::OutOfRange { what: "outcome", value, expected: "0, 0.5 or 1" })
        }
        None => Ok(()),
    }
}

/// The strengths of candidates, fitted to their wins.
#[derive(Debug, Clone, PartialEq)]
pub struct BradleyTerry {
    /// Log strengths, which sum to 0.
    pub log_strength: Vec<f64>,
    /// Their standard errors, from the Fisher information.
    pub standard_error: Vec<f64>,
    /// log strength ± z · standard error. Where one unit yields several pairs, bootstrap over units.
    pub intervals: Vec<Interval>,
}

impl BradleyTerry {
    /// Returns the probability that candidate `i` beats candidate `j`.
    pub fn win_probability(&self, i: usize, j: usize) -> f64 {
        logistic(self.log_strength[i] - self.log_strength[j])
    }

    /// Returns the strengths on the Elo scale, 400/ln 10 a unit, around 0.
    pub fn elo(&self) -> Vec<f64> {
        self.log_strength.iter().map(|s| s * 400.0 / std::f64::consts::LN_10).collect()
    }
}

/// The largest number of candidates.
const MOST_CANDIDATES: usize = 200;

/// Returns the Bradley–Terry strengths of candidates.
///
/// `wins[i][j]` is how often i beat j, a tie ½ for each. Maximum likelihood by Newton's method with
/// strengths that sum to 0. A finite maximum exists only if every candidate reaches every other by
/// "has beaten": otherwise [`Undefined::Separated`]; adding ½ to each entry is a prior that always
/// gives one, to be marked. k³ per step.
///
/// # Errors
/// [`InvalidInput`] if the table is not square, a count negative or not finite, or there are more
/// than 200 candidates.
///
/// # Source
/// Bradley and Terry (1952), Biometrika 39, 324–345; Ford (1957), Am. Math. Mon. 64, 28–33 for the
/// condition. Checked against statsmodels GLM and choix.
pub fn bradley_terry(
    wins: &[Vec<f64>],
    level: Level,
) -> Result<Defined<BradleyTerry>, InvalidInput> {
    let k = wins.len();
    crate::error::check_count("candidates", k, MOST_CANDIDATES)?;
    for row in wins {
        check_length("wins of a candidate", row.len(), k)?;
        check_between("wins", row, (0.0, 1e12), "in 0..=1e12")?;
    }
    Ok(fit(wins, level))
}

fn fit(wins: &[Vec<f64>], level: Level) -> Defined<BradleyTerry> {
    let k = wins.len();
    at_least(2, k)?;
    if !strongly_connected(wins) {
        return Err(Undefined::Separated);
    }
    let mut strength = vec![0.0; k];
    for _ in 0..200 {
        let covariance = covariance(wins, &strength)?;
        let gradient: Vec<f64> = (0..k)
            .map(|i| {
                sums::sum((0..k).filter(|&j| j != i).map(|j| {
                    let total = wins[i][j] + wins[j][i];
                    wins[i][j] - total * logistic(strength[i] - strength[j])
                }))
            })
            .collect();
        let step: Vec<f64> = covariance
            .iter()
            .map(|row| sums::sum(row.iter().zip(&gradient).map(|(c, g)| c * g)))
            .collect();
        let largest = step.iter().fold(0.0_f64, |most, s| most.max(s.abs()));
        // Far from the maximum a full step may overshoot; the likelihood is concave, so short
        // steps still arrive.
        let shrink = if largest > 1.0 { 1.0 / largest } else { 1.0 };
        for (strength, step) in strength.iter_mut().zip(&step) {
            *strength += shrink * step;
        }
        let centre = sums::mean(&strength);
        for s in &mut strength {
            *s -= centre;
        }
        if largest < 1e-12 {
            return finish(wins, strength, level);
        }
    }
    Err(Undefined::NotConverged)
}

fn finish(wins: &[Vec<f64>], strength: Vec<f64>, level: Level) -> Defined<BradleyTerry> {
    let covariance = covariance(wins, &strength)?;
    let standard_error: Vec<f64> =
        (0..strength.len()).map(|i| covariance[i][i].max(0.0).sqrt()).collect();
    let z = level.z_two_sided();
    let intervals =
        strength.iter().zip(&standard_error).map(|(s, e)| interval_around(*s, z * e)).collect();
    Ok(BradleyTerry { log_strength: strength, standard_error, intervals })
}

/// Returns the covariance of strengths that sum to 0: the pseudo-inverse of the information.
fn covariance(wins: &[Vec<f64>], strength: &[f64]) -> Defined<Vec<Vec<f64>>> {
    let k = strength.len();
    let share = 1.0 / k as f64;
    // Adding 11ᵀ/k makes the information regular and leaves contrasts alone.
    let mut information = vec![vec![share; k]; k];
    for i in 0..k {
        for j in 0..k {
            if i != j {
                let p = logistic(strength[i] - strength[j]);
                let weight = (wins[i][j] + wins[j][i]) * p * (1.0 - p);
                information[i][i] += weight;
                information[i][j] -= weight;
            }
        }
    }
    let mut result = inverse(information).ok_or(Undefined::NotConverged)?;
    for entry in result.iter_mut().flatten() {
        *entry -= share;
    }
    Ok(result)
}

/// Tells whether every candidate reaches every other by "has beaten".
fn strongly_connected(wins: &[Vec<f64>]) -> bool {
    let k = wins.len();
    let reaches_all = |beats: &dyn Fn(usize, usize) -> bool| {
        let mut reached = vec![false; k];
        let mut open = vec![0];
        reached[0] = true;
        while let Some(i) = open.pop() {
            for (j, seen) in reached.iter_mut().enumerate() {
                if !*seen && beats(i, j) {
                    *seen = true;
                    open.push(j);
                }
            }
        }
        reached.into_iter().all(|reached| reached)
    };
    reaches_all(&|i, j| wins[i][j] > 0.0) && reaches_all(&|i, j| wins[j][i] > 0.0)
}

pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// A win rate as it would be if both candidates were equally long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthControlledWinRate {
    /// The win rate as it is; show it beside.
    pub raw: Defined<f64>,
    /// σ(θ): the win rate at equal lengths.
    pub controlled: Defined<f64>,
    /// The interval of the controlled rate.
    pub interval: Defined<Interval>,
    /// θ, the log odds at equal lengths.
    pub theta: Defined<f64>,
    /// Its standard error.
    pub theta_standard_error: Defined<f64>,
    /// φ, the effect of one standard deviation of length, saturating.
    pub phi: Defined<f64>,
}

/// Returns the win rate with an association with length taken out.
///
/// logit P(win) = θ + φ·tanh(Δ/sd(Δ)), maximum likelihood; a tie is half a win. It removes a
/// deserved association with length too. [`Undefined::Separated`] where length tells wins from losses
/// without exception, [`Undefined::ZeroVariance`] where all length differences are equal.
///
/// # Errors
/// [`InvalidInput`] if an outcome is not 0, ½ or 1, a length not finite, or the lengths differ.
///
/// # Source
/// Dubois et al. (2024), "Length-Controlled AlpacaEval", arXiv 2404.04475, without their term for
/// the difficulty of an instance. Checked against statsmodels GLM.
pub fn length_controlled_win_rate(
    outcomes: &[f64],
    length_differences: &[f64],
    level: Level,
) -> Result<LengthControlledWinRate, InvalidInput> {
    check_outcomes(outcomes)?;
    check_values("length differences", length_differences)?;
    check_length("length differences", length_differences.len(), outcomes.len())?;
    let fit = at_least(2, outcomes.len()).and_then(|()| {
        let n = outcomes.len() as f64;
        let mean = sums::mean(length_differences);
        let spread = (sums::squares_about(length_differences, mean).max(0.0) / n).sqrt();
        if spread <= 0.0 || sums::all_equal(length_differences) {
            return Err(Undefined::ZeroVariance);
        }
        let x: Vec<f64> = length_differences.iter().map(|d| (d / spread).tanh()).collect();
        logit_fit(&x, outcomes)
    });
    let ends = fit.map(|(theta, _, error)| {
        let half = level.z_two_sided() * error;
        interval(logistic(theta - half), logistic(theta + half))
    });
    Ok(LengthControlledWinRate {
        raw: at_least(1, outcomes.len()).map(|()| sums::mean(outcomes)),
        controlled: fit.map(|(theta, _, _)| logistic(theta)),
        interval: ends,
        theta: fit.map(|(theta, _, _)| theta),
        theta_standard_error: fit.map(|(_, _, error)| error),
        phi: fit.map(|(_, phi, _)| phi),
    })
}

/// Fits logit P = θ + φx; returns θ, φ and the standard error of θ.
fn logit_fit(x: &[f64], outcomes: &[f64]) -> Defined<(f64, f64, f64)> {
    let range = |side: fn(f64) -> bool| {
        x.iter()
            .zip(outcomes)
            .filter(|(_, y)| side(**y))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (x, _)| {
                (low.min(*x), high.max(*x))
            })
    };
    let (won_low, won_high) = range(|y| y > 0.25);
    let (lost_low, lost_high) = range(|y| y < 0.75);
    // A finite maximum needs wins and losses that overlap in x.
    if !(won_low < lost_high && lost_low < won_high) {
        return Err(Undefined::Separated);
    }
    let (mut theta, mut phi) = (0.0_f64, 0.0_f64);
    for _ in 0..200 {
        let p: Vec<f64> = x.iter().map(|x| logistic(theta + phi * x)).collect();
        let weight = |i: usize| p[i] * (1.0 - p[i]);
        let indices = 0..x.len();
        let gradient_theta = sums::sum(indices.clone().map(|i| outcomes[i] - p[i]));
        let gradient_phi = sums::sum(indices.clone().map(|i| (outcomes[i] - p[i]) * x[i]));
        let w = sums::sum(indices.clone().map(weight));
        let wx = sums::sum(indices.clone().map(|i| weight(i) * x[i]));
        let wxx = sums::sum(indices.map(|i| weight(i) * x[i] * x[i]));
        let determinant = w * wxx - wx * wx;
        if determinant <= 0.0 {
            return Err(Undefined::NotConverged);
        }
        let step_theta = (wxx * gradient_theta - wx * gradient_phi) / determinant;
        let step_phi = (w * gradient_phi - wx * gradient_theta) / determinant;
        let largest = step_theta.abs().max(step_phi.abs());
        let shrink = if largest > 1.0 { 1.0 / largest } else { 1.0 };
        theta += shrink * step_theta;
        phi += shrink * step_phi;
        if largest < 1e-12 {
            return Ok((theta, phi, (wxx / determinant).sqrt()));
        }
    }
    Err(Undefined::NotConverged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_that_never_loses_has_no_finite_strength() {
        let wins = [vec![0.0, 5.0], vec![0.0, 0.0]];
        assert_eq!(bradley_terry(&wins, Level::P95), Ok(Err(Undefined::Separated)));
    }

    #[test]
    fn two_candidates_have_the_odds_of_their_wins() {
        let wins = [vec![0.0, 16.0], vec![14.0, 0.0]];
        let fit = bradley_terry(&wins, Level::P95).unwrap().unwrap();
        assert!((fit.win_probability(0, 1) - 16.0 / 30.0).abs() < 1e-12);
        assert!(fit.elo()[0] > 0.0);
    }

    #[test]
    fn length_that_decides_everything_separates() {
        let result =
            length_controlled_win_rate(&[1.0, 1.0, 0.0, 0.0], &[5.0, 9.0, -3.0, -1.0], Level::P95)
                .unwrap();
        assert_eq!(result.theta, Err(Undefined::Separated));
    }
}
