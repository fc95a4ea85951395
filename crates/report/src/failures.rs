//! Of which kinds failures are, and how often, for people and for programs.

use analysis::{PassRate, Saturation};
use serde::Serialize;
use values::{ContentHash, Id, Timestamp};

use crate::csv;
use crate::number::{count, counted, rate};
use crate::safe::one_line;
use crate::words::{name, undefined};

/// The version of the JSON document.
pub const FAILURES_FORMAT: u32 = 1;

/// Characters of a note in a table.
const NOTE: usize = 80;

/// What people wrote about failing outputs of an eval set, and what kinds they found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureReport {
    /// [`FAILURES_FORMAT`].
    pub format: u32,
    /// The eval set.
    pub set: String,
    /// The notes that count: those on outputs that fail.
    pub notes: usize,
    /// The failing outputs that they are about.
    pub outputs: usize,
    /// The notes that somebody has sorted.
    pub sorted: usize,
    /// The sorted notes that are of no category.
    pub of_no_kind: usize,
    /// The notes on outputs that chance drew; shares of others describe what was read, and no more.
    pub drawn_at_random: usize,
    /// The notes that do not count.
    pub aside: NotesAside,
    /// The categories, the most frequent first.
    pub categories: Vec<CategoryRow>,
    /// Whether reading more still finds new kinds; none while nothing is sorted.
    pub saturation: Option<Saturation>,
    /// The notes that were asked for, oldest first.
    pub listed: Vec<NoteRow>,
}

/// How many notes do not count, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct NotesAside {
    /// Their output passes, say the people who labelled it.
    pub passing: usize,
    /// Nobody has decided on the output, or people disagree.
    pub undecided: usize,
    /// Their case or rubric has changed since.
    pub outdated: usize,
}

/// A category and what is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryRow {
    /// The definition that stands.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What it is.
    pub sentence: String,
    /// The notes in it.
    pub notes: usize,
    /// The failing outputs in it.
    pub outputs: usize,
    /// Its share of the failing outputs that were sorted, averaged by case.
    pub share: PassRate,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteRow {
    /// The event that holds it.
    pub id: Id,
    /// The end of the id, as long as no other note ends so.
    pub short: String,
    /// When it was written.
    pub time: Timestamp,
    /// By whom.
    pub labeller: String,
    /// The case.
    pub case: String,
    /// The criterion that the output was labelled on.
    pub criterion: String,
    /// The output.
    pub output: ContentHash,
    /// What was written.
    pub note: String,
    /// Whether it counts.
    pub standing: NoteStanding,
    /// The names of its categories; none if nobody has sorted it.
    pub categories: Option<Vec<String>>,
}

/// Whether a note counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoteStanding {
    /// Its output fails: it counts.
    Failing,
    /// Its output passes.
    Passing,
    /// Nobody has decided on its output, or people disagree.
    Undecided,
    /// Its case or rubric has changed since.
    Outdated,
}

impl NoteStanding {
    /// Returns the word that tables use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Passing => "passing",
            Self::Undecided => "undecided",
            Self::Outdated => "outdated",
        }
    }
}

/// Says how complete the kinds look; none while nothing is sorted.
pub fn saturation_sentence(report: &FailureReport) -> Option<String> {
    let Saturation { of, nothing_new_in } = report.saturation?;
    Some(match nothing_new_in {
        0 => format!("The last of {} brought a new kind.", counted(of, "sorted note")),
        last => format!("No new kind in the last {} of {}.", count(last), count(of)),
    })
}

/// Writes the kinds and at most `limit` of the listed notes for a terminal, without colours.
pub fn failures_text(report: &FailureReport, limit: usize) -> String {
    let mut out = format!("{}: {}\n", name(&report.set), heading(report));
    for line in remarks(report) {
        out += &format!("{line}\n");
    }
    if !report.categories.is_empty() {
        out.push('\n');
        out += &crate::parts::columns(&category_table(report));
    }
    if let Some(sentence) = saturation_sentence(report) {
        out += &format!("\n{sentence}\n");
    }
    if report.listed.is_empty() {
        return out;
    }
    let head = ["note", "case", "what is wrong", "categories"].map(str::to_owned).to_vec();
    let rows = report.listed.iter().take(limit).map(|row| {
        let categories = match (&row.categories, row.standing) {
            (_, aside @ (NoteStanding::Passing | NoteStanding::Undecided)) => {
                aside.word().to_owned()
            }
            (_, NoteStanding::Outdated) => NoteStanding::Outdated.word().to_owned(),
            (None, NoteStanding::Failing) => "not sorted".to_owned(),
            (Some(all), NoteStanding::Failing) => kinds_of(all),
        };
        vec![row.short.clone(), name(&row.case), one_line(&row.note, NOTE), categories]
    });
    out.push('\n');
    out += &crate::parts::columns(&[head].into_iter().chain(rows).collect::<Vec<_>>());
    match report.listed.len().saturating_sub(limit) {
        0 => {}
        left => out += &format!("  … {}\n", counted(left, "more note")),
    }
    out
}

