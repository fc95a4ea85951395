//! STATS S17: what samples of the same case say about how reliable a variant is.

use serde::Serialize;
use stats::{InvalidInput, Level, pass_at_k};

use crate::mean::MeanEstimate;
use crate::pairing::Pairing;
use crate::results::{Value, VariantResults};
use crate::units::Units;

/// How reliably both sides pass, where cases were sampled more than once and every score is pass or
/// fail.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Repeated {
    /// The number of attempts k: the samples of a case on the side that has fewer.
    pub attempts: u32,
    /// The baseline.
    pub baseline: Reliability,
    /// The candidate.
    pub candidate: Reliability,
}

/// How reliably one side passes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reliability {
    /// Compared cases whose samples disagree.
    pub flaky: usize,
    /// pass@k over the cases with k decided samples: the chance that at least one of k attempts
    /// passes.
    pub pass_any: MeanEstimate,
    /// pass^k over the same cases: the chance that all of k attempts pass.
    pub pass_all: MeanEstimate,
}

impl Repeated {
    /// Counts the samples of both sides; `None` with one sample a case or graded scores.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more cases than the statistics allow.
    pub(crate) fn of(
        (baseline, in_baseline): (&VariantResults, usize),
        (candidate, in_candidate): (&VariantResults, usize),
        pairing: &Pairing,
        units: &Units,
        level: Level,
    ) -> Result<Option<Self>, InvalidInput> {
        let attempts = baseline.samples.min(candidate.samples);
        if attempts < 2 || !units.is_binary || units.len() == 0 {
            return Ok(None);
        }
        let places = units.places.iter().map(|place| pairing.pairs[*place]);
        let (a, b): (Vec<usize>, Vec<usize>) = places.unzip();
        let side = |results, criterion, cases: &[usize]| {
            Reliability::of(results, criterion, (cases, &units.clusters), attempts, level)
        };
        let (baseline, candidate) =
            (side(baseline, in_baseline, &a)?, side(candidate, in_candidate, &b)?);
        Ok(Some(Self { attempts, baseline, candidate }))
    }
}

impl Reliability {
    fn of(
        results: &VariantResults,
        criterion: usize,
        (cases, clusters): (&[usize], &[usize]),
        attempts: u32,
        level: Level,
    ) -> Result<Self, InvalidInput> {
        let mut flaky = 0;
        let (mut any, mut all, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (&case, &cluster) in cases.iter().zip(clusters) {
            let (mut decided, mut passed) = (0u64, 0u64);
            for value in results.cases[case].values(criterion).filter_map(Value::number) {
                decided += 1;
                passed += u64::from(value > 0.5);
            }
            flaky += usize::from(passed > 0 && passed < decided);
            let chances = pass_at_k(decided, passed, u64::from(attempts))?;
            if let (Ok(one), Ok(every)) = (chances.any, chances.all) {
                any.push(one);
                all.push(every);
                groups.push(cluster);
            }
        }
        Ok(Self {
            flaky,
            pass_any: MeanEstimate::of_shares(&any, &groups, true, level)?,
            pass_all: MeanEstimate::of_shares(&all, &groups, true, level)?,
        })
    }
}
