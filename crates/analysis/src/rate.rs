use serde::Serialize;
use stats::{InvalidInput, Level, Undefined};
use values::Interval;

use crate::estimate::Estimate;
use crate::units::SAME;

/// How often the samples of one case passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CasePasses {
    /// The samples that passed.
    pub passed: u32,
    /// The samples that passed or failed. A case without one says nothing and is left out.
    pub decided: u32,
    /// The cluster; cases with the same number belong together. A case without a cluster has a
    /// number of its own.
    pub cluster: usize,
}

/// The pass rate of one variant. Counts cases, not samples: a case that is asked ten times is still
/// one case.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PassRate {
    /// The mean of the cases' shares of passed samples, a share in `[0, 1]`.
    pub rate: Estimate<f64>,
    /// Its two-sided interval at [`PassRate::confidence`], within `[0, 1]`.
    pub interval: Estimate<Interval>,
    /// The confidence of the interval, a share.
    pub confidence: f64,
    /// The cases that it rests on: those with a sample that passed or failed.
    pub cases: usize,
    /// The clusters among them; as many as cases if none belong together.
    pub clusters: usize,
    /// How the interval was made.
    pub method: RateMethod,
}

/// How the interval of a pass rate was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RateMethod {
    /// Wilson's score interval: one sample a case, and no case belongs to another.
    Wilson,
    /// Wilson's score interval with each cluster counted once, because all cases agree: no spread
    /// is no certainty.
    WilsonOfClusters,
    /// Student's t on case means.
    CaseMeans,
    /// Student's t on case means with a cluster-robust standard error (CR1) and one degree of
    /// freedom fewer than clusters.
    ClusteredCaseMeans,
}

/// Fewer clusters than this, and a cluster-robust interval leans on an assumption.
const FEW_CLUSTERS: usize = 10;

impl PassRate {
    /// Tells whether there are so few clusters that the interval leans on an assumption.
    pub fn has_few_clusters(&self) -> bool {
        self.method == RateMethod::ClusteredCaseMeans && self.clusters < FEW_CLUSTERS
    }
}

/// Returns the pass rate of a variant with its 95 % interval.
///
/// `cases` has one entry for each case, in any order. With one sample a case and no clusters that is
/// Wilson's interval of a proportion, otherwise a t interval of the case means, cut off at 0 and 1,
/// which no rate passes. Case means that are all 0 or all 1 have no spread, and Wilson's interval
/// with as many trials as clusters stands in. Undefined are the interval of a single cluster and
/// one of case means that are equal in between. n log n in the number of cases.
///
/// # Errors
/// [`InvalidInput`] if a case passed more samples than were decided, or there are more than a
/// million cases.
///
/// # Source
/// Wilson (1927), JASA 22, 209–212; Miller (2024), arXiv 2411.00640: the case is the unit, and the
/// cluster where cases belong together.
///
/// # Example
/// ```
/// let cases = (0..263).map(|case| analysis::CasePasses {
///     passed: u32::from(case < 81),
///     decided: 1,
///     cluster: case,
/// });
/// let rate = analysis::pass_rate(&cases.collect::<Vec<_>>())?;
/// let interval = rate.interval.value().unwrap();
/// assert!((interval.low() - 0.2553).abs() < 1e-4 && (interval.high() - 0.3662).abs() < 1e-4);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn pass_rate(cases: &[CasePasses]) -> Result<PassRate, InvalidInput> {
    if let Some(case) = cases.iter().find(|case| case.passed > case.decided) {
        return Err(InvalidInput::OutOfRange {
            what: "passed",
            value: f64::from(case.passed),
            expected: "at most the number of decided samples",
        });
    }
    let decided: Vec<CasePasses> = cases.iter().copied().filter(|case| case.decided > 0).collect();
    let clusters: Vec<usize> = decided.iter().map(|case| case.cluster).collect();
    let means: Vec<f64> =
        decided.iter().map(|case| f64::from(case.passed) / f64::from(case.decided)).collect();
    let is_single = decided.iter().all(|case| case.decided == 1);
    let level = Level::P95;
    let found = share_estimate(&means, &clusters, is_single, level)?;
    Ok(PassRate {
        rate: found.mean,
        interval: found.interval,
        confidence: level.confidence(),
        cases: decided.len(),
        clusters: distinct(&clusters),
        method: found.method,
    })
}

