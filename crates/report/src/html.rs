use analysis::{Change, OutputDiff, PairedCase, SegmentKind, Verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use values::ContentHash;

use crate::evidence;
use crate::markup::Markup;
use crate::model::{CaseDetail, Limits, OutputDetail, Report, Section};
use crate::number::count;
use crate::outline::{self, CaseList, LeftOut, Outline};
use crate::plot;
use crate::safe::{excerpt, one_line};
use crate::words;

mod plots;
mod tables;

/// The style sheet of the page, which that of the plots follows.
const STYLE: &str = include_str!("html/report.css");

/// Writes a report as one HTML page that needs nothing else: no script, no font, no image, no host.
///
/// Its content security policy allows the one style sheet and nothing more, so that even a text that
/// slipped through could load and run nothing. The page is well-formed XML too.
pub fn html(report: &Report) -> String {
    let mut page = Markup::new("<!DOCTYPE html>");
    page.open("html", &[("lang", "en")]);
    head(&mut page, &words::name(&report.title));
    page.open("body", &[]);
    page.open("header", &[]);
    if let Some(line) = outline::replayed_line(report) {
        page.leaf("p", &[("class", "replayed")], &line);
    }
    page.leaf("h1", &[], &words::name(&report.title));
    page.leaf("p", &[("class", "when")], &outline::minute(report.made));
    page.close();
    page.open("main", &[]);
    unusable(&mut page, report);
    gate(&mut page, report);
    for table in evidence::report_tables(report) {
        tables::evidence(&mut page, &table);
    }
    plots::of_report(&mut page, report);
    for (number, part) in report.sections.iter().enumerate() {
        section(&mut page, part, report.limits, number);
    }
    page.close();
    page.leaf("footer", &[], "Made by Trysquare. Rates stand with their intervals; intervals of differences decide, never p-values.");
    page.close();
    page.close();
    page.finish()
}

/// Writes the head of a page that loads nothing and runs nothing.
pub(crate) fn head(page: &mut Markup, title: &str) {
    let style = [STYLE, plot::STYLE].concat();
    let hash = STANDARD.encode(ContentHash::of_bytes(style.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    page.open("head", &[]);
    page.void("meta", &[("charset", "utf-8")]);
    page.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    page.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    page.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    page.leaf("title", &[], title);
    page.open("style", &[]);
    page.markup(&style);
    page.close();
    page.close();
}

fn unusable(page: &mut Markup, report: &Report) {
    let Some(unusable) = &report.unusable else { return };
    page.open("section", &[("class", "gate"), ("aria-labelledby", "unusable")]);
    page.leaf("h2", &[("id", "unusable")], &outline::unusable_sentence(unusable));
    for line in outline::unusable_lines(unusable) {
        page.leaf("p", &[], &line);
    }
    page.close();
}

fn left_out(page: &mut Markup, list: &LeftOut) {
    page.leaf("h3", &[], &list.heading());
    page.open("p", &[("class", "ids")]);
    for one in &list.shown {
        page.leaf("span", &[], one);
        page.text(" ");
    }
    page.close();
    if let Some(remark) = list.remark() {
        page.leaf("p", &[("class", "faint")], &remark);
    }
}

fn gate(page: &mut Markup, report: &Report) {
    let Some(gate) = &report.gate else { return };
    page.open("section", &[("class", "gate"), ("aria-labelledby", "gate")]);
    page.leaf("h2", &[("id", "gate")], &words::gate_sentence(gate));
    page.open("ul", &[]);
    for rule in &gate.rules {
        page.open("li", &[]);
        page.leaf("span", &[("class", "mark")], words::rule_mark(rule.held));
        page.text(&words::rule_sentence(rule));
        page.close();
    }
    page.close();
    for remark in outline::gate_remarks(report) {
        page.leaf("p", &[("class", "faint")], &remark);
    }
    page.close();
}

fn section(page: &mut Markup, section: &Section, limits: Limits, number: usize) {
    let outline = Outline::of(section, limits);
    let id = format!("candidate-{number}");
    page.open("section", &[("aria-labelledby", &id)]);
    let names = &outline.names;
    let heading = format!("{} against {} on {}", names.candidate, names.baseline, outline.eval_set);
    page.leaf("h2", &[("id", &id)], &heading);
    notes(page, "Before you read the verdict", &outline.warnings);
    let (class, mark) = tone(outline.tone());
    page.open("p", &[("class", class)]);
    // A percent sign does not begin a line.
    page.text(&format!("{mark}{}", outline.verdict.replace(" %", "\u{a0}%")));
    page.close();
    for remark in &outline.remarks {
        page.leaf("p", &[("class", "faint")], remark);
    }
    plots::overview(page, section, &outline);
    tables::criteria(page, &outline);
    for table in &outline.tables {
        tables::evidence(page, table);
    }
    plots::distributions(page, section, &outline);
    notes(page, "Criteria without a verdict", &outline.refusals);
    for list in &outline.lists {
        case_list(page, list, limits);
    }
    for list in &outline.left_out {
        left_out(page, list);
    }
    if let Some(diff) = &section.prompt_diff {
        page.leaf("h3", &[], "What changed in the prompt");
        block(page, "The difference", diff, limits.characters.saturating_mul(8));
    }
    page.close();
}

fn notes(page: &mut Markup, title: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    page.open("div", &[("class", "notes"), ("role", "note")]);
    page.leaf("strong", &[], title);
    for sentence in sentences {
        page.leaf("p", &[], sentence);
    }
    page.close();
}

fn case_list(page: &mut Markup, list: &CaseList<'_>, limits: Limits) {
    let (mark, class) = match list.change {
        Change::Broke => ("▼", "regressed-text"),
        _ => ("▲", "improved-text"),
    };
    page.open("h3", &[]);
    page.leaf(
        "span",
        &[("class", class)],
        &format!("{mark} {} {}", count(list.total), list.word()),
    );
    page.text(&format!(" on {}", words::name(list.criterion)));
    page.close();
    for (paired, detail) in list.detailed() {
        case(page, paired, detail, list.criterion, limits);
    }
    let bare = list.bare();
    if !bare.is_empty() {
        page.open("p", &[("class", "ids")]);
        for id in &bare {
            page.leaf("span", &[], id);
            page.text(" ");
        }
        page.close();
    }
    if let Some(remark) = list.remark() {
        page.leaf("p", &[("class", "faint")], &remark);
    }
}

fn case(
    page: &mut Markup,
    paired: &PairedCase,
    detail: &CaseDetail,
    criterion: &str,
    limits: Limits,
) {
    page.open("details", &[]);
    page.open("summary", &[]);
    page.leaf("b", &[], &words::name(&paired.id));
    page.text(&format!("  {}", outline::score_change(paired)));
    page.close();
    page.open("div", &[("class", "body")]);
    case_body(page, detail, criterion, limits);
    page.close();
    page.close();
}

fn case_body(page: &mut Markup, detail: &CaseDetail, criterion: &str, limits: Limits) {
    page.leaf("h4", &[], "Input");
    block(page, "Input", &detail.input, limits.characters);
    if let Some(expected) = &detail.expected {
        page.leaf("h4", &[], "Expected");
        block(page, "Expected", expected, limits.characters);
    }
    let shown = |output: &Option<OutputDetail>| {
        let text = output.as_ref().and_then(|output| output.text.as_deref());
        text.map(|text| excerpt(text, limits.characters))
    };
    let (before, now) = (shown(&detail.baseline), shown(&detail.candidate));
    let diff = before.as_ref().zip(now.as_ref()).map(|(a, b)| OutputDiff::of(&a.text, &b.text));
    page.open("div", &[("class", "sides")]);
    let sides = [
        ("Baseline", &detail.baseline, before, SegmentKind::Deleted),
        ("Candidate", &detail.candidate, now, SegmentKind::Inserted),
    ];
    for (label, output, cut, kind) in sides {
        page.open("div", &[]);
        page.leaf("h4", &[], label);
        match (&cut, &diff) {
            (Some(_), Some(diff)) => marked(page, label, diff, kind),
            (Some(cut), None) => pre(page, label, &cut.text),
            (None, _) => page.leaf("p", &[("class", "faint")], "no output"),
        }
        if let Some(remark) = cut.and_then(|cut| cut.remark()) {
            page.leaf("p", &[("class", "faint")], &remark);
        }
        reasons(page, output.as_ref(), criterion, limits);
        page.close();
    }
    page.close();
}

fn reasons(page: &mut Markup, output: Option<&OutputDetail>, criterion: &str, limits: Limits) {
    let all = output.into_iter().flat_map(|output| &output.reasons);
    for reason in all.filter(|reason| reason.criterion == criterion) {
        page.open("p", &[]);
        page.leaf("b", &[], reason.status.word());
        page.text(&format!(": {}", one_line(&reason.reason, limits.characters)));
        page.close();
    }
}

/// Writes one side of a difference: what both have, and what only this side has marked.
fn marked(page: &mut Markup, label: &str, diff: &OutputDiff, kind: SegmentKind) {
    let tag = if kind == SegmentKind::Deleted { "del" } else { "ins" };
    page.open("pre", &[("tabindex", "0"), ("dir", "auto"), ("aria-label", label)]);
    for segment in &diff.segments {
        if segment.kind == SegmentKind::Equal {
            page.text(&segment.text);
        } else if segment.kind == kind {
            page.leaf(tag, &[], &segment.text);
        }
    }
    page.close();
}

fn block(page: &mut Markup, label: &str, text: &str, characters: usize) {
    let cut = excerpt(text, characters);
    pre(page, label, &cut.text);
    if let Some(remark) = cut.remark() {
        page.leaf("p", &[("class", "faint")], &remark);
    }
}

fn pre(page: &mut Markup, label: &str, text: &str) {
    page.leaf("pre", &[("tabindex", "0"), ("dir", "auto"), ("aria-label", label)], text);
}

/// The class of a verdict and the mark before it: never colour alone.
fn tone(verdict: Option<Verdict>) -> (&'static str, &'static str) {
    match verdict {
        Some(Verdict::Better) => ("verdict improved", "▲ "),
        Some(Verdict::Worse | Verdict::WorseWithinMargin) => ("verdict regressed", "▼ "),
        Some(Verdict::NoWorse | Verdict::NotEnough) | None => ("verdict", ""),
    }
}
