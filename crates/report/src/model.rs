use analysis::calibration::{CorrectedDifference, Correction};
use analysis::{CandidateRow, Comparison, GateOutcome, JudgedOrder, VariantResults, Verdict};
use score::Status;
use serde::Serialize;
use stats::Level;
use values::Timestamp;

use crate::figures::{self, CriterionFigures, Latencies};
use crate::plot::VariantPoint;
use crate::rows::{self, Row};

/// The format of a report as JSON; `docs/formats/report.md` describes it.
pub const FORMAT: u32 = 1;

/// All that a report says, whatever it is rendered as.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The format of this document, [`FORMAT`].
    pub format: u32,
    /// What it is about, in the words of whoever asked for it.
    pub title: String,
    /// When it was made.
    pub made: Timestamp,
    /// Whether recordings gave the candidate's answers, and from when they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Replayed>,
    /// Why there is no result at all, where the input is unusable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unusable: Option<Unusable>,
    /// What the gate says, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateOutcome>,
    /// The candidates side by side, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<CandidateRow>,
    /// The order of all variants by pairs of their outputs, for each judge that compared such pairs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<JudgedOrder>,
    /// The candidates, each against the baseline; where there are several, in the order of their rows.
    pub sections: Vec<Section>,
    /// How much of the cases the renderers show.
    pub limits: Limits,
}

/// When answers that are replayed were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The oldest recording that answered; `None` if those that did are not kept any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// One candidate against the baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// What the statistics say.
    pub comparison: Comparison,
    /// What people would find of the differences that judges see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrected: Vec<CorrectedVerdict>,
    /// What was looked at and tried before; `None` if nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// What differs between the two prompts, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_diff: Option<String>,
    /// What is known of cases: those that broke or were fixed, and any other worth reading.
    pub cases: Vec<CaseDetail>,
    /// Both sides on each criterion, in the order of the comparison.
    pub figures: Vec<CriterionFigures>,
    /// The latencies of both sides, where they can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latencies: Option<Latencies>,
    /// The baseline between cost and quality, if its costs are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_point: Option<VariantPoint>,
    /// The candidate between cost and quality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate_point: Option<VariantPoint>,
    /// Every case on every criterion.
    pub rows: Vec<Row>,
}

/// What people would find of the difference that judges see on a criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrectedVerdict {
    /// The criterion.
    pub criterion: String,
    /// The difference, from the cases whose outputs people labelled on both sides.
    pub difference: CorrectedDifference,
    /// What is read off its interval; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

impl CorrectedVerdict {
    /// Reads the verdict off a corrected difference. Its two-sided lower end stands for the one-sided
    /// bound, which is not known.
    pub fn of(criterion: &str, difference: CorrectedDifference, margin: Option<f64>) -> Self {
        let interval = match &difference.correction {
            Correction::Corrected { interval, .. } => interval.value(),
            Correction::Not { .. } => None,
        };
        let verdict = interval.map(|found| Verdict::read(found, Some(found.low()), margin));
        Self { criterion: criterion.to_owned(), difference, verdict }
    }
}

/// What makes the input of a gate unusable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unusable {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Findings about files, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// What was looked at and tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct History {
    /// Verdicts on these two versions that were shown on this set, this one included.
    pub looks: u32,
    /// Candidates that were tried against this baseline on this set, this one included.
    pub candidates: u32,
}

/// How much of the cases the renderers show. JSON and CSV hold all that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Cases of each list.
    pub cases: usize,
    /// Characters of each input, expectation and output.
    pub characters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cases: 50, characters: 2_000 }
    }
}

/// A case with what both sides made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseDetail {
    /// The case.
    pub id: String,
    /// Its inputs, as text.
    pub input: String,
    /// What is expected, if the case says so, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The baseline's output; `None` if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<OutputDetail>,
    /// The candidate's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<OutputDetail>,
}

/// One output and why it was scored as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputDetail {
    /// Its text; `None` without an answer, or where only its hash was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which sample it is, from 0.
    pub sample: u32,
    /// What was decided, by criterion.
    pub reasons: Vec<Reason>,
}

/// What was decided on a criterion for one output, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The criterion.
    pub criterion: String,
    /// The status.
    pub status: Status,
    /// Why.
    pub reason: String,
}

impl Report {
    /// Makes a report without a section.
    pub fn new(title: impl Into<String>, made: Timestamp) -> Self {
        Self {
            format: FORMAT,
            title: title.into(),
            made,
            replayed: None,
            unusable: None,
            gate: None,
            candidates: Vec::new(),
            orders: Vec::new(),
            sections: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Section {
    /// Makes a section of a comparison and of what was compared; history, prompt and cases are the
    /// caller's to add.
    pub fn new(
        comparison: Comparison,
        baseline: &VariantResults,
        candidate: &VariantResults,
    ) -> Self {
        let level = Level::of_confidence(comparison.confidence).unwrap_or(Level::P95);
        Self {
            figures: figures::criteria(&comparison, baseline, candidate),
            latencies: figures::latencies(baseline, candidate),
            baseline_point: figures::point(baseline, level),
            candidate_point: figures::point(candidate, level),
            rows: rows::rows(&comparison, baseline, candidate),
            comparison,
            corrected: Vec::new(),
            history: None,
            prompt_diff: None,
            cases: Vec::new(),
        }
    }
}
