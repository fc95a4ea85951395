use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::EvalSet;

fn hash(text: &str) -> ContentHash {
    ContentHash::of_bytes(text.as_bytes())
}

fn read(text: &str) -> Baseline {
    let (baseline, found) = Baseline::read("baseline.json", text);
    assert_eq!(found, []);
    baseline.unwrap()
}

fn problems(text: &str) -> Vec<String> {
    let (baseline, found) = Baseline::read("baseline.json", text);
    assert!(baseline.is_none(), "a baseline with errors is not used");
    found
        .into_iter()
        .map(|one| {
            let at = one.position.unwrap();
            let hint = one.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}:{}: {}{hint}", at.line, at.column, one.message)
        })
        .collect()
}

const PAGE: &str = include_str!("../../../../docs/formats/baseline.md");

fn example() -> &'static str {
    PAGE.split("```json\n").nth(1).and_then(|block| block.split("```").next()).unwrap()
}

#[test]
fn the_documentation_shows_a_canonical_baseline() {
    let baseline = read(example());
    assert_eq!(baseline.to_text(), example());
    assert_eq!(baseline.cases.len(), 2);
    assert_eq!(baseline.outputs().len(), 2);
    let BaselineSource::Prompt { model, .. } = &baseline.variant.source else {
        panic!("the example approves a prompt");
    };
    assert_eq!(model.to_string(), "openai/gpt-5-mini-2025-08-07");
}

#[test]
fn a_canonical_text_does_not_depend_on_how_it_was_written() {
    let document: Value = serde_json::from_str(example()).unwrap();
    let Value::Object(entries) = &document else { panic!("an object") };
    let mut reversed: Map<String, Value> =
        entries.iter().rev().map(|(key, value)| (key.clone(), value.clone())).collect();
    let cases = reversed["cases"].as_array().unwrap().iter().rev().cloned().collect();
    reversed.insert("cases".to_owned(), cases);
    let text = serde_json::to_string_pretty(&reversed).unwrap().replace('\n', "\r\n");
    assert_eq!(read(&text).to_text(), example());
}

#[test]
fn unknown_keys_are_kept_at_every_level() {
    let text = example()
        .replace("\"format\": 1,", "\"format\": 1,\n  \"reviewed\": {\"by\": \"me\", \"a\": [1]},")
        .replace("{\"id\":\"late\",", "{\"note\":\"x\",\"id\":\"late\",")
        .replace("\"source\":\"code\",", "\"source\":\"code\",\"weight\":2,")
        .replace("\"name\": \"examples\",", "\"name\": \"examples\", \"team\": 1,")
        .replace("\"count\":", "\"first\":true,\"count\":")
        .replace("\"at\":", "\"by\":\"anna\",\"at\":");
    let written = read(&text).to_text();
    for kept in [
        "  \"reviewed\": {\n    \"by\": \"me\",\n    \"a\": [1]\n  }\n}\n",
        ",\"note\":\"x\"}",
        ",\"weight\":2}",
        ",\n    \"team\": 1\n  }",
        ",\"first\":true}",
        "    \"by\": \"anna\"\n",
    ] {
        assert!(written.contains(kept), "{kept} in\n{written}");
    }
    assert_eq!(read(&written).to_text(), written);
}

#[test]
fn a_newer_format_is_refused_and_nothing_else_is_said() {
    assert_eq!(
        problems("{\n  \"format\": 2, \"cases\": 7}"),
        ["2:13: found format 2, expected 1 (a newer Trysquare wrote this file; update yours)"]
    );
}

