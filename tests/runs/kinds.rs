//! Kinds of judges besides one verdict on one output: several criteria, probabilities, juries, pairs.

use std::collections::{BTreeMap, BTreeSet};

use evalset::ScoreSource;
use score::{Outcome, Status};
use serde_json::{Value, json};
use test_provider::{Behaviour, SeenRequest, TestProvider};

use crate::project::{Project, settings};

/// Front matter with one line of config and an output schema, given below `schema:`.
fn judge(config: &str, schema: &str, body: &str) -> String {
    let schema: String = schema.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "---\nmodel: local/m\nconfig: {{maxOutputTokens: 64, {config}}}\noutput:\n  \
         schema:\n{schema}---\n{body}\n"
    )
}

const VERDICT: &str = "reason: string\nverdict(enum): [pass, fail]";

fn set(project: &Project, more: &str) {
    project.write(
        "evalsets/set/evalset.yaml",
        &format!(
            "format: 1\nvariants:\n  ask:\nchecks:\n  \
             - {{name: exact, kind: equals, value: \"{{{{expected}}}}\"}}\n{more}"
        ),
    );
}

fn is_judging(request: &SeenRequest) -> bool {
    request.texts().iter().any(|text| text.contains("<judged-output"))
}

fn judge_requests(server: &TestProvider) -> usize {
    server.seen().iter().filter(|request| is_judging(request)).count()
}

/// Returns what counts of a judge or a jury, by case.
fn said(project: &Project, name: &str) -> Vec<(Outcome, String)> {
    let record = project.latest();
    let newest = record.scores.iter().map(|(_, score)| score.generation).max();
    let case_of: BTreeMap<u32, &str> =
        record.cells.iter().map(|(cell, _)| (cell.index, cell.case_id.as_str())).collect();
    let own = record.scores.iter().filter(|(_, score)| {
        let scored = &score.score;
        Some(score.generation) == newest
            && scored.name == name
            && scored.score.source == ScoreSource::Judge
    });
    let by_case: BTreeMap<&str, _> = own
        .map(|(cell, found)| {
            let score = found.score.score.clone();
            (case_of[cell], (score.outcome, score.reason))
        })
        .collect();
    by_case.into_values().collect()
}

fn outcomes(project: &Project, name: &str) -> Vec<Outcome> {
    said(project, name).into_iter().map(|(outcome, _)| outcome).collect()
}

#[test]
fn one_call_answers_on_several_criteria_and_a_missing_one_is_asked_for_once_more() {
    let server = TestProvider::start(|request| {
        if !is_judging(request) {
            return Behaviour::echo(request);
        }
        let one = |verdict: &str| json!({"reason": "because", "verdict": verdict});
        let is_partial = request.texts().iter().any(|text| text.contains("set-001"));
        let criteria = if is_partial {
            json!({"polite": one("pass")})
        } else {
            json!({"polite": one("pass"), "short": one("fail")})
        };
        Behaviour::text(json!({"criteria": criteria}).to_string())
    });
    let project = Project::new(&server.origin(), 3);
    let each = "reason: string\n    verdict(enum): [pass, fail]";
    let schema =
        format!("criteria(object):\n  polite(object):\n    {each}\n  short(object):\n    {each}");
    project.write("judges/tone.prompt", &judge("temperature: 0", &schema, "{{output}}"));
    set(&project, "judges:\n  - {judge: tone, criteria: [polite, short]}\nprimary: polite\n");
    let ran = project.run(&["run", "set"]).expect(0);
    ran.says("polite, short").says("asking again: 1 verdict cannot be read");
    assert_eq!(judge_requests(&server), 4, "a call for each output, and one again");
    assert_eq!(outcomes(&project, "polite"), [Outcome::Pass, Outcome::Pass, Outcome::Pass]);
    let short = said(&project, "short");
    let words: Vec<&Outcome> = short.iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(words, [&Outcome::Fail, &Outcome::Unreadable, &Outcome::Fail]);
    assert!(short[1].1.contains("says nothing on `short`"), "{}", short[1].1);
    assert_eq!(project.latest().count(Status::Pass), 3, "the primary criterion was readable");
    project.run(&["resume", "latest"]).expect(0);
    project.run(&["score", "latest", "--judge", "tone"]).expect(0);
    assert_eq!(judge_requests(&server), 4);
    assert_eq!((outcomes(&project, "polite").len(), outcomes(&project, "short").len()), (3, 3));
}

