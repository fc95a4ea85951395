use analysis::{Change, PairedCase, Verdict};
use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::evidence::{self, Table};
use crate::model::{CaseDetail, Limits, Report, Section};
use crate::number::count;
use crate::outline::{self, CaseList, Outline};
use crate::safe::{excerpt, one_line};
use crate::words;

/// Cases of each list; a terminal is read from its end.
const CASES: usize = 10;
/// The least width that is laid out for.
const LEAST_WIDTH: usize = 40;

const BOLD: Style = Style::new().bold();
const FAINT: Style = AnsiColor::BrightBlack.on_default();
const AMBER: Style = AnsiColor::Yellow.on_default();
const IMPROVED: Style = AnsiColor::Blue.on_default().bold();
const REGRESSED: Style = AnsiColor::Yellow.on_default().bold();

/// Writes a report for a terminal of `width` columns, with ANSI colours if `colours`.
///
/// Colour never carries a meaning alone, and control characters of the texts are escaped.
pub fn text(report: &Report, width: usize, colours: bool) -> String {
    let mut page = Page { text: String::new(), width: width.max(LEAST_WIDTH), colours };
    if let Some(line) = outline::replayed_line(report) {
        page.paragraph("", &line, AMBER);
    }
    page.paragraph("", &words::name(&report.title), BOLD);
    if let Some(unusable) = &report.unusable {
        page.text.push('\n');
        page.paragraph("", &outline::unusable_sentence(unusable), REGRESSED);
        for line in outline::unusable_lines(unusable) {
            page.paragraph("  ", &line, Style::new());
        }
    }
    if let Some(gate) = &report.gate {
        let style = if gate.status == analysis::GateStatus::Passed { BOLD } else { REGRESSED };
        page.text.push('\n');
        page.paragraph("", &words::gate_sentence(gate), style);
        for rule in &gate.rules {
            let mark = format!("  {} ", words::rule_mark(rule.held));
            page.paragraph(&mark, &words::rule_sentence(rule), Style::new());
        }
        for remark in outline::gate_remarks(report) {
            page.paragraph("  ! ", &remark, AMBER);
        }
    }
    for table in &evidence::report_tables(report) {
        page.captioned(table);
    }
    for section in &report.sections {
        page.section(section, report.limits);
    }
    page.text
}

struct Page {
    text: String,
    width: usize,
    colours: bool,
}

impl Page {
    fn section(&mut self, section: &Section, limits: Limits) {
        let limits = Limits { cases: limits.cases.min(CASES), ..limits };
        let outline = Outline::of(section, limits);
        self.text.push('\n');
        let names = &outline.names;
        let heading =
            format!("{} against {} on {}", names.candidate, names.baseline, outline.eval_set);
        self.paragraph("", &heading, BOLD);
        for warning in &outline.warnings {
            self.paragraph("! ", warning, AMBER);
        }
        self.paragraph("", &outline.verdict, tone(outline.tone()));
        for remark in &outline.remarks {
            self.paragraph("  ", remark, FAINT);
        }
        if outline.first.is_some_and(|first| first.square.total() > 0) {
            self.square(&outline);
        }
        self.criteria(&outline);
        for refusal in &outline.refusals {
            self.paragraph("! ", refusal, AMBER);
        }
        for table in &outline.tables {
            self.captioned(table);
        }
        for list in &outline.lists {
            self.list(list);
        }
        for list in &outline.left_out {
            self.text.push('\n');
            self.paragraph("", &list.heading(), AMBER);
            self.paragraph("  ", &list.shown.join(", "), Style::new());
            if let Some(remark) = list.remark() {
                self.paragraph("  ", &remark, FAINT);
            }
        }
        if let Some(diff) = &section.prompt_diff {
            self.text.push('\n');
            self.paragraph("", "Prompt", BOLD);
            let cut = excerpt(diff, limits.characters.saturating_mul(4));
            for line in cut.text.lines() {
                self.line(&format!("  {line}"), Style::new());
            }
            if let Some(remark) = cut.remark() {
                self.paragraph("  ", &remark, FAINT);
            }
        }
    }

    fn square(&mut self, outline: &Outline<'_>) {
        let Some(square) = outline.first.map(|first| &first.square) else { return };
        let names = &outline.names;
        let head = |name: &str, what: &str| format!("{} {what}", one_line(name, 40));
        let rows = [
            vec![String::new(), head(&names.candidate, "passes"), head(&names.candidate, "fails")],
            vec![
                head(&names.baseline, "passes"),
                count(square.both_pass),
                format!("▼ {} broke", count(square.broke)),
            ],
            vec![
                head(&names.baseline, "fails"),
                format!("▲ {} fixed", count(square.fixed)),
                count(square.both_fail),
            ],
        ];
        self.text.push('\n');
        self.table(&rows, &[false, true, true]);
        if square.mixed > 0 {
            let mixed = count(square.mixed);
            self.paragraph("  ", &format!("{mixed} score the same in between"), Style::new());
        }
    }

