//! Groups that notes may form, as a person reads and takes them.

use app::{SuggestedGroup, Suggestions};

use crate::diagnostics::{counted, printable};
use crate::output::{BOLD, FAINT};

/// Notes of a group that are shown.
const SHOWN: usize = 5;

/// Shows the groups, each with the command that takes it.
pub(super) fn suggestions(found: &Suggestions) -> String {
    let set = printable(&found.eval_set);
    if found.groups.is_empty() {
        let notes = counted(found.notes, "note");
        return format!("{set}: no notes that are not sorted are alike, of {notes}\n");
    }
    let mut out = format!(
        "{BOLD}{set}{BOLD:#}: {} suggested among {}, by the words that they share; nothing is kept \
         unless you take it\n",
        counted(found.groups.len(), "group"),
        counted(found.notes, "note")
    );
    for group in &found.groups {
        out += &shown(group, &found.eval_set);
    }
    out
}

fn shown(group: &SuggestedGroup, set: &str) -> String {
    let words: Vec<String> = group.words.iter().map(|word| printable(word)).collect();
    let notes = counted(group.notes.len(), "note");
    let mut out = format!("\n{BOLD}{}{BOLD:#} · {notes}", words.join(", "));
    if let Some(category) = &group.category {
        out += &format!(" · like those in {}", printable(category));
    }
    out.push('\n');
    for note in group.notes.iter().take(SHOWN) {
        let sorted = if note.is_sorted { " (sorted)" } else { "" };
        let (short, text, case) = (&note.short, printable(&note.note), printable(&note.case));
        out += &format!("  {short}  {text} {FAINT}{case}{sorted}{FAINT:#}\n");
    }
    if group.notes.len() > SHOWN {
        out += &format!("  {FAINT}… {} more{FAINT:#}\n", group.notes.len() - SHOWN);
    }
    let open: Vec<&str> =
        group.notes.iter().filter(|one| !one.is_sorted).map(|one| one.short.as_str()).collect();
    let (name, sentence) = match &group.category {
        Some(category) => (quoted(category), ""),
        None => ("NAME".to_owned(), " --sentence \"What it is.\""),
    };
    let notes = open.join(" ");
    out + &format!("  trysquare failures group {name} {notes} --set {}{sentence}\n", quoted(set))
}

/// Returns a text as one word of a shell; what needs no quotes has none.
pub(super) fn quoted(text: &str) -> String {
    let text = printable(text);
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        assert_eq!(quoted("late"), "late");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted("--yes"), "'--yes'");
    }
}