/// The mean of cases' shares, and how its interval was made.
pub(crate) struct ShareEstimate {
    pub(crate) mean: Estimate<f64>,
    pub(crate) interval: Estimate<Interval>,
    pub(crate) method: RateMethod,
}

/// Returns the mean of shares in 0..=1, one for each case, by the rule of [`pass_rate`]; `is_single`
/// tells that none of them is a mean of several samples.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or there are too many.
pub(crate) fn share_estimate(
    shares: &[f64],
    clusters: &[usize],
    is_single: bool,
    level: Level,
) -> Result<ShareEstimate, InvalidInput> {
    let cases = shares.len();
    let cluster_count = distinct(clusters);
    let is_clustered = cluster_count < cases;
    let passes = shares.iter().filter(|share| **share >= 1.0 - SAME).count();
    let fails = shares.iter().filter(|share| **share <= SAME).count();
    let wilson = |passes: usize, trials: usize, method| {
        let found = stats::wilson_interval(passes as u64, trials as u64, level)?;
        // Without a trial the interval says nothing, and saying so is clearer than 0 to 100 %.
        let interval = found.estimate.map(|_| found.interval);
        Ok(ShareEstimate { mean: found.estimate.into(), interval: interval.into(), method })
    };
    if is_single && !is_clustered && passes + fails == cases {
        return wilson(passes, cases, RateMethod::Wilson);
    }
    if passes == cases || fails == cases {
        let passes = if passes == cases { cluster_count } else { 0 };
        return wilson(passes, cluster_count, RateMethod::WilsonOfClusters);
    }
    let (mean, interval, method) = if is_clustered {
        let found = stats::clustered_mean_interval(shares, clusters, level)?;
        (found.mean, found.interval, RateMethod::ClusteredCaseMeans)
    } else {
        let found = stats::mean_interval(shares, level)?;
        (found.mean, found.interval, RateMethod::CaseMeans)
    };
    Ok(ShareEstimate { mean: mean.into(), interval: within_rates(interval).into(), method })
}

