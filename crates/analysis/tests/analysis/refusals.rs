//! What is left out, what is refused, and what is said above a verdict.

use analysis::{Basis, Refusal, Scorer, Value, Verdict, Warning};
use evalset::ScoreSource;

use super::{compared, decided};
use crate::data::{criterion, hash, letters, rows, sampled};

fn refusal(a: &analysis::VariantResults, b: &analysis::VariantResults) -> Option<Refusal> {
    let comparison = compared(a, b);
    let primary = comparison.primary().expect("the criterion is primary");
    assert_eq!(primary.decision.is_none(), primary.refusal.is_some());
    primary.refusal.clone()
}

#[test]
fn what_is_not_decided_is_left_out_and_listed() {
    let a = letters("a", "ppppppppffe.");
    let b = letters("b", "pppppeusnfpp");
    let comparison = compared(&a, &b);
    let primary = comparison.primary().unwrap();
    assert_eq!(primary.left_out, ["c5", "c6", "c7", "c8", "c10", "c11"]);
    assert_eq!(primary.square.total(), 6);
    let uncounted = primary.candidate_uncounted;
    let kinds = (uncounted.errors, uncounted.unreadable, uncounted.skipped, uncounted.unchecked);
    assert_eq!((kinds, uncounted.cases), ((1, 1, 1, 1), 4));
    let uncounted = primary.baseline_uncounted;
    assert_eq!((uncounted.errors, uncounted.pending, uncounted.cases), (1, 1, 2));
    assert!(comparison.warnings.contains(&Warning::ManyLeftOut {
        criterion: "exact".to_owned(),
        left_out: 6,
        of: 12,
    }));
}

#[test]
fn what_people_have_not_decided_counts_nowhere_and_is_told_apart_from_what_failed() {
    let all = "pf".repeat(30);
    let (a, b) = (letters("a", &format!("{all}lldhe")), letters("b", &format!("{all}plpdp")));
    let comparison = compared(&a, &b);
    let primary = comparison.primary().unwrap();
    assert_eq!(
        primary.decision,
        compared(&letters("a", &all), &letters("b", &all)).criteria[0].decision
    );
    assert_eq!(primary.left_out, ["c60", "c61", "c62", "c63", "c64"]);
    let (of_a, of_b) = (primary.baseline_uncounted, primary.candidate_uncounted);
    assert_eq!((of_a.unlabelled, of_a.disputed, of_a.not_drawn, of_a.errors), (2, 1, 1, 1));
    assert_eq!((of_a.cases, of_a.open_cases), (5, 4));
    assert_eq!((of_b.unlabelled, of_b.disputed, of_b.cases), (1, 1, 2));
    let told = Warning::OpenLabels {
        criterion: "exact".to_owned(),
        decided: 60,
        of: 65,
        unlabelled: [2, 1],
        disputed: [1, 1],
        not_drawn: [1, 0],
        unequally_drawn: [0, 0],
    };
    assert_eq!(comparison.warnings, [told], "one error of 61 is no reason for a warning");
}

#[test]
fn without_a_label_on_both_sides_there_is_no_verdict() {
    assert_eq!(refusal(&letters("a", "ppp"), &letters("b", "lll")), Some(Refusal::Unlabelled));
    assert_eq!(refusal(&letters("a", "pll"), &letters("b", "lpp")), Some(Refusal::Unlabelled));
    let unequal = Some(Refusal::UnequallyDrawn);
    assert_eq!(refusal(&letters("a", "ppp"), &letters("b", "lrr")), unequal);
    assert_eq!(refusal(&letters("a", "ppp"), &letters("b", "eee")), Some(Refusal::NothingDecided));
}