#[test]
fn everything_that_is_wrong_is_said_with_its_place() {
    let text = example()
        .replace("\"id\":\"none\"", "\"id\":\"late\"")
        .replace("\"exact\":[0]", "\"exact\":[1.5,\"maybe\"]")
        .replace("\"primary\": \"exact\"", "\"primary\": \"exakt\"")
        .replace("\"samples\": 1", "\"samples\": -1")
        .replace("\"kind\": \"prompt\"", "\"kind\": \"guess\"")
        .replace("\"accepted\": \"2026-", "\"accepted\": \"26-");
    insta::assert_snapshot!(problems(&text).join("\n"), @r"
    3:15: `accepted`: `26-11-24T10:00:00Z` is not a time: expected RFC 3339 such as 2026-11-20T09:30:00Z
    7:14: `samples` must be a whole number up to 4294967295
    12:13: found `guess`, expected prompt, target or outputs
    22:14: `primary` names `exakt`, which is not among the criteria
    39:11: the case id `late` stands twice
    39:212: `exact` has 2 items, and `outputs` 1
    ");
    assert_eq!(problems("[]"), ["1:1: a baseline must be a mapping, found a list"]);
    assert_eq!(problems("{\n"), ["2:1: this is not JSON: EOF while parsing an object"]);
}

#[test]
fn a_value_outside_its_range_or_without_a_criterion_is_an_error() {
    for (was, is, said) in [
        (
            "\"exact\":[0]",
            "\"exact\":[1.5]",
            "expected a value from 0 to 1, or one of error, unreadable, skipped, no_checks",
        ),
        (
            "\"exact\":[0]",
            "\"exact\":[null]",
            "expected a value from 0 to 1, or one of error, unreadable, skipped, no_checks",
        ),
        (
            "\"exact\":[0]",
            "\"exakt\":[0]",
            "found values of `exakt`, which is not among the criteria",
        ),
        ("\"exact\":[0]", "\"exact\":[0,1]", "`exact` has 2 items, and `outputs` 1"),
        (
            "\"latency_ms\":[790]",
            "\"latency_ms\":[-1]",
            "`latency_ms` must be whole numbers, or null, found a number",
        ),
        (
            "\"cached\":[0]",
            "\"cached\":[1]",
            "`cached` must be the numbers of samples, from 0, found a number",
        ),
    ] {
        let text = example().replace(was, is);
        assert_ne!(text, example(), "{was}");
        let found = problems(&text);
        assert!(found.iter().any(|one| one.ends_with(said)), "{found:?}");
    }
}

#[test]
fn a_changed_gate_is_named_key_by_key() {
    let set = |text: &str| EvalSet::read("evalset.yaml", text).0.unwrap().gate_rule();
    let was =
        set("margin: 0.05\ngate: {required_cases: {tags: [b, a]}, max_cost_per_case_usd: 0.002}\n");
    insta::assert_snapshot!(Value::Object(was.clone()), @r#"{"margin":0.05,"require":"no_worse","confidence":0.95,"required_cases":{"tags":["a","b"],"ids":[]},"max_cost_per_case_nano_usd":2000000,"not_enough":"block"}"#);
    let baseline = Baseline { gate: was, ..read(example()) };
    let same = set(
        "gate: {max_cost_per_case_usd: 0.0020, required_cases: {tags: [a, b]}, confidence: 0.95}\nmargin: 0.05\n",
    );
    assert_eq!(baseline.gate_changes(&same), []);
    let changes = baseline
        .gate_changes(&set("margin: 0.1\ngate: {min_cases: 9, max_cost_per_case_usd: 0.002}\n"));
    let change = |key: &str, was: Value, is: Value| {
        let some = |value: Value| Some(value).filter(|value| !value.is_null());
        GateChange { key: key.to_owned(), was: some(was), is: some(is) }
    };
    assert_eq!(
        changes,
        [
            change("margin", json!(0.05), json!(0.1)),
            change("min_cases", Value::Null, json!(9)),
            change("required_cases", json!({"tags": ["a", "b"], "ids": []}), Value::Null),
        ]
    );
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Zé \"\\\\\u{1}-]{1,8}"
}

fn other() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        ".{0,4}".prop_map(|text| json!(text)),
        Just(json!({"deep": [null, {"er": true}]})),
    ];
    vec(("x-[a-z]{1,3}", value), 0..2).prop_map(|entries| entries.into_iter().collect())
}

fn sample(criteria: usize) -> impl Strategy<Value = BaselineSample> {
    let value = prop_oneof![
        Just(BaselineValue::Number(1.0)),
        Just(BaselineValue::Number(0.0)),
        (0.0..=1.0f64).prop_map(BaselineValue::Number),
        (0usize..4).prop_map(|place| BaselineValue::Not(NotDecided::ALL[place])),
    ];
    (
        option::of("[a-z]{0,3}"),
        vec(value, criteria),
        option::of(any::<i64>()),
        option::of(any::<u64>()),
        any::<bool>(),
        option::of((any::<u64>(), any::<u64>())),
    )
        .prop_map(|(output, values, cost, latency_ms, cached, tokens)| BaselineSample {
            output: output.map(|text| hash(&text)),
            values,
            cost: cost.map(NanoDollars::new),
            latency_ms,
            cached,
            input_tokens: tokens.map(|(input, _)| input),
            output_tokens: tokens.map(|(_, output)| output),
        })
}

