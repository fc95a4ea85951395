use chat::FinishReason;
use evalset::check::{CheckSpec, Combination, Kind, Part, Test};
use proptest::prelude::*;
use serde_json::json;

use super::{check, reply, score_reply};
use crate::{Outcome, Score};

/// One check of every kind that looks at the output.
const KINDS: &[&str] = &[
    "kind: equals, value: '{{expected}}', ignore_case: true, ignore_space: true",
    "kind: contains, values: [a, '{{expected}}'], match: any, ignore_case: true",
    "kind: not_contains, values: [a, '{{expected}}']",
    "kind: starts_with, value: a",
    "kind: regex, pattern: 'a+|{{expected}}'",
    "kind: one_of, values: '{{words}}'",
    "kind: number, value: 1, tolerance: 2",
    "kind: json_valid",
    "kind: json_schema, schema: {type: [object, array], items: {type: integer}, uniqueItems: true}",
    "kind: json_path_equals, path: '$..a[0]', value: 1",
    "kind: json_equals, value: [1, {a: 2}], ignore_order: true",
    "kind: similarity, value: '{{expected}}', threshold: 0.4",
    "kind: similarity, value: '{{expected}}'",
    "kind: rouge_l, value: '{{expected}}', threshold: 0.4",
    "kind: levenshtein, value: '{{expected}}', max: 3",
    "kind: word_count, max: 2",
    "kind: length, min: 2, unit: lines",
    "kind: refusal",
    "kind: finish_reason, value: length",
    "kind: latency, max_ms: 1",
    "kind: cost, max_usd: 1",
    "kind: tool_call, tool: a",
    "kind: program, program: a",
    "part: {json_path: '$.a'}, kind: length, max: 3",
    "part: {regex: '(a)(.)', group: 2}, kind: equals, value: b",
    "kind: all_of, checks: [{kind: length, max: 9}, {kind: latency, max_ms: 1}, {kind: contains, value: a}]",
    "kind: any_of, checks: [{kind: length, max: 3}, {kind: similarity, value: aaa}, {kind: cost, max_usd: 1}]",
];

fn outputs() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ab 1-]{0,8}",
        "[\\[\\]{}\",:a1 ]{0,20}",
        Just(r#"{"a": [1, 2]}"#.to_owned()),
        Just("[1, {\"a\": 2}]".to_owned()),
    ]
}

fn finishes() -> impl Strategy<Value = FinishReason> {
    prop_oneof![Just(FinishReason::Complete), Just(FinishReason::Length), Just(FinishReason::Error)]
}

fn scored(check: &CheckSpec, output: &str, finish: FinishReason) -> Score {
    let reply = chat::Reply { finish, ..reply(output) };
    score_reply(check, &reply, Some(&json!("aab")))
}

fn group(combination: Combination, test: Test) -> Test {
    let span = test.span;
    let kind = Kind::Group { combination, tests: vec![test] };
    Test { negated: false, part: Part::Whole, threshold: None, kind, span }
}

fn negation(test: Test) -> Test {
    Test { negated: true, ..group(Combination::All, test) }
}

fn alike(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Number { value: one }, Outcome::Number { value: other }) => {
            (one - other).abs() < 1e-12
        }
        (one, other) => one == other,
    }
}

proptest! {
    #[test]
    fn no_output_makes_a_check_panic_or_its_reason_unprintable(
        output in outputs(), finish in finishes(), keys in prop::sample::select(KINDS),
    ) {
        let score = scored(&check(keys), &output, finish);
        prop_assert!(!score.reason.is_empty());
        prop_assert!(score.reason.chars().count() <= crate::MAX_REASON_CHARS);
        prop_assert!(!score.reason.chars().any(char::is_control), "{:?}", score.reason);
        if let Outcome::Number { value } = score.outcome {
            prop_assert!((0.0..=1.0).contains(&value));
        }
        let again: Score = serde_json::from_str(&serde_json::to_string(&score).unwrap()).unwrap();
        prop_assert_eq!(again.reason, score.reason);
    }

    #[test]
    fn two_negations_cancel(output in outputs(), keys in prop::sample::select(KINDS)) {
        let plain = check(keys);
        let twice = CheckSpec { test: negation(negation(plain.test.clone())), ..plain.clone() };
        let finish = FinishReason::Complete;
        let (one, other) = (scored(&plain, &output, finish), scored(&twice, &output, finish));
        prop_assert!(alike(&one.outcome, &other.outcome), "{one:?} {other:?}");
    }

    #[test]
    fn a_group_of_one_is_its_member(output in outputs(), keys in prop::sample::select(KINDS)) {
        let plain = check(keys);
        let one = scored(&plain, &output, FinishReason::Complete);
        for combination in [Combination::All, Combination::Any] {
            let grouped = CheckSpec { test: group(combination, plain.test.clone()), ..plain.clone() };
            prop_assert_eq!(&one, &scored(&grouped, &output, FinishReason::Complete));
        }
    }

    #[test]
    fn de_morgan_holds_with_numbers_and_unknowns(
        output in outputs(),
        keys in prop::sample::subsequence(KINDS.to_vec(), 1..4),
    ) {
        let tests: Vec<_> = keys.iter().map(|keys| check(keys).test).collect();
        let span = tests[0].span;
        let grouped = |combination, negated, tests| {
            let kind = Kind::Group { combination, tests };
            let test = Test { negated, part: Part::Whole, threshold: None, kind, span };
            let spec = CheckSpec { test, ..check("kind: json_valid") };
            scored(&spec, &output, FinishReason::Complete).outcome
        };
        let not_all = grouped(Combination::All, true, tests.clone());
        let any_not = grouped(Combination::Any, false, tests.into_iter().map(negation).collect());
        prop_assert!(alike(&not_all, &any_not), "{not_all:?} {any_not:?}");
    }
}
