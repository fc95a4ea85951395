use serde::Serialize;

use crate::pairing::Pairing;
use crate::results::{CaseResults, Value, VariantResults};
use crate::units::Units;

/// The shared cases by what became of them; every decided pair is in exactly one part.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Square {
    /// How many pass on both sides, every sample of them.
    pub both_pass: usize,
    /// How many score higher with the candidate.
    pub fixed: usize,
    /// How many score lower with the candidate.
    pub broke: usize,
    /// How many fail on both sides, every sample of them.
    pub both_fail: usize,
    /// How many score the same, between failing and passing; only with samples or graded scores.
    pub mixed: usize,
    /// The cases, in plan order.
    pub cases: Vec<PairedCase>,
}

/// A shared case on one criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedCase {
    /// The case.
    pub id: String,
    /// What became of it.
    pub change: Change,
    /// The baseline's samples.
    pub baseline: CaseScore,
    /// The candidate's.
    pub candidate: CaseScore,
}

/// What the samples of one case add up to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CaseScore {
    /// Their mean, a share in 0..=1.
    pub mean: f64,
    /// How many are decided.
    pub decided: u32,
    /// How many of them pass; `None` where a score is graded.
    pub passed: Option<u32>,
    /// Whether decided samples disagree.
    pub is_flaky: bool,
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Every sample passes on both sides.
    BothPass,
    /// The candidate scores higher.
    Fixed,
    /// The candidate scores lower.
    Broke,
    /// Every sample fails on both sides.
    BothFail,
    /// Both score the same, in between.
    Mixed,
}

impl Change {
    /// Tells what became of a case from its two means.
    #[expect(
        clippy::float_cmp,
        reason = "means of the same numbers in the same order are the same"
    )]
    fn of(baseline: f64, candidate: f64) -> Self {
        if candidate > baseline {
            Self::Fixed
        } else if candidate < baseline {
            Self::Broke
        } else if candidate == 1.0 {
            Self::BothPass
        } else if candidate == 0.0 {
            Self::BothFail
        } else {
            Self::Mixed
        }
    }
}

impl Square {
    /// Sorts the decided pairs of a criterion.
    pub(crate) fn of(
        (baseline, of_baseline): (&VariantResults, usize),
        (candidate, of_candidate): (&VariantResults, usize),
        pairing: &Pairing,
        units: &Units,
    ) -> Self {
        let mut square = Self::default();
        for (&place, (a, b)) in units.places.iter().zip(units.baseline.iter().zip(&units.candidate))
        {
            let (in_baseline, in_candidate) = pairing.pairs[place];
            let (case_a, case_b) = (&baseline.cases[in_baseline], &candidate.cases[in_candidate]);
            let change = Change::of(*a, *b);
            *square.count_mut(change) += 1;
            square.cases.push(PairedCase {
                id: case_b.id.clone(),
                change,
                baseline: CaseScore::of(case_a, of_baseline, *a),
                candidate: CaseScore::of(case_b, of_candidate, *b),
            });
        }
        square
    }

    /// Returns the number of decided pairs.
    pub fn total(&self) -> usize {
        self.cases.len()
    }

    /// Returns the cases of one part.
    pub fn part(&self, change: Change) -> impl Iterator<Item = &PairedCase> {
        self.cases.iter().filter(move |case| case.change == change)
    }

    fn count_mut(&mut self, change: Change) -> &mut usize {
        match change {
            Change::BothPass => &mut self.both_pass,
            Change::Fixed => &mut self.fixed,
            Change::Broke => &mut self.broke,
            Change::BothFail => &mut self.both_fail,
            Change::Mixed => &mut self.mixed,
        }
    }
}

impl CaseScore {
    #[expect(clippy::float_cmp, reason = "samples disagree as soon as their scores differ at all")]
    fn of(case: &CaseResults, criterion: usize, mean: f64) -> Self {
        let (mut decided, mut passed, mut failed) = (0, 0, 0);
        let mut first = None;
        let mut is_flaky = false;
        for value in case.values(criterion).filter_map(Value::number) {
            decided += 1;
            passed += u32::from(value >= 1.0);
            failed += u32::from(value <= 0.0);
            is_flaky |= *first.get_or_insert(value) != value;
        }
        let passed = (passed + failed == decided).then_some(passed);
        Self { mean, decided, passed, is_flaky }
    }
}
