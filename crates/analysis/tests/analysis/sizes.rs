//! How many cases or samples a question needs, and what samples say of reliability.

use std::num::NonZeroU32;

use analysis::{
    Advice, CompareOptions, Estimate, Question, SizePlan, Sizes, Spread, VariantResults,
};

use stats::Level;

use super::{compared, compared_by, near, options};
use crate::data::{clustered, graded, letters, sampled};

fn sizes(a: &VariantResults, b: &VariantResults, options: &CompareOptions) -> Sizes {
    compared_by(a, b, options).primary().and_then(|one| one.sizes).expect("cases are compared")
}

fn unchanged(cases: usize, margin: f64) -> Sizes {
    let all = "p".repeat(cases);
    let options = CompareOptions { margin: Some(margin), ..options() };
    sizes(&letters("a", &all), &letters("b", &all), &options)
}

#[test]
fn fifteen_unchanged_cases_need_52_for_five_points_and_88_for_three() {
    for (margin, cases) in [(0.05, 52), (0.03, 88)] {
        let needed = unchanged(15, margin).needed.unwrap();
        assert_eq!(needed.question, Question::NoWorse { margin });
        assert_eq!(needed.cases.value(), Some(cases));
        assert_eq!(needed.advice, Some(Advice::AddCases { more: cases - 15 }));
        let enough = unchanged(cases.try_into().unwrap(), margin).needed.unwrap();
        assert_eq!(enough.advice, Some(Advice::Enough));
    }
}

#[test]
fn unchanged_clusters_need_as_many_clusters() {
    let clusters: Vec<usize> = (0..30).map(|case| case / 2).collect();
    let all = "p".repeat(30);
    let of = |name| clustered(letters(name, &all), &clusters);
    let sizes = sizes(&of("a"), &of("b"), &options());
    assert_eq!(sizes.design_effect.value(), Some(2.0));
    assert_eq!(sizes.needed.unwrap().cases.value(), Some(104));
}

#[test]
fn a_size_follows_the_discordance_and_not_the_difference() {
    // Ten of a hundred are discordant, whichever way they went.
    let base = format!("{}{}", "f".repeat(10), "p".repeat(90));
    let fixed = sizes(&letters("a", &base), &letters("b", &"p".repeat(100)), &options());
    let rest = "p".repeat(90);
    let (there, back) = (format!("fffffppppp{rest}"), format!("pppppfffff{rest}"));
    let even = sizes(&letters("a", &there), &letters("b", &back), &options());
    assert_eq!(fixed, even);
    assert_eq!(even.spread, Spread::Discordance { share: 0.1 });
    // (1.96√0.1 + 0.8416√(0.1 − 0.0025))²/0.0025 = 311.4.
    assert_eq!(even.needed.unwrap().cases.value(), Some(312));
}

#[test]
fn a_margin_above_the_discordance_is_planned_with_the_power_that_is_stated() {
    // The simulation of these sizes stands beside `stats::sample_size_noninferiority_binary`.
    for (share, margin, cases) in [(0.02, 0.05, 107), (0.03, 0.05, 127), (0.012, 0.03, 180)] {
        let plan = SizePlan::new(Spread::Discordance { share });
        assert_eq!(plan.cases_for_no_worse(margin).unwrap().value(), Some(cases));
    }
    // Where the discordance could hold the margin, seeing it needs at least as many.
    let plan = SizePlan::new(Spread::Discordance { share: 0.2 });
    assert_eq!(plan.cases_for_no_worse(0.05), plan.cases_to_see(0.05));
    let just = SizePlan::new(Spread::Discordance { share: 0.05 });
    assert!(
        just.cases_for_no_worse(0.05).unwrap().value() > just.cases_to_see(0.05).unwrap().value()
    );
}

#[test]
fn a_smallest_effect_comes_before_the_margin() {
    let (a, b) = (letters("a", &"pf".repeat(50)), letters("b", &"fp".repeat(50)));
    let effect = CompareOptions { smallest_effect: Some(0.1), ..options() };
    let needed = sizes(&a, &b, &effect).needed.unwrap();
    assert_eq!(needed.question, Question::See { change: 0.1 });
    // (1.96 + 0.8416√0.99)²/0.01 = 782.4.
    assert_eq!(needed.cases.value(), Some(783));
    let neither = CompareOptions { margin: None, ..options() };
    assert_eq!(sizes(&a, &b, &neither).needed, None);
}

#[test]
fn what_is_detectable_at_a_size_needs_that_size() {
    for spread in [
        Spread::Discordance { share: 0.0 },
        Spread::Discordance { share: 0.02 },
        Spread::Discordance { share: 0.4 },
        Spread::Variance { difference: 1.0 / 9.0 },
    ] {
        let plan = SizePlan { design_effect: 1.7, ..SizePlan::new(spread) };
        let mut last = 1.0;
        for cases in [20, 200, 2_000, 20_000] {
            let change = plan.detectable(cases).unwrap().value().unwrap();
            assert!(change < last, "{spread:?} {cases}");
            last = change;
            let needed = plan.cases_to_see(change).unwrap().value().unwrap();
            assert!(needed.abs_diff(cases) <= 1, "{spread:?} {cases}: {needed}");
        }
    }
    let plan = SizePlan::new(Spread::Discordance { share: 0.1 });
    assert_eq!(plan.detectable(3).unwrap().value(), None);
}

