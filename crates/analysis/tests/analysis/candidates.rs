//! Several candidates against one baseline.

use std::collections::BTreeMap;

use analysis::{Candidates, HeldBack, LookHistory, Method, VariantResults, Verdict, compare_all};

use super::{compared, near, options, primary};
use crate::data::letters;

fn all(baseline: &VariantResults, candidates: &[VariantResults]) -> Candidates {
    let candidates: Vec<&VariantResults> = candidates.iter().collect();
    compare_all(baseline, &candidates, &options(), &[]).expect("a few cases can be compared")
}

/// Sixty cases of which twenty fail with the baseline; a candidate fixes some and breaks some.
fn candidate(name: &str, fixed: usize, broke: usize) -> VariantResults {
    let fails = "f".repeat(20 - fixed + broke);
    letters(name, &format!("{}{fails}{}", "p".repeat(fixed), "p".repeat(40 - broke)))
}

#[test]
fn candidates_share_one_level_by_holms_steps() {
    let baseline = candidate("base", 0, 0);
    let found = all(
        &baseline,
        &[candidate("weak", 3, 3), candidate("strong", 12, 0), candidate("good", 9, 1)],
    );
    let shown: Vec<_> = found
        .rows
        .iter()
        .map(|row| (row.name.as_str(), row.verdict, row.fixed, row.broke))
        .collect();
    assert_eq!(
        shown,
        [
            ("weak", Some(Verdict::NotEnough), 3, 3),
            ("strong", Some(Verdict::Better), 12, 0),
            ("good", Some(Verdict::Better), 9, 1),
        ]
    );
    for (row, alpha) in found.rows.iter().zip([0.05, 0.05 / 3.0, 0.025]) {
        assert!(near(row.confidence.unwrap(), 1.0 - alpha, 1e-12), "{row:?}");
    }
    let strong = primary(&found.comparisons[1]).p_value.value().unwrap();
    assert!(near(found.rows[1].adjusted_p.unwrap(), 3.0 * strong, 1e-12));
    for (row, comparison) in found.rows.iter().zip(&found.comparisons) {
        assert_eq!(row.verdict, comparison.verdict());
    }
}

#[test]
fn what_is_better_alone_may_not_be_among_many() {
    // Six fixed and none broken: p is 0.016, where ten candidates ask for 0.005.
    let baseline = candidate("base", 0, 0);
    let lucky = candidate("lucky", 6, 0);
    let alone = all(&baseline, std::slice::from_ref(&lucky));
    assert_eq!(alone.rows[0].verdict, Some(Verdict::Better));
    let mut many: Vec<_> = (0..9).map(|k| candidate(&format!("c{k}"), 2, 2)).collect();
    many.push(lucky);
    let among = all(&baseline, &many);
    assert_eq!(among.rows[9].verdict, Some(Verdict::NoWorse));
    assert!(among.rows.iter().all(|row| row.verdict != Some(Verdict::Better)));
    let held_back = primary(&among.comparisons[9]).held_back;
    assert_eq!(held_back, Some(HeldBack { alone: Verdict::Better, claims: 10 }));
    assert_eq!(primary(&alone.comparisons[0]).held_back, None);
}

#[test]
fn one_candidate_is_compared_as_by_itself() {
    let (a, b) = (candidate("base", 0, 0), candidate("b", 7, 2));
    assert_eq!(all(&a, std::slice::from_ref(&b)).comparisons[0], compared(&a, &b));
}

#[test]
fn a_candidate_that_was_looked_at_keeps_its_sequence() {
    let (a, b, c) = (candidate("base", 0, 0), candidate("b", 12, 0), candidate("c", 15, 0));
    let seen = (0..30).map(|case| format!("c{case}")).collect();
    let looked = LookHistory {
        earlier: BTreeMap::from([("exact".to_owned(), vec![seen])]),
        ..LookHistory::default()
    };
    let found =
        compare_all(&a, &[&b, &c], &options(), &[looked]).expect("a few cases can be compared");
    assert!(matches!(primary(&found.comparisons[0]).method, Method::Sequence { .. }));
    assert_eq!(primary(&found.comparisons[1]).method, Method::Tango);
}
