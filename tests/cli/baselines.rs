use serde_json::Value;

use crate::approved::{project, run_once};
use crate::sandbox::{Ran, Sandbox};

/// Hides what differs from one run of the test to the next.
fn redacted(sandbox: &Sandbox, ran: &Ran) -> String {
    let mut text = ran.to_string();
    for (list, key, shown) in
        [(&["runs"][..], "run", "[RUN]"), (&["baseline", "show"], "accepted", "[TIME]")]
    {
        let list = sandbox.run(&[list, &["--format", "json"]].concat());
        let list: Value = serde_json::from_str(&list.stdout).unwrap();
        for one in list.as_array().unwrap() {
            text = text.replace(one[key].as_str().unwrap(), shown);
        }
    }
    text
}

const FILE: &str = "evalsets/echo/baseline.json";

#[test]
fn the_first_baseline_is_accepted_shown_and_canonical() {
    let (sandbox, _server) = run_once();
    insta::assert_snapshot!(sandbox.run(&["baseline", "show"]), @r"
    No baseline yet. Accept a run with: trysquare baseline accept RUN
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["baseline", "show", "echo"]), @r"
    --- stderr
    error: the eval set `echo` has no baseline yet
      hint: `trysquare baseline accept RUN` makes one of a run
    --- exit 2
    ");
    insta::assert_snapshot!(sandbox.run(&["baseline", "accept", "latest"]), @r"
    accepted ask on 40 cases, the first baseline of this set
    wrote evalsets/echo/baseline.json
    wrote evalsets/echo/outputs.jsonl (40 outputs added)

    Review it with `git diff`, and commit it: a gate compares with it, and a pin needs it committed.
    --- exit 0
    ");
    insta::assert_snapshot!(redacted(&sandbox, &sandbox.run(&["baseline", "show"])), @r"
    echo
    variant      ask
    prompt       ask fe27e8c94ce9
    answers by   local/m
    accepted     [TIME]
    run          [RUN]
    cases        40

    criterion        pass  fail  between  undecided  looks before
    exact (primary)    40     0        0          0             0
    --- exit 0
    ");
    assert_eq!(sandbox.run(&["validate", "--strict"]).code, 0);
    assert_eq!(sandbox.run(&["fmt", "--check"]).code, 0);
    let baseline: Value = serde_json::from_str(&sandbox.read(FILE)).unwrap();
    let outputs = sandbox.read("evalsets/echo/outputs.jsonl");
    for case in baseline["cases"].as_array().unwrap() {
        let hash = case["outputs"][0].as_str().unwrap();
        assert!(outputs.contains(&format!("\"hash\":\"{hash}\"")), "{case}");
    }
}

#[test]
fn what_does_not_pass_the_gate_needs_a_reason_that_is_kept() {
    let (sandbox, _server) = run_once();
    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 0);
    let first = sandbox.read(FILE);
    let worse = ["baseline", "accept", "latest", "--variant", "loud"];
    insta::assert_snapshot!(sandbox.run(&worse), @r"
    --- stderr
    error: these results cannot be accepted: a rule of the gate does not hold: the primary criterion has to be no worse: it is worse
      hint: --override REASON accepts them all the same; the reason is kept in baseline.json
    --- exit 2
    ");
    assert_eq!(sandbox.read(FILE), first, "what is refused changes nothing");
    let reason = [&worse[..], &["--override", "we go back to the loud prompt"]].concat();
    insta::assert_snapshot!(sandbox.run(&reason), @r"
    accepted loud on 40 cases
    wrote evalsets/echo/baseline.json
    wrote evalsets/echo/outputs.jsonl (40 outputs added)
    overridden: a rule of the gate does not hold: the primary criterion has to be no worse: it is worse

    Review it with `git diff`, and commit it: a gate compares with it, and a pin needs it committed.
    --- exit 0
    ");
    let baseline: Value = serde_json::from_str(&sandbox.read(FILE)).unwrap();
    assert_eq!(baseline["override"]["reason"], "we go back to the loud prompt");
    assert_eq!(baseline["variant"]["name"], "loud");
    let empty = [&worse[..], &["--override", " "]].concat();
    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 0, "better than what is there");
    assert_eq!(sandbox.run(&empty).code, 2, "an empty reason is none");
}

#[test]
fn a_run_of_a_part_of_the_set_is_refused() {
    let (sandbox, _server) = project();
    let ran = sandbox.run(&["run", "echo", "--case", "m-00"]);
    assert_eq!(ran.code, 0, "{ran}");
    insta::assert_snapshot!(sandbox.run(&["baseline", "accept", "latest"]), @r"
    --- stderr
    error: these results cannot be accepted: the run covers 1 of the 40 cases that the eval set has today
      hint: --override REASON accepts them all the same; the reason is kept in baseline.json
    --- exit 2
    ");
    insta::assert_snapshot!(sandbox.run(&["baseline", "accept", "latest", "--variant", "warm"]), @r"
    --- stderr
    error: this run has no variant `warm`
      hint: the run has ask, loud; name one with --variant
    --- exit 2
    ");
}

#[test]
fn a_broken_baseline_is_reported_and_stays_as_it_is() {
    let (sandbox, _server) = run_once();
    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 0);
    let broken = sandbox.read(FILE).replace("\"samples\": 1", "\"samples\": \"one\"");
    sandbox.write(FILE, &broken);
    insta::assert_snapshot!(sandbox.run(&["validate"]), @r#"
    error[baseline]: `samples` must be a whole number up to 4294967295
      --> evalsets/echo/baseline.json:7:14
      |
    7 |   "samples": "one",
      |              ^^^^^

    1 error, 0 warnings
    --- exit 2
    "#);
    assert_eq!(sandbox.run(&["fmt"]).code, 2);
    assert_eq!(sandbox.run(&["baseline", "show"]).code, 2);
    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 2);
    assert_eq!(sandbox.read(FILE), broken);
}

#[test]
fn fmt_makes_a_baseline_canonical() {
    let (sandbox, _server) = run_once();
    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 0);
    let canonical = sandbox.read(FILE);
    let value: Value = serde_json::from_str(&canonical).unwrap();
    sandbox.write(FILE, &value.to_string());
    assert_eq!(sandbox.run(&["fmt", "--check"]).code, 2);
    assert_eq!(sandbox.run(&["fmt"]).code, 0);
    assert_eq!(sandbox.read(FILE), canonical);
}
