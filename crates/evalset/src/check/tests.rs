use document::{Diagnostic, Diagnostics, SourceText, Span, yaml};
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> (Option<CheckSpec>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new(SourceText::new("evalset.yaml", text));
    let node = yaml::parse(Span::new(0, text.len()), &mut diagnostics);
    let check = node.and_then(|node| CheckSpec::read(&node, &mut diagnostics));
    (check, diagnostics.into_vec())
}

fn good(text: &str) -> CheckSpec {
    let (check, found) = read(text);
    assert!(found.is_empty(), "{found:?}");
    check.unwrap()
}

/// Returns every finding as `line:column message (hint)`.
fn findings(text: &str) -> String {
    let line = |found: Diagnostic| {
        let position = found.position.unwrap();
        let hint = found.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{} {}{hint}", position.line, position.column, found.message)
    };
    read(text).1.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_check_serves_the_criterion_of_its_own_name_with_weight_one() {
    let check = good("name: exact\nkind: equals\nvalue: '{{expected}}'\n");
    assert_eq!((check.name.as_str(), check.criterion.as_str()), ("exact", "exact"));
    assert_eq!(check.weight.to_bits(), 1f64.to_bits());
    assert!(!check.test.negated && check.test.part == Part::Whole);
    assert_eq!(check.test.placeholders().len(), 1);
}

/// One check of every kind with every key, in its shortest and in its fullest form.
const EVERY_KIND: &str = include_str!("every_kind.yaml");

#[test]
fn every_kind_reads_and_means_what_it_says() {
    let mut diagnostics = Diagnostics::new(SourceText::new("evalset.yaml", EVERY_KIND));
    let node = yaml::parse(Span::new(0, EVERY_KIND.len()), &mut diagnostics).unwrap();
    let checks: Vec<_> = node
        .items()
        .unwrap()
        .iter()
        .filter_map(|item| CheckSpec::read(item, &mut diagnostics))
        .collect();
    assert!(diagnostics.is_empty(), "{:?}", diagnostics.into_vec());
    let documents: Vec<_> =
        checks.iter().map(|check| values::canonical_json(&check.document())).collect();
    insta::assert_snapshot!(documents.join("\n"), @r#"
        {"kind":"equals","name":"c01","value":"12345"}
        {"ignore_case":true,"ignore_space":true,"kind":"equals","name":"c02","not":true,"value":"{{expected}}"}
        {"kind":"contains","name":"c03","values":"order"}
        {"ignore_case":true,"kind":"contains","match":"any","name":"c04","values":["{{name}}","b"]}
        {"ignore_case":true,"kind":"not_contains","name":"c05","values":"{{input.words}}"}
        {"ignore_case":true,"kind":"starts_with","name":"c06","value":"Dear"}
        {"ignore_case":true,"kind":"regex","name":"c07","pattern":"^{{expected}}\\.?$"}
        {"ignore_case":true,"ignore_space":true,"kind":"one_of","name":"c08","values":["yes","no",""]}
        {"kind":"number","name":"c09","value":3.5}
        {"kind":"number","name":"c10","relative_tolerance":0.1,"tolerance":0.01,"value":"{{expected.total}}"}
        {"kind":"json_valid","name":"c11"}
        {"kind":"json_schema","name":"c12","schema":{"required":["id"],"type":"object"}}
        {"kind":"json_path_equals","name":"c13","path":"$.order.id","value":"{{expected}}"}
        {"ignore_order":true,"kind":"json_equals","name":"c14","value":{"a":[1,"{{x}}"]}}
        {"kind":"similarity","name":"c15","threshold":0.8,"value":"{{expected}}"}
        {"criterion":"summary","kind":"rouge_l","name":"c16","value":"{{expected}}","weight":2.5}
        {"kind":"levenshtein","max":2,"name":"c17","value":"abc"}
        {"kind":"levenshtein","name":"c18","threshold":0.9,"value":"abc"}
        {"kind":"word_count","max":50,"name":"c19"}
        {"kind":"length","max":3,"min":1,"name":"c20","unit":"lines"}
        {"kind":"length","min":1,"name":"c21","unit":"bytes"}
        {"kind":"refusal","name":"c22"}
        {"kind":"refusal","name":"c23","not":true,"phrases":["Ich kann nicht"]}
        {"kind":"finish_reason","name":"c24","values":["complete","stop_sequence"]}
        {"kind":"latency","max_ms":1500,"name":"c25"}
        {"kind":"cost","max_nano_dollars":2500000,"name":"c26"}
        {"arguments":{"id":"{{expected}}"},"kind":"tool_call","name":"c27","only":true,"tool":"find_order"}
        {"kind":"program","name":"c28","options":{"level":2},"program":"lint","threshold":0.5}
        {"checks":[{"kind":"length","max":20,"min":1},{"checks":[{"kind":"equals","part":{"group":2,"regex":"(\\d+)-(\\d+)"},"value":"a"}],"kind":"any_of","not":true}],"kind":"all_of","name":"c29","part":{"json_path":"$.answer"}}
        "#);
}

/// The page that describes the format.
const PAGE: &str = include_str!("../../../../docs/formats/checks.md");

#[test]
fn every_example_of_the_page_reads_without_a_finding() {
    let examples: Vec<_> = PAGE
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```\n").map(|(example, _)| example))
        .collect();
    assert_eq!(examples.len(), PAGE.matches("```yaml").count());
    let mut read = 0;
    for example in examples {
        let mut diagnostics = Diagnostics::new(SourceText::new("checks.md", example));
        let node = yaml::parse(Span::new(0, example.len()), &mut diagnostics).unwrap();
        let checks = node.get("checks").unwrap_or(&node).items().unwrap();
        read += checks.iter().filter_map(|check| CheckSpec::read(check, &mut diagnostics)).count();
        assert!(diagnostics.is_empty(), "{example}\n{:?}", diagnostics.into_vec());
    }
    assert_eq!(read, 28);
}

#[test]
fn the_page_gives_the_worked_hash_and_names_every_kind() {
    let check = good("{name: a, kind: equals, value: x}");
    assert!(PAGE.contains(&check.hash().to_string()));
    assert!(PAGE.contains(&values::canonical_json(&check.test.meaning())));
    for line in EVERY_KIND.lines() {
        let kind = line.split("kind: ").nth(1).and_then(|rest| rest.split([',', '}']).next());
        let Some(kind) = kind else { continue };
        assert!(PAGE.contains(&format!("`{}`", kind.trim())), "{kind}");
    }
}

#[test]
fn the_hash_is_of_what_is_asked_and_not_of_the_name_or_the_spelling() {
    let hash = |text: &str| good(text).hash().to_string();
    let plain = hash("name: a\nkind: equals\nvalue: x\n");
    assert_eq!(plain, "ba4f6243c21b3b3405187506a59eafe1644ac307812835b90abcf7db58135ad7");
    assert_eq!(plain, hash("kind: equals # comment\nvalue: 'x'\nname: b\nweight: 2\nnot: false\n"));
    assert_ne!(plain, hash("name: a\nkind: equals\nvalue: x\nnot: true\n"));
    assert_ne!(plain, hash("name: a\nkind: equals\nvalue: y\n"));
    assert_ne!(plain, hash("name: a\nkind: starts_with\nvalue: x\n"));
    assert_ne!(plain, hash("name: a\nkind: equals\nvalue: x\npart: {json_path: $.a}\n"));
}

/// Each is wrong in one way.
const WRONG: &[&str] = &[
    "kind: equals\nvalue: x\n",
    "name: a\n",
    "name: a\nkind: equal\nvalue: x\n",
    "name: a\nkind: not-contains\nvalue: x\n",
    "name: a\nkind: something\n",
    "name: a\nkind: equals\nvalu: x\n",
    "name: a\nkind: equals\nvalue: 007\n",
    "name: a\nkind: equals\nvalue: [x]\n",
    "name: a\nkind: equals\nvalue: '{{x y}}'\n",
    "name: a\nkind: contains\nvalue: ''\n",
    "name: a\nkind: contains\nvalue: [a]\n",
    "name: a\nkind: contains\nvalues: []\n",
    "name: a\nkind: contains\nvalue: a\nmatch: some\n",
    "name: a\nkind: regex\npattern: 'a('\n",
    "name: a\nkind: number\nvalue: many\n",
    "name: a\nkind: number\nvalue: 1\ntolerance: -1\n",
    "name: a\nkind: json_schema\nschema:\n  properties:\n    x: {type: strin}\n",
    "name: a\nkind: json_schema\nschema: {$ref: 'https://example.com/s.json'}\n",
    "name: a\nkind: json_path_equals\npath: order.id\nvalue: 1\n",
    "name: a\nkind: length\n",
    "name: a\nkind: word_count\nmin: 3\nmax: 2\n",
    "name: a\nkind: finish_reason\nvalue: stop\n",
    "name: a\nkind: cost\nmax_usd: 1e-12\n",
    "name: a\nkind: latency\nmax_ms: fast\n",
    "name: a\nkind: equals\nvalue: x\nthreshold: 0.5\n",
    "name: a\nkind: similarity\nvalue: x\nthreshold: 80\n",
    "name: a\nkind: equals\nvalue: x\nweight: 0\n",
    "name: a\nkind: equals\nvalue: x\npart: {json_path: $.a, regex: b}\n",
    "name: a\nkind: equals\nvalue: x\npart: {regex: '(a)(b)', group: 3}\n",
    "name: a\nkind: cost\nmax_usd: 1\npart: {json_path: $.a}\n",
    "name: a\nkind: all_of\nchecks: []\n",
    "name: a\nkind: any_of\nchecks:\n  - {name: b, kind: equals, value: x}\n",
    "name: ' a'\nkind: json_valid\n",
    "- a\n",
];

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_was_meant() {
    let shown: Vec<_> = WRONG.iter().map(|text| format!("{}\n", findings(text))).collect();
    insta::assert_snapshot!(shown.concat(), @r#"
        1:1 a check needs the key `name`
        1:1 a check needs the key `kind`
        2:7 there is no kind of check `equal` (did you mean `equals`?)
        2:7 there is no kind of check `not-contains` (did you mean `not_contains`?)
        2:7 there is no kind of check `something` (expected one of equals, contains, not_contains, starts_with, regex, one_of, number, json_valid, json_schema, json_path_equals, json_equals, similarity, rouge_l, levenshtein, word_count, length, refusal, finish_reason, latency, cost, tool_call, program, all_of, any_of)
        1:1 a check needs the key `value`
        3:1 unknown key `valu` in a check (did you mean `value`?)
        3:8 `value` must be text, and YAML reads this as a number (put it in quotes)
        3:8 `value` must be text, found a list
        3:8 in `value`, `{{x y}}` is not a name: expected `expected`, `input.NAME` or `NAME`
        3:8 `value` is empty, and every output contains empty text
        3:8 `value` must be text, found a list (did you mean `values`?)
        3:9 `values` must hold at least one text
        4:8 `match` cannot be `some` (expected one of all, any)
        3:10 `pattern` is not a usable regular expression: unclosed group
        3:8 `value` must be a number, or a placeholder such as `{{expected}}`
        4:12 `tolerance` must be 0 or more
        5:15 this is not a usable JSON Schema: "strin" is not valid under any of the schemas listed in the 'anyOf' keyword
        3:9 this is not a usable JSON Schema: Resource 'https://example.com/s.json' is not present in a registry and retrieving it failed: Retrieval is disabled, cannot fetch https://example.com/s.json
        3:7 this is not a usable JSON path: it cannot be read from character 1 on (a path starts with `$`, as in `$.order.items[0].id` (RFC 9535))
        1:1 a check of kind `length` needs `min`, `max` or both
        1:1 `min` (3) is above `max` (2), so nothing can pass
        3:8 `value` cannot be `stop` (expected one of complete, length, tool_use, stop_sequence, refused, filtered, paused, context_exceeded, malformed_tool, error)
        3:10 `max_usd` must be dollars as a plain decimal such as 0.25, with at most nine decimals
        3:9 `max_ms` of a check must be a whole number, 0 or more, found text
        4:12 `threshold` means nothing to a check of kind `equals` (it passes or fails without a number in between; remove the key)
        4:12 `threshold` must be a number from 0 to 1
        4:9 `weight` must be a number above 0, found 0
        4:7 `part` needs either `json_path` or `regex`
        4:32 there is no group 3: the pattern has 2
        4:7 `part` means nothing to a check of kind `cost` (it does not look at the text of the output; remove the key)
        3:9 `checks` must hold at least one check
        4:12 a check inside a group has no `name` of its own (put `name` at the group, or remove it)
        1:7 ` a` cannot name a check (use letters, digits, `.`, `_`, `-` and inner spaces, up to 100 bytes)
        1:1 a check must be a mapping, found a list
        "#);
}

#[test]
fn all_problems_of_a_check_are_found_at_once() {
    let text = "name: 3\nkind: all_of\nwieght: 2\nchecks:\n  - {kind: regex, pattern: '['}\n  - {kind: latency}\n";
    assert_eq!(read(text).1.len(), 4, "{}", findings(text));
}

#[test]
fn a_cost_is_read_as_it_is_written() {
    for (written, nano_dollars) in [("0.000005", 5_000), ("0.000000001", 1), ("'2'", 2_000_000_000)]
    {
        let check = good(&format!("name: a\nkind: cost\nmax_usd: {written}\n"));
        let Kind::Cost { max } = check.test.kind else { panic!("not a cost") };
        assert_eq!(max.get(), nano_dollars, "{written}");
    }
}

#[test]
fn groups_nest_to_a_bound() {
    let nested = |depth: usize| {
        let open = "{kind: all_of, checks: [".repeat(depth);
        let close = "]}".repeat(depth);
        let inner = format!("{open}{{kind: json_valid}}{close}");
        format!("{{name: a, {}", &inner[1..])
    };
    good(&nested(MAX_GROUP_DEPTH));
    let found = read(&nested(MAX_GROUP_DEPTH + 1)).1;
    assert_eq!(found[0].code, "group-depth");
}

#[test]
fn a_pattern_with_one_group_means_the_group() {
    let part = |keys: &str| good(&format!("name: a\nkind: equals\nvalue: x\npart: {{{keys}}}\n"));
    let group = |keys: &str| match part(keys).test.part {
        Part::Regex { group, .. } => group,
        _ => panic!("not a pattern"),
    };
    assert_eq!(group("regex: 'a(b)'"), 1);
    assert_eq!(group("regex: 'a(b)', group: 0"), 0);
    assert_eq!(group("regex: 'ab'"), 0);
    assert_eq!(group("regex: '(a)(b)'"), 0);
}

#[test]
fn programs_are_found_inside_groups() {
    let check = good(
        "name: a\nkind: any_of\nchecks: [{kind: program, program: lint}, {kind: json_valid}]\n",
    );
    assert_eq!(check.test.programs()[0].0, "lint");
}

proptest! {
    #[test]
    fn reading_never_panics(text in "(name|kind|not|part|value|checks|[a-z:{}\\[\\]$.() \n'\"-]){0,60}") {
        read(&text);
    }

    #[test]
    fn templates_of_plain_text_are_that_text(text in "[^{]{0,40}") {
        let template = TextTemplate::parse(&text).unwrap();
        prop_assert_eq!(template.literal(), Some(text.as_str()));
    }

    #[test]
    fn an_input_is_never_rendered_again(value in ".{0,40}") {
        let inputs = serde_json::json!({ "x": value });
        let bindings = Bindings { inputs: inputs.as_object().unwrap(), expected: None };
        let text = TextTemplate::parse("<{{x}}>").unwrap().resolve(bindings).unwrap();
        prop_assert_eq!(text, format!("<{value}>"));
    }
}
