use std::collections::{BTreeSet, HashSet};

use evalset::ScoreSource;
use serde::Serialize;
use stats::{InvalidInput, Level, two_proportions};

use crate::compare::{CompareOptions, LookHistory};
use crate::decision::{self, Decision, WhySequence};
use crate::pairing::Pairing;
use crate::planning::{Noise, Sizes};
use crate::repeated::Repeated;
use crate::results::{Origin, VariantResults, cluster_numbers};
use crate::sequential;
use crate::slices::{self, Slices};
use crate::square::Square;
use crate::units::{self, Counted, Uncounted, Units};
use crate::verdict::Verdict;
use crate::warning::{FEW_CLUSTERS, MANY_LEFT_OUT, Warning};

/// Tries beyond so many allow no smaller error; nobody gets there.
const MOST_HALVINGS: u32 = 20;

/// Two variants on one criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CriterionComparison {
    /// The criterion.
    pub criterion: String,
    /// Its part in the verdict.
    pub role: Role,
    /// Who decides it.
    pub basis: Basis,
    /// Why there is no verdict, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// How sure the difference is; `None` where comparing would mislead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The mean of the baseline's case means over the compared cases, in shares.
    pub baseline_rate: Option<f64>,
    /// The candidate's.
    pub candidate_rate: Option<f64>,
    /// What these cases can show, and what the question needs; `None` without a compared case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Sizes>,
    /// How reliably both sides pass; `None` with one sample a case or graded scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    /// The cases by what became of them.
    pub square: Square,
    /// What the baseline could not count.
    pub baseline_uncounted: Uncounted,
    /// What the candidate could not count.
    pub candidate_uncounted: Uncounted,
    /// Shared cases with a sample that is not counted, in plan order.
    pub left_out: Vec<String>,
    /// How many other sets of answers of the same versions to the same cases were shown before.
    #[serde(skip_serializing_if = "is_zero")]
    pub other_answers: u32,
}

/// The part of a criterion in the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Declared as the one that decides; no correction touches it.
    Primary,
    /// Any other; corrected by Holm's steps among them.
    Other,
}

/// Who decides a criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Basis {
    /// Checks.
    Code,
    /// People.
    Human,
    /// Judges, whose opinion it is.
    Judge {
        /// Their names.
        judges: Vec<String>,
        /// Whether calibration against people's labels makes them count.
        trusted: bool,
    },
}

/// Why a criterion has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// Only one side was scored on it.
    OneSided {
        /// Whether it is the candidate that lacks it.
        candidate: bool,
    },
    /// The criterion itself changed: its kind, source, rubric, threshold.
    CriterionChanged,
    /// The sides were scored by different checks.
    ChecksChanged {
        /// Those that differ.
        names: Vec<String>,
    },
    /// The sides were scored by different judges, or by different versions of one.
    JudgesChanged {
        /// Those that differ.
        names: Vec<String>,
    },
    /// No shared case is decided on both sides.
    NothingDecided,
    /// People decide it, and no shared case has their decision on both sides.
    Unlabelled,
    /// People decide it, and what they decided was drawn with unequal chances.
    UnequallyDrawn,
    /// Nothing decides pass or fail on it: a categorical criterion that only describes, or cases
    /// without a check.
    OnlyDescribes,
}

/// Returns the level at which a verdict is read after so many other sets of answers were shown.
///
/// Every further try at the same question halves the error that its interval allows: however often
/// the same versions answer the same cases anew, all their verdicts together are wrong at most twice
/// as often as one.
///
/// # Errors
/// [`InvalidInput`] if the level is too small to be one.
pub fn level_of_try(level: Level, other_answers: u32) -> Result<Level, InvalidInput> {
    match other_answers {
        0 => Ok(level),
        others => Level::of_alpha(level.alpha() / f64::from(others.min(MOST_HALVINGS)).exp2()),
    }
}

/// A criterion before its level is known.
pub(crate) struct Prepared<'a> {
    baseline: (&'a VariantResults, usize),
    candidate: (&'a VariantResults, usize),
    pairing: &'a Pairing,
    counted: Counted,
    pub(crate) role: Role,
    refusal: Option<Refusal>,
    shared: &'a Shared<'a>,
    why: Option<WhySequence>,
    other_answers: u32,
}

/// What holds of the shared cases, whatever the criterion.
pub(crate) struct Shared<'h> {
    /// The cluster of each pair, numbered by first appearance.
    pub(crate) cluster_of: Vec<usize>,
    history: &'h LookHistory,
    unchanged: bool,
}

