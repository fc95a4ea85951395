use crate::approved::{CASES, project};
use crate::sandbox::{Ran, Sandbox};

/// Runs a gate over recordings only, with its report as files.
fn gate(sandbox: &Sandbox) -> Ran {
    sandbox.run(&["gate", "echo", "--replay", "--report", "md=gate.md,junit=gate.xml"])
}

fn ran_well(sandbox: &Sandbox, arguments: &[&str]) {
    let ran = sandbox.run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}\n{ran}");
}

/// A project whose candidate is recorded and approved.
fn approved() -> (Sandbox, test_provider::TestProvider) {
    let (sandbox, server) = project();
    ran_well(&sandbox, &["run", "echo", "--variant", "ask", "--record"]);
    ran_well(&sandbox, &["baseline", "accept", "latest"]);
    (sandbox, server)
}

fn edit_prompt(sandbox: &Sandbox, end: &str) {
    let text = sandbox.read("prompts/ask.prompt");
    sandbox.write(
        "prompts/ask.prompt",
        &text.replace("{{message}}\n", &format!("{{{{message}}}}{end}\n")),
    );
}

#[test]
fn what_is_as_it_was_approved_passes_and_says_that_it_was_replayed() {
    let (sandbox, server) = approved();
    let before = server.seen().len();
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(server.seen().len(), before, "a replay sends nothing");
    let report = sandbox.read("gate.md");
    let first = report.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    assert!(first.is_some_and(|line| line.to_lowercase().contains("replay")), "{report}");
    assert!(sandbox.read("gate.xml").contains("<testsuite"));
    let compared = sandbox.run(&["compare", "baseline", "latest"]);
    assert_eq!(compared.code, 0, "{compared}");
    assert!(compared.stdout.contains("ask (baseline)"), "{compared}");
}

#[test]
fn an_edited_prompt_is_incomplete_until_it_is_recorded_and_then_decided_by_its_cases() {
    let (sandbox, _server) = approved();
    edit_prompt(&sandbox, "!");
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.stderr.contains("trysquare run echo --variant ask --record"), "{ran}");
    let report = sandbox.read("gate.md");
    assert!(report.contains("Without a usable result"), "written also when it fails: {report}");
    ran_well(&sandbox, &["run", "echo", "--variant", "ask", "--record"]);
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stdout.contains(&format!("{CASES} broke")), "{ran}");
    assert!(sandbox.read("gate.md").contains("m-39"), "the broken cases are named");
}

#[test]
fn recorded_requests_are_sent_again_where_that_is_possible() {
    let (sandbox, server) = approved();
    let ran = sandbox.run(&["gate", "echo", "--replay", "--verify", "3"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("Sent again: 3 recorded requests"), "{ran}");
    drop(server);
    let ran = sandbox.run(&["gate", "echo", "--replay", "--verify", "1"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("of which 1 failed"), "{ran}");
}

#[test]
fn a_changed_margin_stands_on_top() {
    let (sandbox, _server) = approved();
    let settings = sandbox.read("evalsets/echo/evalset.yaml");
    sandbox.write("evalsets/echo/evalset.yaml", &settings.replace("margin: 0.05", "margin: 0.2"));
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("margin was 0.05 and is 0.2"), "{ran}");
}

#[test]
fn variants_are_those_of_the_newest_run_that_has_them_all() {
    let (sandbox, _server) = approved();
    ran_well(&sandbox, &["run", "echo"]);
    assert_eq!(gate(&sandbox).code, 0, "its run has the candidate alone");
    let ran = sandbox.run(&["compare", "ask", "loud"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("loud is worse"), "{ran}");
}

#[test]
fn another_primary_criterion_stands_on_top() {
    let (sandbox, _server) = approved();
    let settings = sandbox.read("evalsets/echo/evalset.yaml");
    let settings = settings.replace("primary: exact", "primary: some")
        + "  - {name: some, kind: length, min: 1}\n";
    sandbox.write("evalsets/echo/evalset.yaml", &settings);
    let ran = gate(&sandbox);
    assert!(ran.stdout.contains("primary was exact and is some"), "{ran}");
}

#[test]
fn what_cannot_be_used_is_refused_with_what_to_do() {
    let (sandbox, _server) = project();
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 2, "{ran}");
    assert!(ran.stderr.contains("baseline accept"), "{ran}");
    let (sandbox, _server) = approved();
    let settings = sandbox.read("evalsets/echo/evalset.yaml");
    for line in ["margin: 0.05\n", "candidate: ask\n", "primary: exact\n"] {
        sandbox.write("evalsets/echo/evalset.yaml", &settings.replace(line, ""));
        let ran = gate(&sandbox);
        assert_eq!(ran.code, 2, "without {line}\n{ran}");
        assert!(ran.stderr.contains("and a gate needs one"), "{ran}");
    }
    sandbox.write("evalsets/echo/evalset.yaml", &settings);
    let cases = sandbox.read("evalsets/echo/cases.jsonl");
    let first = cases.lines().next().unwrap();
    sandbox.write("evalsets/echo/cases.jsonl", &format!("{cases}{first}\n"));
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 2, "a duplicate id\n{ran}");
    let report = sandbox.read("gate.md");
    assert!(report.contains("No answer, because the input cannot be used"), "{report}");
    assert!(report.contains("cases.jsonl"), "the place of the duplicate is told: {report}");
    let xml = sandbox.read("gate.xml");
    assert!(xml.contains("<error type=\"unusable\""), "{xml}");
}

