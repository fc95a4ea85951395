//! `trysquare judge`: the judges, what they decide, and how far each can be trusted.

use anstyle::{AnsiColor, Style};
use app::{AppError, CalibrationView, CertifiedRate, JudgeNext, JudgeState, JudgeUse, JudgeView};

use super::{Context, probe};
use crate::args::{Judge, JudgeCommand};
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::output::{BOLD, FAINT};
use crate::table::{self, Align};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const OPEN: Style = AnsiColor::Yellow.on_default();

/// What to do about a judge with errors.
const MEND: (&str, &str) = ("trysquare validate", "it has errors");

/// Lists judges, or shows one.
pub(crate) fn judge(context: &Context<'_>, args: Judge) -> Result<Exit, AppError> {
    let (app, folder, output) = (&context.app, context.folder(), context.output);
    match args.command {
        None | Some(JudgeCommand::List) => output.many(&app.judges(folder)?, list),
        Some(JudgeCommand::Show { judge }) => output.one(&app.judge(folder, &judge)?, shown),
        Some(JudgeCommand::Probe(args)) => return probe::probe(context, &args),
    }
    Ok(Exit::Complete)
}

fn list(judges: &[JudgeView]) -> String {
    if judges.is_empty() {
        return "No judges yet: each is a file judges/NAME.prompt that an evalset.yaml names under \
                `judges`.\n"
            .to_owned();
    }
    let head = ["judge", "version", "model", "eval set", "criterion", "state"]
        .map(|title| (title, Align::Left));
    let mut rows = Vec::new();
    let mut steps = Vec::new();
    for judge in judges {
        let version = match &judge.version {
            Some(version) => version.short(),
            None => format!("{BAD}has errors{BAD:#}"),
        };
        let row = |model: Option<&String>, set: &str, criterion: &str, state: String| {
            let model = model.map_or("–".to_owned(), |model| printable(model));
            let (set, criterion) = (printable(set), printable(criterion));
            vec![printable(&judge.name), version.clone(), model, set, criterion, state]
        };
        for of in &judge.uses {
            // The models of a jury stand in the rows of its members.
            let members =
                (!judge.members.is_empty()).then(|| counted(judge.members.len(), "judge"));
            let model = members.as_ref().or(of.model.as_ref());
            rows.push(row(model, &of.set, &of.criterion, state(of)));
            steps.extend(step(of));
        }
        if judge.uses.is_empty() {
            rows.push(row(judge.model.as_ref(), "–", "–", "in no eval set".to_owned()));
            if judge.version.is_none() {
                steps.push((MEND.0.to_owned(), MEND.1.to_owned()));
            }
        }
    }
    let mut distinct: Vec<(String, String)> = Vec::new();
    for step in steps {
        if !distinct.contains(&step) {
            distinct.push(step);
        }
    }
    table::render(&head, &rows) + &table::steps(&distinct)
}

/// How far a judge can be trusted, in a word; never colour alone.
fn state(of: &JudgeUse) -> String {
    if let Some(jury) = &of.jury {
        return format!("{FAINT}jury {}{FAINT:#}", printable(jury));
    }
    let (style, word) = match of.state {
        None => (OPEN, "not calibrated"),
        Some(JudgeState::Trusted) => (GOOD, JudgeState::Trusted.words()),
        Some(JudgeState::NotYet) => (BAD, JudgeState::NotYet.words()),
        Some(open @ (JudgeState::Stale | JudgeState::TooFew)) => (OPEN, open.words()),
    };
    format!("{style}{word}{style:#}")
}

/// The command that brings a judge nearer to being trusted, and why.
fn step(of: &JudgeUse) -> Vec<(String, String)> {
    let (name, set) = (printable(&of.name), printable(&of.set));
    let (command, why) = match of.next {
        JudgeNext::Mend => (MEND.0.to_owned(), MEND.1),
        JudgeNext::Judge { run: None, .. } => {
            (format!("trysquare run {set}"), "there is nothing yet that it could judge")
        }
        JudgeNext::Judge { run: Some(run), is_latest } => {
            let run = if is_latest { "latest".to_owned() } else { run.to_string() };
            let command = format!("trysquare score {run} --judge {name}");
            (command, "as it is today it has judged nothing")
        }
        JudgeNext::Calibrate => (
            format!("trysquare calibrate {name} --set {set}"),
            "measure it against people's labels",
        ),
        JudgeNext::Label => {
            let criterion = printable(&of.criterion);
            let label = format!("trysquare label {set} --criterion {criterion}");
            let calibrate = format!("trysquare calibrate {name} --set {set}");
            return vec![
                (label, "too few labels to trust any judge".to_owned()),
                (calibrate, "then measure it again".to_owned()),
            ];
        }
        JudgeNext::Improve => (
            format!("trysquare calibrate {name} --set {set} --split dev"),
            "see where it errs, and mend its prompt",
        ),
        JudgeNext::Nothing => return Vec::new(),
    };
    vec![(command, why.to_owned())]
}

