use analysis::{Change, GateStatus, PairedCase, Verdict};

use crate::evidence::{self, Table};
use crate::model::{CaseDetail, Limits, Report, Section};
use crate::number::count;
use crate::outline::{self, CaseList, Outline};
use crate::safe::{excerpt, one_line, visible};
use crate::words;

/// The most characters of a prompt's difference; GitHub cuts a comment at 65,536.
const DIFF: usize = 8_000;
/// The length after which cases are only named, for the same reason.
const ROOM: usize = 40_000;
/// Cases of each list, for the same reason.
const CASES: usize = 20;
/// Characters of each input, expectation and output.
const CHARACTERS: usize = 600;

/// Writes a report as GitHub's Markdown: tables, and case lists that fold.
///
/// No text of a model, a case or a person is markup, a link or a mention in it.
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    if let Some(line) = outline::replayed_line(report) {
        out.push_str(&format!("> **{line}**\n\n"));
    }
    out.push_str(&format!("## {}\n\n", inline(&words::name(&report.title))));
    if let Some(unusable) = &report.unusable {
        out.push_str(&format!("**✕ {}**\n\n", inline(&outline::unusable_sentence(unusable))));
        for line in outline::unusable_lines(unusable) {
            out.push_str(&format!("- {}\n", inline(&line)));
        }
        out.push('\n');
    }
    if let Some(gate) = &report.gate {
        let mark = if gate.status == GateStatus::Passed { "✓" } else { "✕" };
        out.push_str(&format!("**{mark} {}**\n\n", inline(&words::gate_sentence(gate))));
        for rule in &gate.rules {
            let sentence = inline(&words::rule_sentence(rule));
            out.push_str(&format!("- {} {sentence}\n", words::rule_mark(rule.held)));
        }
        for remark in outline::gate_remarks(report) {
            out.push_str(&format!("- {}\n", inline(&remark)));
        }
        out.push('\n');
    }
    for found in evidence::report_tables(report) {
        out.push_str(&format!("**{}**\n\n", inline(&found.caption)));
        table(&mut out, &found);
    }
    for part in &report.sections {
        section(&mut out, part, report.limits);
    }
    out.push_str(&format!("<sub>{}</sub>\n", inline(&outline::minute(report.made))));
    out
}

fn section(out: &mut String, section: &Section, limits: Limits) {
    let limits =
        Limits { cases: limits.cases.min(CASES), characters: limits.characters.min(CHARACTERS) };
    let outline = Outline::of(section, limits);
    let names = &outline.names;
    out.push_str(&format!(
        "### {} against {} on {}\n\n",
        inline(&names.candidate),
        inline(&names.baseline),
        inline(&outline.eval_set)
    ));
    if !outline.warnings.is_empty() {
        out.push_str("> [!WARNING]\n");
        for warning in &outline.warnings {
            out.push_str(&format!("> - {}\n", inline(warning)));
        }
        out.push('\n');
    }
    let mark = tone(outline.tone());
    out.push_str(&format!("**{mark}{}**\n\n", inline(&outline.verdict)));
    square(out, &outline);
    criteria(out, &outline);
    for refusal in &outline.refusals {
        out.push_str(&format!("- {}\n", inline(refusal)));
    }
    if !outline.refusals.is_empty() {
        out.push('\n');
    }
    for one in &outline.tables {
        out.push_str(&format!("<details><summary>{}</summary>\n\n", in_html(&one.caption)));
        table(out, one);
        out.push_str("</details>\n\n");
    }
    for list in &outline.lists {
        case_list(out, list, limits);
    }
    for list in &outline.left_out {
        out.push_str(&format!(
            "<details><summary>{}</summary>\n\n{}\n\n",
            in_html(&list.heading()),
            inline(&list.shown.join(", "))
        ));
        if let Some(remark) = list.remark() {
            out.push_str(&format!("{remark}\n\n"));
        }
        out.push_str("</details>\n\n");
    }
    if let Some(diff) = &section.prompt_diff {
        out.push_str("<details><summary>What changed in the prompt</summary>\n\n");
        let room = (ROOM + DIFF).saturating_sub(out.len()).clamp(200, DIFF);
        block(out, diff, room, "diff");
        out.push_str("</details>\n\n");
    }
    for remark in &outline.remarks {
        out.push_str(&format!("<sub>{}</sub><br>\n", inline(remark)));
    }
    out.push('\n');
}

fn square(out: &mut String, outline: &Outline<'_>) {
    let Some(square) = outline.first.map(|first| &first.square).filter(|one| one.total() > 0)
    else {
        return;
    };
    let (baseline, candidate) = (inline(&outline.names.baseline), inline(&outline.names.candidate));
    out.push_str(&format!(
        "| | {candidate} passes | {candidate} fails |\n| :-- | --: | --: |\n\
         | **{baseline} passes** | {} | ▼ {} broke |\n| **{baseline} fails** | ▲ {} fixed | {} |\n\n",
        count(square.both_pass),
        count(square.broke),
        count(square.fixed),
        count(square.both_fail)
    ));
    if square.mixed > 0 {
        out.push_str(&format!("{} score the same in between.\n\n", count(square.mixed)));
    }
}