#[test]
fn a_sample_that_nobody_labelled_is_no_gap_in_a_case_that_is_labelled() {
    let comparison = compared(&sampled("a", &["pl", "fl"]), &sampled("b", &["pl", "pl"]));
    let primary = comparison.primary().unwrap();
    assert_eq!((primary.square.total(), primary.left_out.len()), (2, 0));
    let is_gap =
        |one: &Warning| matches!(one, Warning::SamplesLeftOut { .. } | Warning::OpenLabels { .. });
    assert!(!comparison.warnings.iter().any(is_gap), "{:?}", comparison.warnings);
}

#[test]
fn errors_are_neither_passes_nor_fails() {
    let all = "pf".repeat(30);
    let with = decided(&letters("a", &format!("{all}eeee")), &letters("b", &format!("{all}pfpf")));
    let without = decided(&letters("a", &all), &letters("b", &all));
    assert_eq!(with, without);
}

#[test]
fn unequal_gaps_are_told() {
    let (a, b) = ("p".repeat(40), format!("{}{}", "e".repeat(10), "p".repeat(30)));
    let comparison = compared(&letters("a", &a), &letters("b", &b));
    let unequal = comparison.warnings.iter().find_map(|warning| match warning {
        Warning::UnequallyLeftOut { baseline, candidate, p_value, .. } => {
            Some((*baseline, *candidate, *p_value))
        }
        _ => None,
    });
    assert!(matches!(unequal, Some((0, 10, p)) if p < 0.01), "{unequal:?}");
}

#[test]
fn samples_that_lack_are_told_and_the_rest_of_their_case_counts() {
    let comparison =
        compared(&sampled("a", &["pp", "pf", "ff"]), &sampled("b", &["pe", "p", "ee"]));
    let primary = comparison.primary().unwrap();
    assert_eq!(primary.square.total(), 2);
    assert_eq!(primary.candidate_uncounted.pending, 1);
    assert_eq!(primary.left_out, ["c0", "c1", "c2"]);
    assert!(comparison.warnings.contains(&Warning::SamplesLeftOut {
        criterion: "exact".to_owned(),
        baseline: 0,
        candidate: 2,
    }));
}

#[test]
fn a_criterion_that_changed_has_no_verdict() {
    let (a, mut b) = (letters("a", "pfpf"), letters("b", "pppp"));
    b.criteria[0].hash = hash("a new threshold");
    assert_eq!(refusal(&a, &b), Some(Refusal::CriterionChanged));
}

#[test]
fn checks_and_judges_that_changed_are_named() {
    let scorer = |name: &str, version: &str| Scorer { name: name.to_owned(), hash: hash(version) };
    for (source, expected) in [
        (ScoreSource::Code, Refusal::ChecksChanged { names: vec!["two".to_owned()] }),
        (ScoreSource::Judge, Refusal::JudgesChanged { names: vec!["two".to_owned()] }),
    ] {
        let (mut a, mut b) = (letters("a", "pfpf"), letters("b", "pppp"));
        for (results, version) in [(&mut a, "old"), (&mut b, "new")] {
            results.criteria[0].source = source;
            results.criteria[0].scorers = vec![scorer("one", "same"), scorer("two", version)];
        }
        assert_eq!(refusal(&a, &b), Some(expected));
    }
}

#[test]
fn a_criterion_that_one_side_lacks_is_one_sided() {
    let (a, mut b) = (letters("a", "pfpf"), letters("b", "pppp"));
    b.criteria[0] = criterion("other");
    let comparison = compared(&a, &b);
    let refusals: Vec<_> = comparison
        .criteria
        .iter()
        .map(|one| (one.criterion.as_str(), one.refusal.clone()))
        .collect();
    assert_eq!(
        refusals,
        [
            ("exact", Some(Refusal::OneSided { candidate: true })),
            ("other", Some(Refusal::OneSided { candidate: false })),
        ]
    );
    assert_eq!(comparison.verdict(), None);
}

#[test]
fn a_criterion_that_only_describes_has_no_verdict() {
    assert_eq!(refusal(&letters("a", "nnn"), &letters("b", "nnn")), Some(Refusal::OnlyDescribes));
    assert_eq!(refusal(&letters("a", "een"), &letters("b", "nnn")), Some(Refusal::NothingDecided));
}