fn shown(judge: &JudgeView) -> String {
    let mut out = format!("{BOLD}{}{BOLD:#}\n", printable(&judge.name));
    let version = judge.version.map(|version| version.to_string());
    let sees = judge.sees.join(", ");
    let facts = [
        ("description", judge.description.as_deref()),
        ("file", judge.file.as_deref()),
        ("version", version.as_deref().or(Some("none: it has errors"))),
        ("model", judge.model.as_deref()),
        ("sees", Some(sees.as_str())),
        ("answers", judge.answers.as_deref()),
        ("certificate", judge.certificate.as_deref()),
        ("", judge.certificate_error.as_deref()),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact.filter(|fact| !fact.is_empty()) {
            out += &format!("{FAINT}{name:<11}{FAINT:#}  {}\n", printable(fact));
        }
    }
    if judge.uses.is_empty() {
        let name = printable(&judge.name);
        out += &format!(
            "\nNo eval set has it: `judges: [{name}]` in an evalset.yaml lets it decide there.\n"
        );
    }
    let mut steps = Vec::new();
    for of in &judge.uses {
        out += &used(of, judge);
        steps.extend(step(of));
    }
    out + &table::steps(&steps)
}

fn used(of: &JudgeUse, judge: &JudgeView) -> String {
    let mut out = format!(
        "\n{BOLD}{} of {}{BOLD:#}  {}\n",
        printable(&of.criterion),
        printable(&of.set),
        state(of)
    );
    let mut line = |name: &str, text: &str| {
        out += &format!("{FAINT}{name:<11}{FAINT:#}  {}\n", printable(text));
    };
    if of.name != judge.name {
        line("called", &of.name);
    }
    if let Some(jury) = &of.jury {
        line("counts", &format!("as a member of the jury {jury}, whose verdict decides"));
    }
    if let Some(problem) = &of.problem {
        line("problem", problem);
    }
    if let Some(model) = of.model.as_ref().filter(|model| Some(*model) != judge.model.as_ref()) {
        line("model", model);
    }
    if !of.changed.is_empty() {
        line("changed", &format!("{} since it was calibrated", of.changed.join(", ")));
    }
    if let Some(found) = &of.calibration {
        for (name, text) in calibrated(found) {
            line(name, &text);
        }
    }
    let judged = match of.judged {
        0 => "nothing as it is today, on this machine".to_owned(),
        1 => "1 output as it is today".to_owned(),
        many => format!("{many} outputs as it is today"),
    };
    line("judged", &judged);
    out
}

/// What the last calibration found.
fn calibrated(found: &CalibrationView) -> Vec<(&'static str, String)> {
    let labels = &found.test_labels;
    let day: String = found.calibrated.to_string().chars().take(10).collect();
    let mut lines = vec![(
        "calibrated",
        format!("{day}, on {} passes and {} fails of people", labels.passes, labels.fails),
    )];
    if found.uses > 1 {
        let uses = format!("{} versions of it were tried on them: optimistic", found.uses);
        lines.push(("", uses));
    }
    lines.push(("", format!("passes {}", right(&found.true_passes, "people pass"))));
    lines.push(("", format!("fails  {}", right(&found.true_fails, "people fail"))));
    lines
}

fn right(rate: &CertifiedRate, what: &str) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let bound = rate.bound.map_or("none".to_owned(), percent);
    format!(
        "{} of the {} that {what}; lower bound {bound}, needs {}",
        rate.right,
        rate.of,
        percent(rate.threshold)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_labels_on_a_criterion_ask_for_labels_on_it_and_then_for_a_calibration() {
        let used = JudgeUse {
            set: "replies".to_owned(),
            name: "tone".to_owned(),
            criterion: "polite".to_owned(),
            jury: None,
            problem: None,
            model: None,
            version: None,
            state: Some(JudgeState::TooFew),
            changed: Vec::new(),
            calibration: None,
            judged: 3,
            next: JudgeNext::Label,
        };
        let commands: Vec<_> = step(&used).into_iter().map(|(command, _)| command).collect();
        assert_eq!(
            commands,
            [
                "trysquare label replies --criterion polite",
                "trysquare calibrate tone --set replies"
            ]
        );
    }
}
