//! The worked numbers of the specification of the statistics.

use analysis::{Method, Verdict};

use super::{compared_by, decided, near, options, primary};
use crate::data::{clustered, graded, letters, sampled};

/// `fixed` cases that turn to pass, `broke` that turn to fail, the rest the same.
fn changed(fixed: usize, broke: usize, of: usize) -> [String; 2] {
    let same = "p".repeat(of - fixed - broke);
    [
        format!("{}{}{same}", "f".repeat(fixed), "p".repeat(broke)),
        format!("{}{}{same}", "p".repeat(fixed), "f".repeat(broke)),
    ]
}

#[test]
fn four_fixed_and_four_broken_of_120_are_no_worse_than_five_points() {
    let [a, b] = changed(4, 4, 120);
    let decision = decided(&letters("a", &a), &letters("b", &b));
    assert_eq!(decision.verdict, Verdict::NoWorse);
    assert_eq!(decision.method, Method::Tango);
    assert!(near(decision.interval.value().unwrap().low(), -0.0545, 5e-5), "{decision:?}");
    assert!(near(decision.lower_bound.value().unwrap(), -0.0439, 5e-5), "{decision:?}");
}

#[test]
fn twelve_fixed_and_four_broken_of_200_are_four_points_better() {
    let [a, b] = changed(12, 4, 200);
    let decision = decided(&letters("a", &a), &letters("b", &b));
    assert_eq!(decision.verdict, Verdict::Better);
    assert!(near(decision.difference.value().unwrap(), 0.04, 1e-12));
    let interval = decision.interval.value().unwrap();
    assert!(near(interval.low(), 0.001, 5e-4) && near(interval.high(), 0.085, 2e-3));
}

#[test]
fn fifteen_unchanged_cases_leave_a_bound_of_fifteen_points() {
    let results = letters("a", &"p".repeat(15));
    let decision = decided(&results, &letters("b", &"p".repeat(15)));
    assert_eq!((decision.verdict, decision.method), (Verdict::NotEnough, Method::AllTheSame));
    assert!(near(decision.lower_bound.value().unwrap(), -0.153, 5e-4), "{decision:?}");
}

#[test]
fn unchanged_cases_show_no_worse_from_52_on_at_five_points_and_88_at_three() {
    for (margin, enough) in [(0.05, 52), (0.03, 88)] {
        let verdict = |n: usize| {
            let all = "p".repeat(n);
            let options = analysis::CompareOptions { margin: Some(margin), ..options() };
            primary(&compared_by(&letters("a", &all), &letters("b", &all), &options)).verdict
        };
        assert_eq!(verdict(enough), Verdict::NoWorse);
        assert_eq!(verdict(enough - 1), Verdict::NotEnough);
    }
}

#[test]
fn unchanged_clusters_count_as_one_case_each() {
    let clusters: Vec<usize> = (0..120).map(|case| case / 8).collect();
    let all = "p".repeat(120);
    let of = |name| clustered(letters(name, &all), &clusters);
    let decision = decided(&of("a"), &of("b"));
    assert_eq!((decision.verdict, decision.clusters), (Verdict::NotEnough, 15));
    assert!(near(decision.lower_bound.value().unwrap(), -0.153, 5e-4), "{decision:?}");
}

#[test]
fn the_same_outputs_are_no_worse_however_few() {
    let a = letters("a", "ppf");
    let mut b = letters("b", "ppf");
    for (mine, theirs) in b.cases.iter_mut().zip(&a.cases) {
        mine.samples[0].output = theirs.samples[0].output;
    }
    let decision = decided(&a, &b);
    assert_eq!((decision.verdict, decision.method), (Verdict::NoWorse, Method::Unchanged));
}

#[test]
fn scores_that_all_rise_alike_are_no_evidence() {
    // A third of a point each, which doubles write in different ways.
    let a = graded("a", &[&[1.0 / 3.0], &[2.0 / 3.0], &[0.1], &[0.2]]);
    let b = graded("b", &[&[2.0 / 3.0], &[1.0], &[0.1 + 1.0 / 3.0], &[0.2 + 1.0 / 3.0]]);
    let decision = decided(&a, &b);
    assert_eq!((decision.verdict, decision.method), (Verdict::NotEnough, Method::None));
    assert!(decision.interval.value().is_none() && decision.p_value.value().is_none());
    let a = sampled("a", &["pff", "ppf", "pff"]);
    let b = sampled("b", &["ppf", "ppp", "ppf"]);
    assert_eq!(decided(&a, &b).verdict, Verdict::NotEnough);
}

#[test]
fn a_sample_that_stumbled_makes_no_evidence_of_cases_that_all_pass() {
    // 12 cases of which all samples pass say little; that one sample less passed says no more.
    let (mut of_baseline, of_candidate) = (vec!["ppp"; 12], vec!["ppp"; 12]);
    let alike = decided(&sampled("a", &of_baseline), &sampled("b", &of_candidate));
    of_baseline[3] = "pfp";
    let stumbled = decided(&sampled("a", &of_baseline), &sampled("b", &of_candidate));
    assert_eq!((alike.verdict, stumbled.verdict), (Verdict::NotEnough, Verdict::NotEnough));
    let bound = |decision: &analysis::Decision| decision.lower_bound.value().unwrap();
    assert!(near(bound(&stumbled), bound(&alike), 1e-12), "{stumbled:?}");
    // The same of clusters.
    let clusters: Vec<usize> = (0..24).map(|case| case / 2).collect();
    let one = letters("a", &format!("f{}", "p".repeat(23)));
    let all = letters("b", &"p".repeat(24));
    let decision = decided(&clustered(one, &clusters), &clustered(all, &clusters));
    assert_eq!(decision.verdict, Verdict::NotEnough, "{decision:?}");
}

#[test]
fn every_case_fixed_is_better_and_every_case_broken_is_worse() {
    let (fails, passes) = (letters("a", &"f".repeat(12)), letters("b", &"p".repeat(12)));
    assert_eq!(decided(&fails, &passes).verdict, Verdict::Better);
    assert_eq!(decided(&passes, &fails).verdict, Verdict::Worse);
}

#[test]
fn clusters_that_all_rise_alike_are_no_evidence() {
    let clusters = [0, 0, 1, 1, 2, 2];
    let a = clustered(graded("a", &[&[0.0], &[0.0], &[0.0], &[0.0], &[0.0], &[0.0]]), &clusters);
    let b = clustered(graded("b", &[&[0.2], &[0.4], &[0.4], &[0.2], &[0.3], &[0.3]]), &clusters);
    let decision = decided(&a, &b);
    assert_eq!((decision.verdict, decision.method), (Verdict::NotEnough, Method::None));
}

#[test]
fn samples_that_agree_are_one_result_a_case() {
    let twice = |word: &str| word.chars().map(|c| format!("{c}{c}")).collect::<Vec<_>>();
    let [a, b] = changed(6, 2, 60);
    let both = |name: &str, word: &str| {
        let cases = twice(word);
        sampled(name, &cases.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let once = decided(&letters("a", &a), &letters("b", &b));
    assert_eq!(once.method, Method::Tango);
    assert_eq!(decided(&both("a", &a), &both("b", &b)), once);
}
