use std::collections::HashMap;

use analysis::CriterionComparison;

use crate::markup::Markup;
use crate::model::{CaseDetail, Limits, Reason, Report, Section};
use crate::outline::{self, LeftOut};
use crate::rows::{Row, RowStatus};
use crate::safe::one_line;
use crate::words::{self, Names};

/// The most characters of a message.
const MESSAGE: usize = 600;

/// Writes a report as JUnit XML: a suite for each candidate and criterion with a test case for each
/// case, and one for the rules of the gate.
///
/// A failed case is a `failure`. A provider's error, an unreadable answer and a missing cell are
/// `error`s with their own `type`; what was skipped or has no checks is `skipped`.
pub fn junit(report: &Report) -> String {
    let mut xml = Markup::new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let suites: Vec<Suite<'_>> =
        report.sections.iter().flat_map(|section| suites_of(report, section)).collect();
    let rules = report.gate.as_ref().map_or(0, |gate| gate.rules.len());
    let blocked = report
        .gate
        .as_ref()
        .map_or(0, |gate| gate.rules.iter().filter(|rule| !rule.held.lets_through()).count());
    let sum = |count: fn(&Suite<'_>) -> usize| suites.iter().map(count).sum::<usize>();
    let unusable = usize::from(report.unusable.is_some());
    let tests = (sum(|suite| suite.rows.len()) + rules + unusable).to_string();
    let failures = (sum(|suite| suite.count(Kind::Failure)) + blocked).to_string();
    let errors = (sum(|suite| suite.count(Kind::Error)) + unusable).to_string();
    let skipped = sum(|suite| suite.count(Kind::Skipped)).to_string();
    xml.open(
        "testsuites",
        &[
            ("name", &report.title),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", &skipped),
        ],
    );
    unusable_suite(&mut xml, report);
    gate_suite(&mut xml, report, rules, blocked);
    for suite in &suites {
        suite.write(&mut xml, report);
    }
    xml.close();
    xml.finish()
}

/// How JUnit counts a test case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Success,
    Failure,
    Error,
    Skipped,
}

impl Kind {
    fn of(status: RowStatus) -> Self {
        match status {
            RowStatus::Pass | RowStatus::Graded => Self::Success,
            RowStatus::Fail => Self::Failure,
            RowStatus::Error | RowStatus::Unreadable | RowStatus::Missing => Self::Error,
            RowStatus::Skipped
            | RowStatus::NoChecks
            | RowStatus::Unlabelled
            | RowStatus::Disputed
            | RowStatus::NotDrawn
            | RowStatus::UnequallyDrawn => Self::Skipped,
        }
    }
}

/// The candidate's cases on one criterion.
struct Suite<'a> {
    section: &'a Section,
    criterion: &'a str,
    names: Names,
    verdict: String,
    corrections: Vec<String>,
    left_out: Vec<LeftOut>,
    details: HashMap<&'a str, &'a CaseDetail>,
    rows: Vec<(&'a Row, RowStatus)>,
}

fn suites_of<'a>(report: &Report, section: &'a Section) -> Vec<Suite<'a>> {
    let comparison = &section.comparison;
    let (baseline, candidate) = (&comparison.baseline, &comparison.candidate);
    let sentence = |criterion: &analysis::CriterionComparison| {
        words::verdict_sentence(criterion, baseline, candidate, comparison.margin)
    };
    comparison
        .criteria
        .iter()
        .map(|criterion| Suite {
            section,
            criterion: &criterion.criterion,
            names: Names::of(baseline, candidate),
            verdict: sentence(criterion),
            corrections: corrections(section, criterion),
            left_out: left_out_of(section, criterion, report.limits),
            details: section.cases.iter().map(|detail| (detail.id.as_str(), detail)).collect(),
            rows: section
                .rows
                .iter()
                .filter(|row| row.criterion == criterion.criterion)
                .filter_map(|row| Some((row, row.candidate?.status)))
                .collect(),
        })
        .collect()
}

