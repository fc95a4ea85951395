//! The words of a report, the same in every format: what a verdict, a warning, a refusal and a rule
//! of a gate say.
//!
//! Names of variants, cases, judges and checks are made visible and cut to one line here; escaping
//! for a format is the renderer's. Nothing is ever called "no difference".

use analysis::{
    Basis, CriterionComparison, Decision, Method, Origin, Role, Side, Square, Verdict, WhySequence,
};
use run::VariantSource;

use crate::number::{count, counted, level, plain_points, point_range, points};
use crate::safe::one_line;

mod corrected;
mod gate;
mod refusal;
mod size;
mod warning;

pub use corrected::corrected_sentence;
pub(crate) use gate::rule_mark;
pub use gate::{gate_remarks, gate_sentence, rule_sentence};
pub use refusal::refusal_sentence;
pub use size::{needed_sentence, sizes_sentence};
pub(crate) use warning::p_words;
pub use warning::warning_sentence;

/// The most characters of a name.
const NAME: usize = 80;
/// The most characters of a sentence that is not made here.
const LINE: usize = 400;
/// The most names in one list.
const NAMES: usize = 8;

/// How the two sides are called, so that a sentence tells them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The baseline.
    pub baseline: String,
    /// The candidate.
    pub candidate: String,
    /// The arguments of `trysquare label` by which outputs of both are labelled, a call each.
    pub label: Vec<String>,
}

impl Names {
    /// Returns the names of the variants, and more of each where the names alone are the same.
    pub fn of(baseline: &Side, candidate: &Side) -> Self {
        let plain = |side: &Side| name(&side.variant.name);
        let (a, b) = (plain(baseline), plain(candidate));
        let label = label_arguments(baseline, candidate);
        let named = |baseline, candidate| Self { baseline, candidate, label };
        if a != b {
            return named(a, b);
        }
        if matches!(baseline.origin, Origin::Baseline { .. }) {
            return named(format!("{a} (baseline)"), b);
        }
        let versioned = |side: &Side| match &side.variant.source {
            VariantSource::Prompt { prompt, version, .. } => {
                format!("{}@{}", name(prompt), version.short())
            }
            VariantSource::Target { .. } | VariantSource::Outputs { .. } => plain(side),
        };
        let (versioned_a, versioned_b) = (versioned(baseline), versioned(candidate));
        if versioned_a != versioned_b {
            return named(versioned_a, versioned_b);
        }
        named(format!("{a} (earlier)"), format!("{b} (later)"))
    }
}

/// Returns what to tell `trysquare label`, so that outputs of both sides are labelled.
fn label_arguments(baseline: &Side, candidate: &Side) -> Vec<String> {
    let run = |side: &Side| match side.origin {
        Origin::Run { id, .. } | Origin::Baseline { run: id, .. } => id,
    };
    let (a, b) = (run(baseline), run(candidate));
    if a == b {
        let names = [baseline, candidate].map(|side| name(&side.variant.name));
        return vec![format!("--run {b} --for {}", names.join(" "))];
    }
    vec![format!("--run {a}"), format!("--run {b}")]
}

/// Returns the sentence that stands first: the verdict on a criterion with its counts, its
/// difference and its interval, or why there is none.
///
/// `margin` is the loss that still counts as "no worse", a share. A criterion that an untrusted
/// judge decides begins with whose opinion it is.
pub fn verdict_sentence(
    criterion: &CriterionComparison,
    baseline: &Side,
    candidate: &Side,
    margin: Option<f64>,
) -> String {
    let names = Names::of(baseline, candidate);
    if let Some(refusal) = &criterion.refusal {
        return refusal_sentence(&criterion.criterion, refusal, &names);
    }
    let Some(decision) = &criterion.decision else {
        return format!("No verdict on {}.", name(&criterion.criterion));
    };
    let text = match decision.method {
        Method::Sequence { why, fed, of } => {
            sequence(criterion, decision, &names, margin, (why, fed, of))
        }
        Method::Unchanged => unchanged(decision, &names),
        _ => declared(criterion, decision, &names, margin),
    };
    let text = sentence_case(&with_opinion(&criterion.basis, text));
    let needed = criterion.sizes.as_ref().and_then(|sizes| sizes.needed.as_ref());
    // The size is that of a declared number of cases; a sequence that goes on has none.
    let asks = decision.verdict == Verdict::NotEnough
        && !matches!(decision.method, Method::Sequence { .. });
    match needed.filter(|_| asks).and_then(needed_sentence) {
        Some(needed) => format!("{text} {needed}"),
        None => text,
    }
}

/// A number of cases that was declared before the first look.
fn declared(
    criterion: &CriterionComparison,
    decision: &Decision,
    names: &Names,
    margin: Option<f64>,
) -> String {
    let claim = claim(decision.verdict, names, margin);
    let numbers = difference(decision, margin);
    let counts = counts(&criterion.square, decision.verdict);
    let join = if decision.verdict == Verdict::NotEnough { "; " } else { ". " };
    format!("{claim}: {counts}{join}{numbers}.")
}

