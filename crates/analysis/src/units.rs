//! The numbers that a comparison on one criterion rests on: a pair of means for each case.

use serde::Serialize;

use score::Status;

use crate::criterion::Refusal;
use crate::pairing::Pairing;
use crate::results::{CaseResults, Open, Value, VariantResults};

/// Two means nearer than this are equal: sums of doubles differ in their last digits.
pub(crate) const SAME: f64 = 1e-12;

/// Case means of the pairs that are decided on both sides, in plan order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Units {
    /// The baseline's case means.
    pub(crate) baseline: Vec<f64>,
    /// The candidate's.
    pub(crate) candidate: Vec<f64>,
    /// The cluster of each pair, as a place in [`Plan::finished`] of the same comparison.
    pub(crate) clusters: Vec<usize>,
    /// The places in `Pairing::pairs`.
    pub(crate) places: Vec<usize>,
    /// Whether every sample is 0 or 1.
    pub(crate) is_binary: bool,
    /// Whether the samples of every case agree, so that each has one binary result on either side.
    pub(crate) is_settled: bool,
}

/// The shared cases as they were planned, whatever became of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// The cluster of each pair, numbered by first appearance; a case without one is its own.
    pub(crate) cluster_of: Vec<usize>,
    /// For each cluster, whether every cell of it has an outcome.
    pub(crate) finished: Vec<bool>,
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
    /// Nobody has labelled it.
    pub unlabelled: usize,
    /// People disagree, and nobody adjudicated.
    pub disputed: usize,
    /// It was chosen for labelling, not drawn by chance, while others have no label.
    pub not_drawn: usize,
    /// It was drawn for labelling with another chance than others, while others have no label.
    pub unequally_drawn: usize,
    /// Cells without an outcome.
    pub pending: usize,
    /// Cases without a single decided sample.
    pub cases: usize,
    /// Of these, the ones that lack nothing but a decision of people.
    pub open_cases: usize,
}

impl Uncounted {
    /// Returns the number of samples that are not counted.
    pub fn samples(&self) -> usize {
        self.errors
            + self.unreadable
            + self.skipped
            + self.unchecked
            + self.pending
            + self.open_samples()
    }

    /// Returns the number of samples that people have not decided.
    pub fn open_samples(&self) -> usize {
        self.unlabelled + self.disputed + self.not_drawn + self.unequally_drawn
    }

    /// Tells whether there are samples, and every one lacks something that decides pass or fail.
    pub(crate) fn is_all_unchecked(&self, samples: usize) -> bool {
        samples > 0 && self.unchecked == samples
    }

    fn add(&mut self, value: Value) {
        match value {
            Value::Number(_) => {}
            Value::Pending => self.pending += 1,
            Value::Open(Open::Unlabelled) => self.unlabelled += 1,
            Value::Open(Open::Disputed) => self.disputed += 1,
            Value::Open(Open::NotDrawn) => self.not_drawn += 1,
            Value::Open(Open::UnequallyDrawn) => self.unequally_drawn += 1,
            Value::Not(Status::Unreadable) => self.unreadable += 1,
            Value::Not(Status::Skipped) => self.skipped += 1,
            Value::Not(Status::NoChecks) => self.unchecked += 1,
            Value::Not(Status::Error | Status::Pass | Status::Fail) => self.errors += 1,
        }
    }
}

/// The numbers of a criterion, and what each side could not count.
pub(crate) struct Counted {
    pub(crate) units: Units,
    pub(crate) plan: Plan,
    pub(crate) baseline: Uncounted,
    pub(crate) candidate: Uncounted,
    /// Samples of either side that are missing from cases which are decided on both.
    pub(crate) missing_samples: (usize, usize),
    /// The pairs with a sample that is not counted, or none that is, as places in `Pairing::pairs`.
    pub(crate) left_out: Vec<usize>,
    /// The pairs without a result on some side that lack nothing but decisions of people, likewise.
    pub(crate) open: Vec<usize>,
    /// Whether samples were asked for and none of either side has anything that decides.
    pub(crate) is_undecidable: bool,
}

