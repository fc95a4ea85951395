//! What every format shows of a section, in its order, before any of them escapes or lays it out.

use std::collections::HashMap;

use analysis::{Change, CriterionComparison, PairedCase, Role, Verdict};

use crate::evidence::{self, Table};
use crate::figures::{CriterionFigures, Rate};
use crate::model::{CaseDetail, Limits, Reason, Report, Section, Unusable};
use crate::number::{count, counted, level, percent, point_range, points, rate};
use crate::rows::{Row, RowSide};
use crate::words::{self, Names};

/// Stands where there is no number.
pub(crate) const NOTHING: &str = "–";

/// A section's words.
pub(crate) struct Outline<'a> {
    pub(crate) names: Names,
    pub(crate) eval_set: String,
    pub(crate) warnings: Vec<String>,
    /// The criterion whose verdict stands first: the primary one, else the first.
    pub(crate) first: Option<&'a CriterionComparison>,
    /// The verdict sentence on it.
    pub(crate) verdict: String,
    /// What there is to know about how the verdict came about.
    pub(crate) remarks: Vec<String>,
    pub(crate) criteria: Vec<CriterionRow>,
    /// Sentences on criteria without a verdict, but for the first.
    pub(crate) refusals: Vec<String>,
    pub(crate) tables: Vec<Table>,
    pub(crate) lists: Vec<CaseList<'a>>,
    /// The cases that a criterion does not count.
    pub(crate) left_out: Vec<LeftOut>,
}

/// The shared cases that a criterion does not count, or of which it lacks a sample.
pub(crate) struct LeftOut {
    pub(crate) criterion: String,
    pub(crate) total: usize,
    /// The first of them, as many as the limits allow, each with what both sides have.
    pub(crate) shown: Vec<String>,
}

impl LeftOut {
    /// Returns the heading of the list.
    pub(crate) fn heading(&self) -> String {
        format!("{} left out on {}", counted(self.total, "case"), self.criterion)
    }

    /// Returns what is to be said about cases that are not listed.
    pub(crate) fn remark(&self) -> Option<String> {
        let more = self.total - self.shown.len();
        (more > 0).then(|| {
            format!("{} not listed here; JSON and CSV have them.", counted(more, "more case"))
        })
    }
}

/// A row of the table of criteria.
pub(crate) struct CriterionRow {
    pub(crate) name: String,
    pub(crate) basis: String,
    pub(crate) verdict: String,
    pub(crate) difference: String,
    pub(crate) interval: String,
    pub(crate) baseline: String,
    pub(crate) candidate: String,
    pub(crate) cases: usize,
}

/// The cases of one criterion that broke, or that were fixed.
pub(crate) struct CaseList<'a> {
    pub(crate) criterion: &'a str,
    pub(crate) change: Change,
    pub(crate) total: usize,
    /// The first of them, as many as the limits allow.
    pub(crate) shown: Vec<ListedCase<'a>>,
}

/// A case of a list, and what is known of it.
pub(crate) struct ListedCase<'a> {
    pub(crate) case: &'a PairedCase,
    pub(crate) detail: Option<&'a CaseDetail>,
}

impl CaseList<'_> {
    /// Returns what is to be said about cases that are not listed.
    pub(crate) fn remark(&self) -> Option<String> {
        let left_out = self.total - self.shown.len();
        (left_out > 0).then(|| format!("{} not listed here.", counted(left_out, "more case")))
    }

    /// Returns the shown cases of which texts are known.
    pub(crate) fn detailed(&self) -> impl Iterator<Item = (&PairedCase, &CaseDetail)> {
        self.shown.iter().filter_map(|listed| Some((listed.case, listed.detail?)))
    }

    /// Returns the ids of the shown cases of which only the ids are known.
    pub(crate) fn bare(&self) -> Vec<String> {
        let bare = self.shown.iter().filter(|listed| listed.detail.is_none());
        bare.map(|listed| words::name(&listed.case.id)).collect()
    }

    /// Returns `broke` or `fixed`.
    pub(crate) fn word(&self) -> &'static str {
        change_word(self.change)
    }
}

/// Returns the word for what became of a case.
pub(crate) fn change_word(change: Change) -> &'static str {
    match change {
        Change::BothPass => "both pass",
        Change::Fixed => "fixed",
        Change::Broke => "broke",
        Change::BothFail => "both fail",
        Change::Mixed => "mixed",
    }
}

/// Returns the first line of a replayed report.
pub(crate) fn replayed_line(report: &Report) -> Option<String> {
    let replayed = report.replayed?;
    let day = |time: values::Timestamp| time.to_string().chars().take(10).collect::<String>();
    let Some((from, to)) = replayed.from.zip(replayed.to) else {
        return Some("replayed: recorded.jsonl has no recording of these requests".to_owned());
    };
    let (from, to) = (day(from), day(to));
    Some(if from == to {
        format!("replayed: recorded on {from}")
    } else {
        format!("replayed: recorded on {from} to {to}")
    })
}

