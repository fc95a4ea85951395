use std::collections::{BTreeMap, BTreeSet, HashSet};

use analysis::{CompareOptions, Comparison, LookHistory, Origin, Verdict, Warning, compare};
use report::words::{Names, refusal_sentence, verdict_sentence, warning_sentence};
use values::{ContentHash, Id};

use crate::fixture::{by_checks, by_judge, compared, now, options, pairs, results};

/// The sentence on the primary criterion.
fn sentence(comparison: &Comparison) -> String {
    let primary = comparison.primary().unwrap();
    verdict_sentence(primary, &comparison.baseline, &comparison.candidate, comparison.margin)
}

/// The sentence on so many cases that both pass, are fixed, break, and both fail.
fn of(both: usize, fixed: usize, broke: usize, fail: usize) -> String {
    let (baseline, candidate) = pairs(both, fixed, broke, fail);
    let baseline = results("instruction", &[(by_checks("correct"), &baseline)]);
    let candidate = results("examples", &[(by_checks("correct"), &candidate)]);
    sentence(&compared(&baseline, &candidate))
}

#[test]
fn a_verdict_has_counts_and_a_difference_with_its_interval() {
    assert_eq!(
        of(60, 18, 5, 37),
        "examples is better: 18 fixed, 5 broke, 97 unchanged. \
         +10.8 points (95 %: +3.3 to +19.1)."
    );
    assert_eq!(
        of(60, 5, 18, 37),
        "examples is worse: 5 fixed, 18 broke, 97 unchanged. \
         −10.8 points (95 %: −19.1 to −3.3)."
    );
    let short = of(44, 12, 10, 34);
    assert_eq!(
        short,
        "Not enough evidence yet: 12 fixed, 10 broke of 100; +2.0 points (95 %: −7.5 to +11.6). \
         To rule out a loss of 5 points this set needs about 689 cases."
    );
}

#[test]
fn no_worse_says_which_bound_rules_the_loss_out() {
    // The two-sided end is beyond the margin, the one-sided bound is not (STATS 1.4).
    assert_eq!(
        of(80, 4, 4, 32),
        "examples is no worse: 4 fixed, 4 broke, 112 unchanged. 0.0 points (95 %: −5.4 to +5.4); \
         a loss of 5 points is ruled out (one-sided bound −4.4)."
    );
    assert_eq!(
        of(700, 0, 12, 288),
        "examples is worse, within the margin of 5 points: 0 fixed, 12 broke, 988 unchanged. \
         −1.2 points (95 %: −2.1 to −0.7); a loss of 5 points is ruled out \
         (one-sided bound −1.9)."
    );
}

#[test]
fn an_untrusted_judge_gives_an_opinion_and_a_trusted_one_a_verdict() {
    let (baseline, candidate) = pairs(60, 18, 5, 37);
    let baseline = results("instruction", &[(by_judge("polite", "tone"), &baseline)]);
    let candidate = results("examples", &[(by_judge("polite", "tone"), &candidate)]);
    assert_eq!(
        sentence(&compared(&baseline, &candidate)),
        "According to judge tone (not trusted), examples is better: \
         18 fixed, 5 broke, 97 unchanged. +10.8 points (95 %: +3.3 to +19.1)."
    );
    let trusted = CompareOptions { trusted: BTreeSet::from(["polite".to_owned()]), ..options() };
    let comparison = compare(&baseline, &candidate, &trusted, &LookHistory::default()).unwrap();
    assert!(sentence(&comparison).starts_with("examples is better: "));
}

#[test]
fn no_format_shows_the_verdict_of_an_untrusted_judge_as_a_finding() {
    let side = |name, cases: &str| results(name, &[(by_judge("polite", "tone"), cases)]);
    let (before, after) = pairs(60, 18, 5, 37);
    let baseline = side("instruction", &before);
    let candidates = [side("examples", &after), side("examples-schema", &after)];
    let [one, two] = &candidates;
    let all = analysis::compare_all(&baseline, &[one, two], &options(), &[]).unwrap();
    let mut report = report::Report::new("orders", now());
    report.candidates = all.rows;
    for (comparison, candidate) in all.comparisons.into_iter().zip(&candidates) {
        report.sections.push(report::Section::new(comparison, &baseline, candidate));
    }
    let spec = evalset::GateSpec::default();
    let context = analysis::GateContext::default();
    let comparison = &report.sections[0].comparison;
    report.gate = Some(analysis::gate(&spec, &baseline, one, comparison, &context).unwrap());
    for text in [
        report::text(&report, 200, false),
        report::markdown(&report).replace('\\', ""),
        report::html(&report),
    ] {
        let named = text.matches("judge tone (not trusted)").count();
        assert!(named >= 2 * 2 + 2, "{named} in {text}");
        assert!(!text.contains(">better<") && !text.contains("| better |"), "{text}");
        assert!(text.contains("is the opinion of judge tone, not trusted"), "{text}");
    }
}

