use serde_json::Value;

use crate::sandbox::Sandbox;

/// A project whose latest run holds outputs of `old`, `new` and `same`, made elsewhere: of `count`
/// cases `old` gets every second right, `new` all of them, `same` what `old` does.
fn scored(count: usize) -> Sandbox {
    let sandbox = Sandbox::with_project();
    sandbox.write(
        "evalsets/order-number/evalset.yaml",
        "format: 1\nvariants:\n  order-number:\nchecks:\n  \
         - {name: exact, kind: equals, value: \"{{expected}}\"}\n",
    );
    run(&sandbox, count);
    sandbox
}

fn run(sandbox: &Sandbox, count: usize) {
    let (mut cases, mut outputs) = (String::new(), String::new());
    for number in 0..count {
        let (id, right) = (format!("c-{number:02}"), format!("A-{number}"));
        cases += &format!(
            "{{\"id\":\"{id}\",\"inputs\":{{\"message\":\"Where is {right}?\"}},\"expected\":\"{right}\"}}\n"
        );
        let old = if number % 2 == 0 { right.as_str() } else { "none" };
        for (variant, output) in [("old", old), ("new", right.as_str()), ("same", old)] {
            outputs += &format!(
                "{{\"case\":\"{id}\",\"output\":\"{output}\",\"variant\":\"{variant}\"}}\n"
            );
        }
    }
    sandbox.write("evalsets/order-number/cases.jsonl", &cases);
    sandbox.write("outputs.jsonl", &outputs);
    score(sandbox);
}