    fn criteria(&mut self, outline: &Outline<'_>) {
        let names = &outline.names;
        self.text.push('\n');
        for row in &outline.criteria {
            self.paragraph("  ", &format!("{}: {}", row.name, row.verdict), BOLD);
            let difference = format!("{} points, {}", row.difference, row.interval);
            if row.difference != outline::NOTHING {
                self.paragraph("    ", &difference, Style::new());
            }
            let rates = format!(
                "{} {} · {} {} · n {}",
                names.baseline,
                row.baseline,
                names.candidate,
                row.candidate,
                count(row.cases)
            );
            if row.cases > 0 {
                self.paragraph("    ", &rates, Style::new());
            }
        }
    }

    fn list(&mut self, list: &CaseList<'_>) {
        let (mark, style) = match list.change {
            Change::Broke => ("▼", REGRESSED),
            _ => ("▲", IMPROVED),
        };
        let criterion = words::name(list.criterion);
        self.text.push('\n');
        let heading = format!("{mark} {} {} on {criterion}", count(list.total), list.word());
        self.paragraph("", &heading, style);
        for (paired, detail) in list.detailed() {
            self.case(paired, detail, list.criterion);
        }
        let bare = list.bare();
        if !bare.is_empty() {
            self.paragraph("  ", &bare.join(", "), Style::new());
        }
        if let Some(remark) = list.remark() {
            self.paragraph("  ", &remark, FAINT);
        }
    }

    fn case(&mut self, paired: &PairedCase, detail: &CaseDetail, criterion: &str) {
        let head = format!("{}  {}", words::name(&paired.id), outline::score_change(paired));
        self.paragraph("  ", &head, BOLD);
        let room = (self.width - 16).min(200);
        let mut field = |label: &str, text: &str| {
            let line = format!("    {label:<10} {}", one_line(text, room));
            self.line(&line, Style::new());
        };
        field("input", &detail.input);
        if let Some(expected) = &detail.expected {
            field("expected", expected);
        }
        for (label, output) in [("before", &detail.baseline), ("now", &detail.candidate)] {
            let Some(output) = output else { continue };
            if let Some(text) = &output.text {
                field(label, text);
            }
        }
        for reason in outline::reasons(paired, detail, criterion) {
            field(reason.status.word(), &reason.reason);
        }
    }

    /// Writes a table with its caption, as lists of its rows where it is too wide for the terminal.
    fn captioned(&mut self, table: &Table) {
        self.text.push('\n');
        self.paragraph("", &table.caption, BOLD);
        let heads: Vec<String> = table.heads.iter().map(|head| one_line(&head.text, 28)).collect();
        let mut rows = vec![heads.clone()];
        rows.extend(
            table.rows.iter().map(|row| row.iter().map(|cell| one_line(cell, 48)).collect()),
        );
        let right: Vec<bool> = table.heads.iter().map(|head| head.is_number).collect();
        if table_width(&rows) <= self.width {
            self.table(&rows, &right);
        } else {
            for row in &rows[1..] {
                self.paragraph("  ", &row[0], Style::new());
                let cells = heads
                    .iter()
                    .zip(row)
                    .skip(1)
                    .filter(|(_, cell)| !["", outline::NOTHING].contains(&cell.as_str()));
                let cells: Vec<String> =
                    cells.map(|(head, cell)| format!("{head} {cell}")).collect();
                self.paragraph("    ", &cells.join("; "), Style::new());
            }
        }
        for remark in &table.remarks {
            self.paragraph("  ", remark, FAINT);
        }
    }

    /// Writes aligned columns, a row a line; a row that is too wide for the terminal is not broken.
    fn table(&mut self, rows: &[Vec<String>], right: &[bool]) {
        let widths = column_widths(rows);
        for (number, row) in rows.iter().enumerate() {
            let mut line = String::from(" ");
            for (column, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[column] - cell.width());
                let cell =
                    if right[column] { format!("{pad}{cell}") } else { format!("{cell}{pad}") };
                line.push_str(&format!(" {cell} "));
            }
            self.line(line.trim_end(), if number == 0 { FAINT } else { Style::new() });
        }
    }

    /// Writes a paragraph, wrapped at words; later lines are indented as far as `lead` is wide.
    fn paragraph(&mut self, lead: &str, text: &str, style: Style) {
        let indent = " ".repeat(lead.width());
        let mut line = String::from(lead);
        let mut is_empty = true;
        for word in text.split(' ') {
            if !is_empty && line.width() + 1 + word.width() > self.width {
                self.line(&line, style);
                line.clone_from(&indent);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(&line, style);
    }

    fn line(&mut self, line: &str, style: Style) {
        if self.colours && style != Style::new() {
            self.text.push_str(&format!("{style}{line}{style:#}\n"));
        } else {
            self.text.push_str(&format!("{line}\n"));
        }
    }
}

fn column_widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    let widest = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    (0..columns).map(widest).collect()
}

/// Returns the width of the widest line of a table.
fn table_width(rows: &[Vec<String>]) -> usize {
    column_widths(rows).iter().map(|width| width + 2).sum()
}

fn tone(verdict: Option<Verdict>) -> Style {
    match verdict {
        Some(Verdict::Better) => IMPROVED,
        Some(Verdict::Worse | Verdict::WorseWithinMargin) => REGRESSED,
        Some(Verdict::NoWorse | Verdict::NotEnough) | None => BOLD,
    }
}
