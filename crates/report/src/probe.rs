//! What a probe found of a judge, for people and for programs.

use analysis::calibration::Share;
use analysis::probe::{
    ChangeFinding, Consistency, InjectionFinding, Kinship, Missing, ProbeFindings,
};
use serde::Serialize;

use crate::number::{count, counted, fixed, percent, point_range, points, rate};
use crate::parts::{self, Part, number, p};
use crate::words::{name, undefined};

/// The version of the JSON document.
pub const PROBE_FORMAT: u32 = 1;

/// What was found of a judge of an eval set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeReport {
    /// [`PROBE_FORMAT`].
    pub format: u32,
    /// The judge, by its name in the eval set.
    pub judge: String,
    /// The eval set.
    pub set: String,
    /// The criterion that it serves.
    pub criterion: String,
    /// The judge's version.
    pub version: values::ContentHash,
    /// The model that it was asked.
    pub model: String,
    /// The cases that the probe was made of.
    pub cases: usize,
    /// The outputs of a run that it was made of besides the built-in ones.
    pub outputs: usize,
    /// The run that holds every call of the probe.
    pub run: values::Id,
    /// The answers that were sent for, and the other ones, which the cache or a recording gave.
    pub calls: ProbeCalls,
    /// The figures.
    pub findings: ProbeFindings,
}

/// Where the answers of a probe came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProbeCalls {
    /// Answers that the judge gave now.
    pub live: u64,
    /// Answers that the cache gave.
    pub cached: u64,
    /// Answers that recordings gave.
    pub replayed: u64,
}

/// Writes what was found for a terminal, without colours.
pub fn probe_text(report: &ProbeReport) -> String {
    parts::text(&parts_of(report))
}

/// Writes what was found as Markdown.
pub fn probe_markdown(report: &ProbeReport) -> String {
    parts::markdown(&parts_of(report))
}

/// Writes what was found as JSON.
pub fn probe_json(report: &ProbeReport) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has only keys of text");
    text.push('\n');
    text
}

fn parts_of(report: &ProbeReport) -> Vec<Part> {
    let found = &report.findings;
    let mut parts = vec![
        Part::Heading(format!(
            "{} on {}: what sways it",
            name(&report.judge),
            name(&report.criterion)
        )),
        Part::Line(format!(
            "{}: {} and {}, version {}, model {}",
            name(&report.set),
            counted(report.cases, "case"),
            counted(report.outputs, "output"),
            report.version.short(),
            name(&report.model)
        )),
        Part::Line(calls(report.calls)),
    ];
    parts.extend(injections(&found.injections));
    parts.extend(found.consistency.as_ref().map(consistency).into_iter().flatten());
    parts.extend(changes(&found.changes));
    if let Some(position) = &found.position {
        parts.push(Part::Heading("The order of a pair".to_owned()));
        parts.push(Part::Line(parts::position_line(position)));
    }
    parts.extend(found.kinship.as_ref().map(kinship).into_iter().flatten());
    parts.push(Part::Heading("What this does not say".to_owned()));
    parts.push(Part::Line(
        "Whether it is right. A judge that nothing sways can be wrong; `calibrate` measures that against \
         people's labels."
            .to_owned(),
    ));
    parts
}

fn calls(calls: ProbeCalls) -> String {
    let others = [(calls.cached, "from the cache"), (calls.replayed, "from recordings")];
    let mut said = vec![format!("{} asked now", calls.live)];
    said.extend(others.into_iter().filter(|one| one.0 > 0).map(|(n, from)| format!("{n} {from}")));
    format!("Answers: {}", said.join(", "))
}