impl Suite<'_> {
    fn count(&self, kind: Kind) -> usize {
        self.rows.iter().filter(|(_, status)| Kind::of(*status) == kind).count()
    }

    fn write(&self, xml: &mut Markup, report: &Report) {
        let name = format!("{} · {}", self.names.candidate, words::name(self.criterion));
        let number = |kind| self.count(kind).to_string();
        xml.open(
            "testsuite",
            &[
                ("name", &name),
                ("tests", &self.rows.len().to_string()),
                ("failures", &number(Kind::Failure)),
                ("errors", &number(Kind::Error)),
                ("skipped", &number(Kind::Skipped)),
                ("timestamp", &report.made.to_string()),
            ],
        );
        xml.open("properties", &[]);
        for warning in &self.section.comparison.warnings {
            let sentence = words::warning_sentence(warning, &self.names);
            xml.void("property", &[("name", "warning"), ("value", &sentence)]);
        }
        xml.void("property", &[("name", "verdict"), ("value", &self.verdict)]);
        for said in &self.corrections {
            xml.void("property", &[("name", "corrected"), ("value", said)]);
        }
        for list in &self.left_out {
            let value = format!("{}: {}", list.heading(), list.shown.join(", "));
            xml.void("property", &[("name", "left out"), ("value", &value)]);
        }
        xml.void("property", &[("name", "baseline"), ("value", &self.names.baseline)]);
        if let Some(line) = outline::replayed_line(report) {
            xml.void("property", &[("name", "replayed"), ("value", &line)]);
        }
        xml.close();
        let set = words::name(&self.section.comparison.eval_set);
        let class = format!("{set}.{}", words::name(self.criterion));
        for (row, status) in &self.rows {
            self.case(xml, &class, row, *status);
        }
        xml.close();
    }

    fn case(&self, xml: &mut Markup, class: &str, row: &Row, status: RowStatus) {
        let name = words::name(&row.case);
        let attributes = [("classname", class), ("name", name.as_str())];
        let tag = match Kind::of(status) {
            Kind::Success => return xml.void("testcase", &attributes),
            Kind::Failure => "failure",
            Kind::Error => "error",
            Kind::Skipped => "skipped",
        };
        xml.open("testcase", &attributes);
        let detail = self.details.get(row.case.as_str());
        let reason = detail.and_then(|detail| reason(detail, self.criterion));
        let message = message(row, status, reason);
        match tag {
            "skipped" => xml.void(tag, &[("message", &message)]),
            _ => xml.void(tag, &[("type", status.word()), ("message", &message)]),
        }
        xml.close();
    }
}

/// Returns what the candidate's output was scored for on a criterion.
fn reason<'a>(detail: &'a CaseDetail, criterion: &str) -> Option<&'a Reason> {
    let output = detail.candidate.as_ref()?;
    output.reasons.iter().find(|reason| reason.criterion == criterion)
}

fn message(row: &Row, status: RowStatus, reason: Option<&Reason>) -> String {
    let mut parts = Vec::new();
    if let Some(side) = row.candidate.filter(|side| side.samples > 1) {
        parts.push(format!("{} of {} samples passed", side.passed, side.samples));
    }
    match reason {
        Some(reason) => parts.push(one_line(&reason.reason, MESSAGE)),
        None if parts.is_empty() => parts.push(status.word().to_owned()),
        None => {}
    }
    if row.change == Some(analysis::Change::Broke) {
        parts.push("the baseline did better".to_owned());
    }
    parts.join("; ")
}

/// What people would find on one criterion.
fn corrections(section: &Section, criterion: &CriterionComparison) -> Vec<String> {
    let names = Names::of(&section.comparison.baseline, &section.comparison.candidate);
    let of = section.corrected.iter().filter(|one| one.criterion == criterion.criterion);
    of.map(|one| words::corrected_sentence(one, &criterion.basis, &names)).collect()
}

fn left_out_of(section: &Section, criterion: &CriterionComparison, limits: Limits) -> Vec<LeftOut> {
    let mut all = outline::left_out(section, limits);
    all.retain(|list| list.criterion == words::name(&criterion.criterion));
    all
}

fn unusable_suite(xml: &mut Markup, report: &Report) {
    let Some(unusable) = &report.unusable else { return };
    let counts = [("tests", "1"), ("failures", "0"), ("errors", "1"), ("skipped", "0")];
    let made = report.made.to_string();
    let attributes = [&[("name", "gate")][..], &counts, &[("timestamp", made.as_str())]].concat();
    xml.open("testsuite", &attributes);
    xml.open("testcase", &[("classname", "gate"), ("name", "the input can be used")]);
    let lines = outline::unusable_lines(unusable);
    let message = [vec![outline::unusable_sentence(unusable)], lines].concat().join(" ");
    xml.void("error", &[("type", "unusable"), ("message", &message)]);
    xml.close();
    xml.close();
}

fn gate_suite(xml: &mut Markup, report: &Report, rules: usize, blocked: usize) {
    let Some(gate) = &report.gate else { return };
    let (rules, blocked) = (rules.to_string(), blocked.to_string());
    xml.open(
        "testsuite",
        &[
            ("name", "gate"),
            ("tests", &rules),
            ("failures", &blocked),
            ("errors", "0"),
            ("skipped", "0"),
            ("timestamp", &report.made.to_string()),
        ],
    );
    let remarks = outline::gate_remarks(report);
    if !remarks.is_empty() {
        xml.open("properties", &[]);
        for remark in &remarks {
            xml.void("property", &[("name", "remark"), ("value", remark)]);
        }
        xml.close();
    }
    for rule in &gate.rules {
        let sentence = words::rule_sentence(rule);
        let name = sentence.split_once(": ").map_or(sentence.as_str(), |(asked, _)| asked);
        let attributes = [("classname", "gate"), ("name", name)];
        if rule.held.lets_through() {
            xml.void("testcase", &attributes);
            continue;
        }
        xml.open("testcase", &attributes);
        xml.void("failure", &[("type", "rule"), ("message", &sentence)]);
        xml.close();
    }
    xml.close();
}
