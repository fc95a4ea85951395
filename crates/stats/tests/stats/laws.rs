//! Laws that hold for all data.

use proptest::prelude::*;
use stats::{Bounds, Level, PairedCounts, Resampling};

fn scores() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 3..40)
}

fn square() -> impl Strategy<Value = PairedCounts> {
    (0..60_u64, 0..20_u64, 0..20_u64, 1..60_u64)
        .prop_map(|(both, a_only, b_only, neither)| PairedCounts { both, a_only, b_only, neither })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

proptest! {
    #[test]
    fn intervals_contain_the_estimate(pairs in scores(), counts in square()) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let mean = stats::mean_interval(&a, Level::P95).unwrap();
        prop_assert!(mean.interval.unwrap().contains(mean.mean.unwrap()));
        let paired = stats::paired_difference(&a, &b, Level::P95).unwrap();
        prop_assert!(paired.interval.unwrap().contains(paired.difference.unwrap()));
        for method in [stats::tango_interval, stats::newcombe_paired_interval] {
            let result = method(counts, Level::P95).unwrap();
            let interval = result.interval.unwrap();
            let at = result.difference.unwrap();
            prop_assert!(interval.low() <= at + 1e-12 && interval.high() >= at - 1e-12);
        }
        let rate = stats::wilson_interval(counts.both, counts.total().unwrap(), Level::P95).unwrap();
        prop_assert!(rate.interval.contains(rate.estimate.unwrap()));
        let rate =
            stats::clopper_pearson_interval(counts.both, counts.total().unwrap(), Level::P95).unwrap();
        prop_assert!(rate.interval.contains(rate.estimate.unwrap()));
    }

    #[test]
    fn swapping_a_and_b_turns_the_sign(pairs in scores(), counts in square()) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let there = stats::paired_difference(&a, &b, Level::P95).unwrap();
        let back = stats::paired_difference(&b, &a, Level::P95).unwrap();
        prop_assert!(near(there.interval.unwrap().low(), -back.interval.unwrap().high()));
        prop_assert!(near(there.p_value.unwrap(), back.p_value.unwrap()));
        for method in [stats::tango_interval, stats::newcombe_paired_interval] {
            let there = method(counts, Level::P95).unwrap().interval.unwrap();
            let back = method(counts.swapped(), Level::P95).unwrap().interval.unwrap();
            prop_assert!(near(there.low(), -back.high()) && near(there.high(), -back.low()));
        }
        let there = stats::mcnemar(counts).unwrap();
        prop_assert!(near(there.mid_p, stats::mcnemar(counts.swapped()).unwrap().mid_p));
    }

    #[test]
    fn the_order_of_the_units_does_not_matter(pairs in scores(), turn in 0..40_usize) {
        let mut turned = pairs.clone();
        turned.rotate_left(turn % pairs.len());
        let split = |pairs: Vec<(f64, f64)>| pairs.into_iter().unzip::<_, _, Vec<f64>, Vec<f64>>();
        let ((a, b), (c, d)) = (split(pairs), split(turned));
        let one = stats::paired_difference(&a, &b, Level::P95).unwrap();
        let two = stats::paired_difference(&c, &d, Level::P95).unwrap();
        prop_assert!(near(one.interval.unwrap().low(), two.interval.unwrap().low()));
        let one = stats::rank_correlation(&a, &b, Level::P95).unwrap();
        let two = stats::rank_correlation(&c, &d, Level::P95).unwrap();
        prop_assert!(near(one.kendall_tau_b.unwrap(), two.kendall_tau_b.unwrap()));
    }

    #[test]
    fn clusters_of_one_are_no_clusters(pairs in scores()) {
        let values: Vec<f64> = pairs.into_iter().map(|(a, _)| a).collect();
        let names: Vec<usize> = (0..values.len()).rev().collect();
        let plain = stats::mean_interval(&values, Level::P95).unwrap().interval.unwrap();
        let clustered =
            stats::clustered_mean_interval(&values, &names, Level::P95).unwrap().interval.unwrap();
        prop_assert!(near(plain.low(), clustered.low()) && near(plain.high(), clustered.high()));
    }

    #[test]
    fn repeating_every_sample_is_no_new_evidence(pairs in scores()) {
        let values: Vec<f64> = pairs.into_iter().map(|(a, _)| a).collect();
        let names: Vec<usize> = (0..values.len()).collect();
        let (twice, owners) = ([&values[..], &values[..]].concat(), [&names[..], &names[..]].concat());
        let width = |interval: values::Interval| interval.high() - interval.low();
        let once = stats::mean_interval(&values, Level::P95).unwrap().interval.unwrap();
        let again =
            stats::clustered_mean_interval(&twice, &owners, Level::P95).unwrap().interval.unwrap();
        prop_assert!(near(width(once), width(again)));
        let rows: Vec<[f64; 2]> = values.iter().map(|v| [*v, *v]).collect();
        let rows: Vec<&[f64]> = rows.iter().map(<[f64; 2]>::as_slice).collect();
        let split = stats::variance_components(&rows).unwrap();
        let one = stats::mean_interval(&values, Level::P95).unwrap();
        prop_assert!(near(split.standard_error.unwrap(), one.standard_error.unwrap()));
    }

    #[test]
    fn a_confidence_sequence_never_widens(values in prop::collection::vec(-1.0..1.0_f64, 1..60)) {
        let run =
            stats::hedged_confidence_sequence(&values, Bounds::DIFFERENCE, Level::P95).unwrap();
        for pair in run.windows(2) {
            prop_assert!(pair[1].low() >= pair[0].low() && pair[1].high() <= pair[0].high());
        }
    }

    #[test]
    fn one_seed_gives_one_bootstrap(values in prop::collection::vec(0.0..1.0_f64, 2..20), seed: u64) {
        let resampling = Resampling { resamples: 200, ..Resampling::seeded(seed) };
        let run = || stats::bootstrap_mean(&values, resampling, Level::P95).unwrap();
        prop_assert_eq!(run(), run());
    }
}
