use evalset::{JudgeState, LabelledOutput, Reference};
use proptest::prelude::*;

use super::*;

fn options() -> CalibrationOptions {
    CalibrationOptions {
        scale: Scale::Binary,
        split: Split::Test,
        thresholds: Thresholds::default(),
        epsilon: 0.15,
        seed: 1,
    }
}

fn value(passes: bool) -> LabelValue {
    if passes { LabelValue::Pass } else { LabelValue::Fail }
}

/// An output of a case of its own that chance drew with probability 1.
fn item(number: usize, human: bool, judge: bool) -> JudgedItem {
    let case = format!("case {number:06}");
    JudgedItem {
        cluster: None,
        split: Split::Test,
        tags: Vec::new(),
        variant: "terse".to_owned(),
        output: LabelledOutput::One(ContentHash::of_bytes(case.as_bytes())),
        judge: JudgeAnswer::Decided(value(judge)),
        probability: None,
        reason: None,
        orders: None,
        labels: vec![("ann".to_owned(), value(human))],
        reference: Reference::Shared(value(human)),
        draw: Draw::Random(1.0),
        outdated: false,
        seen: false,
        length: None,
        own_family: None,
        case,
    }
}

/// Outputs by how many people and judge pass: (both, people only, judge only, neither).
fn items(both: usize, people: usize, judge: usize, neither: usize) -> Vec<JudgedItem> {
    let kinds =
        [(both, true, true), (people, true, false), (judge, false, true), (neither, false, false)];
    let all =
        kinds.into_iter().flat_map(|(n, human, judge)| std::iter::repeat_n((human, judge), n));
    all.enumerate().map(|(number, (human, judge))| item(number, human, judge)).collect()
}

fn calibrated(items: &[JudgedItem]) -> Calibration {
    calibrate(items, &options()).unwrap()
}

fn close(found: Estimate<f64>, expected: f64) -> bool {
    found.value().is_some_and(|found| (found - expected).abs() < 5e-5)
}

use crate::estimate::Estimate;

#[test]
fn of_50_human_fails_45_must_be_caught() {
    let caught = |fails: usize| calibrated(&items(60, 2, 50 - fails, fails)).standing;
    assert_eq!(caught(45).state, JudgeState::Trusted);
    assert_eq!(caught(44).state, JudgeState::NotYet);
    // One more that is right reaches 45 of 51, whose bound is 0.7876, so it takes more.
    assert_eq!(caught(44).more_passes, 0);
    let needed = least_enough(44, 6, 0.8).unwrap();
    assert_eq!(caught(44).more_fails, needed - 50);
    let bound =
        |right, of| stats::wilson_interval(right, of, stats::Level::P90).unwrap().interval.low();
    assert!(bound(needed - 6, needed) >= 0.8 && bound(needed - 7, needed - 1) < 0.8);
}

#[test]
fn eleven_of_each_are_the_fewest_that_could_be_enough() {
    // n/(n + 1.6449²) reaches 0.8 from n = 10.82 on.
    assert_eq!(least_enough(0, 0, 0.8).unwrap(), 11);
    let perfect = |passes, fails| calibrated(&items(passes, 0, 0, fails)).standing;
    assert_eq!(perfect(11, 11).state, JudgeState::Trusted);
    let short = perfect(30, 7);
    assert_eq!((short.state, short.more_passes, short.more_fails), (JudgeState::TooFew, 0, 4));
    let none = perfect(0, 0);
    assert_eq!((none.state, none.more_passes, none.more_fails), (JudgeState::TooFew, 11, 11));
    // Too few is said before not yet, even of a judge that is always wrong.
    assert_eq!(calibrated(&items(0, 30, 7, 0)).standing.state, JudgeState::TooFew);
    assert_eq!(calibrated(&items(0, 30, 30, 0)).standing.state, JudgeState::NotYet);
}

