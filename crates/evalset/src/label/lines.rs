//! The text of `labels.jsonl`: rows in the order of their ids, each once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use values::Id;

use super::read::read_labels;
use super::row::LabelRow;

/// A row with its canonical text.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelLine {
    /// The text, without a line end.
    pub text: String,
    /// What it says.
    pub row: LabelRow,
}

impl LabelLine {
    /// Writes a row.
    pub fn of(row: LabelRow) -> Self {
        Self { text: row.row(), row }
    }
}

/// The rows of a file of labels as text, by their ids.
///
/// A purged event is left out, whichever copy still had it. Of two rows that claim one id, which only
/// damage can make, the one whose text is greater stays, so that the order of merging never matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelText<'t> {
    kept: BTreeMap<Id, Cow<'t, str>>,
    purged: Vec<Id>,
}

impl<'t> LabelText<'t> {
    /// Takes a file that [`LabelText::into_text`] wrote. Only lines of an unusual form are read.
    pub fn of_canonical(file: &'t str) -> Self {
        let mut text = Self::default();
        for line in file.lines() {
            match plain_id(line) {
                Some(id) => text.put(id, Cow::Borrowed(line)),
                None => {
                    for row in read_labels(line).0 {
                        text.purged.extend_from_slice(row.purges());
                        text.put(row.id(), Cow::Borrowed(line));
                    }
                }
            }
        }
        text
    }

    /// Adds a row with its text.
    pub fn add(&mut self, line: &'t LabelLine) {
        self.purged.extend_from_slice(line.row.purges());
        self.put(line.row.id(), Cow::Borrowed(&line.text));
    }

    /// Tells whether a row with this id was added.
    pub fn holds(&self, id: Id) -> bool {
        self.kept.contains_key(&id)
    }

    /// Returns the canonical text: one row for each event, sorted by id.
    pub fn into_text(mut self) -> String {
        for id in &self.purged {
            self.kept.remove(id);
        }
        let length = self.kept.values().map(|text| text.len() + 1).sum();
        let mut out = String::with_capacity(length);
        for text in self.kept.values() {
            out.push_str(text);
            out.push('\n');
        }
        out
    }

    fn put(&mut self, id: Id, text: Cow<'t, str>) {
        let standing = self.kept.entry(id).or_default();
        if *standing < text {
            *standing = text;
        }
    }
}

/// Writes a file of labels, as [`LabelText`] does.
pub fn write_labels(rows: impl IntoIterator<Item = LabelRow>) -> String {
    let mut text = LabelText::default();
    for row in rows {
        text.purged.extend_from_slice(row.purges());
        text.put(row.id(), Cow::Owned(row.row()));
    }
    text.into_text()
}

/// Returns the id of a row that purges nothing, where it stands where this version writes it.
fn plain_id(line: &str) -> Option<Id> {
    let (id, rest) = line.strip_prefix("{\"format\":1,\"id\":\"")?.split_once('"')?;
    let id = id.parse().ok()?;
    (!rest.starts_with(",\"act\":\"purge\"")).then_some(id)
}