fn score(sandbox: &Sandbox) {
    let file = sandbox.path("project/outputs.jsonl");
    let ran = sandbox.run(&["score", "--set", "order-number", "--outputs", file.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran}");
}

fn report(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let ran = sandbox.run(&[&["compare"], arguments, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{ran}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_comparison_says_the_verdict_and_what_it_rests_on() {
    let sandbox = scored(12);
    insta::assert_snapshot!(sandbox.run(&["compare", "old", "new", "--cases", "2"]), @r#"
    order-number: new against old

    new against old on order-number
    new is better: 6 fixed, 0 broke, 6 unchanged. +50.0 points (95 %: +13.6 to +74.6).
      By Tango's interval for paired pass and fail; decided by checks.
      12 cases are enough to see a true change of 53.5 points (80 % power).
      Look 1 at this comparison; 1 candidate tried against this baseline on this set.

                  new passes  new fails
      old passes           6  ▼ 0 broke
      old fails    ▲ 6 fixed          0

      exact (primary): better
        +50.0 points, 95 %: +13.6 to +74.6
        old 50.0 % · 25–75 · new 100.0 % · 76–100 · n 12

    ▲ 6 fixed on exact
      c-01  fail → pass
        input      Where is A-1?
        expected   A-1
        before     none
        now        A-1
        fail       expected "A-1", found "none" (they differ from line 1, column 1 on)
      c-03  fail → pass
        input      Where is A-3?
        expected   A-3
        before     none
        now        A-3
        fail       expected "A-3", found "none" (they differ from line 1, column 1 on)
      4 more cases not listed here.
    --- exit 0
    "#);
    // The exit code says nothing about the verdict.
    let worse = report(&sandbox, &["new", "old"]);
    assert_eq!(worse["sections"][0]["comparison"]["criteria"][0]["decision"]["verdict"], "worse");
}

#[test]
fn showing_the_same_again_is_no_look_and_more_cases_after_one_are_decided_by_the_sequence() {
    let sandbox = scored(12);
    let looks = |report: &Value| report["sections"][0]["history"]["looks"].clone();
    let method = |report: &Value| {
        report["sections"][0]["comparison"]["criteria"][0]["decision"]["method"].clone()
    };
    assert_eq!(looks(&report(&sandbox, &["old", "new"])), 1);
    let again = report(&sandbox, &["old", "new"]);
    assert_eq!((looks(&again), method(&again)["kind"].clone()), (1.into(), "tango".into()));
    assert_eq!(again["sections"][0]["history"]["candidates"], 1);
    run(&sandbox, 20);
    let more = report(&sandbox, &["old", "new"]);
    assert_eq!((looks(&more), method(&more)["kind"].clone()), (2.into(), "sequence".into()));
    assert_eq!(method(&more)["why"]["kind"], "more_cases");
    let several = report(&sandbox, &["old", "new", "same"]);
    assert_eq!(several["sections"][1]["history"]["candidates"], 2);
    assert_eq!(several["sections"].as_array().unwrap().len(), 2);
}

#[test]
fn answering_the_same_cases_anew_is_another_try_and_the_first_answers_stay_the_first() {
    let sandbox = scored(40);
    let decision = |report: &Value| {
        report["sections"][0]["comparison"]["criteria"][0]["decision"]["confidence"].clone()
    };
    let looks = |report: &Value| report["sections"][0]["history"]["looks"].clone();
    let first = report(&sandbox, &["old", "new"]);
    assert_eq!((looks(&first), decision(&first)), (1.into(), 0.95.into()));
    // The same text from another run is the same answer.
    run(&sandbox, 40);
    let same = report(&sandbox, &["old", "new"]);
    assert_eq!((looks(&same), decision(&same)), (1.into(), 0.95.into()));
    let outputs = sandbox.read("outputs.jsonl");
    for (answer, level, looked) in [("nothing", 0.975, 2), ("no idea", 0.9875, 3)] {
        sandbox.write("outputs.jsonl", &outputs.replace("none", answer));
        score(&sandbox);
        let again = report(&sandbox, &["old", "new"]);
        assert_eq!((looks(&again), decision(&again)), (looked.into(), level.into()));
        let warnings = &again["sections"][0]["comparison"]["warnings"];
        assert_eq!(warnings[0]["kind"], "answers_again", "{warnings}");
        // Turning the sides round is no way out, and no further look.
        let swapped = report(&sandbox, &["new", "old"]);
        assert_eq!((looks(&swapped), decision(&swapped)), (looked.into(), level.into()));
    }
    sandbox.write("outputs.jsonl", &outputs);
    score(&sandbox);
    let first = report(&sandbox, &["old", "new"]);
    assert_eq!((looks(&first), decision(&first)), (3.into(), 0.95.into()));
}

#[test]
fn a_change_of_the_margin_counts_for_runs_that_are_made_or_scored_after_it() {
    let sandbox = scored(12);
    let margin = |report: &Value| report["sections"][0]["comparison"]["margin"].clone();
    let before = margin(&report(&sandbox, &["old", "new"]));
    let settings = sandbox.read("evalsets/order-number/evalset.yaml");
    sandbox.write("evalsets/order-number/evalset.yaml", &format!("{settings}margin: 0.125\n"));
    assert_eq!(margin(&report(&sandbox, &["old", "new"])), before);
    let ran = sandbox.run(&["score", "latest"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(margin(&report(&sandbox, &["old", "new"])), 0.125);
}

#[test]
fn reports_are_written_as_files_of_every_kind() {
    let sandbox = scored(12);
    let place = |file: &str| sandbox.path(&format!("project/{file}")).display().to_string();
    let files = ["md", "html", "junit", "csv", "json"]
        .map(|kind| format!("{kind}={}", place(&format!("report.{kind}"))))
        .join(",");
    let ran = sandbox.run(&["compare", "old", "new", "--report", &files]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(sandbox.read("report.html").starts_with("<!DOCTYPE html>"));
    assert!(sandbox.read("report.md").contains("new is better"));
    assert!(sandbox.read("report.junit").contains("<testsuite"));
    assert_eq!(sandbox.read("report.csv").lines().count(), 13);
    let json: Value = serde_json::from_str(&sandbox.read("report.json")).unwrap();
    assert_eq!(json["format"], 1);
}

#[test]
fn a_side_that_is_none_is_named_with_what_there_is() {
    let sandbox = scored(2);
    let told = |arguments: &[&str]| {
        let ran = sandbox.run(&[&["compare"], arguments].concat());
        assert_eq!(ran.code, 2, "{ran}");
        ran.stderr
    };
    let all = [
        told(&["old", "newer"]),
        told(&["latest", "old"]),
        told(&["old", "latest/old"]),
        told(&["old", "ffff/new"]),
        told(&["old", "latest/newer"]),
        told(&["old", "new", "--set", "other"]),
        told(&["old", "new", "--report", "pdf=x"]),
        told(&["old", "new", "--report", "md"]),
    ];
    insta::assert_snapshot!(all.concat(), @r"
    error: `newer` is neither a run nor a variant of the latest run
      hint: that run, of `order-number`, has old, new, same; --set chooses another eval set, RUN/VARIANT another run
    error: the run `latest` has several variants
      hint: say latest/VARIANT; it has old, new, same
    error: `latest/old` names results that are named already
      hint: a variant of an earlier run is named RUN/VARIANT
    error: there is no run `ffff`
      hint: `trysquare runs` lists them; `latest` is the newest
    error: the run `latest` has no variant `newer`
      hint: it has old, new, same
    error: this project has no runs of `other` yet
      hint: start one with `trysquare run other`
    error: there is no kind of report `pdf`
      hint: say KIND=FILE with md, html, junit, csv or json, as in md=comparison.md
    error: `--report md` names no file
      hint: say KIND=FILE with md, html, junit, csv or json, as in md=comparison.md
    ");
}

#[test]
fn what_a_report_leaves_out_of_a_long_text_is_counted() {
    let (sandbox, _server) = crate::approved::project();
    let long = "x".repeat(2_500);
    let inputs = format!(r#"{{"message":"hi","thread":"{long}"}}"#);
    sandbox.write(
        "evalsets/echo/cases.jsonl",
        &format!("{{\"id\":\"long\",\"inputs\":{inputs},\"expected\":\"echo: hi\"}}\n"),
    );
    let ran = sandbox.run(&["run", "echo"]);
    assert_eq!(ran.code, 0, "{ran}");
    let ran = sandbox.run(&["compare", "ask", "loud", "--report", "md=c.md,html=c.html"]);
    assert_eq!(ran.code, 0, "{ran}");
    for (file, shown) in [("c.md", 600), ("c.html", 2_000)] {
        let report = sandbox.read(file);
        let more = format!("… {} more characters", inputs.len() - shown);
        assert!(report.contains(&more), "{report}");
    }
}

#[test]
fn a_size_for_a_change_larger_than_what_differs_says_what_that_change_needs() {
    let sandbox = Sandbox::with_project();
    let ran = sandbox.run(&["plan-size", "--discordant", "20", "--change", "30"]);
    insta::assert_snapshot!(ran, @r"
    To see a change of 30.0 points with 80 % power you need about 24 cases, if 30.0 % of the cases differ, and a change of that size makes no fewer differ.
    --- exit 0
    ");
}

#[test]
fn what_nobody_knows_of_cost_tokens_and_latency_is_not_shown_as_nothing() {
    let sandbox = scored(12);
    let text = sandbox.run(&["compare", "old", "new"]).stdout;
    assert!(!text.contains("$0.00") && !text.contains("0 ms"), "{text}");
    let measures =
        report(&sandbox, &["old", "new"])["sections"][0]["comparison"]["measures"].clone();
    assert!(!measures.to_string().contains("\"value\":0.0"), "{measures}");
}