fn criteria(out: &mut String, outline: &Outline<'_>) {
    let (baseline, candidate) = (inline(&outline.names.baseline), inline(&outline.names.candidate));
    out.push_str(&format!(
        "| criterion | decided by | verdict | points | interval | {baseline} | {candidate} | n |\n\
         | :-- | :-- | :-- | --: | --: | --: | --: | --: |\n"
    ));
    for row in &outline.criteria {
        let cells = [&row.name, &row.basis, &row.verdict, &row.difference, &row.interval]
            .into_iter()
            .chain([&row.baseline, &row.candidate, &count(row.cases)])
            .map(|cell| inline(cell))
            .collect::<Vec<_>>();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out.push('\n');
}

fn table(out: &mut String, table: &Table) {
    let heads: Vec<String> = table.heads.iter().map(|head| inline(&head.text)).collect();
    let rules: Vec<&str> =
        table.heads.iter().map(|head| if head.is_number { "--:" } else { ":--" }).collect();
    out.push_str(&format!("| {} |\n| {} |\n", heads.join(" | "), rules.join(" | ")));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| inline(cell)).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out.push('\n');
    for remark in &table.remarks {
        out.push_str(&format!("<sub>{}</sub><br>\n", inline(remark)));
    }
    out.push('\n');
}

fn case_list(out: &mut String, list: &CaseList<'_>, limits: Limits) {
    let mark = if list.change == Change::Broke { "▼" } else { "▲" };
    out.push_str(&format!(
        "<details><summary>{mark} {} {} on {}</summary>\n\n",
        count(list.total),
        list.word(),
        in_html(&words::name(list.criterion))
    ));
    let mut bare = Vec::new();
    for (paired, detail) in list.detailed() {
        if out.len() < ROOM {
            case(out, paired, detail, list.criterion, limits);
        } else {
            bare.push(words::name(&paired.id));
        }
    }
    bare.append(&mut list.bare());
    if !bare.is_empty() {
        out.push_str(&format!("{}\n\n", inline(&bare.join(", "))));
    }
    if let Some(remark) = list.remark() {
        out.push_str(&format!("{remark}\n\n"));
    }
    out.push_str("</details>\n\n");
}

fn case(
    out: &mut String,
    paired: &PairedCase,
    detail: &CaseDetail,
    criterion: &str,
    limits: Limits,
) {
    let CaseDetail { input, expected, baseline, candidate, .. } = detail;
    let score = outline::score_change(paired);
    let id = inline(&words::name(&paired.id));
    out.push_str(&format!("**{id}** · {}\n\n", inline(&score)));
    let mut field = |label: &str, text: &str| {
        out.push_str(&format!("{label}\n\n"));
        block(out, text, limits.characters, "text");
    };
    field("Input", input);
    if let Some(expected) = expected {
        field("Expected", expected);
    }
    for (label, output) in [("Baseline", baseline), ("Candidate", candidate)] {
        if let Some(text) = output.as_ref().and_then(|output| output.text.as_ref()) {
            field(label, text);
        }
    }
    for reason in outline::reasons(paired, detail, criterion) {
        let text = one_line(&reason.reason, limits.characters);
        out.push_str(&format!("{}: {}\n\n", reason.status.word(), inline(&text)));
    }
}

/// Writes a text as a fenced block that nothing in it can end.
fn block(out: &mut String, text: &str, characters: usize, info: &str) {
    let cut = excerpt(text, characters);
    let fence = "`".repeat(longest_run(&cut.text).max(2) + 1);
    out.push_str(&format!("{fence}{info}\n{}\n{fence}\n\n", cut.text.trim_end_matches('\n')));
    if let Some(remark) = cut.remark() {
        out.push_str(&format!("{remark}\n\n"));
    }
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Parts what GitHub would join to a link, and is not seen.
const PART: &str = "<!-- -->";

/// Returns a text of one line in which nothing is Markdown, HTML, a link, a mention or a reference.
pub(crate) fn inline(text: &str) -> String {
    escaped(text, |out, character| out.extend(['\\', character]))
}

/// Returns the same for the line of an HTML element, such as a summary, in which a backslash would be
/// seen.
fn in_html(text: &str) -> String {
    escaped(text, |out, character| out.push_str(&format!("&#x{:x};", u32::from(character))))
}

/// Escapes a text, what Markdown would read by `escape`.
fn escaped(text: &str, escape: impl Fn(&mut String, char)) -> String {
    let mut out = String::with_capacity(text.len());
    let visible = visible(text);
    let mut characters = visible.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '{' | '}' => {
                escape(&mut out, character);
            }
            // GitHub makes links of these after it has read the Markdown; an empty comment parts them.
            '@' | '#' => out.push_str(&format!("{character}{PART}")),
            ':' if characters.peek() == Some(&'/') => out.push_str(&format!(":{PART}")),
            '.' if ends_in_www(&out) => out.push_str(&format!("{PART}.")),
            other => out.push(other),
        }
    }
    out
}

fn ends_in_www(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3 && bytes[bytes.len() - 3..].eq_ignore_ascii_case(b"www")
}

/// The mark before a verdict: never colour alone.
fn tone(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Better) => "▲ ",
        Some(Verdict::Worse | Verdict::WorseWithinMargin) => "▼ ",
        Some(Verdict::NoWorse | Verdict::NotEnough) | None => "",
    }
}