#[test]
fn outputs_of_one_cluster_are_not_eleven_labels() {
    let mut all = items(30, 0, 0, 30);
    for item in &mut all {
        item.cluster = Some(format!("{}", item.reference == Reference::Shared(LabelValue::Pass)));
    }
    let found = calibrated(&all);
    assert_eq!(found.standing.state, JudgeState::TooFew);
    assert_eq!(found.true_passes.method, ShareMethod::WilsonOfClusters);
    assert_eq!((found.true_passes.of, found.true_passes.clusters), (30, 1));
}

#[test]
fn agreement_that_looks_high_shows_its_kappa() {
    // STATS S11: 90 both, 5 and 5, 0 neither.
    let found = calibrated(&items(90, 5, 5, 0));
    assert!(close(found.agreement.share, 0.9));
    assert!(close(found.agreement.kappa, -0.05263), "{:?}", found.agreement);
    assert!((found.agreement.gwet.value().unwrap() - 0.89).abs() < 0.01);
    assert_eq!(found.disagreements.len(), 10);
    let kinds: Vec<_> = found.disagreements.iter().map(|one| one.kind).collect();
    assert!(kinds.is_sorted() && kinds[0] == DisagreementKind::FalsePass);
    assert_eq!(found.matrix.cells.iter().map(|cell| cell.cases.len()).sum::<usize>(), 100);
}

#[test]
fn what_may_not_count_is_left_out_by_reason() {
    let mut all = items(12, 0, 0, 12);
    all[0].split = Split::Train;
    all[1].outdated = true;
    all[2].draw = Draw::Hunt;
    all[3].draw = Draw::Unknown;
    all[4].reference = Reference::Conflict;
    all[5].judge = JudgeAnswer::Unreadable;
    all[6].judge = JudgeAnswer::Error;
    all[7].judge = JudgeAnswer::NotAsked;
    all[8].judge = JudgeAnswer::Decided(LabelValue::Number(0.5));
    all[9].reference = Reference::Unlabelled;
    let found = calibrated(&all);
    let one_each = LeftOut {
        other_split: 1,
        outdated: 1,
        hunt: 1,
        unknown_draw: 1,
        conflict: 1,
        not_asked: 1,
        unreadable: 1,
        errors: 1,
        no_value: 1,
    };
    assert_eq!((found.left_out, found.items), (one_each, 14));
    assert_eq!((found.true_passes.of, found.true_fails.of), (2, 12));
}

#[test]
fn nothing_is_an_answer_with_reasons() {
    let found = calibrated(&[]);
    assert_eq!(found.items, 0);
    assert_eq!(found.true_passes.rate, Estimate::Undefined { reason: "too_few" });
    assert_eq!(found.agreement.kappa.value(), None);
    assert_eq!(found.matrix.mcc.value(), None);
    assert_eq!(found.standing.state, JudgeState::TooFew);
}

#[test]
fn unequal_draws_are_weighted() {
    // Ten caught of ten that were drawn with ½, none of five that were drawn with 1.
    let mut all = items(20, 0, 5, 10);
    for item in &mut all {
        if item.judge == JudgeAnswer::Decided(LabelValue::Fail) {
            item.draw = Draw::Random(0.5);
        }
    }
    let found = calibrated(&all).true_fails;
    assert_eq!((found.right, found.of), (10, 15));
    assert_eq!(found.method, ShareMethod::WilsonOfWeights);
    assert!(close(found.rate, 0.8), "{found:?}");
    // (25)²/(10·4 + 5) = 13.9 labels, rounded down, of which 10.4 are right.
    let wilson = stats::wilson_interval(10, 13, stats::Level::P90).unwrap();
    assert!(close(found.bound, wilson.interval.low()));
}

