use std::fs;

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox};

const LABELS: &str = "evalsets/replies/labels.jsonl";
const CASES: &str = "evalsets/replies/cases.jsonl";

const MAP: &str = "source: desk
case: id
inputs: {mail: mail}
output: answer
labels:
  - {criterion: polite, value: verdict, labeller_from: who, map: {good: pass, bad: fail, '?': null}}
judges:
  - {name: old-judge, criterion: polite, value: judge, reason: why, missing: skip}
";

const ROWS: &str = "id,mail,answer,who,verdict,judge,why
a,Where is it?,Soon.,ann,good,pass,
b,\"Hello, there\",Go away.,ann,bad,pass,short
b,\"Hello, there\",Go away.,bob,?,pass,short
";

/// A project with one eval set, a mapping and rows.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("trysquare.yaml", "format: 1\n");
    sandbox.write(
        "evalsets/replies/evalset.yaml",
        "format: 1\ncriteria:\n  polite:\n    source: judge\n  topic:\n    kind: categorical\n    \
         source: human\n    categories: [delivery, other]\n",
    );
    // The line has no end and its own spacing; both stay.
    sandbox.write(CASES, "{\"id\": \"a\", \"inputs\": {\"mail\": \"as it stands here\"}}");
    sandbox.write("map.yaml", MAP);
    sandbox.write("rows.csv", ROWS);
    sandbox
}

fn import(sandbox: &Sandbox, more: &[&str]) -> Ran {
    sandbox.run(&[&["label", "import", "--map", "map.yaml"], more].concat())
}

/// What people did, without the row that says how cases are dealt to splits.
fn rows(sandbox: &Sandbox) -> Vec<Value> {
    let rows = sandbox.read(LABELS);
    let rows = rows.lines().map(|row| serde_json::from_str(row).unwrap());
    rows.filter(|row: &Value| row["act"] != "split").collect()
}

