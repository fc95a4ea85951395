use analysis::{
    GateOutcome, GateStatus, Held, IncompleteCell, JudgeTrust, Rule, RuleChange, RuleOutcome,
    Verdict, Verified,
};
use evalset::JudgeState;
use score::Status;

use super::{name, name_list, opinion};
use crate::number::{count, counted, duration};

/// The most cells that are named.
const CELLS: usize = 5;

/// Says what a gate's answer is and what blocks.
pub fn gate_sentence(gate: &GateOutcome) -> String {
    let blocking = gate.rules.iter().filter(|rule| !rule.held.lets_through()).count();
    let blocks = |count: usize| match count {
        0 => String::new(),
        1 => " 1 rule blocks.".to_owned(),
        _ => format!(" {count} rules block."),
    };
    match gate.status {
        GateStatus::Passed => {
            let held = gate.rules.iter().filter(|rule| rule.held == Held::Yes).count();
            let open = gate.rules.len() - held;
            let open = match open {
                0 => String::new(),
                _ => format!(
                    " {} not decided by these cases, which the eval set allows.",
                    counted(open, "rule")
                ),
            };
            format!("Gate passed: {} held.{open}", counted(held, "rule"))
        }
        GateStatus::Failed => format!("Gate failed:{}", blocks(blocking)),
        GateStatus::Incomplete => format!(
            "Gate incomplete: {} of the candidate without a usable result.{}",
            counted(gate.incomplete.len(), "cell"),
            blocks(blocking)
        ),
    }
}

/// Says what stands beside a gate's answer: what changed in the rule, cells without a result, and
/// whether earlier looks are known.
pub fn gate_remarks(gate: &GateOutcome) -> Vec<String> {
    let mut remarks: Vec<String> = gate.changes.iter().map(change_sentence).collect();
    let is_within = |rule: &&RuleOutcome| {
        matches!(rule.rule, Rule::Verdict { verdict: Some(Verdict::WorseWithinMargin), .. })
    };
    if gate.rules.iter().any(|rule| is_within(&rule)) {
        remarks.push(
            "The candidate is worse, by less than the margin: it passes \u{201c}no worse\u{201d}, and is not as \
             good as what was approved."
                .to_owned(),
        );
    }
    let cells = |cell: &IncompleteCell| {
        let status = cell.status.map_or("missing", Status::word);
        format!("{} sample {} ({status})", name(&cell.case), cell.sample + 1)
    };
    let shown: Vec<String> = gate.incomplete.iter().take(CELLS).map(cells).collect();
    if !shown.is_empty() {
        let more = gate.incomplete.len() - shown.len();
        let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
        remarks.push(format!("Without a usable result: {}{more}.", shown.join(", ")));
    }
    remarks.extend(gate.verified.as_ref().map(verified_sentence));
    if !gate.knows_history {
        remarks.push(
            "Earlier looks at this candidate are not known here, so the verdict counts this one as \
             the first."
                .to_owned(),
        );
    }
    remarks
}

fn verified_sentence(verified: &Verified) -> String {
    let (answered, failed, differ) = match verified {
        Verified::Sent { answered, failed, differ } => (*answered, *failed, differ),
        Verified::NotSent { reason } => {
            return format!("Recorded requests were not sent again: {}.", name(reason));
        }
    };
    let mut said = format!("Sent again: {} recorded requests", count(answered + failed));
    if failed > 0 {
        said += &format!(", of which {} failed", count(failed));
    }
    if answered == 0 {
        return format!("{said}: nothing is known of today's answers.");
    }
    if differ.is_empty() {
        let those = if failed > 0 { " of the others" } else { "" };
        return format!("{said}; every answer{those} is the same today.");
    }
    let shown: Vec<String> = differ.iter().take(CELLS).map(|case| name(case)).collect();
    let more = differ.len() - shown.len();
    let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
    format!("{said}; {} answers differ today: {}{more}.", count(differ.len()), shown.join(", "))
}

fn change_sentence(change: &RuleChange) -> String {
    let key = name(&change.key);
    let value = |value: &Option<String>| value.as_deref().map(name);
    match (value(&change.was), value(&change.is)) {
        (Some(was), Some(is)) => {
            format!("Changed since the baseline was accepted: {key} was {was} and is {is}.")
        }
        (Some(was), None) => {
            format!("Changed since the baseline was accepted: {key} was {was} and is gone.")
        }
        (None, Some(is)) => {
            format!("Changed since the baseline was accepted: {key} is new, {is}.")
        }
        (None, None) => format!("Changed since the baseline was accepted: {key}."),
    }
}

