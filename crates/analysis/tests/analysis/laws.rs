//! What holds for all results.

use analysis::{Decision, Value, VariantResults, Verdict};
use proptest::prelude::*;

use super::{compared, compared_by, decided, near};
use crate::data::{clustered, rows};

/// Cases of some samples each, decided on both sides.
#[derive(Debug, Clone)]
struct Pair {
    baseline: VariantResults,
    candidate: VariantResults,
}

/// Scores of one to three samples, the same number for every case; binary or graded.
fn pairs() -> impl Strategy<Value = Pair> {
    (prop::bool::ANY, 1..4_usize, 3..25_usize).prop_flat_map(|(is_graded, samples, cases)| {
        let score = move |at: u8| if is_graded { f64::from(at) / 8.0 } else { f64::from(at % 2) };
        let side = || prop::collection::vec(prop::collection::vec(0..9_u8, samples), cases);
        (side(), side()).prop_map(move |(a, b)| {
            let of = |name: &str, scores: Vec<Vec<u8>>| {
                let values = |case: Vec<u8>| {
                    case.into_iter().map(|at| vec![Value::Number(score(at))]).collect()
                };
                rows(name, &["exact"], &scores.into_iter().map(values).collect::<Vec<_>>())
            };
            Pair { baseline: of("a", a), candidate: of("b", b) }
        })
    })
}

fn grouped() -> impl Strategy<Value = Pair> {
    (pairs(), prop::collection::vec(0..6_usize, 25)).prop_map(|(pair, clusters)| Pair {
        baseline: clustered(pair.baseline, &clusters),
        candidate: clustered(pair.candidate, &clusters),
    })
}

/// What a decision says, but for rounding.
fn same(a: &Decision, b: &Decision) -> bool {
    let numbers = |one: &Decision| {
        let interval = one.interval.value();
        [
            one.difference.value(),
            interval.map(|interval| interval.low()),
            interval.map(|interval| interval.high()),
            one.lower_bound.value(),
            one.p_value.value(),
        ]
    };
    let agree = |(a, b): (Option<f64>, Option<f64>)| match (a, b) {
        (Some(a), Some(b)) => near(a, b, 1e-9),
        (a, b) => a == b,
    };
    a.verdict == b.verdict && numbers(a).into_iter().zip(numbers(b)).all(agree)
}

proptest! {
    #[test]
    fn the_interval_contains_the_difference(pair in prop_oneof![pairs(), grouped()]) {
        let decision = decided(&pair.baseline, &pair.candidate);
        if let Some(interval) = decision.interval.value() {
            let difference = decision.difference.value().unwrap();
            prop_assert!(interval.low() <= difference + 1e-12);
            prop_assert!(interval.high() >= difference - 1e-12);
            let bound = decision.lower_bound.value().unwrap();
            prop_assert!(interval.low() <= bound + 1e-12 && bound <= difference + 1e-12);
        }
    }

    #[test]
    fn swapping_the_sides_without_a_margin_turns_the_verdict(
        pair in prop_oneof![pairs(), grouped()],
    ) {
        let options = analysis::CompareOptions::default();
        let of = |a, b| super::primary(&compared_by(a, b, &options));
        let there = of(&pair.baseline, &pair.candidate);
        let back = of(&pair.candidate, &pair.baseline);
        let turned = match back.verdict {
            Verdict::Better => Verdict::Worse,
            Verdict::Worse => Verdict::Better,
            other => other,
        };
        prop_assert_eq!(there.verdict, turned);
        prop_assert_eq!(there.method, back.method);
        if let (Some(a), Some(b)) = (there.interval.value(), back.interval.value()) {
            prop_assert!(near(a.low(), -b.high(), 1e-9) && near(a.high(), -b.low(), 1e-9));
        }
    }

    #[test]
    fn the_order_of_the_cases_changes_nothing(
        pair in prop_oneof![pairs(), grouped()],
        turn in 0..25_usize,
    ) {
        let mut turned = pair.clone();
        let turn = turn % turned.candidate.cases.len();
        turned.candidate.cases.rotate_left(turn);
        turned.baseline.cases.reverse();
        prop_assert!(same(
            &decided(&pair.baseline, &pair.candidate),
            &decided(&turned.baseline, &turned.candidate),
        ));
    }

    #[test]
    fn clusters_of_one_give_the_unclustered_result(pair in pairs()) {
        let own: Vec<usize> = (0..25).collect();
        let alone = Pair {
            baseline: clustered(pair.baseline.clone(), &own),
            candidate: clustered(pair.candidate.clone(), &own),
        };
        prop_assert!(same(
            &decided(&pair.baseline, &pair.candidate),
            &decided(&alone.baseline, &alone.candidate),
        ));
    }

    #[test]
    fn repeating_every_sample_is_no_new_evidence(pair in prop_oneof![pairs(), grouped()]) {
        let mut twice = pair.clone();
        for side in [&mut twice.baseline, &mut twice.candidate] {
            side.samples *= 2;
            for case in &mut side.cases {
                case.samples.extend(case.samples.clone());
            }
        }
        let width = |pair: &Pair| {
            let interval = decided(&pair.baseline, &pair.candidate).interval.value();
            interval.map(|interval| interval.high() - interval.low())
        };
        match (width(&pair), width(&twice)) {
            (Some(once), Some(twice)) => prop_assert!(near(once, twice, 1e-9)),
            (once, twice) => prop_assert_eq!(once, twice),
        }
    }

    #[test]
    fn every_number_is_one(pair in prop_oneof![pairs(), grouped()]) {
        let comparison = compared(&pair.baseline, &pair.candidate);
        let text = serde_json::to_string(&comparison).unwrap();
        // JSON has no NaN: serde_json writes null, which here only a field without a value is.
        prop_assert!(!text.contains("\"value\":null"), "{}", text);
        prop_assert!(!text.contains("\"mean\":null"), "{}", text);
    }
}