#[test]
fn people_are_compared_with_each_other_and_with_the_judge() {
    let mut all = items(40, 4, 4, 40);
    for (number, item) in all.iter_mut().enumerate() {
        let human = item.labels[0].1.clone();
        let other = if number % 10 == 0 { value(human == LabelValue::Fail) } else { human.clone() };
        item.labels.push(("bob".to_owned(), human));
        item.labels.push(("cyd".to_owned(), other));
    }
    let people = calibrated(&all).people.unwrap();
    assert_eq!(people.labellers, ["ann", "bob", "cyd"]);
    assert_eq!(people.pairs.len(), 3);
    let first = &people.pairs[0];
    assert_eq!((first.first.as_str(), first.second.as_str()), ("ann", "bob"));
    assert!(close(first.agreement.share, 1.0) && close(first.agreement.kappa, 1.0));
    assert!(people.alpha.unwrap().value().is_some_and(|alpha| alpha > 0.8 && alpha < 1.0));
    let test = people.alternative.unwrap();
    assert_eq!(test.tested, 3);
    assert!(test.winning_rate.value().is_some());
}

#[test]
fn two_people_have_no_alternative_annotator_test() {
    let mut all = items(5, 0, 0, 5);
    for item in &mut all {
        item.labels.push(("bob".to_owned(), item.labels[0].1.clone()));
    }
    let people = calibrated(&all).people.unwrap();
    assert_eq!((people.alpha, people.alternative, people.pairs.len()), (None, None, 1));
    assert_eq!(calibrated(&items(5, 0, 0, 5)).people, None);
}

#[test]
fn small_slices_are_hidden_and_the_others_corrected() {
    let mut all = items(40, 0, 10, 40);
    for (number, item) in all.iter_mut().enumerate() {
        item.tags = vec![if (40..50).contains(&number) { "angry" } else { "calm" }.to_owned()];
        if number < 3 {
            item.tags.push("rare".to_owned());
        }
    }
    let slices = calibrated(&all).slices.unwrap();
    assert_eq!((slices.small, slices.more), (1, 0));
    let [calm, angry] = slices.slices.as_slice() else { panic!("{slices:?}") };
    assert_eq!((calm.tag.as_str(), angry.tag.as_str(), angry.items), ("calm", "angry", 10));
    assert!(angry.q_value.value().unwrap() < 1e-6);
    assert_eq!(angry.true_fails.right, 0);
    assert_eq!(angry.true_passes.rate.value(), None);
}

#[test]
fn probabilities_that_come_true_have_no_error() {
    let mut all = items(75, 25, 25, 75);
    for item in &mut all {
        let passes = item.judge == JudgeAnswer::Decided(LabelValue::Pass);
        item.probability = Some(if passes { 0.75 } else { 0.25 });
    }
    let found = calibrated(&all).confidence.unwrap();
    assert!(close(found.expected_error, 0.0) && close(found.brier, 0.1875), "{found:?}");
    assert_eq!(found.error_by_chance, None);
    assert_eq!(found.bins.iter().map(|bin| bin.items).sum::<usize>(), 200);
    assert!(calibrated(&all[..60]).confidence.unwrap().error_by_chance.is_some());
}

#[test]
fn a_rubric_is_weighted_and_shows_whether_the_judge_is_too_kind() {
    let mut all = items(20, 0, 0, 20);
    for (number, item) in all.iter_mut().enumerate() {
        let step = f64::from(u32::try_from(number % 4).unwrap());
        item.reference = Reference::Shared(LabelValue::Number(step / 4.0));
        item.judge = JudgeAnswer::Decided(LabelValue::Number((step + 1.0) / 4.0));
    }
    let scale = Scale::Graded { threshold: Some(0.5) };
    let found = calibrate(&all, &CalibrationOptions { scale, ..options() }).unwrap();
    let error = found.error.unwrap();
    assert!(close(error.mean, 0.25) && close(error.spearman, 1.0), "{error:?}");
    assert_eq!(found.matrix.classes, ["0", "0.25", "0.5", "0.75", "1"]);
    assert!(close(found.agreement.share, 0.0));
    assert!(found.agreement.kappa.value().unwrap() > 0.5, "near ones agree in part");
    // Of 20 outputs below ½ the 10 at ¼ become ½.
    assert_eq!((found.true_fails.right, found.true_fails.of), (10, 20));
}