impl Counted {
    /// Says why no pair is decided on both sides.
    pub(crate) fn nothing_decided(&self) -> Refusal {
        if self.open.is_empty() {
            return Refusal::NothingDecided;
        }
        match self.baseline.unequally_drawn + self.candidate.unequally_drawn {
            0 => Refusal::Unlabelled,
            _ => Refusal::UnequallyDrawn,
        }
    }
}

/// Averages the samples of each shared case, on the criterion's place in either side. `cluster_of`
/// has the cluster of each pair, as [`crate::cluster_numbers`] numbers them.
pub(crate) fn count(
    baseline: &VariantResults,
    candidate: &VariantResults,
    pairing: &Pairing,
    cluster_of: &[usize],
    (of_baseline, of_candidate): (usize, usize),
) -> Counted {
    let shared = pairing.pairs.len();
    let mut plan = Plan::of(cluster_of);
    let mut units = Units::with_capacity(shared);
    let mut uncounted = [Uncounted::default(); 2];
    let (mut samples, mut missing_samples) = ([0usize; 2], [0usize; 2]);
    let (mut left_out, mut open) = (Vec::new(), Vec::new());
    for (place, &(in_baseline, in_candidate)) in pairing.pairs.iter().enumerate() {
        let cluster = plan.cluster_of[place];
        let sides = [
            Tally::of(&baseline.cases[in_baseline], of_baseline, baseline.samples),
            Tally::of(&candidate.cases[in_candidate], of_candidate, candidate.samples),
        ];
        for (side, tally) in sides.iter().enumerate() {
            tally.add_to(&mut uncounted[side]);
            samples[side] += tally.asked;
            units.is_binary &= tally.is_binary;
        }
        plan.finished[cluster] &= sides.iter().all(|tally| tally.missing.pending == 0);
        if let [Some(a), Some(b)] = sides.each_ref().map(Tally::mean) {
            units.baseline.push(a);
            units.candidate.push(b);
            units.clusters.push(cluster);
            units.places.push(place);
            units.is_settled &= is_bit(a) && is_bit(b);
            for (side, tally) in sides.iter().enumerate() {
                // Only one sample of a case is labelled as a rule; the others are no fault.
                missing_samples[side] += tally.missing.samples() - tally.missing.open_samples();
            }
        } else if sides.iter().all(|tally| tally.decided > 0 || tally.is_open()) {
            open.push(place);
        }
        if sides.iter().any(Tally::lacks) {
            left_out.push(place);
        }
    }
    let is_undecidable = (0..2).all(|side| uncounted[side].is_all_unchecked(samples[side]));
    let ([baseline, candidate], [a, b]) = (uncounted, missing_samples);
    let missing_samples = (a, b);
    Counted { units, plan, baseline, candidate, missing_samples, left_out, open, is_undecidable }
}

/// What the samples of one case on one criterion add up to.
struct Tally {
    /// The samples that the plan has, or more if more came.
    asked: usize,
    decided: usize,
    sum: f64,
    is_binary: bool,
    missing: Uncounted,
}

impl Tally {
    fn of(case: &CaseResults, criterion: usize, planned: u32) -> Self {
        let asked = case.samples.len().max(usize::try_from(planned).unwrap_or(usize::MAX));
        let mut tally = Self {
            asked,
            decided: 0,
            sum: 0.0,
            is_binary: true,
            missing: Uncounted { pending: asked - case.samples.len(), ..Uncounted::default() },
        };
        for value in case.values(criterion) {
            tally.missing.add(value);
            if let Value::Number(number) = value {
                tally.decided += 1;
                tally.sum += number;
                tally.is_binary &= is_bit(number);
            }
        }
        tally
    }

