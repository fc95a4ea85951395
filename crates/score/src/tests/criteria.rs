use document::Span;
use evalset::{Combine, Criterion, CriterionKind, ScoreSource};
use proptest::prelude::*;

use crate::{Contribution, CriterionResult, Outcome, Score, Status, cell_status, criterion_result};

fn criterion(combine: Combine, threshold: Option<f64>) -> Criterion {
    let plain = Criterion::implied("c", Span::default(), ScoreSource::Code);
    Criterion { combine, threshold, ..plain }
}

fn scored(source: ScoreSource, outcome: Outcome) -> Score {
    Score { outcome, reason: "why".to_owned(), source, unfinished: None }
}

fn number(value: f64) -> Outcome {
    Outcome::Number { value }
}

fn category(name: &str) -> Outcome {
    Outcome::Category { name: name.to_owned() }
}

/// Combines outcomes of checks with weights.
fn combined(criterion: &Criterion, outcomes: &[(f64, Outcome)]) -> CriterionResult {
    let scores: Vec<_> =
        outcomes.iter().map(|(_, outcome)| scored(ScoreSource::Code, outcome.clone())).collect();
    let contributions: Vec<_> = outcomes
        .iter()
        .zip(&scores)
        .map(|((weight, _), score)| Contribution { name: "n", weight: *weight, score })
        .collect();
    criterion_result(criterion, &contributions)
}

fn status(combine: Combine, threshold: Option<f64>, outcomes: &[(f64, Outcome)]) -> Status {
    combined(&criterion(combine, threshold), outcomes).status
}

#[test]
fn a_result_stands_if_no_unknown_could_change_it() {
    use Outcome::{Error, Fail, Pass, Skipped, Unreadable};
    let all = |outcomes: &[Outcome]| {
        let outcomes: Vec<_> = outcomes.iter().map(|one| (1.0, one.clone())).collect();
        (status(Combine::All, None, &outcomes), status(Combine::Any, None, &outcomes))
    };
    assert_eq!(all(&[Pass, Pass]), (Status::Pass, Status::Pass));
    assert_eq!(all(&[Pass, Fail]), (Status::Fail, Status::Pass));
    assert_eq!(all(&[Fail, Error]), (Status::Fail, Status::Error));
    assert_eq!(all(&[Pass, Error]), (Status::Error, Status::Pass));
    assert_eq!(all(&[Pass, Skipped]), (Status::Skipped, Status::Pass));
    assert_eq!(all(&[Skipped, Unreadable, Error]), (Status::Error, Status::Error));
    assert_eq!(all(&[Skipped, Unreadable]), (Status::Unreadable, Status::Unreadable));
    assert_eq!(all(&[]), (Status::NoChecks, Status::NoChecks));
}

#[test]
fn a_number_decides_only_against_a_threshold() {
    let one = [(1.0, number(0.7))];
    assert_eq!(status(Combine::All, None, &one), Status::NoChecks);
    assert_eq!(status(Combine::All, Some(0.7), &one), Status::Pass);
    assert_eq!(status(Combine::All, Some(0.71), &one), Status::Fail);
    let two = [(1.0, number(0.7)), (1.0, number(0.2))];
    assert_eq!(status(Combine::All, Some(0.5), &two), Status::Fail);
    assert_eq!(status(Combine::Any, Some(0.5), &two), Status::Pass);
}

#[test]
fn a_weighted_mean_is_held_against_the_threshold() {
    let scores = [(3.0, Outcome::Pass), (1.0, Outcome::Fail), (1.0, number(0.5))];
    assert_eq!(status(Combine::Weighted, Some(0.7), &scores), Status::Pass);
    assert_eq!(status(Combine::Weighted, Some(0.71), &scores), Status::Fail);
    assert_eq!(combined(&criterion(Combine::Weighted, None), &scores).outcome, Some(number(0.7)));
    let unknown = [(3.0, Outcome::Pass), (1.0, Outcome::Fail), (1.0, Outcome::Error)];
    assert_eq!(status(Combine::Weighted, Some(0.6), &unknown), Status::Pass);
    assert_eq!(status(Combine::Weighted, Some(0.7), &unknown), Status::Error);
    assert_eq!(status(Combine::Weighted, Some(0.9), &unknown), Status::Fail);
}

#[test]
fn categories_pass_if_the_criterion_says_so() {
    let kind = |passing: &[&str]| CriterionKind::Categorical {
        categories: ["good", "bad"].map(str::to_owned).to_vec(),
        passing: passing.iter().map(|&name| name.to_owned()).collect(),
    };
    let status = |passing: &[&str], names: &[&str]| {
        let criterion = Criterion { kind: kind(passing), ..criterion(Combine::All, None) };
        let outcomes: Vec<_> = names.iter().map(|name| (1.0, category(name))).collect();
        combined(&criterion, &outcomes).status
    };
    assert_eq!(status(&["good"], &["good"]), Status::Pass);
    assert_eq!(status(&["good"], &["bad"]), Status::Fail);
    assert_eq!(status(&["good"], &["ugly"]), Status::Unreadable);
    assert_eq!(status(&[], &["bad"]), Status::NoChecks);
    assert_eq!(status(&[], &["ugly"]), Status::Unreadable);
}