/// Writes the kinds as Markdown, each with its notes, for a page that a team reads.
pub fn failures_markdown(report: &FailureReport) -> String {
    let plain = crate::markdown::inline;
    let mut out = format!("# Failures of {}\n\n{}.\n", plain(&report.set), heading(report));
    for line in remarks(report) {
        out += &format!("\n{line}\n");
    }
    if !report.categories.is_empty() {
        out.push('\n');
        for (place, row) in category_table(report).iter().enumerate() {
            let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
            out += &format!("| {} |\n", cells.join(" | "));
            if place == 0 {
                out += &format!("|{}\n", " --- |".repeat(row.len()));
            }
        }
    }
    if let Some(sentence) = saturation_sentence(report) {
        out += &format!("\n{sentence}\n");
    }
    for category in &report.categories {
        out += &format!("\n## {}\n\n{}\n\n", plain(&category.name), plain(&category.sentence));
        let is_in =
            |row: &&NoteRow| row.categories.iter().flatten().any(|one| *one == category.name);
        out += &notes(report.listed.iter().filter(is_in));
    }
    let of_no_kind = |row: &&NoteRow| row.categories.as_ref().is_some_and(Vec::is_empty);
    let not_sorted = |row: &&NoteRow| row.categories.is_none();
    for (title, list) in [
        ("Of no kind", notes(report.listed.iter().filter(of_no_kind))),
        ("Not sorted", notes(report.listed.iter().filter(not_sorted))),
    ] {
        if !list.is_empty() {
            out += &format!("\n## {title}\n\n{list}");
        }
    }
    out
}

fn notes<'r>(rows: impl Iterator<Item = &'r NoteRow>) -> String {
    let plain = crate::markdown::inline;
    let counted = rows.filter(|row| row.standing == NoteStanding::Failing);
    counted.fold(String::new(), |list, row| {
        list + &format!("- {} ({})\n", plain(&row.note), plain(&row.case))
    })
}

/// Writes the listed notes as CSV (RFC 4180, UTF-8): one row a note.
///
/// A text that a spreadsheet would take for a formula begins with an apostrophe.
pub fn failures_csv(report: &FailureReport) -> String {
    let head =
        ["eval_set", "note", "time", "labeller", "case", "criterion", "output", "standing", "text"];
    let mut out = String::new();
    let mut line = head.map(str::to_owned).to_vec();
    line.extend(["is_sorted", "categories"].map(str::to_owned));
    csv::line(&mut out, &line);
    for row in &report.listed {
        let categories = row.categories.as_deref();
        let line = [
            report.set.clone(),
            row.id.to_string(),
            row.time.to_string(),
            row.labeller.clone(),
            row.case.clone(),
            row.criterion.clone(),
            row.output.to_string(),
            row.standing.word().to_owned(),
            row.note.clone(),
            if categories.is_some() { "yes" } else { "no" }.to_owned(),
            categories.unwrap_or_default().join("; "),
        ];
        csv::line(&mut out, &line);
    }
    out
}

fn heading(report: &FailureReport) -> String {
    format!(
        "{} on {}, {} sorted",
        counted(report.notes, "note"),
        counted(report.outputs, "failing output"),
        count(report.sorted)
    )
}

/// What a reader has to know before the shares.
fn remarks(report: &FailureReport) -> Vec<String> {
    let aside = &report.aside;
    let mut out = Vec::new();
    let all = [
        (aside.passing, "on outputs that pass"),
        (aside.undecided, "on outputs that nobody has decided, or people disagree on"),
        (aside.outdated, "outdated"),
    ];
    let said: Vec<String> = all
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(number)))
        .collect();
    if !said.is_empty() {
        out.push(format!("Not counted: {}", said.join(", ")));
    }
    let chosen = report.notes - report.drawn_at_random;
    if chosen > 0 && report.sorted > 0 {
        out.push(format!(
            "{} of {} on outputs that were chosen, not drawn: the shares describe what was read, \
             not all failures",
            count(chosen),
            counted(report.notes, "note")
        ));
    }
    out
}

fn category_table(report: &FailureReport) -> Vec<Vec<String>> {
    let head = ["category", "notes", "outputs", "share · 95 %", "what it is"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(report.categories.iter().map(|row| {
        let share = match row.share.rate.value() {
            Some(value) => {
                let share = rate(value, row.share.interval.value());
                format!("{share} · n {}", count(row.share.cases))
            }
            None => format!("undefined: {}", undefined(row.share.rate)),
        };
        vec![
            name(&row.name),
            count(row.notes),
            count(row.outputs),
            share,
            one_line(&row.sentence, NOTE),
        ]
    }));
    if report.of_no_kind > 0 {
        let notes = count(report.of_no_kind);
        rows.push(vec![
            "(of no kind)".to_owned(),
            notes,
            String::new(),
            String::new(),
            String::new(),
        ]);
    }
    rows
}

fn kinds_of(categories: &[String]) -> String {
    if categories.is_empty() {
        return "of no kind".to_owned();
    }
    categories.iter().map(|one| name(one)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(nothing_new_in: usize) -> FailureReport {
        FailureReport {
            format: FAILURES_FORMAT,
            set: "replies".to_owned(),
            notes: 20,
            outputs: 18,
            sorted: 20,
            of_no_kind: 0,
            drawn_at_random: 15,
            aside: NotesAside { passing: 1, undecided: 0, outdated: 2 },
            categories: Vec::new(),
            saturation: Some(Saturation { of: 20, nothing_new_in }),
            listed: Vec::new(),
        }
    }

    #[test]
    fn saturation_is_said_of_the_sorted_notes() {
        let said = |last| saturation_sentence(&report(last)).unwrap();
        assert_eq!(said(12), "No new kind in the last 12 of 20.");
        assert_eq!(said(0), "The last of 20 sorted notes brought a new kind.");
        assert_eq!(saturation_sentence(&FailureReport { saturation: None, ..report(1) }), None);
    }

    #[test]
    fn what_does_not_count_and_what_was_chosen_is_said_before_the_shares() {
        insta::assert_snapshot!(failures_text(&report(12), 5), @r"
        replies: 20 notes on 18 failing outputs, 20 sorted
        Not counted: 1 on outputs that pass, 2 outdated
        5 of 20 notes on outputs that were chosen, not drawn: the shares describe what was read, not all failures

        No new kind in the last 12 of 20.
        ");
    }
}