#[test]
fn what_sways_the_judge_is_found() {
    let mut all = items(30, 10, 30, 30);
    for (number, item) in all.iter_mut().enumerate() {
        let passes = item.judge == JudgeAnswer::Decided(LabelValue::Pass);
        item.length = Some(if passes { 500 } else { 100 } + number as u64 % 7);
        item.own_family = Some(passes);
        let prefers = evalset::Preference::A;
        item.orders =
            Some((prefers, if number % 2 == 0 { prefers } else { evalset::Preference::B }));
    }
    let found = calibrated(&all).biases;
    let length = found.length.unwrap();
    assert!(length.partial.value().unwrap() > 0.8 && length.p_value.value().unwrap() < 1e-6);
    let position = found.position.unwrap();
    assert_eq!((position.swap.first_twice, position.swap.second_twice), (50, 0));
    assert!(close(position.swap.consistency, 0.5) && position.swap.p_value < 1e-6);
    let family = found.own_family.unwrap();
    // Own: 30 of 60 too kind; others: 10 of 40 too strict.
    assert!(close(family.difference, 0.75), "{family:?}");
    assert_eq!(calibrated(&items(3, 0, 0, 3)).biases.length, None);
}

#[test]
fn the_same_labels_have_the_same_hash_whatever_the_judge_says() {
    let mut all = items(10, 2, 3, 10);
    let before = calibrated(&all).labels_hash;
    all[0].judge = JudgeAnswer::Unreadable;
    all.reverse();
    assert_eq!(calibrated(&all).labels_hash, before);
    all[0].reference = Reference::Shared(LabelValue::Pass);
    assert_ne!(calibrated(&all).labels_hash, before);
}

fn corrected(run: &[JudgedItem], others: &[JudgedItem]) -> CorrectedRate {
    corrected_rate(&Scale::Binary, "terse", run, others).unwrap()
}

/// Takes the labels away.
fn unlabelled(mut all: Vec<JudgedItem>) -> Vec<JudgedItem> {
    for item in &mut all {
        item.case = format!("new {}", item.case);
        item.reference = Reference::Unlabelled;
        item.labels.clear();
    }
    all
}

#[test]
fn labels_of_the_same_run_power_the_rate() {
    // Of 60 labelled 42 pass by people and 54 by the judge; 240 more of which the judge passes 216.
    let mut run = items(42, 0, 12, 6);
    run.extend(unlabelled(items(216, 0, 0, 24)));
    let found = corrected(&run, &[]);
    assert!(close(found.judge_says, 0.9) && found.judged == 300);
    let Correction::Corrected { method, estimate, interval, labels, effective_labels, .. } =
        found.correction
    else {
        panic!("{found:?}")
    };
    assert_eq!((method, labels), (CorrectionMethod::PredictionPowered, 60));
    // The judge's shares are the same in both parts, so people's own share is what remains.
    assert!(close(estimate, 0.7), "{estimate:?}");
    let interval = interval.value().unwrap();
    assert!(interval.low() > 0.55 && interval.high() < 0.83 && interval.contains(0.7));
    assert!(effective_labels.unwrap().value().unwrap() > 60.0);
}

#[test]
fn labels_from_elsewhere_correct_by_the_two_rates() {
    let run = unlabelled(items(70, 0, 0, 30));
    let found = corrected(&run, &items(90, 10, 20, 80));
    let Correction::Corrected { method, estimate, .. } = found.correction else { panic!() };
    assert_eq!(method, CorrectionMethod::RoganGladen);
    // (0.7 + 0.8 − 1)/(0.9 + 0.8 − 1)
    assert!(close(estimate, 0.5 / 0.7));
}