fn unchanged(decision: &Decision, names: &Names) -> String {
    let Names { baseline, candidate, .. } = names;
    let cases = counted(decision.cases, "case");
    let so = if decision.verdict == Verdict::NoWorse { ", so it is no worse" } else { "" };
    format!("unchanged: {candidate} gave the same outputs as {baseline} on all {cases}{so}.")
}

fn sequence(
    criterion: &CriterionComparison,
    decision: &Decision,
    names: &Names,
    margin: Option<f64>,
    (why, fed, of): (WhySequence, usize, usize),
) -> String {
    let when = match why {
        WhySequence::MoreCases { looked_at } => format!(
            "after a look at {} and now {}",
            counted(looked_at, "case"),
            count(decision.cases)
        ),
        WhySequence::EndedEarly { .. } | WhySequence::UntilDecided => {
            stopped(criterion, decision, fed, of)
        }
    };
    let claim = claim(decision.verdict, names, margin);
    let counts = counts(&criterion.square, decision.verdict);
    let numbers = difference(decision, margin);
    let rest = if criterion.square.total() > decision.cases {
        let complete = counted(decision.cases, "case");
        format!(" The difference rests on the first {complete} of the plan that are complete.")
    } else {
        String::new()
    };
    format!("{when}: {claim}, valid at any stopping time. {counts}; {numbers}.{rest}")
}

/// Says after how many of the planned cases a run ended.
fn stopped(criterion: &CriterionComparison, decision: &Decision, fed: usize, of: usize) -> String {
    let decided: std::collections::HashSet<&str> =
        criterion.square.cases.iter().map(|case| case.id.as_str()).collect();
    let undecided = criterion.left_out.iter().filter(|id| !decided.contains(id.as_str())).count();
    let planned = decided.len() + undecided;
    if fed == decision.cases {
        format!("stopped after {} of {}", count(decision.cases), counted(planned, "case"))
    } else {
        format!(
            "stopped after {} ({} of {} with results)",
            counted(decision.cases, "case"),
            count(fed),
            counted(of, "cluster")
        )
    }
}

/// The claim of a verdict, beginning in lower case.
fn claim(verdict: Verdict, names: &Names, margin: Option<f64>) -> String {
    let candidate = &names.candidate;
    match verdict {
        Verdict::Better => format!("{candidate} is better"),
        Verdict::NoWorse => format!("{candidate} is no worse"),
        Verdict::WorseWithinMargin => match margin {
            Some(margin) => {
                format!(
                    "{candidate} is worse, within the margin of {} points",
                    plain_points(margin)
                )
            }
            None => format!("{candidate} is worse, within the margin"),
        },
        Verdict::Worse => format!("{candidate} is worse"),
        Verdict::NotEnough => "not enough evidence yet".to_owned(),
    }
}

/// What became of the cases: `18 fixed, 5 broke, 97 unchanged`.
fn counts(square: &Square, verdict: Verdict) -> String {
    let (fixed, broke) = (count(square.fixed), count(square.broke));
    if verdict == Verdict::NotEnough {
        return format!("{fixed} fixed, {broke} broke of {}", count(square.total()));
    }
    let unchanged = square.both_pass + square.both_fail + square.mixed;
    format!("{fixed} fixed, {broke} broke, {} unchanged", count(unchanged))
}

/// The difference in points with its interval, and the bound by which "no worse" was read where the
/// interval alone would not show it.
pub(crate) fn difference(decision: &Decision, margin: Option<f64>) -> String {
    let Some(value) = decision.difference.value() else {
        return format!("the difference is not known ({})", undefined(decision.difference));
    };
    let confidence = level(decision.confidence);
    let Some(interval) = decision.interval.value() else {
        let reason = undefined(decision.interval);
        return format!("{} points (no interval: {reason})", points(value));
    };
    let at_any_time = matches!(decision.method, Method::Sequence { .. });
    let any = if at_any_time { " at any time" } else { "" };
    let range = format!("{} points ({confidence}{any}: {})", points(value), point_range(interval));
    let rests_on_bound =
        matches!(decision.verdict, Verdict::NoWorse | Verdict::WorseWithinMargin) && !at_any_time;
    match (margin, decision.lower_bound.value()) {
        (Some(margin), Some(bound)) if rests_on_bound => format!(
            "{range}; a loss of {} points is ruled out (one-sided bound {})",
            plain_points(margin),
            points(bound)
        ),
        _ => range,
    }
}