fn injections(found: &[InjectionFinding]) -> Vec<Part> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![
        ["the output …", "taken for better", "rate · 95 %", "not counted"]
            .map(str::to_owned)
            .into(),
    ];
    rows.extend(found.iter().map(|one| {
        let mut out = Vec::new();
        if one.best_already > 0 {
            out.push(format!("{} best already", count(one.best_already)));
        }
        out.extend(missing(one.missing));
        vec![injection_words(one.family), of(&one.raised), share(&one.raised), out.join(", ")]
    }));
    let (raised, tried) = found
        .iter()
        .fold((0, 0), |(raised, tried), one| (raised + one.raised.right, tried + one.raised.of));
    let verdict = match (raised, tried) {
        (_, 0) => {
            "No output could show anything: the judge gave the best to what says nothing, or gave \
                   no answer."
                .to_owned()
        }
        (0, _) => {
            "Nothing that was tried raised an output. That is no proof against what was not tried."
                .to_owned()
        }
        (raised, tried) => format!(
            "{raised} of {tried} outputs without content were taken for better because they asked for it."
        ),
    };
    vec![
        Part::Heading("Outputs without content that ask for a good verdict".to_owned()),
        Part::Line(verdict),
        Part::Table(rows),
    ]
}

fn injection_words(family: &str) -> String {
    let words = match family {
        "instruction" => "says what to answer",
        "delimiter" => "pretends to end, and an instruction to begin",
        "reply" => "contains the reply that it wants",
        "role" => "gives the judge a part to play",
        "language" => "says what to answer in another language",
        other => other,
    };
    words.to_owned()
}

fn consistency(found: &Consistency) -> Vec<Part> {
    let agreement = number(found.agreement, percent);
    let interval = found.ac1_interval.value().map(|interval| {
        format!(" ({} to {})", fixed(interval.low(), 2), fixed(interval.high(), 2))
    });
    let mut lines = vec![
        format!(
            "Judged {} times, {} outputs got the same every time: {}",
            found.times,
            of(&found.always),
            share(&found.always)
        ),
        format!(
            "Two of its answers agree in {agreement}; beyond chance (AC1) {}{}",
            number(found.ac1, |value| fixed(value, 2)),
            interval.unwrap_or_default()
        ),
    ];
    lines.extend(missing(found.missing).map(|out| format!("Not counted: {out}")));
    let lines = lines.into_iter().map(Part::Line);
    [Part::Heading("The same output again".to_owned())].into_iter().chain(lines).collect()
}

fn changes(found: &[ChangeFinding]) -> Vec<Part> {
    if found.is_empty() {
        return Vec::new();
    }
    let heads = ["change", "result moved", "rate · 95 %", "up", "down", "p", "not counted"];
    let mut rows = vec![heads.map(str::to_owned).into()];
    rows.extend(found.iter().map(|one| {
        vec![
            change_words(one.change),
            of(&one.moved),
            share(&one.moved),
            one.up.to_string(),
            one.down.to_string(),
            p(one.p_value),
            missing(one.missing).unwrap_or_default(),
        ]
    }));
    vec![
        Part::Heading("Outputs changed in what does not matter".to_owned()),
        Part::Line(
            "p is of both directions being equally likely; a judge that is not consistent moves without \
             a change, too."
                .to_owned(),
        ),
        Part::Table(rows),
    ]
}

fn change_words(change: &str) -> String {
    let words = match change {
        "padding" => "length: three sentences that add nothing",
        "markdown" => "format: the lines as a Markdown list",
        "whitespace" => "format: more space",
        other => other,
    };
    words.to_owned()
}

fn kinship(found: &Kinship) -> Vec<Part> {
    let range = found.interval.value().map(|found| format!(" ({})", point_range(found)));
    let by = if found.against_people {
        "beyond what people find"
    } else {
        "which may be deserved: people labelled too little of it"
    };
    vec![
        Part::Heading("Outputs of its own model".to_owned()),
        Part::Line(format!(
            "Its own outputs get {} points{} against others, {by}; {} of its own, {} of others",
            number(found.difference, points),
            range.unwrap_or_default(),
            counted(found.own, "output"),
            count(found.others)
        )),
    ]
}

fn of(share: &Share) -> String {
    format!("{} of {}", share.right, share.of)
}

fn share(share: &Share) -> String {
    match share.rate.value() {
        Some(value) => rate(value, share.interval.value()),
        None => format!("— ({})", undefined(share.rate)),
    }
}

fn missing(missing: Missing) -> Option<String> {
    let all = [(missing.unreadable, "unreadable"), (missing.errors, "without an answer")];
    let said: Vec<String> = all
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(number)))
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}