fn case(criteria: usize) -> impl Strategy<Value = BaselineCase> {
    (name(), option::of(name()), vec(sample(criteria), 0..4), other()).prop_map(
        |(content, cluster, samples, other)| BaselineCase {
            hash: hash(&content),
            cluster,
            samples,
            other,
        },
    )
}

fn source() -> impl Strategy<Value = BaselineSource> {
    prop_oneof![
        (name(), name()).prop_map(|(prompt, model)| BaselineSource::Prompt {
            prompt,
            version: hash(&model),
            model: ModelRef { provider: "p".to_owned(), model },
            config: json!({"temperature": 0.5, "stop": ["\n"]}),
        }),
        name().prop_map(|target| BaselineSource::Target { target }),
        name().prop_map(|outputs| BaselineSource::Outputs { outputs }),
    ]
}

fn criterion() -> impl Strategy<Value = BaselineCriterion> {
    (0usize..3, btree_map(name(), Just(hash("scorer")), 0..3), other()).prop_map(
        |(source, scorers, other)| BaselineCriterion {
            hash: hash("criterion"),
            source: ScoreSource::ALL[source],
            scorers,
            other,
        },
    )
}

fn baseline() -> impl Strategy<Value = Baseline> {
    let looks = btree_map(name(), (any::<u64>(), any::<u64>(), other()), 0..2);
    let overridden = option::of((name(), vec(name(), 0..3), other()));
    (
        btree_map(name(), criterion(), 0..3),
        source(),
        name(),
        looks,
        overridden,
        other(),
        any::<u32>(),
    )
        .prop_flat_map(|(criteria, source, name_of, looks, overridden, other, samples)| {
            let cases = btree_map(name(), case(criteria.len()), 0..5);
            cases.prop_map(move |cases| {
                let time = |ms| Timestamp::from_unix_ms(1_763_631_000_000 + i64::from(ms));
                Baseline {
                    accepted: time(samples),
                    run: Id::new(time(1), [7; 10]),
                    run_created: time(2),
                    eval_set_hash: hash("set"),
                    samples,
                    replayed: samples % 2 == 0,
                    recorded_at: (samples % 4 == 0).then(|| time(3)),
                    variant: BaselineVariant {
                        name: name_of.clone(),
                        source: source.clone(),
                        hash: hash("variant"),
                        other: other.clone(),
                    },
                    primary: criteria.keys().next().cloned(),
                    criteria: criteria.clone(),
                    gate: other.clone(),
                    looks: looks
                        .iter()
                        .map(|(name, (count, candidates, other))| {
                            let (count, candidates, other) = (*count, *candidates, other.clone());
                            (name.clone(), BaselineLooks { count, candidates, other })
                        })
                        .collect(),
                    overridden: overridden.clone().map(|(reason, overrode, other)| Override {
                        at: time(4),
                        reason,
                        overrode,
                        other,
                    }),
                    cases,
                    other: other.clone(),
                }
            })
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_and_written_the_same(baseline in baseline()) {
        let text = baseline.to_text();
        let again = read(&text);
        prop_assert_eq!(&again, &baseline);
        prop_assert_eq!(again.to_text(), text);
    }

    #[test]
    fn a_case_is_one_line_in_the_order_of_ids(baseline in baseline()) {
        let text = baseline.to_text();
        let rows: Vec<&str> =
            text.lines().filter(|line| line.starts_with("    {\"id\":")).collect();
        prop_assert_eq!(rows.len(), baseline.cases.len());
        let ids: Vec<String> = rows
            .iter()
            .map(|row| serde_json::from_str::<Value>(row.trim_end_matches(',')).unwrap())
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect();
        prop_assert!(ids.is_sorted());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}", at in 0usize..2000) {
        let mut broken = example().to_owned();
        let at = (0..=at.min(broken.len())).rev().find(|at| broken.is_char_boundary(*at)).unwrap();
        broken.insert_str(at, &text);
        let _read = Baseline::read("baseline.json", broken);
        let _read = Baseline::read("baseline.json", text);
    }
}