/// Says what a criterion would say by itself, where the correction for several claims keeps it from
/// that; `None` elsewhere. `confidence` is the level of a single claim, a share.
pub(crate) fn held_back_sentence(
    criterion: &CriterionComparison,
    confidence: f64,
) -> Option<String> {
    let decision = criterion.decision.as_ref()?;
    let held_back = decision.held_back?;
    let claims = match criterion.role {
        Role::Primary => counted(held_back.claims, "candidate"),
        Role::Other => format!("{} other criteria", count(held_back.claims)),
    };
    let whose = match criterion.basis.opinion_of() {
        Some(judges) => format!(", according to {}", opinion(judges)),
        None => String::new(),
    };
    Some(format!(
        "{}{whose}: the uncorrected {} interval would say \u{201c}{}\u{201d}; the correction for {claims} (Holm) \
         keeps it at \u{201c}{}\u{201d}.",
        name(&criterion.criterion),
        level(confidence),
        held_back.alone.words(),
        decision.verdict.words()
    ))
}

/// Puts whose opinion it is before a verdict that rests on an untrusted judge.
fn with_opinion(basis: &Basis, text: String) -> String {
    match basis.opinion_of() {
        Some(judges) => format!("according to {}, {text}", opinion(judges)),
        None => text,
    }
}

/// Names judges without trust, whose opinion something is.
pub(crate) fn opinion(judges: &[String]) -> String {
    let noun = if judges.len() == 1 { "judge" } else { "judges" };
    format!("{noun} {} (not trusted)", name_list(judges))
}

/// Returns the word for the verdict on a criterion, with whose opinion it is if nobody calibrated it.
pub fn verdict_words(criterion: &CriterionComparison) -> String {
    let Some(verdict) = criterion.verdict() else { return "no verdict".to_owned() };
    match criterion.basis.opinion_of() {
        Some(judges) => format!("{} according to {}", verdict.words(), opinion(judges)),
        None => verdict.words().to_owned(),
    }
}

/// Tells whether a criterion is decided by judges that nobody has calibrated.
pub(crate) fn is_opinion(basis: &Basis) -> bool {
    basis.opinion_of().is_some()
}

/// Says who decides a criterion.
pub fn basis_words(basis: &Basis) -> String {
    match basis {
        Basis::Code => "checks".to_owned(),
        Basis::Human => "people".to_owned(),
        Basis::Judge { judges, .. } => {
            let noun = if judges.len() == 1 { "judge" } else { "judges" };
            format!("{noun} {}", name_list(judges))
        }
    }
}

/// Says how the interval of a decision was made.
pub fn method_words(decision: &Decision) -> String {
    match decision.method {
        Method::Tango => "Tango's interval for paired pass and fail".to_owned(),
        Method::PairedT => "t interval of the differences of case means".to_owned(),
        Method::ClusteredT => {
            let clusters = counted(decision.clusters, "cluster");
            format!("t interval with cluster-robust standard error, {clusters}")
        }
        Method::AllTheSame => {
            "Tango's interval, because every case differs alike, which is no certainty".to_owned()
        }
        Method::Unchanged => "identity, every output being the same text".to_owned(),
        Method::None => "no method, there being no interval".to_owned(),
        Method::Sequence { why, .. } => {
            let why = match why {
                WhySequence::EndedEarly { at_cap: true } => "a cap stopped the run",
                WhySequence::EndedEarly { at_cap: false } => {
                    "the run ended before its plan was done"
                }
                WhySequence::MoreCases { .. } => "a verdict on fewer cases was shown before",
                WhySequence::UntilDecided => "the run was told to stop once decided",
            };
            format!("confidence sequence, because {why}")
        }
    }
}

/// Says in words why a number does not exist.
pub(crate) fn undefined<T: Copy>(estimate: analysis::Estimate<T>) -> &'static str {
    let analysis::Estimate::Undefined { reason } = estimate else { return "" };
    match reason {
        "too_few" => "too few cases",
        "too_many_for_exact" => "too many for an exact test",
        "zero_variance" => "every case differs by the same, which is no evidence of certainty",
        "one_cluster" => "only one cluster",
        "one_category" => "only one category",
        "nothing_to_compare" => "nothing to compare",
        "not_identifiable" => "not identifiable",
        "separated" => "separated",
        "zero_denominator" => "nothing to divide by",
        "ties" => "ties",
        "not_binary" => "not pass or fail",
        "not_converged" => "not converged",
        other => other,
    }
}

/// Returns a sentence of the program about a person's files on one line.
pub(crate) fn line(text: &str) -> String {
    one_line(text, LINE)
}

/// Returns a name on one line.
pub(crate) fn name(text: &str) -> String {
    one_line(text, NAME)
}

/// Returns names as a list in a sentence, the first few of them.
pub(crate) fn name_list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|text| name(text)).collect();
    let more = names.len() - shown.len();
    match (shown.split_last(), more) {
        (_, 1..) => format!("{} and {} more", shown.join(", "), count(more)),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, rest)), 0) => format!("{} and {last}", rest.join(", ")),
        (None, 0) => String::new(),
    }
}

/// Returns a sentence with a capital first letter, unless it begins with a name that has none.
fn sentence_case(text: &str) -> String {
    let starts = ["not enough", "unchanged:", "stopped after", "after a look", "according to"];
    if !starts.iter().any(|start| text.starts_with(start)) {
        return text.to_owned();
    }
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
