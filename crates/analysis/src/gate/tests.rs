use std::num::{NonZeroU32, NonZeroU64};

use evalset::{RequiredCases, ScoreSource};
use run::{Variant, VariantSource};
use values::{ContentHash, Id, Timestamp};

use super::*;
use crate::compare::{CompareOptions, LookHistory, compare};
use crate::results::{Measured, Origin, SampleResult, SetCriterion};

fn results(name: &str, cases: &[(&str, &[Value])]) -> VariantResults {
    let hash = |text: &str| ContentHash::of_bytes(text.as_bytes());
    let case = |(id, values): &(&str, &[Value])| CaseResults {
        id: (*id).to_owned(),
        hash: hash(id),
        cluster: None,
        tags: if id.starts_with("must") { vec!["must".to_owned()] } else { Vec::new() },
        samples: values
            .iter()
            .map(|value| SampleResult {
                output: Some(hash(&format!("{name} {id}"))),
                values: vec![*value],
                measured: Some(Measured {
                    cost: Some(NanoDollars::new(1_000)),
                    latency_ms: Some(200),
                    live: false,
                    input_tokens: None,
                    output_tokens: None,
                }),
            })
            .collect(),
    };
    VariantResults {
        variant: Variant {
            name: name.to_owned(),
            source: VariantSource::Outputs { name: name.to_owned() },
            hash: hash(name),
        },
        origin: Origin::Run {
            id: Id::new(Timestamp::from_unix_ms(1), [0; 10]),
            created: Timestamp::from_unix_ms(1),
            complete: true,
        },
        eval_set: "triage".to_owned(),
        eval_set_hash: hash("set"),
        samples: cases.first().map_or(1, |(_, values)| u32::try_from(values.len()).unwrap()),
        replayed: false,
        criteria: vec![SetCriterion {
            name: "exact".to_owned(),
            hash: hash("exact"),
            source: ScoreSource::Code,
            scorers: Vec::new(),
        }],
        primary: Some(0),
        cases: cases.iter().map(case).collect(),
    }
}

const PASS: Value = Value::Number(1.0);
const FAIL: Value = Value::Number(0.0);

fn outcome(spec: &GateSpec, baseline: &VariantResults, candidate: &VariantResults) -> GateOutcome {
    let options = CompareOptions { margin: Some(0.05), seed: 1, ..CompareOptions::default() };
    let comparison = compare(baseline, candidate, &options, &LookHistory::default()).unwrap();
    gate(spec, baseline, candidate, &comparison, &GateContext::default()).unwrap()
}

/// Cases c0, c1 … that pass or fail as the letters say.
fn of(name: &str, letters: &str) -> VariantResults {
    let ids: Vec<String> = (0..letters.len()).map(|n| format!("c{n}")).collect();
    let value = |letter| match letter {
        b'p' => &[PASS],
        b'e' => &[Value::Not(Status::Error)],
        b'.' => &[Value::Pending],
        _ => &[FAIL],
    };
    let cases: Vec<(&str, &[Value])> =
        ids.iter().map(String::as_str).zip(letters.bytes().map(|l| value(l).as_slice())).collect();
    results(name, &cases)
}

#[test]
fn a_clear_gain_passes_and_a_clear_loss_does_not() {
    let (weak, strong) = (of("weak", &"pf".repeat(40)), of("strong", &"pp".repeat(40)));
    let gain = outcome(&GateSpec::default(), &weak, &strong);
    assert_eq!(gain.status, GateStatus::Passed);
    let loss = outcome(&GateSpec::default(), &strong, &weak);
    assert_eq!(loss.status, GateStatus::Failed);
    assert!(matches!(loss.rules[0].rule, Rule::Verdict { verdict: Some(Verdict::Worse), .. }));
}

#[test]
fn short_evidence_blocks_unless_the_set_allows_it() {
    let (a, b) = (of("a", "ppff"), of("b", "pppf"));
    assert_eq!(outcome(&GateSpec::default(), &a, &b).rules[0].held, Held::NotEnoughBlocks);
    assert_eq!(outcome(&GateSpec::default(), &a, &b).status, GateStatus::Failed);
    let allow = GateSpec { not_enough: Some(NotEnoughRule::Allow), ..GateSpec::default() };
    assert_eq!(outcome(&allow, &a, &b).status, GateStatus::Passed);
    let many = GateSpec { min_cases: NonZeroU64::new(5), ..allow };
    assert_eq!(outcome(&many, &a, &b).rules[1].held, Held::NotEnoughAllowed);
}