#[test]
fn a_threshold_decides_by_the_probability_of_the_verdict_and_changing_it_asks_nobody() {
    let server = TestProvider::start(|request| {
        if !is_judging(request) {
            return Behaviour::echo(request);
        }
        Behaviour::text(r#"{"reason": "because", "verdict": "pass"}"#)
    });
    let project = Project::new(&server.origin(), 2);
    project.write("judges/sure.prompt", &judge("logprobs: 3", VERDICT, "{{output}}"));
    // The server gives every token a probability between 0.36 and 0.89.
    for (threshold, outcome) in [("0.95", Outcome::Fail), ("0.3", Outcome::Pass)] {
        set(&project, &format!("judges:\n  - {{judge: sure, threshold: {threshold}}}\n"));
        if judge_requests(&server) == 0 {
            project.run(&["run", "set"]).expect(0);
        } else {
            project.run(&["score", "latest"]).expect(0);
        }
        assert_eq!(outcomes(&project, "sure"), [outcome.clone(), outcome]);
    }
    assert_eq!(judge_requests(&server), 2);
    let asked = server.seen().into_iter().find(is_judging).unwrap();
    assert_eq!(asked.json["top_logprobs"], 3);
}

#[test]
fn a_changed_threshold_is_another_version_and_certifies_nothing_that_was_said_before() {
    let server = TestProvider::start(|request| {
        if !is_judging(request) {
            return Behaviour::echo(request);
        }
        Behaviour::text(r#"{"reason": "because", "verdict": "pass"}"#)
    });
    let project = Project::new(&server.origin(), 2);
    project.write("judges/sure.prompt", &judge("logprobs: 3", VERDICT, "{{output}}"));
    let threshold = |threshold: &str| {
        let judges = format!("judges:\n  - {{judge: sure, threshold: {threshold}}}\n");
        set(&project, &format!("{judges}primary: sure\nsplit: {{train: 0, dev: 0, test: 100}}\n"));
    };
    threshold("0.3");
    project.run(&["run", "set"]).expect(0);
    let row = |case: &str| json!({"id": case, "answer": format!("echo: {case}"), "said": "pass"});
    label(&project, "answer", "sure", row);
    let certificate = || project.read("judges/sure.trust.json");
    project.run(&["calibrate", "sure"]).expect(0).says("2 of 2");
    let before = certificate();
    threshold("0.95");
    project.run(&["calibrate", "sure"]).expect(2).says("has judged nothing");
    assert_eq!(certificate(), before);
    project.run(&["score", "latest"]).expect(0);
    project.run(&["calibrate", "sure"]).expect(0).says("0 of 2").says("its config");
    assert_ne!(certificate(), before);
    assert_eq!(judge_requests(&server), 2, "the answers are the same");
    let record = project.latest();
    let judged = record.scores.iter().map(|(_, score)| &score.score);
    let versions: BTreeSet<_> = judged
        .filter(|score| score.score.source == ScoreSource::Judge)
        .map(|score| score.scored_by)
        .collect();
    assert_eq!(versions.len(), 2, "a comparison refuses what was read by two thresholds");
}

#[test]
fn a_verdict_without_its_probability_meets_no_threshold_and_is_not_asked_again() {
    let server = TestProvider::start(|request| {
        if !is_judging(request) {
            return Behaviour::echo(request);
        }
        let text = r#"{"reason": "because", "verdict": "pass"}"#;
        let choice = json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}});
        let usage = json!({"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18});
        let body = json!({"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage});
        Behaviour::json(200, &body)
    });
    let project = Project::new(&server.origin(), 1);
    project.write("judges/sure.prompt", &judge("logprobs: 3", VERDICT, "{{output}}"));
    set(&project, "judges:\n  - {judge: sure, threshold: 0.5}\n");
    project.run(&["run", "set"]).expect(0);
    let (outcome, reason) = said(&project, "sure").remove(0);
    assert_eq!(outcome, Outcome::Unreadable);
    assert!(reason.contains("no log-probability came"), "{reason}");
    assert_eq!(judge_requests(&server), 1, "it would come back as it is");
}

/// A decision endpoint under either contract, which is surer of the first case than of the others.
fn decides(request: &SeenRequest) -> Behaviour {
    let said = |text: &Value| if text.to_string().contains("set-000") { 0.9 } else { 0.4 };
    let usage = json!({"input_tokens": 20});
    if !request.json["state"].is_null() {
        let asked = request.json["questions"].as_object().unwrap().keys();
        let answer = json!({"type": "noul", "noul": said(&request.json["state"])});
        let answers: serde_json::Map<String, Value> =
            asked.map(|name| (name.clone(), answer.clone())).collect();
        return Behaviour::json(200, &json!({"model": "d", "answers": answers, "usage": usage}));
    }
    let probability = said(&request.json["input"]);
    let answer = |question: &Value| {
        if request.json["input"].as_str().unwrap().contains("set-002") {
            return json!({"type": "predicate", "name": question["name"], "refusal": "not this"});
        }
        json!({"type": "predicate", "name": question["name"], "probability": probability})
    };
    let answers: Vec<Value> =
        request.json["questions"].as_array().unwrap().iter().map(answer).collect();
    Behaviour::json(200, &json!({"model": "d", "answers": answers, "usage": usage}))
}

#[test]
fn a_decision_model_gives_probabilities_under_the_contract_that_the_provider_names() {
    let server = TestProvider::start(|request| {
        if request.path() == "/v1/chat/completions" {
            Behaviour::echo(request)
        } else {
            decides(request)
        }
    });
    let decisions = |server: &TestProvider| {
        server.seen().into_iter().filter(|request| request.protocol.is_none()).count()
    };
    let contracts = [
        ("openai-decisions", "/v1/decisions"),
        ("system-one", "/v1/systemone"),
        ("system-one-decisions", "/v1/decisions"),
    ];
    for (place, (protocol, path)) in contracts.into_iter().enumerate() {
        let project = Project::new(&server.origin(), 3);
        let provider = format!(
            "  decide:\n    protocol: {protocol}\n    base_url: {}\n    models:\n      d:\n        \
             prices: {{input: 1, output: 0}}\n",
            server.origin()
        );
        let own = settings(&server.origin(), "");
        project.write(
            "trysquare.yaml",
            &own.replacen("providers:\n", &format!("providers:\n{provider}"), 1),
        );
        project.write(
            "judges/right.prompt",
            "---\nmodel: decide/d\noutput:\n  schema:\n    probability: number\n---\n{{role \"system\"}}Is \
             this answer right?\n{{role \"user\"}}{{output}}\n",
        );
        set(&project, "judges:\n  - {judge: right, threshold: 0.5}\n");
        project.run(&["run", "set"]).expect(0);
        let refuses = place == 0;
        let last = if refuses { Outcome::Unreadable } else { Outcome::Fail };
        assert_eq!(outcomes(&project, "right"), [Outcome::Pass, Outcome::Fail, last.clone()]);
        set(&project, "judges:\n  - {judge: right, threshold: 0.3}\n");
        project.run(&["score", "latest"]).expect(0);
        let last = if refuses { last } else { Outcome::Pass };
        assert_eq!(outcomes(&project, "right"), [Outcome::Pass, Outcome::Pass, last]);
        assert_eq!(decisions(&server), 3 * (place + 1), "something was asked twice");
        let seen = server.seen();
        let asked = seen.iter().rfind(|request| request.protocol.is_none()).unwrap();
        assert_eq!(asked.path(), path);
        assert!(asked.json.to_string().contains("Is this answer right?"), "{}", asked.json);
        // Its bill is by its own prices: 20 input tokens each.
        project.run(&["costs"]).expect(0).says("0.00006");
    }
}

#[test]
fn a_jury_decides_and_its_members_do_not_count() {
    let server = TestProvider::start(|request| {
        if !is_judging(request) {
            return Behaviour::echo(request);
        }
        let text = request.last_text();
        let passes = match (text.contains("strictly"), text.contains("kindly")) {
            (true, _) => false,
            (_, true) => true,
            _ if text.contains("set-001") => {
                return Behaviour::refuse(400, "invalid_request_error", "no");
            }
            _ => !text.contains("set-002"),
        };
        let verdict = if passes { "pass" } else { "fail" };
        Behaviour::text(json!({"reason": "because", "verdict": verdict}).to_string())
    });
    let project = Project::new(&server.origin(), 3);
    for name in ["strictly", "kindly", "fairly"] {
        project.write(
            &format!("judges/{name}.prompt"),
            &judge("temperature: 0", VERDICT, &format!("Judge {name}.\n{{{{output}}}}")),
        );
    }
    let judges = "judges:\n  - {judge: strictly, criterion: panel}\n  - {judge: kindly, criterion: panel}\n  \
                  - {judge: fairly, criterion: panel}\nprimary: panel\n";
    let jury = |rule: &str| {
        format!("{judges}juries:\n  panel: {{members: [strictly, kindly, fairly]{rule}}}\n")
    };
    set(&project, &jury(""));
    project.run(&["run", "set"]).expect(3).says("trysquare retry");
    assert_eq!(
        outcomes(&project, "panel"),
        [Outcome::Pass, Outcome::Error, Outcome::Fail],
        "the member that gave no answer could have decided"
    );
    let reason = &said(&project, "panel")[0].1;
    assert_eq!(reason, "2 of 3 members agree: `strictly` fail, `kindly` pass, `fairly` pass");
    assert!(outcomes(&project, "strictly").is_empty(), "a member counts beside its jury");
    let record = project.latest();
    assert_eq!(
        (record.count(Status::Pass), record.count(Status::Fail), record.count(Status::Error)),
        (1, 1, 1)
    );
    let asked = judge_requests(&server);
    set(&project, &jury(", rule: mean, threshold: 0.3"));
    project.run(&["score", "latest"]).expect(0);
    assert_eq!(
        outcomes(&project, "panel"),
        [Outcome::Pass, Outcome::Pass, Outcome::Pass],
        "one pass of three reaches 0.3, whatever the missing member would have said"
    );
    assert_eq!(judge_requests(&server), asked, "a rule is applied by code");
    let again = project.run(&["score", "latest", "--judge", "panel"]).expect(3);
    again.says("asking judges again that gave no answer");
}

#[test]
fn a_jury_has_a_certificate_of_its_own_that_a_change_of_one_member_makes_stale() {
    let server = TestProvider::start(|request| {
        if !is_judging(request) {
            return Behaviour::echo(request);
        }
        let verdict = if request.last_text().contains("strictly") { "fail" } else { "pass" };
        Behaviour::text(json!({"reason": "because", "verdict": verdict}).to_string())
    });
    let project = Project::new(&server.origin(), 4);
    for name in ["strictly", "kindly", "fairly"] {
        let text = format!("Judge {name}.\n{{{{output}}}}");
        project.write(&format!("judges/{name}.prompt"), &judge("temperature: 0", VERDICT, &text));
    }
    set(
        &project,
        "judges:\n  - {judge: strictly, criterion: panel}\n  - {judge: kindly, criterion: panel}\n  \
         - {judge: fairly, criterion: panel}\nprimary: panel\njuries:\n  panel: {members: [strictly, \
         kindly, fairly]}\nsplit: {train: 0, dev: 0, test: 100}\n",
    );
    project.run(&["run", "set"]).expect(0);
    label(
        &project,
        "answer",
        "panel",
        |case| json!({"id": case, "answer": format!("echo: {case}"), "said": "pass"}),
    );
    let calibrated = project.run(&["calibrate", "panel"]).expect(0);
    calibrated.says("judges/panel.trust.json").says("4 of 4");
    project.write(
        "judges/fairly.prompt",
        &judge("temperature: 0", VERDICT, "Judge very fairly.\n{{output}}"),
    );
    project.run(&["score", "latest", "--judge", "panel"]).expect(0).says("judging 4 outputs");
    project.run(&["calibrate", "panel"]).expect(0).says("its prompt");
}

/// Labels every case of the set by a file of people's values, under `said`.
fn label(project: &Project, outputs: &str, criterion: &str, row: impl Fn(&str) -> Value) {
    let cases = project.read("evalsets/set/cases.jsonl");
    let ids = cases.lines().map(|line| {
        let case: Value = serde_json::from_str(line).unwrap();
        case["id"].as_str().unwrap().to_owned()
    });
    let rows: String = ids.map(|id| format!("{}\n", row(&id))).collect();
    project.write("said.jsonl", &rows);
    let shown = if outputs.contains(',') { "outputs" } else { "output" };
    project.write(
        "map.yaml",
        &format!(
            "source: people\nformat: jsonl\ncase: id\n{shown}: {outputs}\nlabels:\n  \
             - {{criterion: {criterion}, value: said, labeller: ann, drawn: {{probability: 1}}}}\n"
        ),
    );
    project.run(&["label", "import", "--map", "map.yaml", "said.jsonl", "--set", "set"]).expect(0);
}

/// Prefers what is loud; of `set-001` whatever stands first; of `set-002` what is not loud. Says the same
/// to `set-003` whoever asks.
fn prefers(request: &SeenRequest) -> Behaviour {
    if !is_judging(request) {
        let is_constant = request.last_text().contains("set-003");
        return if is_constant { Behaviour::text("the same") } else { Behaviour::echo(request) };
    }
    let text = request.last_text();
    let first_is_loud = text.find("LOUD").unwrap() < text.find("<judged-output-b>").unwrap();
    let first = match text {
        _ if text.contains("set-001") => true,
        _ if text.contains("set-002") => !first_is_loud,
        _ => first_is_loud,
    };
    let preference = if first { "a" } else { "b" };
    Behaviour::text(json!({"reason": "because", "preference": preference}).to_string())
}

fn pairwise(server: &TestProvider, cases: usize) -> Project {
    let project = Project::new(&server.origin(), cases);
    project.write(
        "prompts/loud.prompt",
        &project.read("prompts/ask.prompt").replace("{{message}}", "LOUD {{message}}"),
    );
    project.write(
        "judges/better.prompt",
        &judge(
            "temperature: 0",
            "reason: string\npreference(enum): [a, b, tie]",
            "Which is better?\n{{output_a}}\n{{output_b}}",
        ),
    );
    set(&project, "judges: [better]\nprimary: exact\n");
    let yaml = project.read("evalsets/set/evalset.yaml").replace("  ask:\n", "  ask:\n  loud:\n");
    project.write("evalsets/set/evalset.yaml", &yaml);
    project
}

#[test]
fn pairs_are_judged_in_both_orders_and_a_win_that_depends_on_the_order_is_a_tie() {
    let server = TestProvider::start(prefers);
    let project = pairwise(&server, 6);
    let ran = project.run(&["run", "set"]).expect(0);
    ran.says("judging 10 ordered pairs");
    assert_eq!(
        judge_requests(&server),
        10,
        "five pairs in both orders; equal outputs are no question"
    );
    assert!(outcomes(&project, "better").is_empty(), "one output has no verdict");
    let compared = project.run(&["compare", "ask", "loud"]).expect(0);
    compared
        .says("Order by judged pairs, according to better (not trusted)")
        .says("6 judged pairs")
        .says("first twice 1, second twice 0")
        .says("1 pair of equal outputs");
    let json = project.run(&["compare", "ask", "loud", "--format", "json"]).expect(0).stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    let order = &report["orders"][0];
    assert_eq!(order["is_trusted"], false);
    let row = &order["order"]["rows"][0];
    assert_eq!(
        (&row["name"], &row["wins"], &row["ties"], &row["losses"]),
        (&"loud".into(), &3.into(), &2.into(), &1.into())
    );
    assert_eq!((&order["same"], &order["left_out"]), (&1.into(), &0.into()));
    project.run(&["resume", "latest"]).expect(0);
    assert_eq!(judge_requests(&server), 10, "a pair was asked about again");
}

#[test]
fn a_judge_of_pairs_is_calibrated_whichever_output_people_named_first() {
    let server = TestProvider::start(prefers);
    let project = pairwise(&server, 3);
    let yaml = project.read("evalsets/set/evalset.yaml") + "split: {train: 0, dev: 0, test: 100}\n";
    project.write("evalsets/set/evalset.yaml", &yaml);
    project.run(&["run", "set"]).expect(0);
    label(
        &project,
        "[loud, plain]",
        "better",
        |case| json!({"id": case, "loud": format!("echo: LOUD {case}"), "plain": format!("echo: {case}"), "said": "a"}),
    );
    let json = project.run(&["calibrate", "better", "--format", "json"]).expect(0).stdout;
    let found: Value = serde_json::from_str(&json).unwrap();
    let position = &found["calibration"]["biases"]["position"];
    assert_eq!(
        (&position["pairs"], &position["first_twice"]),
        (&3.into(), &1.into()),
        "{position}"
    );
    let right = |order: &str| position[order]["right"]["right"].as_u64();
    // With the loud one first it wins the first case and the second; with the other first the first only.
    assert_eq!((right("a_first"), right("b_first")), (Some(2), Some(1)), "{position}");
}

#[test]
fn pairs_are_recorded_and_replayed() {
    let server = TestProvider::start(prefers);
    let project = pairwise(&server, 3);
    project.run(&["run", "set", "--record"]).expect(0);
    assert_eq!(project.read("evalsets/set/recorded.jsonl").lines().count(), 6 + 6);
    let requests = server.counts().requests;
    project.run(&["run", "set", "--replay"]).expect(0);
    project.run(&["compare", "ask", "loud"]).expect(0).says("3 judged pairs");
    project.run(&["run", "set", "--record"]).expect(0);
    assert_eq!(project.read("evalsets/set/recorded.jsonl").lines().count(), 6 + 6);
    assert_eq!(server.counts().requests, requests, "the cache and the recordings hold everything");
}