#[test]
fn only_shared_and_unchanged_cases_are_compared() {
    let (mut a, mut b) = (letters("a", "ppff"), letters("b", "pppp"));
    a.cases[0].id = "gone".to_owned();
    b.cases[3].hash = hash("edited");
    let comparison = compared(&a, &b);
    assert_eq!(
        comparison.warnings[0],
        Warning::SetsDiffer { shared: 2, only_baseline: 1, only_candidate: 1, changed: 1 }
    );
    assert_eq!(comparison.pairing.only_baseline, ["gone"]);
    assert_eq!(comparison.pairing.only_candidate, ["c0"]);
    assert_eq!(comparison.pairing.changed, ["c3"]);
    assert_eq!(comparison.primary().unwrap().square.total(), 2);
}

#[test]
fn a_judge_is_trusted_only_where_calibration_says_so() {
    let (mut a, mut b) = (letters("a", "pfpf"), letters("b", "pppp"));
    for results in [&mut a, &mut b] {
        results.criteria[0].source = ScoreSource::Judge;
        results.criteria[0].scorers = vec![Scorer { name: "strict".to_owned(), hash: hash("1") }];
    }
    let judges = vec!["strict".to_owned()];
    let basis = |comparison: analysis::Comparison| comparison.primary().unwrap().basis.clone();
    let untrusted = Basis::Judge { judges: judges.clone(), trusted: false };
    assert_eq!(basis(compared(&a, &b)), untrusted);
    let trusted = ["exact".to_owned()].into();
    let options = analysis::CompareOptions { trusted, ..super::options() };
    let trusted = Basis::Judge { judges, trusted: true };
    assert_eq!(basis(super::compared_by(&a, &b, &options)), trusted);
}

/// Three criteria on sixty cases, a third of which fail: so many are fixed on each, or broken.
fn three(changes: [i32; 3]) -> analysis::Comparison {
    let side = |name: &str, is_candidate: bool| {
        let case = |case: i32| {
            let value = |change: &i32| {
                let is_changed =
                    is_candidate && if *change < 0 { case >= 60 + change } else { case < *change };
                Value::Number(f64::from(u8::from((case >= 20) != is_changed)))
            };
            vec![changes.iter().map(value).collect()]
        };
        let cases: Vec<Vec<Vec<Value>>> = (0..60).map(case).collect();
        let mut results = rows(name, &["x", "y", "z"], &cases);
        results.primary = None;
        results
    };
    compared(&side("a", false), &side("b", true))
}

#[test]
fn criteria_that_are_not_primary_share_the_level_by_holms_steps() {
    let comparison = three([12, 6, 9]);
    let levels: Vec<f64> = comparison
        .criteria
        .iter()
        .map(|criterion| criterion.decision.unwrap().confidence)
        .collect();
    for (level, alpha) in levels.iter().zip([0.05 / 3.0, 0.05, 0.05 / 2.0]) {
        assert!(super::near(*level, 1.0 - alpha, 1e-12), "{levels:?}");
    }
    assert!(comparison.warnings.contains(&Warning::NoPrimary));
}

#[test]
fn after_a_step_that_is_not_decided_the_rest_are_not_enough() {
    let verdicts = |changes| -> Vec<Verdict> {
        let comparison = three(changes);
        comparison.criteria.iter().filter_map(analysis::CriterionComparison::verdict).collect()
    };
    // Sixty unchanged cases show no worse, but not behind two broken ones, whose p is smaller.
    assert_eq!(verdicts([12, 10, 0]), [Verdict::Better, Verdict::Better, Verdict::NoWorse]);
    assert_eq!(verdicts([12, -2, 0]), [Verdict::Better, Verdict::NotEnough, Verdict::NotEnough]);
}
