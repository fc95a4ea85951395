//! Cost, tokens and latency.

use std::num::NonZeroUsize;

use analysis::{
    CompareOptions, Estimate, Measure, MeasureComparison, MeasureSource, Measured, VariantResults,
};
use values::NanoDollars;

use super::{compared, compared_by, near, options};
use crate::data::{letters, measured, sampled};

/// Gives every answer what `of` says of its case.
fn with(mut results: VariantResults, of: impl Fn(u32) -> Measured) -> VariantResults {
    for (number, case) in (0..).zip(&mut results.cases) {
        for sample in &mut case.samples {
            sample.measured = Some(of(number));
        }
    }
    results
}

fn latency(latency_ms: u32, live: bool) -> Measured {
    Measured { latency_ms: Some(latency_ms.into()), ..measured(live) }
}

fn cost(nanodollars: Option<u32>) -> Measured {
    let cost = nanodollars.map(|cost| NanoDollars::new(cost.into()));
    Measured { cost, ..measured(false) }
}

fn one(a: &VariantResults, b: &VariantResults, measure: Measure) -> MeasureComparison {
    let comparison = compared(a, b);
    *comparison.measures.iter().find(|one| one.measure == measure).expect("it is measured")
}

#[test]
fn a_cost_that_nobody_knows_is_counted_and_never_zero() {
    let all = "p".repeat(20);
    let a = with(letters("a", &all), |case| cost(Some(1_000 + case)));
    let b = with(letters("b", &all), |case| cost((case >= 5).then_some(3_000 + 2 * case)));
    let found = one(&a, &b, Measure::Cost);
    assert_eq!((found.candidate.known, found.candidate.unknown, found.paired), (15, 5, 15));
    assert!(near(found.baseline.mean.mean.value().unwrap(), 1_009.5, 1e-9));
    // Over the fifteen pairs: 2000 and the mean of 5 to 19.
    assert!(near(found.difference.value().unwrap(), 2_012.0, 1e-9));
    assert!(found.interval.value().unwrap().low() > 2_000.0);
}

#[test]
fn what_neither_side_knows_is_not_compared() {
    let unknown = with(letters("a", "pp"), |_| cost(None));
    assert!(compared(&unknown, &unknown).measures.is_empty());
    let mut unanswered = unknown;
    for case in &mut unanswered.cases {
        case.samples[0].measured = None;
    }
    assert!(compared(&unanswered, &unanswered).measures.is_empty());
}

#[test]
fn latencies_of_hits_stay_out_beside_live_ones() {
    let all = "p".repeat(20);
    let a = with(letters("a", &all), |case| latency(100 + case, true));
    let b = with(letters("b", &all), |case| latency(200 + 3 * case, case % 4 != 0));
    let found = one(&a, &b, Measure::Latency);
    assert_eq!(found.candidate.source, MeasureSource::Live);
    assert_eq!((found.candidate.known, found.candidate.left_out, found.paired), (15, 5, 15));
    let live = (0..20).filter(|case| case % 4 != 0);
    let mean = live.map(|case| 100.0 + 2.0 * f64::from(case)).sum::<f64>() / 15.0;
    assert!(near(found.difference.value().unwrap(), mean, 1e-9));
}

#[test]
fn recorded_latencies_are_compared_with_recorded_ones_only() {
    let all = "p".repeat(20);
    let of =
        |name: &str, live: bool| with(letters(name, &all), move |case| latency(100 + case, live));
    let both = one(&of("a", false), &of("b", false), Measure::Latency);
    assert_eq!(both.baseline.source, MeasureSource::Recorded);
    assert_eq!(both.difference.value(), Some(0.0));
    assert_eq!(both.interval, Estimate::Undefined { reason: "zero_variance" });
    let mixed = one(&of("a", false), &of("b", true), Measure::Latency);
    let nothing = Estimate::Undefined { reason: "nothing_to_compare" };
    assert_eq!((mixed.difference, mixed.p95.difference), (nothing, nothing));
    assert!(mixed.candidate.p95.value.value().is_some());
}

#[test]
fn p95_has_an_upper_end_from_72_answers_on() {
    let side = |cases: usize| {
        with(letters("a", &"p".repeat(cases)), |case| latency(case * 37 % 101, true))
    };
    let p95 = |cases| one(&side(cases), &side(cases), Measure::Latency).candidate.p95;
    assert!(p95(72).high.value().is_some() && p95(71).high.value().is_none());
}

#[test]
fn samples_of_a_case_are_no_independent_answers() {
    // Each case has its own latency, and its samples repeat it.
    let of = |results| with(results, |case| latency(case * 37 % 101, true));
    let (thrice, once) = (of(sampled("a", &["ppp"; 60])), of(letters("a", &"p".repeat(60))));
    let thrice = one(&thrice, &thrice, Measure::Latency).candidate;
    let once = one(&once, &once, Measure::Latency).candidate;
    assert_eq!((thrice.known, thrice.mean.cases), (180, 60));
    assert_eq!(thrice.mean, once.mean);
    let width = |quantile: analysis::QuantileEstimate| {
        quantile.high.value().unwrap() - quantile.low.value().unwrap()
    };
    assert!(width(thrice.p50) > 0.8 * width(once.p50), "{thrice:?} {once:?}");
}

#[test]
fn differences_of_quantiles_have_intervals_when_they_are_asked_for() {
    let all = "p".repeat(100);
    let a = with(letters("a", &all), |case| latency(100 + case * 37 % 101, true));
    let b = with(letters("b", &all), |case| latency(180 + case * 53 % 101, true));
    let without = compared(&a, &b).measures[0];
    assert!(without.p95.interval.is_none() && without.p95.difference.value().is_some());
    let options = CompareOptions { resamples: NonZeroUsize::new(500), ..options() };
    let with = compared_by(&a, &b, &options).measures[0];
    assert_eq!(with.p95.difference, without.p95.difference);
    for quantile in [with.p50, with.p95] {
        let interval = quantile.interval.unwrap().value().unwrap();
        assert!(interval.contains(quantile.difference.value().unwrap()));
        assert!(interval.low() > 0.0);
    }
    assert_eq!(compared_by(&a, &b, &options).measures[0], with);
}
