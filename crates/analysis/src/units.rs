//! The numbers that a comparison on one criterion rests on: a pair of means for each case.

use std::collections::HashMap;

use serde::Serialize;

use score::Status;

use crate::pairing::Pairing;
use crate::results::{CaseResults, Value, VariantResults};

/// Case means of the pairs that are decided on both sides, in plan order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Units {
    /// The baseline's case means.
    pub(crate) baseline: Vec<f64>,
    /// The candidate's.
    pub(crate) candidate: Vec<f64>,
    /// The cluster of each pair, numbered by first appearance.
    pub(crate) clusters: Vec<usize>,
    /// The places in `Pairing::pairs`.
    pub(crate) places: Vec<usize>,
    /// Whether every sample is 0 or 1.
    pub(crate) is_binary: bool,
    /// Whether every case has exactly one decided sample on both sides.
    pub(crate) is_single: bool,
    /// The first pair, in plan order, of a cluster that is not finished, if any.
    pub(crate) unfinished_from: Option<usize>,
}

/// What one side could not count, by status, in samples; and the cases that are left out for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Uncounted {
    /// A provider or a program failed.
    pub errors: usize,
    /// The judge's or the check's answer could not be parsed.
    pub unreadable: usize,
    /// It could not be decided.
    pub skipped: usize,
    /// Nothing decides pass or fail.
    pub unchecked: usize,
    /// Cells without an outcome.
    pub pending: usize,
    /// Cases without a single decided sample.
    pub cases: usize,
}

impl Uncounted {
    /// Returns the number of samples that are not counted.
    pub fn samples(&self) -> usize {
        self.errors + self.unreadable + self.skipped + self.unchecked + self.pending
    }

    fn add(&mut self, case: &CaseResults, criterion: usize) {
        let mut decided = false;
        for value in case.values(criterion) {
            match value {
                Value::Number(_) => decided = true,
                Value::Pending => self.pending += 1,
                Value::Not(Status::Unreadable) => self.unreadable += 1,
                Value::Not(Status::Skipped) => self.skipped += 1,
                Value::Not(Status::NoChecks) => self.unchecked += 1,
                Value::Not(Status::Error | Status::Pass | Status::Fail) => self.errors += 1,
            }
        }
        if !decided {
            self.cases += 1;
        }
    }
}

/// The numbers of a criterion, and what each side could not count.
pub(crate) struct Counted {
    pub(crate) units: Units,
    pub(crate) baseline: Uncounted,
    pub(crate) candidate: Uncounted,
    /// The pairs with a sample that is not counted, or none that is, as places in `Pairing::pairs`.
    pub(crate) left_out: Vec<usize>,
}

/// Averages the samples of each shared case, on the criterion's place in either side.
pub(crate) fn count(
    baseline: &VariantResults,
    candidate: &VariantResults,
    pairing: &Pairing,
    (of_baseline, of_candidate): (usize, usize),
) -> Counted {
    let mut names: HashMap<(bool, &str), usize> = HashMap::new();
    let mut counted = Counted {
        units: Units {
            baseline: Vec::with_capacity(pairing.pairs.len()),
            candidate: Vec::with_capacity(pairing.pairs.len()),
            clusters: Vec::with_capacity(pairing.pairs.len()),
            places: Vec::with_capacity(pairing.pairs.len()),
            is_binary: true,
            is_single: true,
            unfinished_from: None,
        },
        baseline: Uncounted::default(),
        candidate: Uncounted::default(),
        left_out: Vec::new(),
    };
    let mut first_pending = None;
    let mut started: Vec<usize> = Vec::new();
    for (place, &(in_baseline, in_candidate)) in pairing.pairs.iter().enumerate() {
        let a = &baseline.cases[in_baseline];
        let b = &candidate.cases[in_candidate];
        counted.baseline.add(a, of_baseline);
        counted.candidate.add(b, of_candidate);
        let key = b.cluster.as_deref().map_or((false, b.id.as_str()), |name| (true, name));
        let next = names.len();
        let cluster = *names.entry(key).or_insert(next);
        if cluster == started.len() {
            started.push(place);
        }
        let pending = |case: &CaseResults, criterion| {
            case.values(criterion).any(|value| value == Value::Pending)
        };
        if first_pending.is_none() && (pending(a, of_baseline) || pending(b, of_candidate)) {
            first_pending = Some(started[cluster]);
        }
        let units = &mut counted.units;
        let mut decided = [0usize; 2];
        for (side, values) in
            [a.values(of_baseline).collect::<Vec<_>>(), b.values(of_candidate).collect()]
                .into_iter()
                .enumerate()
        {
            for value in values.into_iter().filter_map(Value::number) {
                decided[side] += 1;
                units.is_binary &= is_bit(value);
            }
        }
        if let (Some(mean_a), Some(mean_b)) = (a.mean(of_baseline), b.mean(of_candidate)) {
            units.baseline.push(mean_a);
            units.candidate.push(mean_b);
            units.clusters.push(cluster);
            units.places.push(place);
            units.is_single &= decided == [1, 1];
        }
        if decided != [a.samples.len(), b.samples.len()] || decided.contains(&0) {
            counted.left_out.push(place);
        }
    }
    counted.units.unfinished_from = first_pending;
    counted
}

#[expect(clippy::float_cmp, reason = "a pass is stored as exactly 1 and a fail as exactly 0")]
fn is_bit(value: f64) -> bool {
    value == 0.0 || value == 1.0
}

impl Units {
    /// Returns the number of pairs.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the number of clusters among the pairs.
    pub(crate) fn cluster_count(&self) -> usize {
        let mut numbers = self.clusters.clone();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    }

    /// Returns candidate minus baseline for each pair.
    pub(crate) fn differences(&self) -> Vec<f64> {
        self.baseline.iter().zip(&self.candidate).map(|(a, b)| b - a).collect()
    }
}