fn distinct(numbers: &[usize]) -> usize {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

/// Cuts an interval off at 0 and 1. A point is the interval of equal values, which is no evidence.
pub(crate) fn within_rates(interval: stats::Defined<Interval>) -> stats::Defined<Interval> {
    let found = interval?;
    if found.high() - found.low() <= SAME {
        return Err(Undefined::ZeroVariance);
    }
    let ends = (found.low().clamp(0.0, 1.0), found.high().clamp(0.0, 1.0));
    Ok(Interval::new(ends.0, ends.1).expect("clamping keeps the order of finite numbers"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn case(passed: u32, decided: u32, cluster: usize) -> CasePasses {
        CasePasses { passed, decided, cluster }
    }

    #[track_caller]
    fn assert_is(found: &PassRate, rate: f64, low: f64, high: f64) {
        let close = |a: f64, b: f64| (a - b).abs() < 5e-5;
        let interval = found.interval.value().unwrap();
        assert!(close(found.rate.value().unwrap(), rate), "{found:?}");
        assert!(close(interval.low(), low) && close(interval.high(), high), "{found:?}");
    }

    fn reason<T: Copy>(estimate: Estimate<T>) -> &'static str {
        match estimate {
            Estimate::Undefined { reason } => reason,
            Estimate::Value { .. } => "defined",
        }
    }

    #[test]
    fn one_sample_a_case_without_clusters_is_a_proportion() {
        // Newcombe (1998), table I: 15 of 148.
        let cases: Vec<_> = (0..148).map(|n| case(u32::from(n < 15), 1, n)).collect();
        let found = pass_rate(&cases).unwrap();
        assert_eq!((found.method, found.cases, found.clusters), (RateMethod::Wilson, 148, 148));
        assert_is(&found, 0.1014, 0.0624, 0.1605);
    }

    #[test]
    fn samples_of_a_case_are_averaged_before_anything_else() {
        // Ten cases that always pass and ten that pass every second time: s = √(5/76), and
        // t(19) is 2.0930.
        let cases: Vec<_> =
            (0..20).map(|n| if n < 10 { case(50, 50, n) } else { case(1, 2, n) }).collect();
        let found = pass_rate(&cases).unwrap();
        assert_eq!((found.method, found.cases), (RateMethod::CaseMeans, 20));
        assert_is(&found, 0.75, 0.62996, 0.87004);
    }

    #[test]
    fn cases_whose_samples_agree_are_still_means_of_samples() {
        let cases: Vec<_> = (0..20).map(|n| case(if n < 10 { 3 } else { 0 }, 3, n)).collect();
        let shares: Vec<f64> = (0..20).map(|n| if n < 10 { 1.0 } else { 0.0 }).collect();
        let clusters: Vec<usize> = (0..20).collect();
        let of = |is_single| {
            let level = Level::P95;
            crate::MeanEstimate::of_shares(&shares, &clusters, is_single, level).unwrap().interval
        };
        let found = pass_rate(&cases).unwrap();
        assert_eq!((found.method, found.interval), (RateMethod::CaseMeans, of(false)));
        // Wilson's interval of 10 of 20, as in Newcombe's method of the same data.
        let single = of(true).value().unwrap();
        assert!((single.low() - 0.2993).abs() < 1e-4 && (single.high() - 0.7007).abs() < 1e-4);
    }

    #[test]
    fn clusters_are_the_unit_where_cases_belong_together() {
        // Five cases in each of four clusters, of which 5, 4, 3 and 2 pass: CR1 = √(5/300), and
        // t(3) is 3.1824.
        let cases: Vec<_> = (0..20)
            .map(|n| case(u32::from(n % 5 < 5 - n / 5), 1, usize::try_from(n / 5).unwrap()))
            .collect();
        let found = pass_rate(&cases).unwrap();
        assert_eq!((found.method, found.clusters), (RateMethod::ClusteredCaseMeans, 4));
        assert!(found.has_few_clusters());
        assert_is(&found, 0.7, 0.28915, 1.0);
    }

    #[test]
    fn agreement_of_all_cases_is_not_certainty() {
        // Ten cases in five clusters: Wilson's interval of 5 of 5 and of 0 of 5.
        let all = |passed| (0..10).map(|n| case(passed, 3, n / 2)).collect::<Vec<_>>();
        let always = pass_rate(&all(3)).unwrap();
        assert_eq!(always.method, RateMethod::WilsonOfClusters);
        assert_is(&always, 1.0, 0.56552, 1.0);
        assert_is(&pass_rate(&all(0)).unwrap(), 0.0, 0.0, 0.43448);
    }

    #[test]
    fn what_does_not_exist_has_a_reason() {
        let none = pass_rate(&[case(0, 0, 0)]).unwrap();
        assert_eq!((none.cases, reason(none.rate)), (0, "too_few"));
        assert_eq!(reason(none.interval), "too_few");
        let one_cluster = pass_rate(&[case(1, 1, 4), case(0, 1, 4)]).unwrap();
        assert_eq!(one_cluster.rate.value(), Some(0.5));
        assert_eq!(reason(one_cluster.interval), "one_cluster");
        let equal = pass_rate(&[case(1, 2, 0), case(1, 2, 1), case(2, 4, 2)]).unwrap();
        assert_eq!(reason(equal.interval), "zero_variance");
        let balanced = [case(1, 1, 0), case(0, 1, 0), case(1, 1, 1), case(0, 1, 1)];
        assert_eq!(reason(pass_rate(&balanced).unwrap().interval), "zero_variance");
        assert!(pass_rate(&[case(2, 1, 0)]).is_err());
    }

    proptest! {
        #[test]
        fn a_rate_lies_in_its_interval_and_both_in_0_to_1(
            cases in prop::collection::vec((0u32..4, 0u32..4, 0usize..12), 0..60),
        ) {
            let cases: Vec<_> = cases.into_iter().map(|(a, b, c)| case(a.min(b), b, c)).collect();
            let found = pass_rate(&cases).unwrap();
            if let (Some(rate), Some(interval)) = (found.rate.value(), found.interval.value()) {
                prop_assert!(interval.low() >= 0.0 && interval.high() <= 1.0);
                // The mean is a sum in one order, the end 0 or 1 exact.
                let near = 1e-12;
                prop_assert!(interval.low() <= rate + near && rate <= interval.high() + near);
            }
            prop_assert_eq!(found.cases, cases.iter().filter(|case| case.decided > 0).count());
        }

        #[test]
        fn a_case_that_nothing_decided_changes_nothing(passes in prop::collection::vec(0u32..2, 1..30)) {
            let mut cases: Vec<_> =
                passes.iter().enumerate().map(|(n, pass)| case(*pass, 1, n)).collect();
            let before = pass_rate(&cases).unwrap();
            cases.push(case(0, 0, 3));
            prop_assert_eq!(pass_rate(&cases).unwrap(), before);
        }
    }
}