#[test]
fn a_rate_that_the_labels_do_not_identify_is_not_corrected() {
    let run = unlabelled(items(70, 0, 0, 30));
    let not = |others: &[JudgedItem]| match corrected(&run, others).correction {
        Correction::Not { reason } => Some(reason),
        Correction::Corrected { .. } => None,
    };
    assert_eq!(not(&items(50, 50, 50, 50)), Some(NotCorrected::NotIdentifiable));
    assert_eq!(not(&items(90, 10, 0, 0)), Some(NotCorrected::NotIdentifiable));
    assert_eq!(not(&[]), Some(NotCorrected::NoLabels { seen: 0, not_drawn: 0 }));
    let mut others = items(90, 10, 20, 80);
    for (number, item) in others.iter_mut().enumerate() {
        item.seen = number < 150;
        item.draw = if number < 150 { Draw::Random(1.0) } else { Draw::Hunt };
    }
    assert_eq!(not(&others), Some(NotCorrected::NoLabels { seen: 150, not_drawn: 50 }));
    assert_eq!(
        corrected(&[], &others).correction,
        Correction::Not { reason: NotCorrected::NothingJudged }
    );
}

/// A sequence of numbers in [0, 1) that is the same every time (an LCG of Knuth's).
fn chance(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1u32 << 31)
    }
}

/// 400 outputs, of half of which the judge is unsure and too kind. 40 labels are expected by a
/// first draw and made; then 120 by a second, after half of which the person stops.
fn drawn_twice_and_stopped(seed: u64) -> (Vec<JudgedItem>, f64) {
    let mut chance = chance(seed);
    let mut passing = 0;
    let all = (0..400).map(|number| {
        let unsure = number % 2 == 0;
        let human = chance() < if unsure { 0.4 } else { 0.8 };
        let right = chance() < if unsure && !human { 0.3 } else { 0.95 };
        passing += u32::from(human);
        let mut one = item(number, human, human == right);
        let (key, first) = (chance(), if unsure { 0.175 } else { 0.025 });
        let is_in_time = chance() < 0.5;
        one.draw = match key {
            key if key < first => Draw::Random(first),
            key if key < 3.0 * first && is_in_time => Draw::Random(3.0 * first),
            _ => {
                one.labels.clear();
                one.reference = Reference::Unlabelled;
                Draw::Unknown
            }
        };
        one
    });
    let all = all.collect();
    (all, f64::from(passing) / 400.0)
}

#[test]
fn draws_that_grew_or_were_not_finished_still_give_the_rate() {
    let (mut bias, mut covered) = (0.0, 0);
    for seed in 0..300 {
        let (run, truth) = drawn_twice_and_stopped(seed);
        let Correction::Corrected { method, estimate, interval, .. } =
            corrected(&run, &[]).correction
        else {
            panic!("not corrected")
        };
        assert_eq!(method, CorrectionMethod::Weighted);
        bias += (estimate.value().unwrap() - truth) / 300.0;
        covered += u32::from(interval.value().unwrap().contains(truth));
    }
    assert!(bias.abs() < 0.01, "{bias}");
    // Three standard errors of 95 % of 300 are 11.
    assert!(covered >= 274, "{covered}");
}

#[test]
fn clusters_widen_a_corrected_rate() {
    let width = |correction: &Correction| match correction {
        Correction::Corrected { interval, .. } => {
            let interval = interval.value().unwrap();
            interval.high() - interval.low()
        }
        Correction::Not { .. } => panic!("{correction:?}"),
    };
    let mut run = items(42, 6, 6, 6);
    let plain = width(&corrected(&run, &[]).correction);
    for (number, item) in run.iter_mut().enumerate() {
        item.cluster = Some(format!("{}", number / 6));
    }
    assert!(width(&corrected(&run, &[]).correction) > 1.5 * plain);
}

