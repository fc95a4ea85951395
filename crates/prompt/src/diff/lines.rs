//! Comparing text by line, and changed lines by word.

use serde::Serialize;
use similar::{Algorithm, ChangeTag, DiffOp, DiffTag, TextDiff as Similar};

use super::Numbered;

/// What differs between two texts, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextDiff {
    /// All lines of both texts; removed ones stand before the added ones that replace them.
    pub lines: Vec<Line>,
    /// Whether a stretch was too large for the finest comparison and is shown as replaced in whole.
    pub coarse: bool,
}

/// A line of either text, or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Whether it is the same, added or removed.
    pub kind: LineKind,
    /// Its number in the older file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_line: Option<u32>,
    /// Its number in the newer file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_line: Option<u32>,
    /// The line's text in pieces, without its line end.
    pub fragments: Vec<Fragment>,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// It stands in both texts.
    Same,
    /// It stands in the newer text only.
    Added,
    /// It stands in the older text only.
    Removed,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fragment {
    /// The text.
    pub text: String,
    /// Whether these words differ from the line that this one replaces or is replaced by.
    pub changed: bool,
}

/// The largest product of lengths that is compared finely; the algorithm takes at most about as
/// many steps.
const MAX_PRODUCT: usize = 4_000_000;

impl TextDiff {
    /// Tells whether the texts are the same.
    pub fn is_same(&self) -> bool {
        self.lines.iter().all(|line| line.kind == LineKind::Same)
    }
}

/// Compares two texts.
pub(super) fn compare(old: &Numbered, new: &Numbered) -> TextDiff {
    let old_lines: Vec<&str> = old.text.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.text.split_inclusive('\n').collect();
    let start = common(old_lines.iter().zip(&new_lines));
    let (old_rest, new_rest) = (&old_lines[start..], &new_lines[start..]);
    let end = common(old_rest.iter().rev().zip(new_rest.iter().rev()));
    let old_middle = &old_rest[..old_rest.len() - end];
    let new_middle = &new_rest[..new_rest.len() - end];
    let coarse = old_middle.len().saturating_mul(new_middle.len()) > MAX_PRODUCT;
    let mut collector =
        Collector { lines: Vec::new(), old_line: old.first, new_line: new.first, coarse };
    for line in &old_lines[..start] {
        collector.same(line);
    }
    if coarse {
        for line in old_middle {
            collector.whole(LineKind::Removed, line);
        }
        for line in new_middle {
            collector.whole(LineKind::Added, line);
        }
    } else {
        collector.finely(old_middle, new_middle);
    }
    for line in &old_rest[old_middle.len()..] {
        collector.same(line);
    }
    TextDiff { lines: collector.lines, coarse: collector.coarse }
}

fn common<'l>(pairs: impl Iterator<Item = (&'l &'l str, &'l &'l str)>) -> usize {
    pairs.take_while(|(old, new)| old == new).count()
}

struct Collector {
    lines: Vec<Line>,
    old_line: u32,
    new_line: u32,
    coarse: bool,
}

impl Collector {
    fn same(&mut self, line: &str) {
        self.push(LineKind::Same, vec![Fragment { text: bare(line), changed: false }]);
    }

    fn whole(&mut self, kind: LineKind, line: &str) {
        self.push(kind, vec![Fragment { text: bare(line), changed: true }]);
    }

    fn push(&mut self, kind: LineKind, fragments: Vec<Fragment>) {
        let old_line = (kind != LineKind::Added).then_some(self.old_line);
        let new_line = (kind != LineKind::Removed).then_some(self.new_line);
        self.old_line += u32::from(old_line.is_some());
        self.new_line += u32::from(new_line.is_some());
        self.lines.push(Line { kind, old_line, new_line, fragments });
    }

    fn finely(&mut self, old: &[&str], new: &[&str]) {
        let diff = Similar::configure().algorithm(Algorithm::Myers).diff_slices(old, new);
        for op in diff.ops() {
            if op.tag() == DiffTag::Replace && self.is_fine(op, old, new) {
                for change in diff.iter_inline_changes_deadline(op, None) {
                    let fragments = change
                        .values()
                        .iter()
                        .map(|(changed, text)| Fragment { text: bare(text), changed: *changed });
                    let kind = kind_of(change.tag());
                    self.push(kind, fragments.filter(|piece| !piece.text.is_empty()).collect());
                }
                continue;
            }
            for change in diff.iter_changes(op) {
                match kind_of(change.tag()) {
                    LineKind::Same => self.same(change.value()),
                    kind => self.whole(kind, change.value()),
                }
            }
        }
    }

    /// Tells whether the words of replaced lines are few enough to be compared.
    fn is_fine(&mut self, op: &DiffOp, old: &[&str], new: &[&str]) -> bool {
        let bytes = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
        // A word and the space after it have at least about four bytes.
        let product =
            (bytes(&old[op.old_range()]) / 4).saturating_mul(bytes(&new[op.new_range()]) / 4);
        self.coarse |= product > MAX_PRODUCT;
        product <= MAX_PRODUCT
    }
}

fn bare(line: &str) -> String {
    line.strip_suffix('\n').unwrap_or(line).to_owned()
}

fn kind_of(tag: ChangeTag) -> LineKind {
    match tag {
        ChangeTag::Equal => LineKind::Same,
        ChangeTag::Delete => LineKind::Removed,
        ChangeTag::Insert => LineKind::Added,
    }
}
