//! What differs between two outputs, word by word, for people to read.
//!
//! `prompt::diff` compares files that people edit, line by line and with line numbers. An output is
//! prose: what counts is which words came and went, wherever lines break.

use std::collections::HashMap;
use std::ops::Range;

use serde::Serialize;
use similar::{Algorithm, DiffTag, DiffableStr, capture_diff_slices};

/// The largest product of the numbers of words, or of lines, that is compared finely; the algorithm
/// takes at most about four times as many steps.
const MAX_PRODUCT: usize = 4_000_000;

/// What differs between two outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputDiff {
    /// Both texts in pieces, in reading order; what was deleted stands before what replaces it.
    ///
    /// The equal and deleted pieces together are the older text, the equal and inserted ones the
    /// newer.
    pub segments: Vec<Segment>,
    /// Whether a stretch was too long to be compared word by word and is shown as replaced in whole.
    pub coarse: bool,
}

/// A piece of either text, or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Which text it stands in.
    pub kind: SegmentKind,
    /// The piece, never empty.
    pub text: String,
}

/// Which text a piece stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// In both.
    Equal,
    /// In the older one only.
    Deleted,
    /// In the newer one only.
    Inserted,
}

impl OutputDiff {
    /// Compares two outputs.
    ///
    /// Time is bounded for texts of any length, without a clock: what is too long is compared line by
    /// line first, and what is too long even then is shown as replaced.
    pub fn of(old: &str, new: &str) -> Self {
        let mut writer = Writer::new();
        writer.texts(old, new);
        writer.finish()
    }

    /// Tells whether the texts are the same.
    pub fn is_same(&self) -> bool {
        self.segments.iter().all(|segment| segment.kind == SegmentKind::Equal)
    }
}

/// What is done with pieces that were replaced.
type Replaced = fn(&mut Writer, &[&str], &[&str]);

/// Collects pieces; changes that only spaces part become one.
struct Writer {
    segments: Vec<Segment>,
    deleted: String,
    inserted: String,
    /// Spaces after a change, of which the next piece decides where they belong.
    spaces: String,
    coarse: bool,
    /// What may still be spent on fine comparison, as a product of lengths.
    budget: usize,
}

impl Writer {
    fn new() -> Self {
        let (segments, budget) = (Vec::new(), MAX_PRODUCT);
        let [deleted, inserted, spaces] = [const { String::new() }; 3];
        Self { segments, deleted, inserted, spaces, coarse: false, budget }
    }

    fn texts(&mut self, old: &str, new: &str) {
        let (old_words, new_words) = (old.tokenize_unicode_words(), new.tokenize_unicode_words());
        let (_, old_middle, new_middle) = middles(&old_words, &new_words);
        if old_middle.len().saturating_mul(new_middle.len()) <= self.budget {
            self.compare(&old_words, &new_words, Self::replaced);
        } else {
            self.compare(&old.tokenize_lines(), &new.tokenize_lines(), Self::replaced_lines);
        }
    }

    fn replaced_lines(&mut self, old: &[&str], new: &[&str]) {
        let (old, new) = (old.concat(), new.concat());
        let (old_words, new_words) = (old.tokenize_unicode_words(), new.tokenize_unicode_words());
        self.compare(&old_words, &new_words, Self::replaced);
    }

    /// Compares two lists of pieces, handing what was replaced to `replaced`. Lists that are too long
    /// are first parted at the pieces that each has once.
    fn compare(&mut self, old: &[&str], new: &[&str], replaced: Replaced) {
        let (start, old_middle, new_middle) = middles(old, new);
        let (old_part, new_part) = (&old[old_middle.clone()], &new[new_middle]);
        self.equal(&old[..start]);
        if old_part.len().saturating_mul(new_part.len()) <= self.budget {
            self.finely(old_part, new_part, replaced);
        } else {
            let (mut old_from, mut new_from) = (0, 0);
            for (old_at, new_at) in anchors(old_part, new_part) {
                self.gap(&old_part[old_from..old_at], &new_part[new_from..new_at], replaced);
                self.equal(&old_part[old_at..=old_at]);
                (old_from, new_from) = (old_at + 1, new_at + 1);
            }
            self.gap(&old_part[old_from..], &new_part[new_from..], replaced);
        }
        self.equal(&old[old_middle.end..]);
    }

    /// Compares what stands between two anchors; too long a stretch is replaced in whole.
    fn gap(&mut self, old: &[&str], new: &[&str], replaced: Replaced) {
        let (start, old_middle, new_middle) = middles(old, new);
        let (old_part, new_part) = (&old[old_middle.clone()], &new[new_middle]);
        self.equal(&old[..start]);
        if old_part.len().saturating_mul(new_part.len()) <= self.budget {
            self.finely(old_part, new_part, replaced);
        } else {
            self.coarse = true;
            self.replaced(old_part, new_part);
        }
        self.equal(&old[old_middle.end..]);
    }

    fn finely(&mut self, old: &[&str], new: &[&str], replaced: Replaced) {
        self.budget -= old.len() * new.len();
        for op in capture_diff_slices(Algorithm::Myers, old, new) {
            let (tag, old_range, new_range) = op.as_tag_tuple();
            if tag == DiffTag::Equal {
                self.equal(&old[old_range]);
            } else {
                replaced(self, &old[old_range], &new[new_range]);
            }
        }
    }

    fn equal(&mut self, pieces: &[&str]) {
        let text = pieces.concat();
        if text.is_empty() {
            return;
        }
        let changed = !self.deleted.is_empty() || !self.inserted.is_empty();
        if changed && text.chars().all(|character| character == ' ') {
            self.spaces.push_str(&text);
            return;
        }
        self.flush();
        push(&mut self.segments, SegmentKind::Equal, &text);
    }