/// Says what a rule asks and what was found.
pub fn rule_sentence(outcome: &RuleOutcome) -> String {
    let text = match &outcome.rule {
        Rule::Verdict { better, verdict } => verdict_rule(*better, *verdict),
        Rule::RequiredCases { required, failing, unknown } => {
            required_cases(*required, failing, unknown)
        }
        Rule::Regressions { passes, samples, approved, broken, undecided } => {
            regressions((*passes, *samples), *approved, broken, undecided)
        }
        Rule::MinCases { least, found } => {
            format!("at least {least} complete cases: {found}")
        }
        Rule::CostPerCase { most, mean, unknown } => {
            let found = mean.map_or("unknown".to_owned(), |mean| mean.to_string());
            let rest = if *unknown > 0 {
                format!(" ({} of unknown cost)", counted(*unknown, "output"))
            } else {
                String::new()
            };
            format!("cost per case at most {most}: {found}{rest}")
        }
        Rule::LatencyP95 { most_ms, p95_ms, measured, recorded } => {
            let found = p95_ms.value.value().map_or("unknown".to_owned(), duration);
            let ends = [("at least", p95_ms.low), ("at most", p95_ms.high)];
            let known = ends
                .into_iter()
                .filter_map(|(word, end)| Some(format!(", {word} {}", duration(end.value()?))));
            let interval: String = known.collect();
            let calls = counted(*measured, if *recorded { "recorded call" } else { "call" });
            format!("p95 latency at most {most_ms} ms: {found} (of {calls}{interval})")
        }
        Rule::MinTrust { criterion, judges } => {
            let state = |one: &JudgeTrust| {
                let state = one.state.map_or("never calibrated", JudgeState::words);
                format!("{} is {state}", name(&one.judge))
            };
            let found: Vec<String> = judges.iter().map(state).collect();
            let found = match found.as_slice() {
                [] => "no judge decides it".to_owned(),
                found => found.join(", "),
            };
            format!("the judges of {} have to be trusted: {found}", name(criterion))
        }
    };
    let whose = match outcome.opinion_of.as_slice() {
        [] => String::new(),
        judges => format!(" (according to {})", opinion(judges)),
    };
    format!("{text}{whose}{}", short_evidence(outcome.held))
}

/// Returns the mark of a rule: never colour alone.
pub(crate) fn rule_mark(held: Held) -> &'static str {
    match held {
        Held::Yes => "✓",
        Held::No => "✕",
        Held::NotEnoughBlocks | Held::NotEnoughAllowed => "?",
    }
}

fn verdict_rule(better: bool, verdict: Option<Verdict>) -> String {
    let asked = if better { "better" } else { "no worse" };
    let found = match verdict {
        None => "no verdict".to_owned(),
        Some(Verdict::NotEnough) => Verdict::NotEnough.words().to_owned(),
        Some(verdict) => format!("it is {}", verdict.words()),
    };
    format!("the primary criterion has to be {asked}: {found}")
}

fn regressions(
    (passes, samples): (u32, u32),
    approved: usize,
    broken: &[String],
    undecided: &[String],
) -> String {
    let least =
        if samples > 1 { format!(" in {passes} of {samples} samples") } else { String::new() };
    let mut found = if broken.is_empty() {
        "none is broken".to_owned()
    } else {
        format!("broken: {}", name_list(broken))
    };
    if !undecided.is_empty() {
        found.push_str(&format!("; not decided: {}", name_list(undecided)));
    }
    format!(
        "the {} of the baseline must still pass{least}: {found}",
        counted(approved, "approved case")
    )
}

fn required_cases(required: usize, failing: &[String], unknown: &[String]) -> String {
    let mut found = match failing.len() {
        0 => "all do".to_owned(),
        failed => format!("{} do not: {}", count(failed), name_list(failing)),
    };
    if !unknown.is_empty() {
        found.push_str(&format!("; the set has no case {}", name_list(unknown)));
    }
    format!("{} must pass: {found}", counted(required, "required case"))
}

fn short_evidence(held: Held) -> &'static str {
    match held {
        Held::NotEnoughBlocks => " (short evidence blocks)",
        Held::NotEnoughAllowed => " (short evidence is allowed)",
        Held::Yes | Held::No => "",
    }
}