#[test]
fn a_run_that_stopped_early_says_after_how_many_cases_and_that_it_is_valid() {
    let fixed = format!("{}{}", "p ".repeat(44), ". ".repeat(56));
    let failed = "f ".repeat(100);
    let baseline = results("instruction", &[(by_checks("correct"), &failed)]);
    let candidate = results("examples", &[(by_checks("correct"), &fixed)]);
    let history = LookHistory { until_decided: true, ..LookHistory::default() };
    let comparison = compare(&baseline, &candidate, &options(), &history).unwrap();
    let text = sentence(&comparison);
    let begins = "Stopped after 44 of 100 cases: examples is better, valid at any stopping time. \
                  44 fixed, 0 broke, 0 unchanged; +100.0 points (95 % at any time: ";
    assert!(text.starts_with(begins), "{text}");
}

#[test]
fn cases_behind_one_that_is_not_finished_are_counted_and_do_not_decide() {
    let fixed = format!("{}. {}", "p ".repeat(44), "p ".repeat(5));
    let baseline = results("instruction", &[(by_checks("correct"), &"f ".repeat(50))]);
    let candidate = results("examples", &[(by_checks("correct"), &fixed)]);
    let history = LookHistory { until_decided: true, ..LookHistory::default() };
    let comparison = compare(&baseline, &candidate, &options(), &history).unwrap();
    let text = sentence(&comparison);
    assert!(text.starts_with("Stopped after 44 of 50 cases: "), "{text}");
    assert!(text.contains(" 49 fixed, 0 broke, 0 unchanged; "), "{text}");
    let rest = "The difference rests on the first 44 cases of the plan that are complete.";
    assert!(text.ends_with(rest), "{text}");
}

#[test]
fn more_cases_after_a_look_are_told_from_a_declared_number() {
    let (baseline, candidate) = pairs(20, 50, 0, 30);
    let baseline = results("instruction", &[(by_checks("correct"), &baseline)]);
    let candidate = results("examples", &[(by_checks("correct"), &candidate)]);
    let seen: HashSet<String> = (0..60).map(|place| format!("case-{place}")).collect();
    let earlier = BTreeMap::from([("correct".to_owned(), vec![seen])]);
    let history = LookHistory { earlier, ..LookHistory::default() };
    let comparison = compare(&baseline, &candidate, &options(), &history).unwrap();
    let text = sentence(&comparison);
    let begins = "After a look at 60 cases and now 100: examples is better, valid at any";
    assert!(text.starts_with(begins), "{text}");
}

#[test]
fn the_same_outputs_are_unchanged_and_never_no_difference() {
    let side = || results("instruction", &[(by_checks("correct"), "p p f")]);
    let text = sentence(&compared(&side(), &side()));
    assert_eq!(
        text,
        "Unchanged: instruction (later) gave the same outputs as instruction (earlier) \
         on all 3 cases, so it is no worse."
    );
}

#[test]
fn sides_of_one_name_are_told_apart() {
    let side = |name| results(name, &[(by_checks("correct"), "p f")]);
    let names = |a: &analysis::VariantResults, b: &analysis::VariantResults| {
        let comparison = compared(a, b);
        let names = Names::of(&comparison.baseline, &comparison.candidate);
        [names.baseline, names.candidate]
    };
    let mut accepted = side("examples");
    accepted.origin = Origin::Baseline { run: Id::new(now(), [1; 10]), accepted: now() };
    assert_eq!(names(&accepted, &side("examples")), ["examples (baseline)", "examples"]);
    let mut edited = side("examples");
    if let run::VariantSource::Prompt { version, .. } = &mut edited.variant.source {
        *version = ContentHash::of_bytes(b"edited");
    }
    let [a, b] = names(&side("examples"), &edited);
    assert!(a.starts_with("orders@") && b.starts_with("orders@") && a != b, "{a} {b}");
}