/// Everything in the eval set's folder.
fn folder(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(sandbox.path("project/evalsets/replies")).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn what_was_said_elsewhere_comes_in_once() {
    let sandbox = project();
    let before = folder(&sandbox);
    insta::assert_snapshot!(import(&sandbox, &["rows.csv", "--preview"]), @r#"
    replies: a preview, nothing was written
    3 rows read
    cases: 1 new, 1 here already
    texts of outputs: 2 new
    labels: 2 new
      polite: 1 fail, 1 pass by 1 person
    verdicts of judges:
      polite, old-judge: 2 new
    2 labels enter no rate: the mapping does not say that chance drew their cases (`drawn`)

    the first rows, as they were understood
    a
      polite, ann: pass
      polite, old-judge: pass
    b
      polite, ann: fail
      polite, old-judge: pass
    b
      polite, old-judge: pass
    --- exit 0
    "#);
    assert_eq!(folder(&sandbox), before, "a preview writes nothing");
    let ran = import(&sandbox, &["rows.csv"]);
    assert!(
        ran.stdout.starts_with("replies\n3 rows read\ncases: 1 new, 1 here already\n"),
        "{ran}"
    );
    let labels = rows(&sandbox);
    let said: Vec<_> = labels.iter().map(|row| (&row["case"], &row["value"])).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(labels.iter().all(|row| row["labeller"] == "ann"));
    insta::assert_snapshot!(sandbox.read(CASES), @r#"
    {"id": "a", "inputs": {"mail": "as it stands here"}}
    {"id":"b","inputs":{"mail":"Hello, there"},"source":{"import":"desk"}}
    "#);
    assert!(sandbox.read("evalsets/replies/outputs.jsonl").contains("Go away."));
    let after = folder(&sandbox);
    let again = import(&sandbox, &["rows.csv"]);
    assert!(again.stdout.contains("labels: 0 new, 2 here already"), "{again}");
    assert!(again.stdout.contains("old-judge: 0 new, 2 here already"), "{again}");
    assert_eq!(folder(&sandbox), after);
}

#[test]
fn one_bad_row_is_enough_to_bring_in_nothing_unless_it_may_be_left_out() {
    let sandbox = project();
    let before = folder(&sandbox);
    sandbox.write("rows.csv", &format!("{ROWS}c,x,Yes.,ann,fine,pass,\nd,x,,ann,good,pass,\n"));
    insta::assert_snapshot!(import(&sandbox, &["rows.csv"]), @r#"
    --- stderr
    error[imported-row]: `verdict`: found `fine`, expected one of ?, bad, good
      --> rows.csv:5:5

    error[imported-row]: `answer` is missing
      --> rows.csv:6:1

    error: the rows have 2 problems; nothing was imported
      hint: mend the rows or the mapping, or leave such rows out with --skip-bad
    --- exit 2
    "#);
    assert_eq!(folder(&sandbox), before);
    let ran = import(&sandbox, &["rows.csv", "--skip-bad"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("5 rows read, rows with 2 problems left out"), "{ran}");
    assert!(!sandbox.read(CASES).contains("\"c\""), "a row is taken whole or not at all");
    assert_eq!(rows(&sandbox).len(), 2);
}

#[test]
fn rows_that_contradict_each_other_are_named() {
    let sandbox = project();
    sandbox.write(
        "more.csv",
        "id,mail,answer,who,verdict,judge,why\nc,x,Yes.,ann,good,pass,\nc,y,No.,ann,good,,\n\
         b,\"Hello, there\",Go away.,ann,good,,\na,,Soon.,cy,good,fail,\n",
    );
    insta::assert_snapshot!(import(&sandbox, &["rows.csv", "more.csv"]), @r#"
    --- stderr
    error[imported-row]: the case `c` is another one than on line 2
      --> more.csv:3:1

    error[imported-row]: `ann` said something else of the same on rows.csv:3
      --> more.csv:4:1

    error[imported-row]: the judge `old-judge` said something else of the same on rows.csv:2
      --> more.csv:5:1

    error: the rows have 3 problems; nothing was imported
      hint: mend the rows or the mapping, or leave such rows out with --skip-bad
    --- exit 2
    "#);
}

#[test]
fn a_mapping_that_does_not_fit_the_set_says_what_to_do() {
    let sandbox = project();
    let map = MAP
        .replace("criterion: polite, value: verdict", "criterion: police, value: verdict")
        .replace("criterion: polite, value: judge", "criterion: topic, value: judge")
        .replace("case: id", "case: id\nclutser: x");
    sandbox.write("map.yaml", &map);
    insta::assert_snapshot!(import(&sandbox, &["rows.csv"]), @r#"
    --- stderr
    warning[unknown-key]: unknown key `clutser` in the mapping
      --> map.yaml:3:1
      |
    3 | clutser: x
      | ^^^^^^^
      = hint: did you mean `cluster`?

    error[unknown-criterion]: the eval set has no criterion `police`
      --> map.yaml:7:17
      |
    7 |   - {criterion: police, value: verdict, labeller_from: who, map: {good: pass, bad: fail, '?': nu
      |                 ^^^^^^
      = hint: did you mean `polite`?

    error[kind]: `topic` has categories, the mapping gives another kind of value
      --> map.yaml:9:34
      |
    9 |   - {name: old-judge, criterion: topic, value: judge, reason: why, missing: skip}
      |                                  ^^^^^
      = hint: say `as: category`, and what each value stands for under `map`

    error: the mapping map.yaml has errors
    --- exit 2
    "#);
    let map = "source: desk\ncase: id\nlabels:\n  - {criterion: topic, value: t, labeller: ann, as: category}\n";
    sandbox.write("map.yaml", map);
    sandbox.write(
        "rows.jsonl",
        "{\"id\": \"a\", \"t\": \"other\"}\n{\"id\": \"b\",  \"t\": \"dog\"}\n",
    );
    insta::assert_snapshot!(import(&sandbox, &["rows.jsonl"]), @r#"
    --- stderr
    error[imported-row]: `t`: found `dog`, expected one of delivery, other
      --> rows.jsonl:2:19

    error: the rows have 1 problem; nothing was imported
      hint: mend the rows or the mapping, or leave such rows out with --skip-bad
    --- exit 2
    "#);
}

#[test]
fn a_file_that_was_corrected_takes_the_place_of_what_it_said() {
    let sandbox = project();
    let corrected = ROWS.replace("ann,bad", "ann,good");
    for (text, values, new) in [(ROWS, 1, 2), (&corrected, 2, 1), (ROWS, 1, 1), (ROWS, 1, 0)] {
        sandbox.write("rows.csv", text);
        let ran = import(&sandbox, &["rows.csv"]);
        assert!(ran.stdout.contains(&format!("labels: {new} new")), "{ran}");
        let stats = sandbox.run(&["label", "stats", "--format", "json"]);
        let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
        assert_eq!(stats["criteria"][0]["labellers"][0]["values"]["pass"], values, "{stats}");
    }
}

#[test]
fn the_command_explains_itself() {
    let help = Sandbox::new().run(&["label", "import", "-h"]);
    assert!(help.stdout.contains("--skip-bad") && help.stdout.contains("--preview"), "{help}");
    assert!(help.stdout.contains("trysquare label import --map map.yaml rows.csv --preview"));
}

#[test]
fn rows_come_from_standard_input_too() {
    let sandbox = project();
    let arguments = ["label", "import", "--map", "map.yaml"];
    let refused = sandbox.run_with_input(&arguments, ROWS);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("format: json"), "{refused}");
    sandbox.write("map.yaml", &format!("format: csv\n{MAP}"));
    let ran = sandbox.run_with_input(&arguments, ROWS);
    assert!(ran.stdout.contains("labels: 2 new"), "{ran}");
}