#[test]
fn cells_without_a_result_come_before_rules_that_fail() {
    let (a, b) = (of("a", &"p".repeat(60)), of("b", &format!("e.{}", "p".repeat(58))));
    let found = outcome(&GateSpec::default(), &a, &b);
    assert_eq!(found.status, GateStatus::Incomplete);
    let listed: Vec<_> =
        found.incomplete.iter().map(|one| (one.case.as_str(), one.status)).collect();
    assert_eq!(listed, [("c0", Some(Status::Error)), ("c1", None)]);
}

#[test]
fn required_cases_must_exist_and_pass_every_sample() {
    let spec = GateSpec {
        required_cases: Some(RequiredCases {
            tags: vec!["must".to_owned()],
            ids: vec!["other".to_owned(), "gone".to_owned()],
        }),
        ..GateSpec::default()
    };
    let cases: [(&str, &[Value]); 3] =
        [("must-1", &[PASS, PASS]), ("must-2", &[PASS, FAIL]), ("other", &[PASS, PASS])];
    let b = results("b", &cases);
    let rule = &outcome(&spec, &results("a", &cases), &b).rules[1];
    assert_eq!(rule.held, Held::No);
    assert_eq!(
        rule.rule,
        Rule::RequiredCases {
            required: 3,
            failing: vec!["must-2".to_owned()],
            unknown: vec!["gone".to_owned()],
        }
    );
}

#[test]
fn an_approved_case_regresses_when_too_few_samples_pass() {
    let two_of_three = RegressionRule {
        passes: NonZeroU32::new(2).unwrap(),
        samples: NonZeroU32::new(3).unwrap(),
    };
    let spec = GateSpec { regressions: Some(two_of_three), ..GateSpec::default() };
    let a = results(
        "a",
        &[("x", &[PASS, PASS, FAIL]), ("y", &[PASS, PASS, PASS]), ("z", &[FAIL, FAIL, PASS])],
    );
    let b = results(
        "b",
        &[("x", &[PASS, FAIL, PASS]), ("y", &[PASS, FAIL, FAIL]), ("z", &[FAIL, FAIL, FAIL])],
    );
    let rule = &outcome(&spec, &a, &b).rules[1];
    assert_eq!(
        rule.rule,
        Rule::Regressions {
            passes: 2,
            samples: 3,
            approved: 2,
            broken: vec!["y".to_owned()],
            undecided: Vec::new(),
        }
    );
}

#[test]
fn an_approved_case_without_a_decision_is_short_evidence_and_no_regression() {
    let one_of_one = RegressionRule { passes: NonZeroU32::MIN, samples: NonZeroU32::MIN };
    let spec = GateSpec { regressions: Some(one_of_one), ..GateSpec::default() };
    let (a, mut b) = (of("a", &"p".repeat(60)), of("b", &"p".repeat(60)));
    b.cases[7].samples[0].values[0] = Value::Open(crate::Open::Unlabelled);
    let found = outcome(&spec, &a, &b);
    assert_eq!(found.incomplete, []);
    assert_eq!((found.rules[1].held, found.status), (Held::NotEnoughBlocks, GateStatus::Failed));
    let Rule::Regressions { broken, undecided, .. } = &found.rules[1].rule else {
        panic!("{found:?}");
    };
    assert_eq!((broken.as_slice(), undecided.as_slice()), (&[][..], &["c7".to_owned()][..]));
    let allow = GateSpec { not_enough: Some(NotEnoughRule::Allow), ..spec };
    assert_eq!(outcome(&allow, &a, &b).status, GateStatus::Passed);
}

#[test]
fn where_better_is_asked_no_worse_is_not_enough_whatever_is_allowed() {
    let (a, b) = (of("a", &"p".repeat(200)), of("b", &"p".repeat(200)));
    let better = GateSpec {
        require: Some(Requirement::Better),
        not_enough: Some(NotEnoughRule::Allow),
        ..GateSpec::default()
    };
    let found = outcome(&better, &a, &b);
    let rule = Rule::Verdict { better: true, verdict: Some(Verdict::NoWorse) };
    assert_eq!((&found.rules[0].rule, found.rules[0].held), (&rule, Held::No));
    assert_eq!(found.status, GateStatus::Failed);
    assert_eq!(outcome(&GateSpec::default(), &a, &b).status, GateStatus::Passed);
    let (weak, strong) = (of("weak", &"pf".repeat(40)), of("strong", &"pp".repeat(40)));
    assert_eq!(outcome(&better, &weak, &strong).status, GateStatus::Passed);
}

