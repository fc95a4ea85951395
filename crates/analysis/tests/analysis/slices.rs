//! Parts of the cases by tag.

use analysis::{Slices, VariantResults};

use super::{compared, near};
use crate::data::{clustered, letters};

/// Tags each case with what `of` says.
fn tagged(mut results: VariantResults, of: impl Fn(usize) -> Vec<String>) -> VariantResults {
    for (number, case) in results.cases.iter_mut().enumerate() {
        case.tags = of(number);
    }
    results
}

fn slices(a: &VariantResults, b: &VariantResults) -> Slices {
    compared(a, b).slices.expect("cases have tags")
}

/// Two hundred cases in ten languages; the candidate fixes all of the first and nothing else.
fn languages() -> Slices {
    let of = |name: &str, is_candidate: bool| {
        let letter = |case: usize| if case.is_multiple_of(10) && !is_candidate { 'f' } else { 'p' };
        let word: String = (0..200).map(letter).collect();
        tagged(letters(name, &word), |case| vec![format!("lang-{}", case % 10)])
    };
    slices(&of("a", false), &of("b", true))
}

#[test]
fn a_slice_that_differs_is_flagged_after_correction() {
    let found = languages();
    assert_eq!((found.slices.len(), found.more, found.tested), (10, 0, 10));
    let flagged: Vec<_> =
        found.slices.iter().filter(|slice| slice.differs).map(|slice| slice.tag.as_str()).collect();
    assert_eq!(flagged, ["lang-0"]);
    let first = &found.slices[0];
    assert_eq!(first.cases, 20);
    assert!(near(first.baseline_rate, 0.0, 0.0) && near(first.candidate_rate, 1.0, 0.0));
    let (p, q) = (first.p_value.value().unwrap(), first.q_value.value().unwrap());
    assert!(near(q, 10.0 * p, 1e-12), "{p} {q}");
}

#[test]
fn only_flagged_slices_have_wider_intervals() {
    let found = languages();
    // One of ten is flagged: 1 − 0.05/10.
    assert!(near(found.slices[0].confidence, 0.995, 1e-12));
    assert!(found.slices[1..].iter().all(|slice| near(slice.confidence, 0.95, 1e-12)));
}

#[test]
fn a_case_counts_in_each_of_its_tags_once() {
    let tags = |case: usize| match case {
        0 => vec!["x".to_owned(), "x".to_owned(), "y".to_owned()],
        1 => vec!["x".to_owned()],
        _ => Vec::new(),
    };
    let found = slices(&tagged(letters("a", "pfp"), tags), &tagged(letters("b", "ppf"), tags));
    let shown: Vec<_> =
        found.slices.iter().map(|slice| (slice.tag.as_str(), slice.cases)).collect();
    assert_eq!(shown, [("x", 2), ("y", 1)]);
}

#[test]
fn the_smallest_of_many_slices_are_counted_and_not_tested() {
    let word = "p".repeat(120);
    let tags = |case: usize| vec![format!("t{}", if case < 60 { 0 } else { case })];
    let found = slices(&tagged(letters("a", &word), tags), &tagged(letters("b", &word), tags));
    assert_eq!((found.slices.len(), found.more), (50, 11));
    assert_eq!((found.slices[0].tag.as_str(), found.slices[0].cases), ("t0", 60));
}

#[test]
fn cases_without_tags_have_no_slices() {
    assert_eq!(compared(&letters("a", "pf"), &letters("b", "pp")).slices, None);
}

#[test]
fn several_cases_of_one_cluster_have_no_interval() {
    let mut a = clustered(letters("a", &"p".repeat(40)), &[7; 8]);
    let mut b = clustered(letters("b", &"p".repeat(40)), &[7; 8]);
    for side in [&mut a, &mut b] {
        for case in side.cases.iter_mut().take(8) {
            case.tags.push("incident".to_owned());
        }
        side.cases[20].tags.push("alone".to_owned());
    }
    let slices = compared(&a, &b).slices.unwrap();
    let of = |tag: &str| slices.slices.iter().find(|slice| slice.tag == tag).unwrap();
    assert_eq!((of("incident").cases, of("incident").clusters), (8, 1));
    assert_eq!(of("incident").interval.value(), None);
    assert_eq!(of("incident").q_value.value(), None);
    // A single case is its own cluster; Tango's interval for one pair is as wide as it must be.
    assert!(of("alone").interval.value().is_some());
}