/// Returns what stands beside the gate's answer, which also rests on whose verdict it counts.
pub(crate) fn gate_remarks(report: &Report) -> Vec<String> {
    let Some(gate) = &report.gate else { return Vec::new() };
    let mut remarks = words::gate_remarks(gate);
    let primaries = report.sections.iter().filter_map(|section| section.comparison.primary());
    let opinions = primaries.filter(|primary| words::is_opinion(&primary.basis));
    remarks.extend(opinions.map(|primary| {
        format!(
            "The verdict on {} is the opinion of {}, not trusted: calibrate it against labels.",
            words::name(&primary.criterion),
            words::basis_words(&primary.basis)
        )
    }));
    remarks
}

/// Says what makes the input unusable, a line each.
pub(crate) fn unusable_lines(unusable: &Unusable) -> Vec<String> {
    let hint = unusable.hint.iter().map(|hint| format!("hint: {}", words::line(hint)));
    unusable.findings.iter().map(|found| words::line(found)).chain(hint).collect()
}

/// Returns the sentence that stands where a gate's answer would.
pub(crate) fn unusable_sentence(unusable: &Unusable) -> String {
    format!("No answer, because the input cannot be used: {}.", words::line(&unusable.message))
}

/// Returns a time to the minute, in UTC.
pub(crate) fn minute(time: values::Timestamp) -> String {
    let text = time.to_string();
    let minute: String = text.chars().take(16).collect();
    format!("{} UTC", minute.replace('T', " "))
}

impl<'a> Outline<'a> {
    /// Puts the words of a section in order.
    pub(crate) fn of(section: &'a Section, limits: Limits) -> Self {
        let comparison = &section.comparison;
        let names = Names::of(&comparison.baseline, &comparison.candidate);
        let first = comparison.primary().or(comparison.criteria.first());
        let sentence = |criterion: &CriterionComparison| {
            let (baseline, candidate) = (&comparison.baseline, &comparison.candidate);
            words::verdict_sentence(criterion, baseline, candidate, comparison.margin)
        };
        let verdict = first.map_or("No criterion is compared.".to_owned(), sentence);
        let others = || {
            comparison
                .criteria
                .iter()
                .filter(|one| first.is_none_or(|first| !std::ptr::eq(*one, first)))
        };
        Self {
            warnings: comparison
                .warnings
                .iter()
                .map(|warning| words::warning_sentence(warning, &names))
                .collect(),
            eval_set: words::name(&comparison.eval_set),
            verdict,
            remarks: [corrections(section, &names), remarks(section, first)].concat(),
            criteria: comparison.criteria.iter().map(|one| row(section, one)).collect(),
            refusals: others().filter(|one| one.refusal.is_some()).map(sentence).collect(),
            lists: first
                .into_iter()
                .chain(others())
                .flat_map(|criterion| {
                    [Change::Broke, Change::Fixed]
                        .map(|change| case_list(section, criterion, change, limits))
                })
                .filter(|list| list.total > 0)
                .collect(),
            left_out: left_out(section, limits),
            tables: evidence::tables(section, &names),
            first,
            names,
        }
    }

    /// Returns the verdict on the first criterion, by which its sentence is coloured; that of a judge
    /// without trust has no colour.
    pub(crate) fn tone(&self) -> Option<Verdict> {
        let first = self.first.filter(|first| !words::is_opinion(&first.basis))?;
        first.verdict()
    }
}

fn row(section: &Section, criterion: &CriterionComparison) -> CriterionRow {
    let decision = criterion.decision.as_ref();
    let figures = section.figures.iter().find(|one| one.criterion == criterion.criterion);
    let rate = |side: fn(&CriterionFigures) -> Option<Rate>| {
        let found = figures.and_then(side);
        found.map_or(NOTHING.to_owned(), |found| rate(found.rate, found.interval))
    };
    let primary = if criterion.role == Role::Primary { " (primary)" } else { "" };
    let estimate = decision.and_then(|decision| decision.difference.value());
    let interval = decision.and_then(|decision| {
        let interval = decision.interval.value()?;
        Some(format!("{}: {}", level(decision.confidence), point_range(interval)))
    });
    CriterionRow {
        name: format!("{}{primary}", words::name(&criterion.criterion)),
        basis: words::basis_words(&criterion.basis),
        verdict: words::verdict_words(criterion),
        difference: estimate.map_or(NOTHING.to_owned(), points),
        interval: interval.unwrap_or_else(|| "no interval".to_owned()),
        baseline: rate(|one| one.baseline),
        candidate: rate(|one| one.candidate),
        cases: criterion.square.total(),
    }
}

