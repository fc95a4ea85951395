//! Runs that end as soon as their verdict is decided.

use run::{RunState, StopGoal};
use score::Status;
use serde_json::Value;
use test_provider::{Behaviour, TestProvider};

use crate::project::Project;

const CASES: usize = 120;

/// A project with a second variant, `worse`, which asks for something else than is expected.
fn two_variants(server: &TestProvider) -> Project {
    let project = Project::new(&server.origin(), CASES);
    let ask = project.read("prompts/ask.prompt");
    project.write("prompts/worse.prompt", &ask.replace("\n{{message}}", "\nnot {{message}}"));
    let set = project.read("evalsets/set/evalset.yaml");
    let set = set.replace("  ask:\n", "  worse:\n  ask:\ncandidate: ask\nmargin: 0.2\n");
    project.write("evalsets/set/evalset.yaml", &set);
    project
}

/// What a comparison says.
fn comparison(project: &Project, sides: &[&str]) -> Value {
    let ran = project.run(&[&["compare"], sides, &["--format", "json"]].concat()).expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    report["sections"][0]["comparison"].clone()
}

/// What a comparison without a warning says of the primary criterion.
fn decision(project: &Project, sides: &[&str]) -> Value {
    let compared = comparison(project, sides);
    assert_eq!(compared["warnings"].as_array().unwrap().len(), 0, "{}", compared["warnings"]);
    compared["criteria"][0]["decision"].clone()
}

#[test]
fn a_clear_gain_ends_a_run_early_and_the_run_is_complete() {
    let server = TestProvider::echoing();
    let project = two_variants(&server);
    project
        .run(&["run", "set", "--until-decided", "--concurrency", "2"])
        .expect(0)
        .says("of 120 cases: better, valid at any stopping time");
    let sent = server.counts().requests;
    let record = project.latest();
    assert_eq!(record.state, RunState::Complete);
    assert!(sent < CASES as u64, "{sent} of {} calls were sent", 2 * CASES);
    assert_eq!(record.attempts.len() as u64, sent, "what was sent is recorded");
    let asked = record.header.until_decided.unwrap();
    assert_eq!((asked.baseline, asked.candidate, asked.goal), (0, 1, StopGoal::Better));

    let decided = decision(&project, &["worse", "ask"]);
    assert_eq!(decided["verdict"], "better");
    assert_eq!(decided["method"]["kind"], "sequence");
    assert_eq!(decided["method"]["why"]["kind"], "until_decided");
    // What the run did not need is not missing.
    let shown = project.run(&["show", "latest"]).expect(0).stdout;
    assert!(!shown.contains("interim"), "{shown}");
    // The other way round it is the same evidence.
    assert_eq!(decision(&project, &["ask", "worse"])["verdict"], "worse");
}

#[test]
fn a_run_that_is_never_decided_ends_with_its_plan_and_still_has_been_looked_at() {
    let server = TestProvider::echoing();
    let project = two_variants(&server);
    // Neither asks for what is expected, each in its own words.
    let ask = project.read("prompts/ask.prompt");
    project.write("prompts/ask.prompt", &ask.replace("\n{{message}}", "\nnor {{message}}"));
    let set = project.read("evalsets/set/evalset.yaml").replace("margin: 0.2", "margin: 0.01");
    project.write("evalsets/set/evalset.yaml", &set);
    project.run(&["run", "set", "--until-decided", "--goal", "no-worse"]).expect(0);
    let record = project.latest();
    assert_eq!(record.count(Status::Fail), 2 * CASES, "every cell has its outcome");
    let decided = decision(&project, &["worse", "ask"]);
    assert_eq!(
        (&decided["verdict"], &decided["method"]["why"]["kind"]),
        (&"not_enough".into(), &"until_decided".into())
    );
}

#[test]
fn a_run_that_goes_on_after_its_verdict_was_shown_has_more_cases_than_were_looked_at() {
    let server = TestProvider::echoing();
    let project = two_variants(&server);
    project.run(&["run", "set", "--cap", "0.0008"]).expect(3).says("Stopped at the cap");
    let ended = comparison(&project, &["worse", "ask"])["criteria"][0]["decision"].clone();
    let why = &ended["method"]["why"];
    assert_eq!((&why["kind"], &why["at_cap"]), (&"ended_early".into(), &true.into()));
    let looked_at = ended["cases"].as_u64().unwrap();
    assert!(looked_at > 0 && looked_at < CASES as u64, "{ended}");
    project.run(&["resume", "latest", "--cap", "1"]).expect(0);
    let whole = decision(&project, &["worse", "ask"]);
    assert_eq!(whole["method"]["why"]["kind"], "more_cases", "{whole}");
    assert_eq!(whole["cases"], CASES);
    // The answers are those that were looked at and more, not others.
    assert_eq!(whole["confidence"], 0.95);
}

#[test]
fn no_worse_is_decided_early_and_errors_are_left_out() {
    let server = TestProvider::start(|request| {
        if request.last_text().contains("set-00") {
            return Behaviour::refuse(400, "invalid_request_error", "not this one");
        }
        Behaviour::echo(request)
    });
    let project = two_variants(&server);
    project.write("prompts/worse.prompt", &project.read("prompts/ask.prompt"));
    let cases = project.read("evalsets/set/cases.jsonl");
    assert_eq!(cases.lines().count(), CASES);
    // Errors are outcomes, so the exit code tells of them though the verdict is clear.
    project
        .run(&["run", "set", "--until-decided", "--goal", "no-worse", "--against", "worse"])
        .says("of 120 cases: no worse, valid at any stopping time");
    assert_eq!(project.latest().state, RunState::Complete);
}

#[test]
fn what_cannot_decide_is_refused_before_anything_is_sent() {
    let server = TestProvider::echoing();
    let project = two_variants(&server);
    let refused = |args: &[&str], why: &str| {
        project.run(&[&["run", "set", "--until-decided"], args].concat()).expect(2).says(why);
    };
    refused(&["--variant", "ask"], "nothing is left to compare `ask` with");
    refused(&["--against", "none"], "no variant `none`");
    let set = project.read("evalsets/set/evalset.yaml");
    project.write("evalsets/set/evalset.yaml", &set.replace("margin: 0.2\n", ""));
    refused(&["--goal", "no-worse"], "needs a margin");
    assert_eq!(server.counts().requests, 0);
}
