use analysis::Verdict;
use report::plot::{
    ForestRow, LatencyShape, ScoreHistogram, VariantPoint, forest, latency, outcomes, scores,
    tradeoff,
};
use values::Interval;

use crate::fixture::section;
use crate::formats::elements;

fn row(label: &str, ends: Option<(f64, f64)>) -> ForestRow {
    ForestRow {
        label: label.to_owned(),
        is_slice: false,
        difference: ends.map(|(low, high)| f64::midpoint(low, high)),
        interval: ends.map(|(low, high)| Interval::new(low, high).unwrap()),
        cases: 120,
        verdict: ends.map(|_| Verdict::NotEnough),
        is_opinion: false,
    }
}

fn point(name: &str, cost: f64) -> VariantPoint {
    VariantPoint {
        name: name.to_owned(),
        rate: 0.6,
        rate_interval: Interval::new(0.5, 0.7).ok(),
        cases: 100,
        cost,
        cost_interval: None,
    }
}

fn every_plot() -> Vec<String> {
    let (a, b) =
        (ScoreHistogram::of([0.0, 0.5].into_iter()), ScoreHistogram::of([1.0].into_iter()));
    let quick = LatencyShape::of(&[120.0, 300.0, 900.0]).unwrap();
    let slow = LatencyShape::of(&[120.0, 60_000.0]).unwrap();
    vec![
        forest(&[row("<b>correct & \"close\"", Some((-0.1, 0.2))), row("x", None)], Some(0.05)),
        outcomes(&section(("p f p f", "p p f f")).comparison.criteria[0].square),
        scores("close", ("a<b", &a), ("b\u{202e}", &b)),
        latency(("a<b", &quick), ("b", &quick)),
        latency(("a", &quick), ("b", &slow)),
        tradeoff(&[point("a<b", 0.001), point("b", 0.0)]),
    ]
}

#[test]
fn plots_are_well_formed_and_have_a_name_a_description_and_real_text() {
    for svg in every_plot() {
        let counts = elements(&svg);
        assert_eq!((counts["svg"], counts["title"], counts["desc"]), (1, 1, 1), "{svg}");
        assert!(counts["text"] >= 2 && !counts.contains_key("b"), "{svg}");
        assert!(svg.contains("role=\"img\"") && !svg.contains('\u{202e}'), "{svg}");
    }
}

#[test]
fn where_everything_is_free_the_axis_of_costs_has_one_mark() {
    let svg = tradeoff(&[point("a", 0.0), point("b", 0.0)]);
    let marks = svg.matches("\n$").count();
    assert!(svg.contains("$0.00") && !svg.contains("$0.000") && marks <= 1, "{svg}");
}

#[test]
fn plots_of_the_same_data_are_the_same_bytes() {
    assert_eq!(every_plot(), every_plot());
}

#[test]
fn plots_of_nothing_and_of_extremes_do_not_fail() {
    assert!(forest(&[], None).contains("</svg>"));
    assert!(
        forest(&[row("x", Some((-1.0, 1.0))), row("y", Some((0.0, 0.0)))], Some(0.0)).len() > 9
    );
    assert!(outcomes(&analysis::Square::default()).contains("</svg>"));
    assert!(tradeoff(&[]).contains("</svg>"));
    assert_eq!(LatencyShape::of(&[]), None);
    let zero = LatencyShape::of(&[0.0]).unwrap();
    assert!(latency(("a", &zero), ("b", &zero)).contains("</svg>"));
}

#[test]
fn a_share_of_the_last_tenth_or_of_rounding_is_in_its_bin() {
    let counted = ScoreHistogram::of([1.0, 0.3, 0.1 + 0.2, 0.95].into_iter());
    assert_eq!(counted.bins, [0, 0, 0, 2, 0, 0, 0, 0, 0, 2]);
}