#[test]
fn budgets_are_held_by_known_costs_and_recorded_latencies() {
    let (a, mut b) = (of("a", &"p".repeat(60)), of("b", &"p".repeat(60)));
    let spec = GateSpec {
        max_cost_per_case: Some(NanoDollars::new(1_000)),
        max_p95_latency_ms: Some(199),
        ..GateSpec::default()
    };
    let found = outcome(&spec, &a, &b);
    assert_eq!(found.rules[1].held, Held::Yes);
    assert_eq!(found.rules[2].held, Held::No);
    let Rule::LatencyP95 { most_ms: 199, p95_ms, measured: 60, recorded: true } =
        found.rules[2].rule
    else {
        panic!("{:?}", found.rules[2]);
    };
    assert_eq!(p95_ms.value.value(), Some(200.0));
    assert_eq!(p95_ms.high.value(), None, "60 answers have no upper end");
    for case in &mut b.cases {
        case.samples[0].measured = None;
    }
    let unmeasured = outcome(&spec, &a, &b);
    assert_eq!(unmeasured.rules[1].held, Held::NotEnoughBlocks);
    assert_eq!(unmeasured.rules[2].held, Held::NotEnoughBlocks);
}

#[test]
fn a_gate_may_ask_for_trusted_judges() {
    let span = document::Span::default();
    let spec = GateSpec {
        min_trust: vec![evalset::Named { name: "exact".to_owned(), span }],
        ..GateSpec::default()
    };
    let a = of("a", &"p".repeat(60));
    let held = |states: &[Option<evalset::JudgeState>]| {
        let judge = |state: &Option<_>| JudgeTrust { judge: "tone".to_owned(), state: *state };
        let judges = states.iter().map(judge).collect();
        let trust = [("exact".to_owned(), judges)].into();
        let context = GateContext { trust, ..GateContext::default() };
        let comparison = crate::compare(
            &a,
            &a,
            &crate::CompareOptions::default(),
            &crate::LookHistory::default(),
        );
        gate(&spec, &a, &a, &comparison.unwrap(), &context).unwrap().rules[1].held
    };
    let trusted = Some(evalset::JudgeState::Trusted);
    assert_eq!(held(&[trusted]), Held::Yes);
    // Never calibrated, no judge at all, and one of two that is not trusted.
    assert_eq!(held(&[None]), Held::No);
    assert_eq!(held(&[]), Held::No);
    for state in ["stale", "too_few", "not_yet"] {
        let state: evalset::JudgeState = serde_json::from_value(state.into()).unwrap();
        assert_eq!(held(&[trusted, Some(state)]), Held::No, "{state:?}");
    }
}

#[test]
fn the_p95_of_a_gate_is_that_of_the_comparison() {
    let mut b = of("b", &"p".repeat(100));
    for (place, case) in (1u64..).zip(&mut b.cases) {
        let measured = case.samples[0].measured.as_mut().unwrap();
        measured.latency_ms = Some(place * 10);
    }
    let a = of("a", &"p".repeat(100));
    let spec = GateSpec { max_p95_latency_ms: Some(950), ..GateSpec::default() };
    let found = outcome(&spec, &a, &b);
    let Rule::LatencyP95 { p95_ms, .. } = found.rules[1].rule else {
        panic!("{:?}", found.rules[1]);
    };
    // Position 94.05 of 10, 20, ... 1000 by type 7; nearest rank would say 950 and let it through.
    assert!((p95_ms.value.value().unwrap() - 950.5).abs() < 1e-9, "{p95_ms:?}");
    assert_eq!(found.rules[1].held, Held::No);
    let compared =
        compare(&a, &b, &CompareOptions::default(), &LookHistory::default()).unwrap().measures;
    let latency = compared.iter().find(|one| one.measure == crate::Measure::Latency).unwrap();
    assert_eq!(latency.candidate.p95, p95_ms);
}