    fn replaced(&mut self, old: &[&str], new: &[&str]) {
        let spaces = std::mem::take(&mut self.spaces);
        for (text, pieces) in [(&mut self.deleted, old), (&mut self.inserted, new)] {
            text.push_str(&spaces);
            text.extend(pieces.iter().copied());
        }
    }

    fn flush(&mut self) {
        let Self { segments, deleted, inserted, spaces, .. } = self;
        push(segments, SegmentKind::Deleted, &std::mem::take(deleted));
        push(segments, SegmentKind::Inserted, &std::mem::take(inserted));
        push(segments, SegmentKind::Equal, &std::mem::take(spaces));
    }

    fn finish(mut self) -> OutputDiff {
        self.flush();
        OutputDiff { segments: self.segments, coarse: self.coarse }
    }
}

/// Returns how many pieces both begin with, and the ranges between what they begin and end with.
fn middles(old: &[&str], new: &[&str]) -> (usize, Range<usize>, Range<usize>) {
    let start = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let ends = old_rest.iter().rev().zip(new_rest.iter().rev());
    let end = ends.take_while(|(old, new)| old == new).count();
    (start, start..old.len() - end, start..new.len() - end)
}

/// Returns the places of pieces that each list holds exactly once, as many as stand in the same order
/// in both.
fn anchors(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let once = |pieces: &[&str]| {
        let mut places: HashMap<String, Option<usize>> = HashMap::new();
        for (place, piece) in pieces.iter().enumerate() {
            places.entry((*piece).to_owned()).and_modify(|at| *at = None).or_insert(Some(place));
        }
        places
    };
    let in_old = once(old);
    let mut pairs: Vec<(usize, usize)> = once(new)
        .into_iter()
        .filter_map(|(piece, place)| Some((in_old.get(&piece).copied()??, place?)))
        .collect();
    pairs.sort_unstable();
    // The longest increasing run of places: `ends[n]` is the pair that ends the best run of n + 1.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, (_, place)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *place);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut run: Vec<(usize, usize)> =
        std::iter::successors(ends.last().copied(), |at| before[*at]).map(|at| pairs[at]).collect();
    run.reverse();
    run
}

/// Adds a piece, to the last one if that is of the same kind.
fn push(segments: &mut Vec<Segment>, kind: SegmentKind, text: &str) {
    match segments.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.kind == kind => last.text.push_str(text),
        _ => segments.push(Segment { kind, text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `[-old-]{+new+}`, as wdiff writes it.
    fn written(old: &str, new: &str) -> String {
        let marked = |segment: &Segment| match segment.kind {
            SegmentKind::Equal => segment.text.clone(),
            SegmentKind::Deleted => format!("[-{}-]", segment.text),
            SegmentKind::Inserted => format!("{{+{}+}}", segment.text),
        };
        OutputDiff::of(old, new).segments.iter().map(marked).collect()
    }

    fn side(diff: &OutputDiff, kind: SegmentKind) -> String {
        let kinds = [SegmentKind::Equal, kind];
        let of_side = diff.segments.iter().filter(|segment| kinds.contains(&segment.kind));
        of_side.map(|segment| segment.text.as_str()).collect()
    }

    #[test]
    fn words_are_marked_and_neighbours_read_as_one_change() {
        assert_eq!(
            written("The order is 4711.", "The order number is 4712."),
            "The order {+number +}is [-4711-]{+4712+}."
        );
        assert_eq!(
            written("ship it by air today", "send them by sea today"),
            "[-ship it-]{+send them+} by [-air-]{+sea+} today"
        );
        assert_eq!(written("same", "same"), "same");
        assert_eq!(written("", "new"), "{+new+}");
        assert_eq!(written("", ""), "");
    }

    #[test]
    fn long_texts_of_many_lines_are_still_compared_by_words() {
        let lines = |word: &str| {
            let line = |n: u32| {
                let last = if n % 5_000 == 7 { word } else { "text" };
                format!("line {n} holds {last}\n")
            };
            (0..20_000).map(line).collect::<Vec<_>>().concat()
        };
        let diff = OutputDiff::of(&lines("old"), &lines("new"));
        assert!(!diff.coarse);
        let changed = diff.segments.iter().filter(|one| one.kind != SegmentKind::Equal);
        assert_eq!(
            changed.map(|one| one.text.as_str()).collect::<Vec<_>>(),
            ["old", "new"].repeat(4)
        );
    }

    #[test]
    fn a_line_of_a_megabyte_is_shown_as_replaced_between_what_is_the_same() {
        let long = |word: &str| format!("start {} end", format!("{word} ").repeat(200_000));
        let (old, new) = (long("abc"), long("xyz"));
        let diff = OutputDiff::of(&old, &new);
        assert!(diff.coarse && diff.segments.len() == 4, "{}", diff.segments.len());
        assert_eq!(side(&diff, SegmentKind::Deleted), old);
        assert_eq!(side(&diff, SegmentKind::Inserted), new);
    }

    proptest! {
        #[test]
        fn each_side_reads_as_its_text(old in "[ab \n]{0,40}", new in "[ab \n]{0,40}") {
            let diff = OutputDiff::of(&old, &new);
            prop_assert_eq!(side(&diff, SegmentKind::Deleted), old.clone());
            prop_assert_eq!(side(&diff, SegmentKind::Inserted), new.clone());
            prop_assert_eq!(diff.is_same(), old == new);
        }
    }
}