#[test]
fn every_refusal_and_warning_is_a_sentence_with_a_remedy() {
    let names = Names {
        baseline: "A".to_owned(),
        candidate: "B".to_owned(),
        label: vec!["--run 7 --for A B".to_owned()],
    };
    let judge = || vec!["tone".to_owned(), "facts".to_owned()];
    for refusal in [
        analysis::Refusal::OneSided { candidate: true },
        analysis::Refusal::OneSided { candidate: false },
        analysis::Refusal::CriterionChanged,
        analysis::Refusal::ChecksChanged { names: judge() },
        analysis::Refusal::JudgesChanged { names: judge() },
        analysis::Refusal::NothingDecided,
        analysis::Refusal::Unlabelled,
        analysis::Refusal::UnequallyDrawn,
        analysis::Refusal::OnlyDescribes,
    ] {
        let text = refusal_sentence("polite", &refusal, &names);
        assert!(text.starts_with("No verdict on polite: "), "{text}");
        assert_eq!(text.matches(". ").count(), 1, "a reason, then a remedy: {text}");
        assert!(text.ends_with('.') && !text.contains("  "), "{text}");
    }
    let changed =
        Warning::SetsDiffer { shared: 58, only_baseline: 4, only_candidate: 2, changed: 0 };
    assert_eq!(
        warning_sentence(&changed, &names),
        "Different eval-set versions: 58 shared cases compared, 4 only in A, 2 only in B, \
         0 changed. Run both on the same set to compare all of them."
    );
    let open = |disputed| Warning::OpenLabels {
        criterion: "helpful".to_owned(),
        decided: 40,
        of: 162,
        unlabelled: [0, 122],
        disputed: [disputed, 0],
        not_drawn: [0, 0],
        unequally_drawn: [0, 0],
    };
    assert_eq!(
        warning_sentence(&open(0), &names),
        "helpful: people decided 40 of 162 shared cases on both sides; 0 outputs of A and 122 of B \
         are unlabelled. These count neither as passes nor as fails. Label outputs of both sides: \
         `trysquare label --run 7 --for A B --criterion helpful`."
    );
    assert!(warning_sentence(&open(2), &names).ends_with("`trysquare label adjudicate`."));
    let again =
        Warning::AnswersAgain { criterion: "exact".to_owned(), earlier: 2, confidence: 0.9875 };
    assert_eq!(
        warning_sentence(&again, &names),
        "exact: 2 verdicts were shown before of these versions and cases with other answers, or with \
         the same answers judged otherwise (a mended judge, another threshold). Each further try \
         halves the error that its interval allows, here at 98.75 %, so that trying again until the \
         verdict pleases does not pay. More cases or more samples say more."
    );
}

#[test]
fn verdicts_without_a_margin_say_nothing_of_one() {
    let (baseline, candidate) = pairs(80, 4, 4, 32);
    let baseline = results("instruction", &[(by_checks("correct"), &baseline)]);
    let candidate = results("examples", &[(by_checks("correct"), &candidate)]);
    let options = CompareOptions { margin: None, ..options() };
    let comparison = compare(&baseline, &candidate, &options, &LookHistory::default()).unwrap();
    assert_eq!(comparison.verdict(), Some(Verdict::NotEnough));
    assert!(!sentence(&comparison).contains("loss of"));
}

#[test]
fn a_verdict_that_the_correction_holds_back_is_named() {
    let (baseline, candidate) = pairs(80, 5, 0, 15);
    let same = pairs(100, 0, 0, 0).0;
    let of = |name: &str, tone: &str| {
        let criteria = [
            (by_checks("correct"), same.as_str()),
            (by_checks("tone"), tone),
            (by_checks("short"), same.as_str()),
        ];
        results(name, &criteria)
    };
    let (a, b) = (of("before", &baseline), of("after", &candidate));
    let mut report = report::Report::new("held back", now());
    report.sections.push(report::Section::new(compared(&a, &b), &a, &b));
    let text = report::text(&report, 200, false);
    assert!(
        text.contains(
            "tone: the uncorrected 95 % interval would say “better”; the correction for 2 other \
             criteria (Holm) keeps it at “no worse”."
        ),
        "{text}"
    );
}

#[test]
fn what_people_would_find_of_a_judges_difference_stands_beside_its_verdict() {
    use analysis::calibration::{CorrectedDifference, Correction, CorrectionMethod, NotCorrected};
    use analysis::{Basis, Estimate};
    let basis = Basis::Judge { judges: vec!["tone".to_owned()], trusted: false };
    let names = Names {
        baseline: "A".to_owned(),
        candidate: "B".to_owned(),
        label: vec!["--run 7 --for A B".to_owned()],
    };
    let value = |value| Estimate::Value { value };
    let of = |correction| CorrectedDifference { judged: 80, judge_says: value(0.09), correction };
    let corrected = Correction::Corrected {
        method: CorrectionMethod::PredictionPowered,
        estimate: value(0.031),
        interval: Estimate::Value { value: values::Interval::new(-0.04, 0.102).unwrap() },
        standard_error: None,
        labels: 40,
        judged: 80,
        judge_says: value(0.09),
        effective_labels: None,
    };
    let found = report::CorrectedVerdict::of("polite", of(corrected), Some(0.05));
    assert_eq!(found.verdict, Some(Verdict::NoWorse));
    assert_eq!(
        report::words::corrected_sentence(&found, &basis, &names),
        "polite: judge tone says +9.0 points on the 80 cases of the test split; corrected with 40 cases \
         that people labelled on both sides: +3.1 points (95 %: −4.0 to +10.2), which reads “no worse”."
    );
    let none = of(Correction::Not { reason: NotCorrected::NoPairs });
    let none = report::CorrectedVerdict::of("polite", none, Some(0.05));
    assert_eq!(none.verdict, None);
    let text = report::words::corrected_sentence(&none, &basis, &names);
    assert!(text.contains("the verdict is that of judge tone alone."), "{text}");
    assert!(text.ends_with("`trysquare label --run 7 --for A B --criterion polite`."), "{text}");
}
