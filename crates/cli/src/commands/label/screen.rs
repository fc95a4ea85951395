//! What a labeller reads.

use app::{Conflict, Criterion, CriterionKind, LabelItem};

use crate::diagnostics::{counted, printable};
use crate::output::{BOLD, FAINT};

/// Shows what is to be labelled: rubric, input, expected, output, keys.
pub(super) fn item(item: &LabelItem, criterion: &Criterion) -> String {
    let is_pair = item.shown.len() == 2;
    let mut out = format!("\n{BOLD}{}{BOLD:#}\n", printable(&item.case));
    out += &question(criterion, is_pair);
    out += &block("input", &item.input);
    if let Some(expected) = &item.expected {
        out += &block("expected", expected);
    }
    for (number, shown) in (1..).zip(&item.shown) {
        let title = if is_pair { format!("output {number}") } else { "output".to_owned() };
        out += &block(&title, &shown.text);
        if let Some(made_by) = &shown.made_by {
            out += &block("made by", made_by);
        }
    }
    if let Some(before) = &item.outdated {
        out += &format!("under another rubric you said {}\n", printable(before));
    }
    out + &keys(criterion, is_pair)
}

fn question(criterion: &Criterion, is_pair: bool) -> String {
    let which = if is_pair { "Which is better" } else { "Does it pass" };
    let name = printable(&criterion.name);
    let mut out = match (&criterion.kind, is_pair) {
        (CriterionKind::Binary, _) | (_, true) => format!("{which}: {name}?\n"),
        _ => format!("{name}?\n"),
    };
    if let Some(rubric) = &criterion.rubric {
        out += &block("rubric", rubric);
    }
    out
}

fn keys(criterion: &Criterion, is_pair: bool) -> String {
    let values = match (&criterion.kind, is_pair) {
        (_, true) => "1 the first, 2 the second, 3 neither".to_owned(),
        (CriterionKind::Binary, _) => "1 pass, 2 fail".to_owned(),
        (CriterionKind::Graded, _) => "a number from 0 to 1, then Enter".to_owned(),
        (CriterionKind::Categorical { categories, .. }, _) => (1..)
            .zip(categories)
            .map(|(number, name)| format!("{number} {}", printable(name)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    format!("{FAINT}{values} · d defer, n note, f flag, u undo, q quit{FAINT:#}\n")
}

/// Shows a text under a title. What could deceive a terminal is replaced, line by line.
fn block(title: &str, text: &str) -> String {
    let mut out = format!("{FAINT}{title}{FAINT:#}\n");
    for line in text.lines() {
        out += &format!("  {}\n", printable(line));
    }
    if text.is_empty() {
        out += &format!("  {FAINT}(empty){FAINT:#}\n");
    }
    out
}

/// Says how much is left.
pub(super) fn left(left: usize, total: usize, backlog: Option<&str>) -> String {
    let mut out = format!("{left} of {total} left · saved\n");
    if let Some(why) = backlog {
        out += &format!("not yet in labels.jsonl: {}\n", printable(why));
    }
    out
}

/// Shows what people disagree on, without their names.
pub(super) fn conflict(conflict: &Conflict, criterion: Option<&Criterion>) -> String {
    let mut out = format!("\n{BOLD}{}{BOLD:#}\n", printable(&conflict.case));
    match criterion {
        Some(criterion) => out += &question(criterion, conflict.outputs.len() == 2),
        None => out += &format!("{}?\n", printable(&conflict.criterion)),
    }
    out += &block("input", &conflict.input);
    if let Some(expected) = &conflict.expected {
        out += &block("expected", expected);
    }
    for (name, output) in ["a", "b"].into_iter().zip(&conflict.outputs) {
        let title = if conflict.outputs.len() == 2 { name } else { "output" };
        out += &block(title, output.as_deref().unwrap_or("(its text is not here)"));
    }
    for (letter, opinion) in ('A'..='Z').zip(&conflict.opinions) {
        let note = opinion.note.as_deref().map(|note| format!(": {}", printable(note)));
        let value = printable(&opinion.value);
        out += &format!("{letter} says {BOLD}{value}{BOLD:#}{}\n", note.unwrap_or_default());
    }
    out
}

/// Shows everything that people disagree on.
pub(super) fn conflicts(conflicts: &[Conflict]) -> String {
    if conflicts.is_empty() {
        return "No conflicts.\n".to_owned();
    }
    let shown: String = conflicts.iter().map(|one| conflict(one, None)).collect();
    let count = counted(conflicts.len(), "conflict");
    format!("{shown}\n{count}; decide with: trysquare label adjudicate\n")
}
