use serde_json::json;

use super::{check, line, reply, score, score_reply, table};
use crate::Outcome;

#[test]
fn equals() {
    insta::assert_snapshot!(table(&[
        ("kind: equals, value: '{{expected}}'", "A-12"),
        ("kind: equals, value: '{{expected}}'", "A-13"),
        ("kind: equals, value: '{{expected}}'", "A-12\n"),
        ("kind: equals, value: '{{expected}}'", "a-12"),
        ("kind: equals, value: '{{expected}}'", ""),
        ("kind: equals, value: 'two\nlines', ignore_space: true", "two  lines"),
        ("kind: equals, value: 'Two lines', ignore_case: true, ignore_space: true", " two\nLINES "),
        ("kind: equals, value: 'Two lines', ignore_case: true", "two  lines"),
        ("kind: equals, value: 'Hello {{name}}'", "Hello Bob\u{202e}\u{7}"),
        ("kind: equals, value: '{{name}}', not: true", "Ada"),
        ("kind: equals, value: '{{nobody}}'", "x"),
        ("kind: equals, value: '{{words}}'", "x"),
    ]), @r#"
        pass: the output is "A-12"
        fail: expected "A-12", found "A-13" (they differ from line 1, column 4 on)
        fail: expected "A-12", found "A-12\n" (they differ only in white space at the ends)
        fail: expected "A-12", found "a-12" (they differ only in upper and lower case)
        fail: expected "A-12", found "" (the output is empty)
        pass: the output is "two  lines"
        pass: the output is " two\nLINES "
        fail: expected "Two lines", found "two  lines" (they differ from line 1, column 1 on)
        fail: expected "Hello Ada", found "Hello Bob\u{202e}\u{7}" (they differ from line 1, column 7 on)
        fail: not wanted: the output is "Ada"
        error: check `c` cannot be used on this case: the check uses `{{nobody}}`, but the case binds no input `nobody` (it has `name`, `words`, `trap`, `empty`)
        error: check `c` cannot be used on this case: the check needs text, but `{{words}}` is a list in this case
        "#);
}

#[test]
fn contains_and_its_opposite() {
    insta::assert_snapshot!(table(&[
        ("kind: contains, value: '{{expected}}'", "it is\n  A-12."),
        ("kind: contains, value: '{{expected}}'", "it is B-12."),
        ("kind: contains, values: '{{words}}'", "blue and red"),
        ("kind: contains, values: '{{words}}'", "blue and green"),
        ("kind: contains, values: '{{words}}', match: any", "blue and green"),
        ("kind: contains, values: [x, y], match: any", "blue and green"),
        ("kind: contains, value: ADA, ignore_case: true", "I am Ada"),
        ("kind: contains, value: '{{empty}}'", "anything"),
        ("kind: not_contains, values: [sorry, '{{name}}']", "fine"),
        ("kind: not_contains, values: [sorry, '{{name}}']", "sorry, Ada"),
        ("kind: not_contains, value: SORRY, ignore_case: true", "So Sorry"),
        ("kind: not_contains, value: '{{empty}}'", "anything"),
        ("kind: starts_with, value: Dear", "Dear Ada"),
        ("kind: starts_with, value: Dear", "dear Ada"),
        ("kind: starts_with, value: Dear, ignore_case: true", "dear Ada"),
    ]), @r#"
        pass: the output contains "A-12" at line 2, column 3
        fail: "it is B-12." does not contain "A-12"
        pass: the output contains "red" at line 1, column 10, contains "blue" at line 1, column 1
        fail: "blue and green" does not contain "red"
        pass: the output contains "blue" at line 1, column 1
        fail: "blue and green" does not contain any of "x", "y"
        pass: the output contains "ADA", case ignored
        error: check `c` cannot be used on this case: `{{empty}}` is empty in this case, and every output contains empty text
        pass: the output does not contain "sorry", "Ada"
        fail: the output contains "sorry" at line 1, column 1, contains "Ada" at line 1, column 8
        fail: the output contains "SORRY", case ignored
        error: check `c` cannot be used on this case: `{{empty}}` is empty in this case, and every output contains empty text
        pass: the output starts with "Dear"
        fail: expected a start with "Dear", found "dear Ada"
        pass: the output starts with "Dear"
        "#);
}

#[test]
fn patterns_and_choices() {
    insta::assert_snapshot!(table(&[
        (r"kind: regex, pattern: '[A-Z]-\d+'", "see\n  B-7"),
        (r"kind: regex, pattern: '^[A-Z]-\d+$'", "see B-7"),
        ("kind: regex, pattern: '^{{input.trap}}$'", "{{expected}}.*"),
        ("kind: regex, pattern: '^{{input.trap}}$'", "A-12 and more"),
        ("kind: regex, pattern: '^ada$', ignore_case: true", "Ada"),
        ("kind: one_of, values: [yes, no]", "no"),
        ("kind: one_of, values: [yes, no]", "No."),
        ("kind: one_of, values: [yes, no], ignore_case: true, ignore_space: true", " NO\n"),
        ("kind: one_of, values: '{{words}}'", "green"),
    ]), @r#"
        pass: the pattern `[A-Z]-\d+` matches "B-7" at line 2, column 3
        fail: the pattern `^[A-Z]-\d+$` matches nowhere in "see B-7"
        pass: the pattern `^\{\{expected\}\}\.\*$` matches "{{expected}}.*" at line 1, column 1
        fail: the pattern `^\{\{expected\}\}\.\*$` matches nowhere in "A-12 and more"
        pass: the pattern `^ada$` matches "Ada" at line 1, column 1
        pass: the output is "no"
        fail: expected one of "yes", "no", found "No."
        pass: the output is " NO\n"
        fail: expected one of "red", "blue", found "green"
        "#);
}

#[test]
fn numbers() {
    insta::assert_snapshot!(table(&[
        ("kind: number, value: 12", " 12\n"),
        ("kind: number, value: 12", "12.0"),
        ("kind: number, value: 12", "13"),
        ("kind: number, value: 12", "about 12"),
        ("kind: number, value: 12", "inf"),
        ("kind: number, value: 1.2, tolerance: 0.1", "1.3"),
        ("kind: number, value: 1.2, tolerance: 0.1", "1.31"),
        ("kind: number, value: 200, relative_tolerance: 0.05", "190"),
        ("kind: number, value: 200, relative_tolerance: 0.05", "189"),
        ("kind: number, value: '9007199254740993'", "9007199254740993"),
        ("kind: number, value: '9007199254740993'", "9007199254740992"),
        ("kind: number, value: '{{expected}}'", "12"),
        ("kind: number, value: 1e300, tolerance: 1", "-1e308"),
    ]), @r#"
        pass: 12 is 12
        pass: 12.0 is 12
        fail: expected 12, found 13, off by 1
        fail: expected the number 12, found "about 12"
        fail: expected the number 12, found "inf"
        pass: 1.3 is 1.2 give or take 0.1
        fail: expected 1.2 give or take 0.1, found 1.31, off by 0.11
        pass: 190 is 200 give or take 10
        fail: expected 200 give or take 10, found 189, off by 11
        pass: 9007199254740993 is 9007199254740993
        fail: expected 9007199254740993, found 9007199254740992, off by 1
        error: check `c` cannot be used on this case: the check needs a number, but its value is `A-12` in this case
        fail: expected 1e+300 give or take 1, found -1e308, off by 1.000e308
        "#);
}

#[test]
fn json_form_and_schema() {
    let schema = "kind: json_schema, schema: {type: object, required: [id], properties: {id: {type: integer}}}";
    insta::assert_snapshot!(table(&[
        ("kind: json_valid", "{\"a\": [1]}"),
        ("kind: json_valid", "{\"a\": [1}"),
        ("kind: json_valid", "```json\n{}\n```"),
        ("kind: json_valid", ""),
        (schema, "{\"id\": 1}"),
        (schema, "{\"id\": \"one\"}"),
        (schema, "{}"),
        (schema, "none"),
    ]), @r#"
        pass: the output is JSON, an object
        fail: the output is not JSON: expected `,` or `]` at line 1 column 9; found "{\"a\": [1}"
        fail: the output is not JSON: expected value at line 1 column 1, it starts with a code fence; found "```json\n{}\n```"
        fail: the output is not JSON: EOF while parsing a value at line 1 column 0; found ""
        pass: the output is JSON of the schema
        fail: not of the schema, /id: "one" is not of type "integer"
        fail: not of the schema, at the top: "id" is a required property
        fail: the output is not JSON: expected ident at line 1 column 2; found "none"
        "#);
}

#[test]
fn json_values() {
    let same = "kind: json_equals, value: {a: 1, b: [1, 2, {c: '{{name}}'}]}";
    let any_order = "kind: json_equals, ignore_order: true, value: [1, [2, 3], {a: [4, 5]}]";
    let path = "kind: json_path_equals, path: '$.order.id', value: '{{expected}}'";
    insta::assert_snapshot!(table(&[
        (path, r#"{"order": {"id": "A-12"}}"#),
        (path, r#"{"order": {"id": "A-13"}}"#),
        (path, r#"{"order": {"id": 12}}"#),
        (path, r#"{"order": null}"#),
        (path, "A-12"),
        ("kind: json_path_equals, path: '$[*]', value: 1", "[1, 1]"),
        ("kind: json_path_equals, path: '$.n', value: 1", r#"{"n": 1.0}"#),
        (same, r#"{"b": [1, 2.0, {"c": "Ada"}], "a": 1}"#),
        (same, r#"{"b": [1, 2, {"c": "Bob"}], "a": 1}"#),
        (same, r#"{"b": [1, 2], "a": 1}"#),
        (same, r#"{"a": 1}"#),
        (same, r#"{"a": 1, "b": [1, 2, {"c": "Ada"}], "c": 0}"#),
        ("kind: json_equals, value: 9007199254740993", "9007199254740992"),
        (any_order, r#"[{"a": [5, 4]}, [3, 2.0], 1]"#),
        (any_order, r#"[{"a": [5, 5]}, [3, 2], 1]"#),
    ]), @r#"
        pass: `$.order.id` is "A-12"
        fail: `$.order.id`: expected "A-12", found "A-13"
        fail: `$.order.id`: expected "A-12", found `12` (a number instead of text)
        fail: `$.order.id` selects nothing in "{\"order\": null}"
        fail: the output is not JSON: expected value at line 1 column 1; found "A-12"
        fail: `$[*]` selects 2 values where one is expected
        pass: `$.n` is `1.0`
        pass: the output is the JSON `{"b":[1,2.0,{"c":"Ada"}],"a":1}`
        fail: at `/b/2/c`: expected "Ada", found "Bob"
        fail: at `/b`: expected 3 items, found 2
        fail: the key "b" is missing
        fail: the key "c" is not expected
        fail: expected `9007199254740993`, found `9007199254740992`
        pass: the output is the JSON `[{"a":[5,4]},[3,2.0],1]`
        fail: expected `[1,[2,3],{"a":[4,5]}]` in any order, found `[{"a":[5,5]},[3,2],1]`
        "#);
}

#[test]
fn likeness() {
    insta::assert_snapshot!(table(&[
        ("kind: similarity, value: abcd", "bcde"),
        ("kind: similarity, value: abcd, threshold: 0.75", "bcde"),
        ("kind: similarity, value: abcd, threshold: 0.76", "bcde"),
        ("kind: similarity, value: abcd, threshold: 0.76, not: true", "bcde"),
        ("kind: similarity, value: abcd, not: true", "bcde"),
        ("kind: rouge_l, value: police killed the gunman, threshold: 0.7", "police kill the gunman"),
        ("kind: rouge_l, value: police killed the gunman, threshold: 0.7", "the gunman kill police"),
        ("kind: levenshtein, value: kitten, max: 3", "sitting"),
        ("kind: levenshtein, value: kitten, max: 2", "sitting"),
        ("kind: levenshtein, value: kitten, threshold: 0.5", "sitting"),
    ]), @r#"
        0.750: the similarity of "bcde" to "abcd" is 0.750
        pass: the similarity of "bcde" to "abcd" is 0.750, which reaches the threshold 0.75
        fail: the similarity of "bcde" to "abcd" is 0.750, which is below the threshold 0.76
        pass: the similarity of "bcde" to "abcd" is 0.750, which is below the threshold 0.76
        0.250: 1 minus: the similarity of "bcde" to "abcd" is 0.750
        pass: the ROUGE-L of "police kill the gunman" to "police killed the gunman" is 0.750, which reaches the threshold 0.7
        fail: the ROUGE-L of "the gunman kill police" to "police killed the gunman" is 0.500, which is below the threshold 0.7
        pass: 3 edits between "sitting" and "kitten", at most 3 are allowed
        fail: 3 edits between "sitting" and "kitten", at most 2 are allowed
        pass: 3 edits between "sitting" and "kitten", 0.571 of the longer is the same, which reaches the threshold 0.5
        "#);
}

#[test]
fn texts_too_long_to_compare_are_decided_by_their_lengths_or_skipped() {
    let long = "xy".repeat(50_000);
    let expected = "ab ".repeat(30_000);
    let outcome = |keys: &str, output: &str| {
        score_reply(&check(keys), &reply(output), Some(&json!(expected))).outcome
    };
    assert_eq!(outcome("kind: similarity, value: '{{expected}}'", &long), Outcome::Skipped);
    assert_eq!(
        outcome("kind: similarity, value: '{{expected}}', threshold: 0.9", &long),
        Outcome::Skipped
    );
    assert_eq!(
        outcome("kind: similarity, value: '{{expected}}', threshold: 0.98", &long),
        Outcome::Fail
    );
    assert_eq!(outcome("kind: levenshtein, value: '{{expected}}', max: 9", &long), Outcome::Fail);
    assert_eq!(
        outcome("kind: levenshtein, value: '{{expected}}', max: 50000", &long),
        Outcome::Skipped
    );
}

#[test]
fn sizes() {
    insta::assert_snapshot!(table(&[
        ("kind: word_count, min: 2, max: 3", "one two"),
        ("kind: word_count, min: 2, max: 3", "one"),
        ("kind: word_count, max: 2", "one two  three"),
        ("kind: length, min: 3, max: 3", "äöü"),
        ("kind: length, max: 5, unit: bytes", "äöü"),
        ("kind: length, max: 2, unit: lines", "a\nb\n"),
        ("kind: length, min: 1, unit: lines", ""),
    ]), @"
        pass: the output has 2 words, wanted 2 to 3
        fail: the output has 1 word, wanted 2 to 3
        fail: the output has 3 words, wanted at most 2
        pass: the output has 3 characters, wanted exactly 3
        fail: the output has 6 bytes, wanted at most 5
        pass: the output has 2 lines, wanted at most 2
        fail: the output has 0 lines, wanted at least 1
        ");
}

#[test]
fn parts() {
    let order = r"part: {regex: 'order (\w+-\d+)'}, kind: equals, value: '{{expected}}'";
    let answer = "part: {json_path: $.answer}, kind: equals, value: '{{expected}}'";
    insta::assert_snapshot!(table(&[
        (order, "your order A-12 is late"),
        (order, "your order A-13 is late"),
        (order, "no number"),
        (&format!("{order}, not: true"), "no number"),
        (answer, r#"{"answer": "A-12", "why": "x"}"#),
        (answer, r#"{"why": "x"}"#),
        (answer, "A-12"),
        ("part: {json_path: '$.n[*]'}, kind: json_equals, value: [1, 2]", r#"{"n": [1, 2]}"#),
        ("part: {json_path: $.o}, kind: json_equals, value: {a: 1}", r#"{"o": {"a": 1}}"#),
        (
            "part: {json_path: $.t}, kind: all_of, checks: [{kind: length, max: 4, part: {regex: '[a-z]+'}}]",
            r#"{"t": "123 abcde"}"#,
        ),
    ]), @r#"
        pass: the output is "A-12"
        fail: expected "A-12", found "A-13" (they differ from line 1, column 4 on)
        fail: the part is missing: the pattern `order (\w+-\d+)` finds nothing in "no number"
        fail: the part is missing: the pattern `order (\w+-\d+)` finds nothing in "no number"
        pass: the output is "A-12"
        fail: the part is missing: `$.answer` selects nothing in "{\"why\": \"x\"}"
        fail: the part `$.answer` is missing: the output is not JSON: expected value at line 1 column 1; found "A-12"
        pass: the output is the JSON `[1,2]`
        pass: the output is the JSON `{"a":1}`
        fail: the output has 5 characters, wanted at most 4
        "#);
}

#[test]
fn groups() {
    let all = "kind: all_of, checks: [{kind: contains, value: a}, {kind: contains, value: b}]";
    let any = "kind: any_of, checks: [{kind: contains, value: a}, {kind: contains, value: b}]";
    insta::assert_snapshot!(table(&[
        (all, "ab"),
        (all, "a"),
        (any, "b"),
        (any, "c"),
        (&format!("{any}, not: true"), "b"),
        ("kind: all_of, checks: [{kind: latency, max_ms: 5}, {kind: contains, value: a}]", "a"),
        ("kind: all_of, checks: [{kind: latency, max_ms: 5}, {kind: contains, value: a}]", "b"),
        ("kind: any_of, checks: [{kind: latency, max_ms: 5}, {kind: contains, value: a}]", "a"),
        ("kind: all_of, checks: [{kind: similarity, value: ab}, {kind: contains, value: a}]", "a"),
        ("kind: any_of, not: true, checks: [{kind: equals, value: a, part: {regex: x}}, {kind: equals, value: b}]", "c"),
    ]), @r#"
        pass: all 2 checks pass: (1) the output contains "a" at line 1, column 1; (2) the output contains "b" at line 1, column 2
        fail: 1 of 2 checks fail: (2) "a" does not contain "b"
        pass: 1 of 2 checks pass: (2) the output contains "b" at line 1, column 1
        fail: none of 2 checks passes: (1) "c" does not contain "a"; (2) "c" does not contain "b"
        fail: not wanted: 1 of 2 checks pass: (2) the output contains "b" at line 1, column 1
        skipped: 1 of 2 checks could not be decided: (1) the latency of this output is not known
        fail: 1 of 2 checks fail: (2) "b" does not contain "a"
        pass: 1 of 2 checks pass: (2) the output contains "a" at line 1, column 1
        0.667: of 2 checks this one decides: (1) the similarity of "a" to "ab" is 0.667
        fail: 1 of 2 checks could not be decided: (1) the part is missing: the pattern `x` finds nothing in "c"
        "#);
}

#[test]
fn a_reason_stays_short_whatever_the_output() {
    let output = "\u{1b}\n\"".repeat(400_000);
    for keys in [
        "kind: equals, value: '{{expected}}'",
        "kind: contains, value: '{{expected}}'",
        "kind: regex, pattern: x",
        "kind: json_valid",
        "kind: one_of, values: [a, b]",
        "kind: similarity, value: '{{expected}}', threshold: 0.5",
        "kind: refusal",
    ] {
        let score = score(keys, &output);
        let length = score.reason.chars().count();
        assert!(length <= crate::MAX_REASON_CHARS, "{}", line(&score));
        assert!(!score.reason.chars().any(char::is_control), "{}", line(&score));
    }
}

#[test]
fn json_nests_at_most_127_deep() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(score("kind: json_valid", &nested(127)).outcome, Outcome::Pass);
    assert_eq!(score("kind: json_valid", &nested(128)).outcome, Outcome::Fail);
}

#[test]
fn deep_json_is_not_json_and_no_crash() {
    let output = "[".repeat(200_000);
    for keys in [
        "kind: json_valid",
        "kind: json_equals, value: []",
        "kind: json_path_equals, path: '$..a', value: 1",
        "kind: json_schema, schema: {$ref: '#/$defs/a', $defs: {a: {items: {$ref: '#/$defs/a'}}}}",
        "kind: equals, value: x, part: {json_path: $.a}",
    ] {
        assert_eq!(score(keys, &output).outcome, Outcome::Fail, "{keys}");
    }
}