#[test]
fn what_is_gone_new_and_decided_otherwise_since_the_baseline_stands_on_top() {
    let (sandbox, _server) = approved();
    let cases = sandbox.read("evalsets/echo/cases.jsonl");
    let mut rows: Vec<String> = cases.lines().map(str::to_owned).collect();
    rows.remove(3);
    rows[0] = rows[0].replace("\"expected\":\"echo: m-00\"", "\"expected\":\"echo: m-00!\"");
    rows.push(rows[5].replace("m-06", "m-99"));
    sandbox.write("evalsets/echo/cases.jsonl", &format!("{}\n", rows.join("\n")));
    let settings = sandbox.read("evalsets/echo/evalset.yaml");
    let other = settings.replace("{{expected}}", "{{expected}}x");
    sandbox.write("evalsets/echo/evalset.yaml", &other);
    ran_well(&sandbox, &["run", "echo", "--variant", "ask", "--record"]);
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 1, "{ran}");
    let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "Changed since the baseline was accepted: the cases, 1 gone, 1 new, 1 with another content.",
        "Changed since the baseline was accepted: what decides exact.",
        "the check exact is not the same on both sides",
    ] {
        assert!(words.contains(told), "no {told}: {ran}");
    }
}

#[test]
fn a_verification_that_can_send_nothing_says_so_and_the_gate_goes_on() {
    let (sandbox, _server) = approved();
    let settings = sandbox.read("trysquare.yaml");
    // The key is nowhere; recordings need none.
    sandbox
        .write("trysquare.yaml", &settings.replace("    models:", "    key: nowhere\n    models:"));
    let ran = sandbox.run(&["gate", "echo", "--replay", "--verify", "2"]);
    assert_eq!(ran.code, 0, "{ran}");
    let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Recorded requests were not sent again: "), "{ran}");
}

#[test]
fn a_replay_is_of_the_days_of_the_recordings_that_answered() {
    let (sandbox, _server) = approved();
    let file = "evalsets/echo/recorded.jsonl";
    let standing = sandbox.read(file);
    let dated = |row: &str, day: &str| {
        let (before, rest) = row.split_once("\"recorded_at\":\"").unwrap();
        format!("{before}\"recorded_at\":\"{day}{}", &rest[10..])
    };
    let mut rows: Vec<String> = standing.lines().map(|row| dated(row, "2026-02-03")).collect();
    // One that no call of today's files asks for.
    let (start, rest) = rows[0].split_once("\"key\":\"").unwrap();
    let other = format!("{start}\"key\":\"{}{}", "0".repeat(64), &rest[64..]);
    rows.push(dated(&other.replace("echo: ", "echo again: "), "2020-01-01"));
    sandbox.write(file, &format!("{}\n", rows.join("\n")));
    let ran = gate(&sandbox);
    assert_eq!(ran.code, 0, "{ran}");
    let report = sandbox.read("gate.md");
    assert!(report.starts_with("> **replayed: recorded on 2026-02-03**"), "{report}");
}

#[test]
fn a_refused_acceptance_that_prints_a_verdict_is_a_look() {
    let (sandbox, _server) = approved();
    edit_prompt(&sandbox, "!");
    ran_well(&sandbox, &["run", "echo", "--variant", "ask"]);
    let refused = sandbox.run(&["baseline", "accept", "latest"]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("a rule of the gate does not hold"), "{refused}");
    let other = sandbox.read("prompts/ask.prompt").replace("{{message}}!", "{{message}}?");
    sandbox.write("prompts/ask.prompt", &other);
    ran_well(&sandbox, &["run", "echo", "--variant", "ask"]);
    let compared = sandbox.run(&["compare", "baseline", "latest"]);
    assert!(compared.stdout.contains("2 candidates tried"), "{compared}");
}
