//! Open coding: what kinds of failures there are, how often, and whether reading more finds new ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stats::InvalidInput;
use values::{ContentHash, Id, Timestamp};

use crate::rate::{CasePasses, PassRate, pass_rate};

/// What a person wrote about an output that fails.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureNote {
    /// The event that holds the note.
    pub id: Id,
    /// When it was written.
    pub time: Timestamp,
    /// The case.
    pub case: String,
    /// The case's cluster; cases with the same number belong together.
    pub cluster: usize,
    /// The output.
    pub output: ContentHash,
    /// The categories that it was sorted into; `None` if nobody has sorted it.
    pub categories: Option<Vec<Id>>,
}

/// How many of the failures are of each kind, and how complete the kinds look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureKinds {
    /// The notes.
    pub notes: usize,
    /// Those that somebody has sorted.
    pub sorted: usize,
    /// Those that were sorted and are of no category.
    pub of_no_kind: usize,
    /// Each category that was asked for, the most frequent first.
    pub kinds: Vec<FailureKind>,
    /// Whether reading more still finds new kinds; none while nothing is sorted.
    pub saturation: Option<Saturation>,
}

/// One category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureKind {
    /// The category.
    pub category: Id,
    /// The notes in it.
    pub notes: usize,
    /// The failing outputs in it.
    pub outputs: usize,
    /// Its share of the failing outputs of which a note was sorted, averaged by case.
    pub share: PassRate,
}

/// When the last new kind was found, in the order in which the sorted notes were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Saturation {
    /// The sorted notes.
    pub of: usize,
    /// How many of them, the last, brought no kind that was not there before.
    pub nothing_new_in: usize,
}

/// Counts the kinds of failures.
///
/// `notes` may come in any order and hold several of one output, which then counts once, in every
/// category of any of its notes. Of a share, the unit is the case: several failing outputs of one
/// case are averaged first, and cases of a cluster count together. Notes that nobody sorted are in no
/// share, because what they tell of is not known. `categories` are those to be counted; others are
/// passed over. n log n in the notes for each category.
///
/// # Errors
/// [`InvalidInput`] if there are more than a million cases.
pub fn failure_kinds(
    notes: &[FailureNote],
    categories: &[Id],
) -> Result<FailureKinds, InvalidInput> {
    let mut sorted: Vec<(&FailureNote, BTreeSet<Id>)> = notes
        .iter()
        .filter_map(|note| {
            let known = note.categories.as_ref()?.iter().filter(|id| categories.contains(id));
            Some((note, known.copied().collect()))
        })
        .collect();
    sorted.sort_by_key(|(note, _)| (note.time, note.id));
    let distinct: BTreeSet<Id> = categories.iter().copied().collect();
    let mut kinds = distinct
        .into_iter()
        .map(|category| kind(&sorted, category))
        .collect::<Result<Vec<_>, _>>()?;
    kinds.sort_by_key(|kind| (std::cmp::Reverse((kind.outputs, kind.notes)), kind.category));
    Ok(FailureKinds {
        notes: notes.len(),
        sorted: sorted.len(),
        of_no_kind: sorted.iter().filter(|(_, kinds)| kinds.is_empty()).count(),
        kinds,
        saturation: saturation(&sorted),
    })
}

fn kind(
    sorted: &[(&FailureNote, BTreeSet<Id>)],
    category: Id,
) -> Result<FailureKind, InvalidInput> {
    let mut outputs: BTreeMap<(&str, ContentHash), (bool, usize)> = BTreeMap::new();
    for (note, kinds) in sorted {
        let place = outputs.entry((&note.case, note.output)).or_insert((false, note.cluster));
        place.0 |= kinds.contains(&category);
    }
    let mut cases: BTreeMap<&str, CasePasses> = BTreeMap::new();
    for ((case, _), (is_in, cluster)) in &outputs {
        let case =
            cases.entry(case).or_insert(CasePasses { passed: 0, decided: 0, cluster: *cluster });
        case.decided += 1;
        case.passed += u32::from(*is_in);
    }
    Ok(FailureKind {
        category,
        notes: sorted.iter().filter(|(_, kinds)| kinds.contains(&category)).count(),
        outputs: outputs.values().filter(|(is_in, _)| *is_in).count(),
        share: pass_rate(&cases.into_values().collect::<Vec<_>>())?,
    })
}