impl<'h> Shared<'h> {
    /// Looks at the shared cases.
    pub(crate) fn of(
        baseline: &VariantResults,
        candidate: &VariantResults,
        pairing: &Pairing,
        history: &'h LookHistory,
    ) -> Self {
        Self {
            cluster_of: cluster_numbers(pairing.pairs.iter().map(|(_, at)| &candidate.cases[*at])),
            history,
            unchanged: outputs_are_unchanged(baseline, candidate, pairing),
        }
    }
}

impl<'a> Prepared<'a> {
    /// Counts a criterion of the candidate against the same of the baseline.
    pub(crate) fn new(
        baseline: (&'a VariantResults, usize),
        candidate: (&'a VariantResults, usize),
        pairing: &'a Pairing,
        shared: &'a Shared<'a>,
    ) -> Self {
        let places = (baseline.1, candidate.1);
        let counted = units::count(baseline.0, candidate.0, pairing, &shared.cluster_of, places);
        let role =
            if candidate.0.primary == Some(candidate.1) { Role::Primary } else { Role::Other };
        let refusal = refusal(baseline, candidate)
            .or(counted.is_undecidable.then_some(Refusal::OnlyDescribes))
            .or_else(|| (counted.units.len() == 0).then(|| counted.nothing_decided()));
        let why = why_sequence((baseline.0, candidate), pairing, &counted.units, shared.history);
        let name = &candidate.0.criteria[candidate.1].name;
        let other_answers = shared.history.other_answers.get(name).copied().unwrap_or(0);
        Self { baseline, candidate, pairing, counted, role, refusal, shared, why, other_answers }
    }

    /// Returns the criterion's name.
    pub(crate) fn name(&self) -> &'a str {
        &self.candidate.0.criteria[self.candidate.1].name
    }

    /// Decides at a level.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more pairs than the statistics allow.
    pub(crate) fn decide(
        &self,
        options: &CompareOptions,
        level: Level,
    ) -> Result<Option<Decision>, InvalidInput> {
        if self.refusal.is_some() {
            return Ok(None);
        }
        let level = level_of_try(level, self.other_answers)?;
        let (units, plan, margin) = (&self.counted.units, &self.counted.plan, options.margin);
        let unchanged = self.shared.unchanged;
        let Some(why) = self.why else {
            let decision = decision::decide(units, margin, level, options.seed, unchanged)?;
            return Ok(Some(decision));
        };
        let ranks = ranks(self.candidate.0, self.pairing, self.looks());
        let mut decision = sequential::decide((units, plan), &ranks, why, margin, level)?;
        if unchanged {
            decision.hold_by_identity(margin);
        }
        Ok(Some(decision))
    }

    /// Returns the earlier looks at this criterion.
    fn looks(&self) -> &'a [HashSet<String>] {
        self.shared.history.earlier.get(self.name()).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns what is to be said above the verdict.
    ///
    /// # Errors
    /// [`InvalidInput`] never for counts of cases; it is passed on from the statistics.
    pub(crate) fn warnings(&self, level: Level) -> Result<Vec<Warning>, InvalidInput> {
        let mut warnings = Vec::new();
        let (units, shared) = (&self.counted.units, self.pairing.pairs.len());
        // A run that ended when it was decided needed no more; what it lacks is no fault.
        let plan = &self.counted.plan;
        let is_needed = |place: usize| {
            self.why != Some(WhySequence::UntilDecided) || plan.finished[plan.cluster_of[place]]
        };
        // What people have not decided is told apart: there is nothing to retry.
        let open = self.counted.open.iter().filter(|place| is_needed(**place)).count();
        let needed = (0..shared).filter(|place| is_needed(*place)).count() - open;
        let left_out = needed - units.places.iter().filter(|place| is_needed(**place)).count();
        let criterion = || self.name().to_owned();
        if left_out as f64 > MANY_LEFT_OUT * needed as f64 {
            warnings.push(Warning::ManyLeftOut { criterion: criterion(), left_out, of: needed });
        }
        let [baseline, candidate] = [&self.counted.baseline, &self.counted.candidate]
            .map(|side| side.cases - side.open_cases);
        let (a, b) = (baseline as u64, candidate as u64);
        let table = two_proportions((a, shared as u64), (b, shared as u64), level)?;
        if let Some(p_value) = table.fisher_p.ok().filter(|p| *p < 0.05) {
            let criterion = criterion();
            warnings.push(Warning::UnequallyLeftOut { criterion, baseline, candidate, p_value });
        }
        warnings.extend(self.open_labels());
        let (baseline, candidate) = self.counted.missing_samples;
        if baseline + candidate > 0 {
            let criterion = criterion();
            warnings.push(Warning::SamplesLeftOut { criterion, baseline, candidate });
        }
        let clusters = units.cluster_count();
        if self.refusal.is_none() && clusters < units.len() && clusters < FEW_CLUSTERS {
            warnings.push(Warning::FewClusters { criterion: criterion(), clusters });
        }
        if self.refusal.is_none() && self.other_answers > 0 {
            let (criterion, earlier) = (criterion(), self.other_answers);
            let confidence = level_of_try(level, self.other_answers)?.confidence();
            warnings.push(Warning::AnswersAgain { criterion, earlier, confidence });
        }
        Ok(warnings)
    }

    /// Says what people have not decided, where the rest gives a verdict all the same.
    fn open_labels(&self) -> Option<Warning> {
        if self.counted.open.is_empty() || self.refusal.is_some() {
            return None;
        }
        let (baseline, candidate) = (&self.counted.baseline, &self.counted.candidate);
        Some(Warning::OpenLabels {
            criterion: self.name().to_owned(),
            decided: self.counted.units.len(),
            of: self.pairing.pairs.len(),
            unlabelled: [baseline.unlabelled, candidate.unlabelled],
            disputed: [baseline.disputed, candidate.disputed],
            not_drawn: [baseline.not_drawn, candidate.not_drawn],
            unequally_drawn: [baseline.unequally_drawn, candidate.unequally_drawn],
        })
    }

    /// Compares the slices of the cases, where there is a verdict to look into.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more cases than the statistics allow.
    pub(crate) fn slices(&self, level: Level) -> Result<Option<Slices>, InvalidInput> {
        if self.refusal.is_some() {
            return Ok(None);
        }
        let units = &self.counted.units;
        let tags_of = |unit: usize| {
            let (_, case) = self.pairing.pairs[units.places[unit]];
            self.candidate.0.cases[case].tags.as_slice()
        };
        slices::slices(self.name(), units, tags_of, level)
    }

    /// Finishes the comparison with what was decided.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more cases than the statistics allow.
    pub(crate) fn finish(
        self,
        decision: Option<Decision>,
        options: &CompareOptions,
    ) -> Result<CriterionComparison, InvalidInput> {
        let Self { baseline, candidate, pairing, counted, role, refusal, other_answers, .. } = self;
        let criterion = &candidate.0.criteria[candidate.1];
        let units = &counted.units;
        let (mut sizes, mut repeated) = (None, None);
        if let (None, Some(decision)) = (&refusal, decision) {
            let level = Level::of_confidence(decision.confidence)?;
            let noise = Noise::of(baseline, candidate, pairing, units)?;
            sizes = Some(Sizes::of(units, noise, options.question(), level)?);
            repeated = Repeated::of(baseline, candidate, pairing, units, options.level)?;
        }
        let has_cases = units.len() > 0;
        let is_incomparable = matches!(
            refusal,
            Some(
                Refusal::CriterionChanged
                    | Refusal::ChecksChanged { .. }
                    | Refusal::JudgesChanged { .. }
            )
        );
        let id_of = |place: &usize| candidate.0.cases[pairing.pairs[*place].1].id.clone();
        Ok(CriterionComparison {
            criterion: criterion.name.clone(),
            role,
            basis: Basis::of(candidate, &options.trusted),
            refusal,
            decision,
            baseline_rate: has_cases.then(|| units.baseline_mean()),
            candidate_rate: has_cases.then(|| units.candidate_mean()),
            sizes,
            repeated,
            // Results that were measured differently have nothing to be set against.
            square: if is_incomparable {
                Square::default()
            } else {
                Square::of(baseline, candidate, pairing, units)
            },
            baseline_uncounted: counted.baseline,
            candidate_uncounted: counted.candidate,
            left_out: counted.left_out.iter().map(id_of).collect(),
            other_answers,
        })
    }
}

impl CriterionComparison {
    /// Makes the comparison of a criterion that cannot be compared at all.
    pub(crate) fn refused(results: &VariantResults, place: usize, refusal: Refusal) -> Self {
        let role = if results.primary == Some(place) { Role::Primary } else { Role::Other };
        Self {
            criterion: results.criteria[place].name.clone(),
            role,
            basis: Basis::of((results, place), &BTreeSet::new()),
            refusal: Some(refusal),
            decision: None,
            baseline_rate: None,
            candidate_rate: None,
            sizes: None,
            repeated: None,
            square: Square::default(),
            baseline_uncounted: Uncounted::default(),
            candidate_uncounted: Uncounted::default(),
            left_out: Vec::new(),
            other_answers: 0,
        }
    }