#[test]
fn a_difference_rests_on_cases_with_labels_of_both() {
    let baseline = items(40, 0, 10, 50);
    let mut candidate = items(60, 0, 10, 30);
    let found = corrected_difference(&Scale::Binary, &baseline, &candidate).unwrap();
    let Correction::Corrected { estimate, labels, .. } = found.correction else { panic!() };
    assert!(close(estimate, 0.2) && labels == 100, "{estimate:?}");
    candidate = candidate
        .into_iter()
        .map(|item| JudgedItem { reference: Reference::Unlabelled, ..item })
        .collect();
    let found = corrected_difference(&Scale::Binary, &baseline, &candidate).unwrap();
    assert_eq!(found.correction, Correction::Not { reason: NotCorrected::NoPairs });
    assert!(close(found.judge_says, 0.2));
}

prop_compose! {
    fn any_items()(kinds in prop::collection::vec((any::<bool>(), any::<bool>(), 0usize..8, 0usize..9), 0..60))
        -> Vec<JudgedItem> {
        kinds.into_iter().enumerate().map(|(number, (human, judge, cluster, labelled))| {
            let mut item = item(number, human, judge);
            item.cluster = (cluster > 4).then(|| cluster.to_string());
            item.tags = vec![format!("tag {}", cluster % 3)];
            item.probability = Some(if judge { 0.8 } else { 0.3 });
            if labelled == 0 {
                item.reference = Reference::Unlabelled;
                item.labels.clear();
            }
            item
        }).collect()
    }
}

proptest! {
    // Below 50 outputs every calibration bootstraps its kappa.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_order_of_outputs_changes_no_figure(all in any_items()) {
        let found = calibrated(&all);
        let mut turned = all.clone();
        turned.reverse();
        let other = calibrated(&turned);
        prop_assert_eq!(found.standing, other.standing);
        prop_assert_eq!(found.true_passes.right, other.true_passes.right);
        prop_assert_eq!(found.labels_hash, other.labels_hash);
        let same = |a: Estimate<f64>, b: Estimate<f64>| match (a.value(), b.value()) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            (a, b) => a == b,
        };
        prop_assert!(same(found.true_passes.bound, other.true_passes.bound));
        prop_assert!(same(found.agreement.kappa, other.agreement.kappa));
        prop_assert!(same(found.matrix.mcc, other.matrix.mcc));
    }

    #[test]
    fn pass_and_fail_are_mirror_images(all in any_items()) {
        let found = calibrated(&all);
        let mut turned = all.clone();
        for item in &mut turned {
            let flip = |value: &LabelValue| super::tests::value(*value == LabelValue::Fail);
            if let JudgeAnswer::Decided(value) = &mut item.judge {
                *value = flip(value);
            }
            if let Reference::Shared(value) = &mut item.reference {
                *value = flip(value);
            }
        }
        let other = calibrated(&turned);
        prop_assert_eq!(found.true_passes, other.true_fails);
        prop_assert_eq!(found.true_fails, other.true_passes);
        prop_assert_eq!(found.standing.state, other.standing.state);
        prop_assert_eq!(found.disagreements.len(), other.disagreements.len());
    }

}

proptest! {
    #[test]
    fn a_difference_turns_its_sign_when_the_variants_are_exchanged(
        mut a in any_items(), mut b in any_items(),
    ) {
        // A case has one cluster, whatever answers it.
        for items in [&mut a, &mut b] {
            for (number, item) in items.iter_mut().enumerate() {
                item.cluster = (number % 3 > 0).then(|| (number % 5).to_string());
            }
        }
        let of = |a: &[JudgedItem], b: &[JudgedItem]| {
            corrected_difference(&Scale::Binary, a, b).unwrap()
        };
        let (found, other) = (of(&a, &b), of(&b, &a));
        match (found.correction, other.correction) {
            (
                Correction::Corrected { estimate, interval, .. },
                Correction::Corrected { estimate: back, interval: turned, .. },
            ) => {
                let sum = estimate.value().unwrap() + back.value().unwrap();
                prop_assert!(sum.abs() < 1e-9);
                let (interval, turned) = (interval.value().unwrap(), turned.value().unwrap());
                prop_assert!((interval.low() + turned.high()).abs() < 1e-9);
            }
            (one, other) => prop_assert_eq!(one, other),
        }
    }
}