fn remarks(section: &Section, first: Option<&CriterionComparison>) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(criterion) = first {
        let how = criterion.decision.as_ref().map(words::method_words);
        remarks.extend(
            how.map(|how| {
                format!("By {how}; decided by {}.", words::basis_words(&criterion.basis))
            }),
        );
        let sizes = criterion.sizes.as_ref();
        let cases = criterion.square.total();
        remarks.extend(sizes.and_then(|sizes| words::sizes_sentence(sizes, cases)));
        let is_more = |score: &analysis::CaseScore| score.decided > 1 || score.passed.is_none();
        let cases = &criterion.square.cases;
        if cases.iter().any(|case| is_more(&case.baseline) || is_more(&case.candidate)) {
            remarks.push(
                "Fixed and broke are the cases that score higher and lower than before.".to_owned(),
            );
        }
        let left_out = criterion.left_out.len();
        if left_out > 0 {
            remarks.push(format!(
                "{} with a sample that has no usable result: never counted as passes or fails.",
                counted(left_out, "shared case")
            ));
        }
    }
    let confidence = section.comparison.confidence;
    let held_back = section.comparison.criteria.iter();
    remarks.extend(held_back.filter_map(|one| words::held_back_sentence(one, confidence)));
    if let Some(history) = section.history.filter(|history| history.looks > 0) {
        remarks.push(format!(
            "Look {} at this comparison; {} tried against this baseline on this set.",
            history.looks,
            counted(history.candidates as usize, "candidate")
        ));
    }
    remarks
}

/// Says what people would find where judges decide.
fn corrections(section: &Section, names: &Names) -> Vec<String> {
    let criteria = &section.comparison.criteria;
    let basis =
        |name: &str| criteria.iter().find(|one| one.criterion == name).map(|one| &one.basis);
    let said = section.corrected.iter().filter_map(|found| {
        Some(words::corrected_sentence(found, basis(&found.criterion)?, names))
    });
    said.collect()
}

/// Returns the cases that each criterion does not count.
pub(crate) fn left_out(section: &Section, limits: Limits) -> Vec<LeftOut> {
    let word = |side: Option<RowSide>| side.map_or("not there", |side| side.status.word());
    let of = |criterion: &CriterionComparison| {
        let rows: HashMap<&str, &Row> = section
            .rows
            .iter()
            .filter(|row| row.criterion == criterion.criterion)
            .map(|row| (row.case.as_str(), row))
            .collect();
        let shown = criterion.left_out.iter().take(limits.cases).map(|case| {
            let row = rows.get(case.as_str());
            let (a, b) = row.map_or((None, None), |row| (row.baseline, row.candidate));
            format!("{} ({} → {})", words::name(case), word(a), word(b))
        });
        LeftOut {
            criterion: words::name(&criterion.criterion),
            total: criterion.left_out.len(),
            shown: shown.collect(),
        }
    };
    let criteria = section.comparison.criteria.iter();
    criteria.filter(|one| !one.left_out.is_empty()).map(of).collect()
}

fn case_list<'a>(
    section: &'a Section,
    criterion: &'a CriterionComparison,
    change: Change,
    limits: Limits,
) -> CaseList<'a> {
    let shown = criterion
        .square
        .part(change)
        .take(limits.cases)
        .map(|case| {
            let detail = section.cases.iter().find(|detail| detail.id == case.id);
            ListedCase { case, detail }
        })
        .collect();
    let total = criterion.square.part(change).count();
    CaseList { criterion: &criterion.criterion, change, total, shown }
}

/// Returns why a case of a list failed where it did: on the candidate's side, of a fixed one on the
/// baseline's.
pub(crate) fn reasons<'a>(
    paired: &PairedCase,
    detail: &'a CaseDetail,
    criterion: &'a str,
) -> impl Iterator<Item = &'a Reason> {
    let is_fixed = paired.change == Change::Fixed;
    let output = if is_fixed { &detail.baseline } else { &detail.candidate };
    let all = output.iter().flat_map(|output| &output.reasons);
    all.filter(move |reason| reason.criterion == criterion)
}

/// Says how a case scored on both sides, where that is more than pass and fail.
pub(crate) fn score_change(case: &PairedCase) -> String {
    let side = |score: &analysis::CaseScore| match score.passed {
        Some(passed) if score.decided > 1 => {
            format!("{} of {}", count(passed as usize), count(score.decided as usize))
        }
        Some(0) => "fail".to_owned(),
        Some(_) => "pass".to_owned(),
        None => percent(score.mean),
    };
    let flaky = case.candidate.is_flaky || case.baseline.is_flaky;
    let flaky = if flaky { " · flaky" } else { "" };
    format!("{} → {}{flaky}", side(&case.baseline), side(&case.candidate))
}