    /// Returns the verdict, if comparing does not mislead.
    pub fn verdict(&self) -> Option<Verdict> {
        self.decision.map(|decision| decision.verdict)
    }
}

impl Basis {
    /// Returns the judges without trust whose opinion a verdict is; `None` if it is a finding.
    pub fn opinion_of(&self) -> Option<&[String]> {
        match self {
            Self::Judge { judges, trusted: false } => Some(judges),
            Self::Judge { .. } | Self::Code | Self::Human => None,
        }
    }

    fn of((results, place): (&VariantResults, usize), trusted: &BTreeSet<String>) -> Self {
        let criterion = &results.criteria[place];
        match criterion.source {
            ScoreSource::Code => Self::Code,
            ScoreSource::Human => Self::Human,
            ScoreSource::Judge => Self::Judge {
                judges: criterion.scorers.iter().map(|scorer| scorer.name.clone()).collect(),
                trusted: trusted.contains(&criterion.name),
            },
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn refusal(
    (baseline, in_baseline): (&VariantResults, usize),
    (candidate, in_candidate): (&VariantResults, usize),
) -> Option<Refusal> {
    let (a, b) = (&baseline.criteria[in_baseline], &candidate.criteria[in_candidate]);
    if a.hash != b.hash {
        return Some(Refusal::CriterionChanged);
    }
    let only = |of: &crate::SetCriterion, other: &crate::SetCriterion| {
        let odd = of.scorers.iter().filter(|scorer| !other.scorers.contains(scorer));
        odd.map(|scorer| scorer.name.clone()).collect::<Vec<_>>()
    };
    let mut names = [only(a, b), only(b, a)].concat();
    names.sort_unstable();
    names.dedup();
    match (names.is_empty(), b.source) {
        (true, _) | (_, ScoreSource::Human) => None,
        (false, ScoreSource::Code) => Some(Refusal::ChecksChanged { names }),
        (false, ScoreSource::Judge) => Some(Refusal::JudgesChanged { names }),
    }
}

fn why_sequence(
    (baseline, (candidate, criterion)): (&VariantResults, (&VariantResults, usize)),
    pairing: &Pairing,
    units: &Units,
    history: &LookHistory,
) -> Option<WhySequence> {
    let ended =
        |results: &VariantResults| matches!(results.origin, Origin::Run { complete: false, .. });
    if history.until_decided {
        return Some(WhySequence::UntilDecided);
    }
    if ended(baseline) || ended(candidate) {
        return Some(WhySequence::EndedEarly { at_cap: history.at_cap });
    }
    let id = |place: &usize| &candidate.cases[pairing.pairs[*place].1].id;
    let looks = history.earlier.get(&candidate.criteria[criterion].name)?;
    let grown = looks
        .iter()
        .find(|earlier| units.places.iter().any(|place| !earlier.contains(id(place))))?;
    Some(WhySequence::MoreCases { looked_at: grown.len() })
}

/// Ranks each pair in the order in which evidence was looked at.
fn ranks(candidate: &VariantResults, pairing: &Pairing, looks: &[HashSet<String>]) -> Vec<usize> {
    let shared = pairing.pairs.len();
    let look_of =
        |id: &String| looks.iter().position(|earlier| earlier.contains(id)).unwrap_or(looks.len());
    pairing
        .pairs
        .iter()
        .enumerate()
        .map(|(place, (_, case))| look_of(&candidate.cases[*case].id) * shared + place)
        .collect()
}

fn outputs_are_unchanged(
    baseline: &VariantResults,
    candidate: &VariantResults,
    pairing: &Pairing,
) -> bool {
    !pairing.pairs.is_empty()
        && pairing.pairs.iter().all(|&(a, b)| {
            let (a, b) = (&baseline.cases[a].samples, &candidate.cases[b].samples);
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.output.is_some() && a.output == b.output)
        })
}