    fn mean(&self) -> Option<f64> {
        (self.decided > 0).then(|| self.sum / self.decided as f64)
    }

    /// Tells whether no sample is decided, for want of decisions of people alone.
    fn is_open(&self) -> bool {
        self.decided == 0 && self.missing.samples() == self.missing.open_samples()
    }

    /// Tells whether something of the case is not counted. Of a case that people decided, other
    /// samples need no label.
    fn lacks(&self) -> bool {
        self.decided == 0 || self.missing.samples() > self.missing.open_samples()
    }

    fn add_to(&self, total: &mut Uncounted) {
        total.errors += self.missing.errors;
        total.unreadable += self.missing.unreadable;
        total.skipped += self.missing.skipped;
        total.unchecked += self.missing.unchecked;
        total.unlabelled += self.missing.unlabelled;
        total.disputed += self.missing.disputed;
        total.not_drawn += self.missing.not_drawn;
        total.unequally_drawn += self.missing.unequally_drawn;
        total.open_cases += usize::from(self.is_open());
        total.pending += self.missing.pending;
        total.cases += usize::from(self.decided == 0);
    }
}

#[expect(clippy::float_cmp, reason = "a pass is stored as exactly 1 and a fail as exactly 0")]
fn is_bit(value: f64) -> bool {
    value == 0.0 || value == 1.0
}

impl Plan {
    fn of(cluster_of: &[usize]) -> Self {
        let clusters = cluster_of.iter().max().map_or(0, |last| last + 1);
        Self { cluster_of: cluster_of.to_vec(), finished: vec![true; clusters] }
    }
}

impl Units {
    fn with_capacity(pairs: usize) -> Self {
        Self {
            baseline: Vec::with_capacity(pairs),
            candidate: Vec::with_capacity(pairs),
            clusters: Vec::with_capacity(pairs),
            places: Vec::with_capacity(pairs),
            is_binary: true,
            is_settled: true,
        }
    }

    /// Returns the number of pairs.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the number of clusters among the pairs.
    pub(crate) fn cluster_count(&self) -> usize {
        let most = self.clusters.iter().max().map_or(0, |last| last + 1);
        let mut seen = vec![false; most];
        for &cluster in &self.clusters {
            seen[cluster] = true;
        }
        seen.into_iter().filter(|seen| *seen).count()
    }

    /// Returns some of the pairs, by their places among these, with their own kind of scores.
    pub(crate) fn select(&self, places: &[usize]) -> Self {
        let of = |values: &[f64]| places.iter().map(|place| values[*place]).collect::<Vec<_>>();
        let (baseline, candidate) = (of(&self.baseline), of(&self.candidate));
        let is_settled = baseline.iter().chain(&candidate).all(|mean| is_bit(*mean));
        Self {
            clusters: places.iter().map(|place| self.clusters[*place]).collect(),
            places: places.iter().map(|place| self.places[*place]).collect(),
            is_binary: self.is_binary,
            is_settled,
            baseline,
            candidate,
        }
    }

    /// Returns the mean of the baseline's case means, of at least one pair.
    pub(crate) fn baseline_mean(&self) -> f64 {
        self.baseline.iter().sum::<f64>() / self.len() as f64
    }

    /// Returns the mean of the candidate's case means, of at least one pair.
    pub(crate) fn candidate_mean(&self) -> f64 {
        self.candidate.iter().sum::<f64>() / self.len() as f64
    }

    /// Returns candidate minus baseline for each pair.
    pub(crate) fn differences(&self) -> Vec<f64> {
        self.baseline.iter().zip(&self.candidate).map(|(a, b)| b - a).collect()
    }

    /// Tells whether all differences are equal, which is no evidence of certainty.
    pub(crate) fn is_constant(&self) -> bool {
        let differences = self.differences();
        differences.iter().all(|difference| (difference - differences[0]).abs() <= SAME)
    }
}