fn saturation(sorted: &[(&FailureNote, BTreeSet<Id>)]) -> Option<Saturation> {
    let mut seen = BTreeSet::new();
    let mut nothing_new_in = 0;
    for (_, kinds) in sorted {
        let before = seen.len();
        seen.extend(kinds.iter().copied());
        nothing_new_in = if seen.len() > before { 0 } else { nothing_new_in + 1 };
    }
    (!sorted.is_empty()).then_some(Saturation { of: sorted.len(), nothing_new_in })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> Id {
        Id::new(Timestamp::from_unix_ms(i64::from(number)), [number; 10])
    }

    fn note(number: u8, case: u8, output: u8, categories: Option<&[u8]>) -> FailureNote {
        FailureNote {
            id: id(number),
            time: Timestamp::from_unix_ms(i64::from(number)),
            case: format!("c{case}"),
            cluster: usize::from(case),
            output: ContentHash::of_bytes(&[output]),
            categories: categories.map(|all| all.iter().map(|number| id(*number)).collect()),
        }
    }

    fn counts(found: &FailureKinds) -> Vec<(Id, usize, usize)> {
        found.kinds.iter().map(|kind| (kind.category, kind.notes, kind.outputs)).collect()
    }

    #[test]
    fn an_output_with_several_notes_counts_once() {
        let notes = [
            note(1, 1, 1, Some(&[101])),
            note(2, 1, 1, Some(&[101, 102])),
            note(3, 2, 2, Some(&[])),
            note(4, 3, 3, None),
        ];
        let found = failure_kinds(&notes, &[id(102), id(101)]).unwrap();
        assert_eq!((found.notes, found.sorted, found.of_no_kind), (4, 3, 1));
        assert_eq!(counts(&found), [(id(101), 2, 1), (id(102), 1, 1)]);
        // One of two cases; the third was read and not sorted.
        let share = found.kinds[0].share;
        assert_eq!((share.rate.value(), share.cases), (Some(0.5), 2));
        // Wilson's interval of 1 of 2.
        let interval = share.interval.value().unwrap();
        assert!((interval.low() - 0.0945).abs() < 1e-4 && (interval.high() - 0.9055).abs() < 1e-4);
    }

    #[test]
    fn outputs_of_one_case_are_averaged_before_they_count() {
        let notes = [
            note(1, 1, 1, Some(&[101])),
            note(2, 1, 2, Some(&[101])),
            note(3, 1, 3, Some(&[101])),
            note(4, 2, 4, Some(&[])),
        ];
        let found = failure_kinds(&notes, &[id(101)]).unwrap();
        assert_eq!(found.kinds[0].outputs, 3);
        assert_eq!(found.kinds[0].share.rate.value(), Some(0.5));
    }

    #[test]
    fn saturation_counts_sorted_notes_since_the_last_new_kind_in_the_order_of_writing() {
        let mut notes = vec![
            note(1, 1, 1, Some(&[101])),
            note(2, 2, 2, Some(&[102])),
            note(3, 3, 3, None),
            note(4, 4, 4, Some(&[101])),
            note(5, 5, 5, Some(&[])),
        ];
        notes.reverse();
        let found = failure_kinds(&notes, &[id(101), id(102)]).unwrap();
        assert_eq!(found.saturation, Some(Saturation { of: 4, nothing_new_in: 2 }));
        let one = failure_kinds(&notes, &[id(101)]).unwrap();
        assert_eq!(one.saturation, Some(Saturation { of: 4, nothing_new_in: 3 }));
    }

    #[test]
    fn nothing_sorted_is_no_share_and_no_saturation() {
        let found = failure_kinds(&[note(1, 1, 1, None)], &[id(101)]).unwrap();
        assert_eq!((found.sorted, found.saturation), (0, None));
        assert_eq!(found.kinds[0].share.rate.value(), None);
    }

    proptest! {
        #[test]
        fn the_order_of_notes_changes_nothing(
            notes in prop::collection::vec(
                (0u8..5, 0u8..6, prop::option::of(prop::collection::vec(100u8..104, 0..3))),
                0..20,
            ),
            by in any::<prop::sample::Index>(),
        ) {
            let mut notes: Vec<_> = (0u8..)
                .zip(&notes)
                .map(|(at, (case, output, kinds))| note(at, *case, *output, kinds.as_deref()))
                .collect();
            let categories = [id(100), id(101), id(102)];
            let before = failure_kinds(&notes, &categories).unwrap();
            if !notes.is_empty() {
                let at = by.index(notes.len());
                notes.rotate_left(at);
            }
            prop_assert_eq!(&failure_kinds(&notes, &categories).unwrap(), &before);
            for kind in &before.kinds {
                prop_assert!(kind.outputs <= kind.notes && kind.notes <= before.sorted);
            }
        }
    }
}