#[test]
fn the_published_size_of_three_points_is_969_cases() {
    let plan = SizePlan::new(Spread::Variance { difference: 1.0 / 9.0 });
    assert_eq!(plan.cases_to_see(0.03).unwrap().value(), Some(969));
    let change = plan.detectable(200).unwrap().value().unwrap();
    assert!(near(change, 0.066, 5e-4), "{change}");
    let clustered = SizePlan { design_effect: 2.0, ..plan };
    let twice = clustered.cases_to_see(0.03).unwrap().value().unwrap();
    assert!((1_937..=1_938).contains(&twice), "{twice}");
}

#[test]
fn noise_between_samples_asks_for_samples_and_differing_cases_for_cases() {
    // Every case passes by chance, on both sides: nothing but noise.
    let word = |case: u32| -> String {
        (0..4).map(|k| if case >> k & 1 == 1 { 'p' } else { 'f' }).collect()
    };
    let words: Vec<String> = (0..16).map(word).collect();
    let there: Vec<&str> = words.iter().map(String::as_str).collect();
    let back: Vec<&str> = (0..16).map(|case| there[case * 7 % 16]).collect();
    let of = |a: &[&str], b: &[&str]| sizes(&sampled("a", a), &sampled("b", b), &options());
    let noisy = of(&there, &back);
    assert!(noisy.sampling_share.value().unwrap() > 0.5, "{noisy:?}");
    assert!(
        matches!(noisy.needed.unwrap().advice, Some(Advice::AddSamples { samples: 5.. })),
        "{noisy:?}"
    );
    // A third of the cases change for good, and a single one is noisy.
    let (mut a, mut b) = (vec!["pppp"; 16], vec!["pppp"; 16]);
    a[..6].fill("ffff");
    b[10..].fill("ffff");
    b[9] = "pppf";
    let steady = of(&a, &b);
    assert!(steady.sampling_share.value().unwrap() < 0.1, "{steady:?}");
    assert!(matches!(steady.needed.unwrap().advice, Some(Advice::AddCases { .. })), "{steady:?}");
}

#[test]
fn more_samples_ask_for_fewer_cases_until_the_cases_themselves_differ() {
    let count = |samples: u32| NonZeroU32::new(samples).unwrap();
    let cases = |samples: u32| {
        let spread = Spread::of_samples(0.04, [0.16, 0.16], count(samples));
        SizePlan::new(spread).cases_to_see(0.05).unwrap().value().unwrap()
    };
    // (1.96 + 0.8416)²·(0.04 + 0.32/K)/0.0025.
    assert_eq!((cases(1), cases(4)), (1_131, 377));
    assert!(cases(1_000_000) >= 126);

    let a = sampled("a", &["pfpf", "ppff", "pppp", "fffp", "ppfp", "fpff"]);
    let b = sampled("b", &["fppf", "pppf", "ppfp", "ffff", "pppp", "pfpf"]);
    let sizes = sizes(&a, &b, &options());
    let now = sizes.plan(Level::P95).unwrap();
    assert_eq!(sizes.plan_with_samples(Level::P95, count(4), count(4)), Some(now));
    let needed = |samples: u32| {
        let plan = sizes.plan_with_samples(Level::P95, count(4), count(samples)).unwrap();
        plan.cases_to_see(0.1).unwrap().value().unwrap()
    };
    assert!(needed(1) > needed(4) && needed(4) > needed(16));
}

#[test]
fn one_sample_a_case_says_nothing_of_noise() {
    let sizes = sizes(&letters("a", "pfpf"), &letters("b", "ppff"), &options());
    assert_eq!(sizes.sampling_share, Estimate::Undefined { reason: "not_identifiable" });
}

#[test]
fn graded_scores_that_never_differ_have_no_size() {
    let scores: [&[f64]; 3] = [&[0.5], &[0.25], &[0.75]];
    let sizes = sizes(&graded("a", &scores), &graded("b", &scores), &options());
    assert_eq!(sizes.detectable, Estimate::Undefined { reason: "zero_variance" });
    assert_eq!(sizes.needed.unwrap().cases.value(), None);
}

#[test]
fn reliability_is_the_share_of_cases_that_pass_at_least_once_and_always() {
    let a = sampled("a", &["ppp", "ppf", "fff", "pff"]);
    let b = sampled("b", &["ppp", "ppp", "ffp", "ppp"]);
    let comparison = compared(&a, &b);
    let primary = comparison.primary().unwrap();
    let repeated = primary.repeated.unwrap();
    assert_eq!(repeated.attempts, 3);
    assert_eq!((repeated.baseline.flaky, repeated.candidate.flaky), (2, 1));
    assert_eq!(repeated.baseline.pass_any.mean.value(), Some(0.75));
    assert_eq!(repeated.baseline.pass_all.mean.value(), Some(0.25));
    assert_eq!(repeated.candidate.pass_any.mean.value(), Some(1.0));
    // All at least once: Wilson's interval of four of four, not a point.
    let interval = repeated.candidate.pass_any.interval.value().unwrap();
    assert!(near(interval.low(), 0.5101, 1e-4) && near(interval.high(), 1.0, 1e-12));
    let shown: Vec<_> = primary
        .square
        .cases
        .iter()
        .map(|case| (case.baseline.passed, case.candidate.passed, case.baseline.is_flaky))
        .collect();
    assert_eq!(shown[1], (Some(2), Some(3), true));
    assert_eq!(shown[2], (Some(0), Some(1), false));
}

#[test]
fn one_sample_or_graded_scores_have_no_reliability() {
    let repeated =
        |a: VariantResults, b: VariantResults| compared(&a, &b).primary().unwrap().repeated;
    assert_eq!(repeated(letters("a", "pf"), letters("b", "pp")), None);
    let side = |name| graded(name, &[&[0.5, 0.7], &[0.1, 1.0]]);
    assert_eq!(repeated(side("a"), side("b")), None);
}