#[test]
fn only_the_declared_source_counts_and_the_others_stand_beside() {
    let human = scored(ScoreSource::Human, Outcome::Fail);
    let judge = scored(ScoreSource::Judge, Outcome::Pass);
    let contributions = [
        Contribution { name: "labels", weight: 1.0, score: &human },
        Contribution { name: "j", weight: 1.0, score: &judge },
    ];
    let by = |source| {
        let declared = Criterion { source, ..criterion(Combine::All, None) };
        criterion_result(&declared, &contributions)
    };
    let result = by(ScoreSource::Judge);
    assert_eq!((result.status, result.beside.len()), (Status::Pass, 1));
    assert_eq!(
        (result.beside[0].source, result.beside[0].status),
        (ScoreSource::Human, Status::Fail)
    );
    let result = by(ScoreSource::Code);
    assert_eq!((result.status, result.outcome, result.beside.len()), (Status::NoChecks, None, 2));
    assert_eq!(result.reason, "no code score on this criterion");
}

#[test]
fn reasons_name_the_check_when_there_are_several() {
    let result =
        combined(&criterion(Combine::All, None), &[(1.0, Outcome::Pass), (1.0, Outcome::Fail)]);
    assert_eq!(result.reason, "1 of 2 checks fail: (2) `n`: why");
    let result = combined(&criterion(Combine::All, None), &[(1.0, Outcome::Fail)]);
    assert_eq!(result.reason, "why");
}

#[test]
fn a_cell_has_the_status_of_its_primary_criterion() {
    use Status::{Error, Fail, NoChecks, Pass, Skipped, Unreadable};
    let criteria = [("a", Pass), ("b", Fail), ("c", Error)];
    assert_eq!(cell_status(false, Some("a"), &criteria), Pass);
    assert_eq!(cell_status(true, Some("a"), &criteria), Error);
    assert_eq!(cell_status(false, Some("z"), &criteria), NoChecks);
    assert_eq!(cell_status(false, None, &criteria), Fail);
    assert_eq!(cell_status(false, None, &[("a", Pass), ("b", Unreadable), ("c", Error)]), Error);
    assert_eq!(cell_status(false, None, &[("a", Pass), ("b", Unreadable)]), Unreadable);
    assert_eq!(cell_status(false, None, &[("a", Skipped), ("b", Pass)]), Pass);
    assert_eq!(cell_status(false, None, &[("a", Skipped), ("b", NoChecks)]), Skipped);
    assert_eq!(cell_status(false, None, &[]), NoChecks);
    assert_eq!(cell_status(true, None, &[]), Error);
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Pass),
        Just(Outcome::Fail),
        Just(Outcome::Error),
        Just(Outcome::Unreadable),
        Just(Outcome::Skipped),
        (0.0..=1.0f64).prop_map(number),
    ]
}

fn combines() -> impl Strategy<Value = Combine> {
    prop::sample::select(Combine::ALL.to_vec())
}

proptest! {
    #[test]
    fn weights_count_only_in_proportion(
        scores in prop::collection::vec((0.1..9.0f64, outcomes()), 1..5),
        scale in 0.01..100.0f64,
        threshold in prop::option::of(0.0..=1.0f64),
    ) {
        let criterion = criterion(Combine::Weighted, threshold);
        let scaled: Vec<_> =
            scores.iter().map(|(weight, outcome)| (weight * scale, outcome.clone())).collect();
        let (one, other) = (combined(&criterion, &scores), combined(&criterion, &scaled));
        prop_assert_eq!(one.status, other.status);
        if let (Some(Outcome::Number { value: one }), Some(Outcome::Number { value: other })) =
            (one.outcome, other.outcome)
        {
            prop_assert!((one - other).abs() < 1e-9);
        }
    }

    #[test]
    fn the_order_of_scores_changes_no_status(
        scores in prop::collection::vec((0.1..9.0f64, outcomes()), 0..5),
        combine in combines(),
        threshold in prop::option::of(0.0..=1.0f64),
    ) {
        let criterion = criterion(combine, threshold);
        let mut reversed = scores.clone();
        reversed.reverse();
        prop_assert_eq!(combined(&criterion, &scores).status, combined(&criterion, &reversed).status);
    }

    #[test]
    fn whatever_an_unknown_turns_out_to_be_a_decided_status_stays(
        scores in prop::collection::vec((0.1..9.0f64, outcomes()), 1..5),
        turned in outcomes(),
        combine in combines(),
        threshold in 0.0..=1.0f64,
    ) {
        let criterion = criterion(combine, Some(threshold));
        let before = combined(&criterion, &scores).status;
        prop_assume!(matches!(before, Status::Pass | Status::Fail));
        let is_unknown =
            |one: &Outcome| matches!(one, Outcome::Error | Outcome::Unreadable | Outcome::Skipped);
        let later: Vec<_> = scores
            .into_iter()
            .map(|(weight, one)| (weight, if is_unknown(&one) { turned.clone() } else { one }))
            .collect();
        prop_assert_eq!(before, combined(&criterion, &later).status);
    }
}
