//! S17: control charts over a sequence of values against a frozen target.
//!
//! The target is itself an estimate: with a baseline of fewer than about 20 times one value's
//! sample, false alarms rise.

use crate::error::{Defined, InvalidInput, Undefined, check_parameter, check_values};

/// A tabular CUSUM chart, in standard deviations.
#[derive(Debug, Clone, PartialEq)]
pub struct Cusum {
    /// C⁺ after each value: evidence of a rise.
    pub up: Vec<f64>,
    /// C⁻ after each value: evidence of a fall.
    pub down: Vec<f64>,
    /// The first value with C⁺ > h, from 1.
    pub first_alarm_up: Option<usize>,
    /// The first value with C⁻ > h, from 1.
    pub first_alarm_down: Option<usize>,
}

/// Returns the tabular CUSUM chart of standardised values.
///
/// C⁺ = max(0, C⁺ + u − k), C⁻ = max(0, C⁻ − u − k), alarm above h; u are the values minus the target,
/// in standard deviations, which the caller takes for each value's own sample size
/// (√(p₀(1 − p₀)/n_t) for rates). k = 0.5 and h = 5 find a shift of one standard deviation in about
/// ten values.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, or k or h negative.
///
/// # Source
/// Page (1954), Biometrika 41, 100–115; Montgomery, Introduction to Statistical Quality Control, ch. 9.
pub fn cusum(standardised: &[f64], k: f64, h: f64) -> Result<Cusum, InvalidInput> {
    check_values("values", standardised)?;
    check_parameter("k", k, k >= 0.0, "at least 0")?;
    check_parameter("h", h, h >= 0.0, "at least 0")?;
    let run = |sign: f64| {
        let mut sum = 0.0_f64;
        let course = standardised.iter().map(|u| {
            sum = (sum + sign * u - k).max(0.0);
            sum
        });
        course.collect::<Vec<f64>>()
    };
    let (up, down) = (run(1.0), run(-1.0));
    let first = |course: &[f64]| course.iter().position(|c| *c > h).map(|i| i + 1);
    Ok(Cusum { first_alarm_up: first(&up), first_alarm_down: first(&down), up, down })
}

/// An exponentially weighted moving average with its control limits.
#[derive(Debug, Clone, PartialEq)]
pub struct EwmaChart {
    /// The average after each value, in the unit of the values.
    pub average: Vec<f64>,
    /// The lower limit at each value.
    pub low: Vec<f64>,
    /// The upper limit at each value.
    pub high: Vec<f64>,
    /// The first value whose average lies outside, from 1.
    pub first_alarm: Option<usize>,
}

/// Returns the EWMA chart of values against a target.
///
/// z_t = λx_t + (1 − λ)z_{t−1}, z₀ = target; limits target ± L·sd·√(λ/(2 − λ)·(1 − (1 − λ)^{2t})).
/// λ = 0.2 and L = 3 are usual.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, sd or L is not positive, or λ not in `(0, 1]`.
///
/// # Source
/// Roberts (1959), Technometrics 1, 239–250; Montgomery, ch. 9.
pub fn ewma_chart(
    values: &[f64],
    target: f64,
    sd: f64,
    lambda: f64,
    limit: f64,
) -> Result<EwmaChart, InvalidInput> {
    check_values("values", values)?;
    check_parameter("target", target, true, "a finite number")?;
    check_parameter("sd", sd, sd > 0.0, "above 0")?;
    check_parameter("lambda", lambda, lambda > 0.0 && lambda <= 1.0, "in 0..=1, not 0")?;
    check_parameter("limit", limit, limit > 0.0 && limit <= 1e6, "above 0")?;
    let (mut current, mut rest) = (target, 1.0);
    let mut chart =
        EwmaChart { average: Vec::new(), low: Vec::new(), high: Vec::new(), first_alarm: None };
    for (i, value) in values.iter().enumerate() {
        current = lambda * value + (1.0 - lambda) * current;
        rest *= (1.0 - lambda) * (1.0 - lambda);
        let half = limit * sd * (lambda / (2.0 - lambda) * (1.0 - rest)).sqrt();
        if chart.first_alarm.is_none() && (current - target).abs() > half {
            chart.first_alarm = Some(i + 1);
        }
        chart.average.push(current);
        chart.low.push(target - half);
        chart.high.push(target + half);
    }
    Ok(chart)
}

/// The direction of a drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drift {
    /// The values rise.
    Up,
    /// The values fall.
    Down,
}

/// A Page–Hinkley test.
#[derive(Debug, Clone, PartialEq)]
pub struct PageHinkley {
    /// The statistic S_t − min S after the last value; undefined without values.
    pub final_statistic: Defined<f64>,
    /// The first value at which it exceeds the threshold, from 1.
    pub first_alarm: Option<usize>,
}

/// Tests a raw stream for drift from its own running mean.
///
/// S_t = Σ(±(x_i − x̄_i) − δ) with the running mean x̄_i, alarm where S_t − min S > threshold. δ and the
/// threshold are in the unit of the values and need tuning.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, or δ or the threshold negative.
///
/// # Source
/// Page (1954); Hinkley (1971), Biometrika 58, 509–523.
pub fn page_hinkley(
    values: &[f64],
    delta: f64,
    threshold: f64,
    drift: Drift,
) -> Result<PageHinkley, InvalidInput> {
    check_values("values", values)?;
    check_parameter("delta", delta, delta >= 0.0, "at least 0")?;
    check_parameter("threshold", threshold, threshold >= 0.0, "at least 0")?;
    let (mut total, mut sum, mut least) = (0.0, 0.0, 0.0_f64);
    let mut statistic = Err(Undefined::TooFew { needed: 1, found: 0 });
    let mut first_alarm = None;
    for (i, value) in values.iter().enumerate() {
        total += value;
        let gap = value - total / (i as f64 + 1.0);
        sum += match drift {
            Drift::Up => gap - delta,
            Drift::Down => -gap - delta,
        };
        least = least.min(sum);
        statistic = Ok(sum - least);
        if first_alarm.is_none() && sum - least > threshold {
            first_alarm = Some(i + 1);
        }
    }
    Ok(PageHinkley { final_statistic: statistic, first_alarm })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_fall_is_seen_on_its_own_side() {
        let result = cusum(&[-2.0; 6], 0.5, 5.0).unwrap();
        assert_eq!(result.first_alarm_down, Some(4));
        assert_eq!(result.first_alarm_up, None);
    }

    #[test]
    fn values_on_target_raise_no_alarm() {
        let chart = ewma_chart(&[0.9; 50], 0.9, 0.03, 0.2, 3.0).unwrap();
        assert_eq!(chart.first_alarm, None);
        assert_eq!(page_hinkley(&[0.9; 50], 0.005, 0.1, Drift::Down).unwrap().first_alarm, None);
    }
}
