//! Looks, runs that were ended by hand, and the confidence sequence.

use std::collections::{BTreeMap, HashSet};

use analysis::{
    Comparison, LookHistory, Method, Origin, VariantResults, Verdict, Warning, WhySequence,
};

use super::{options, primary};
use crate::data::{clustered, letters};

fn look(cases: std::ops::Range<usize>) -> HashSet<String> {
    cases.map(|case| format!("c{case}")).collect()
}

fn after(a: &VariantResults, b: &VariantResults, earlier: Vec<HashSet<String>>) -> Comparison {
    let earlier = BTreeMap::from([("exact".to_owned(), earlier)]);
    let history = LookHistory { earlier, ..LookHistory::default() };
    analysis::compare(a, b, &options(), &history).expect("a few cases can be compared")
}

fn method(comparison: &Comparison) -> Method {
    primary(comparison).method
}

fn end(mut results: VariantResults) -> VariantResults {
    if let Origin::Run { complete, .. } = &mut results.origin {
        *complete = false;
    }
    results
}

#[test]
fn looking_again_at_the_same_cases_is_no_new_look() {
    let (a, b) = (letters("a", &"pf".repeat(20)), letters("b", &"pp".repeat(20)));
    let first = after(&a, &b, Vec::new());
    assert_eq!(method(&first), Method::Tango);
    assert_eq!(after(&a, &b, vec![look(0..40)]), first);
}

#[test]
fn more_cases_after_a_look_are_decided_by_the_sequence() {
    let (a, b) = (letters("a", &"pf".repeat(20)), letters("b", &"pp".repeat(20)));
    let comparison = after(&a, &b, vec![look(0..30), look(0..35)]);
    let why = WhySequence::MoreCases { looked_at: 30 };
    assert_eq!(method(&comparison), Method::Sequence { why, fed: 40, of: 40 });
    let decision = primary(&comparison);
    assert_eq!(decision.verdict, Verdict::Better);
    assert!(decision.p_value.value().unwrap() < 0.05);
}

#[test]
fn the_sequence_is_wider_than_the_interval_of_a_declared_number() {
    let (a, b) = (letters("a", &"pf".repeat(20)), letters("b", &"pp".repeat(20)));
    let width = |comparison: Comparison| {
        let interval = primary(&comparison).interval.value().unwrap();
        interval.high() - interval.low()
    };
    assert!(width(after(&a, &b, vec![look(0..30)])) > width(after(&a, &b, Vec::new())));
}

#[test]
fn cases_of_the_earliest_look_are_fed_first() {
    // The cases that were looked at are the second half of the plan, and c25 there is unfinished:
    // five of them come before it.
    let mut cells = vec!["f"; 40];
    cells[25] = ".";
    let (a, b) = (letters("a", &"f".repeat(40)), letters("b", &cells.concat()));
    let comparison = after(&a, &b, vec![look(20..40)]);
    assert!(matches!(method(&comparison), Method::Sequence { fed: 5, of: 39, .. }));
}

#[test]
fn a_run_that_was_ended_by_hand_is_read_up_to_its_first_open_cluster() {
    let clusters: Vec<usize> = (0..12).map(|case| case / 3).collect();
    let a = clustered(letters("a", "ffffffffffff"), &clusters);
    // The third cluster has an open cell; an error is an outcome.
    let b = end(clustered(letters("b", "ppeppppp.ppp"), &clusters));
    let comparison = after(&a, &b, Vec::new());
    let why = WhySequence::EndedEarly { at_cap: false };
    assert_eq!(method(&comparison), Method::Sequence { why, fed: 2, of: 4 });
    assert_eq!(primary(&comparison).cases, 5);
}

#[test]
fn a_cluster_without_any_outcome_ends_the_feed_too() {
    let (a, b) = (letters("a", "ffff"), end(letters("b", "p.pp")));
    assert!(matches!(method(&after(&a, &b, Vec::new())), Method::Sequence { fed: 1, of: 3, .. }));
    let none = after(&a, &end(letters("b", ".ppp")), Vec::new());
    assert_eq!(primary(&none).verdict, Verdict::NotEnough);
    assert!(primary(&none).difference.value().is_none());
}

#[test]
fn a_run_that_stops_when_decided_is_always_read_by_the_sequence() {
    let (a, b) = (letters("a", &"f".repeat(30)), letters("b", &"p".repeat(30)));
    let history = LookHistory { until_decided: true, ..LookHistory::default() };
    let comparison = analysis::compare(&a, &b, &options(), &history).unwrap();
    let why = WhySequence::UntilDecided;
    assert_eq!(method(&comparison), Method::Sequence { why, fed: 30, of: 30 });
    assert_eq!(comparison.verdict(), Some(Verdict::Better));
}

#[test]
fn a_case_that_is_only_now_decided_by_people_is_one_more_case() {
    let (a, b) = (letters("a", &"pf".repeat(20)), letters("b", &"pl".repeat(20)));
    // Every second case was decided when it was looked at; nothing is new.
    let labelled: HashSet<String> = (0..40).step_by(2).map(|case| format!("c{case}")).collect();
    assert_ne!(method(&after(&a, &b, Vec::new())), Method::None);
    let again = after(&a, &b, vec![labelled.clone()]);
    assert!(!matches!(method(&again), Method::Sequence { .. }), "{again:?}");
    let more = after(&a, &letters("b", &"pp".repeat(20)), vec![labelled]);
    let why = WhySequence::MoreCases { looked_at: 20 };
    assert_eq!(method(&more), Method::Sequence { why, fed: 40, of: 40 });
}

#[test]
fn looks_at_one_criterion_are_none_at_another() {
    let (a, b) = (letters("a", &"pf".repeat(20)), letters("b", &"pp".repeat(20)));
    let earlier = BTreeMap::from([("other".to_owned(), vec![look(0..30)])]);
    let history = LookHistory { earlier, ..LookHistory::default() };
    let comparison = analysis::compare(&a, &b, &options(), &history).unwrap();
    assert_eq!(method(&comparison), Method::Tango);
}

#[test]
fn every_further_set_of_answers_halves_the_error_that_the_interval_allows() {
    // 6 fixed of 12: better at 95 %, no worse at 98.75 %, and less than that ten tries on.
    let (a, b) = (letters("a", &"pf".repeat(6)), letters("b", &"pp".repeat(6)));
    let tried = |earlier: u32| {
        let other_answers = BTreeMap::from([("exact".to_owned(), earlier)]);
        let history = LookHistory { other_answers, ..LookHistory::default() };
        analysis::compare(&a, &b, &options(), &history).unwrap()
    };
    let (first, third, tenth) = (tried(0), tried(2), tried(9));
    assert_eq!(first, after(&a, &b, Vec::new()));
    assert!((primary(&third).confidence - 0.9875).abs() < 1e-12);
    let verdicts = [&first, &third, &tenth].map(Comparison::verdict);
    let expected = [Verdict::Better, Verdict::NoWorse, Verdict::NotEnough];
    assert_eq!(verdicts, expected.map(Some));
    let told = Warning::AnswersAgain {
        criterion: "exact".to_owned(),
        earlier: 2,
        confidence: primary(&third).confidence,
    };
    assert!(third.warnings.contains(&told), "{:?}", third.warnings);
    assert_eq!(third.primary().unwrap().other_answers, 2);
}
