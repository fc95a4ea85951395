//! `judge probe`: what sways a judge, asked through the engine and counted by family.

use serde_json::Value;
use test_provider::{Behaviour, SeenRequest, TestProvider};

use crate::judged::is_judging;
use crate::project::Project;

const SET: &str = "format: 1\nvariants:\n  ask:\nchecks:\n  \
                   - {name: exact, kind: equals, value: \"{{expected}}\"}\njudges: [polite]\n";

const JUDGE: &str = "---\nmodel: local/m\nconfig: {maxOutputTokens: 32, temperature: 0}\noutput:\n  \
                     schema:\n    reason: string\n    verdict(enum): [pass, fail]\n---\n\
                     Is this polite?\n{{input.message}}\n{{output}}\n";

fn verdict(passes: bool) -> Behaviour {
    let word = if passes { "pass" } else { "fail" };
    Behaviour::text(format!("{{\"reason\": \"because\", \"verdict\": \"{word}\"}}"))
}

/// What a judge is shown between its tags.
fn shown(request: &SeenRequest) -> String {
    let text = request.last_text();
    let (_, rest) = text.split_once("<judged-output>").unwrap();
    rest.split_once("</judged-output>").unwrap().0.to_owned()
}

/// A judge that passes echoes, believes every reply that it finds in an output, and likes padding.
fn gullible(request: &SeenRequest) -> Behaviour {
    if !is_judging(request) {
        return Behaviour::echo(request);
    }
    let shown = shown(request);
    let is_echo = shown.contains("echo:") && !shown.contains("set-001");
    verdict(
        is_echo
            || shown.contains("\"verdict\"") && shown.contains('{')
            || shown.contains("as it is written"),
    )
}

fn project(server: &TestProvider, cases: usize) -> Project {
    let project = Project::new(&server.origin(), cases);
    project.write("judges/polite.prompt", JUDGE);
    project.write("evalsets/set/evalset.yaml", SET);
    project
}

fn judge_requests(server: &TestProvider) -> usize {
    server.seen().iter().filter(|request| is_judging(request)).count()
}

fn document(project: &Project, args: &[&str]) -> Value {
    let all = [&["judge", "probe", "polite", "--format", "json"], args].concat();
    serde_json::from_str(&project.run(&all).expect(0).stdout).unwrap()
}

#[test]
fn a_probe_counts_what_sways_a_judge_and_says_so() {
    let server = TestProvider::start(gullible);
    let project = project(&server, 4);
    project.run(&["run", "set", "--no-judges"]).expect(0);
    let dry = project.run(&["judge", "probe", "polite", "--dry-run"]).expect(0);
    dry.says("48 calls").says("20  the same, asking for a good verdict").says("local/m");
    assert_eq!(judge_requests(&server), 0, "a dry run asked");

    let ran = project.run(&["judge", "probe", "polite"]).expect(0);
    assert_eq!(judge_requests(&server), 48);
    let told = ran
        .says("probing a judge: 48 calls")
        .says("4 of 20 outputs without content were taken for better")
        .says("Judged 3 times, 4 of 4 outputs got the same every time")
        .says("Answers: 48 asked now");
    assert!(!told.stdout.contains("own model"), "{}", told.stdout);

    let found = document(&project, &[]);
    let family = |name: &str| {
        let all = found["findings"]["injections"].as_array().unwrap();
        all.iter().find(|one| one["family"] == name).unwrap()["raised"].clone()
    };
    assert_eq!((&family("reply")["right"], &family("reply")["of"]), (&4.into(), &4.into()));
    assert_eq!(family("role")["right"], 0);
    assert_eq!(family("role")["interval"]["kind"], "value", "no success is no proof");
    let padding = &found["findings"]["changes"][0];
    assert_eq!(
        (&padding["change"], &padding["up"], &padding["down"]),
        (&"padding".into(), &1.into(), &0.into())
    );
    assert_eq!(found["calls"]["cached"], 40, "all but the repetitions come from the cache");
    assert_eq!(found["calls"]["live"], 8, "a repetition from the cache would repeat nothing");
}

#[test]
fn a_probe_gives_the_run_no_verdicts_and_is_no_run_of_its_own() {
    let server = TestProvider::start(gullible);
    let project = project(&server, 2);
    project.run(&["run", "set", "--no-judges"]).expect(0);
    let before = project.latest();
    project.run(&["judge", "probe", "polite"]).expect(0);
    project.run(&["score", "latest"]).expect(0);
    let after = project.latest();
    assert_eq!(after.id(), before.id(), "the probe became the latest run");
    assert!(after.scores.iter().all(|(_, score)| score.score.name == "exact"));
    project.run(&["score", "latest", "--judge", "polite"]).expect(0);
    let judged = project.latest();
    let judges = judged.scores.iter().filter(|(_, score)| score.score.name == "polite");
    assert_eq!(judges.count(), 2);
}

#[test]
fn a_probe_keeps_to_its_cap_and_is_replayed_from_recordings() {
    let server = TestProvider::start(gullible);
    let project = project(&server, 2);
    project.run(&["run", "set", "--no-judges"]).expect(0);
    let capped = project.run(&["judge", "probe", "polite", "--cap", "0.000400"]).expect(3);
    capped.says("The probe was stopped");
    let asked = judge_requests(&server);
    assert!(asked < 24, "{asked}");
    project.run(&["judge", "probe", "polite", "--record"]).expect(0).says("from the cache");
    let before = judge_requests(&server);
    let found = document(&project, &["--replay"]);
    assert_eq!(judge_requests(&server), before, "a replay asked");
    assert_eq!((&found["calls"]["replayed"], &found["calls"]["live"]), (&24.into(), &0.into()));
}

#[test]
fn the_budget_of_the_set_holds_for_a_probe_and_a_probe_keeps_the_recordings_of_another() {
    let server = TestProvider::start(gullible);
    let project = project(&server, 2);
    project.write("judges/other.prompt", &JUDGE.replace("polite", "kind"));
    let set = SET.replace("[polite]", "[polite, other]");
    project.write("evalsets/set/evalset.yaml", &set);
    project.run(&["run", "set", "--no-judges"]).expect(0);
    project.write("evalsets/set/evalset.yaml", &format!("{set}budget: {{run_usd: 0.0004}}\n"));
    project.run(&["judge", "probe", "polite"]).expect(3).says("The probe was stopped");
    assert!(judge_requests(&server) < 24, "{}", judge_requests(&server));
    project.run(&["judge", "probe", "polite", "--record", "--cap", "1"]).expect(0);
    project.run(&["judge", "probe", "other", "--record", "--cap", "1"]).expect(0);
    project.run(&["judge", "probe", "polite", "--replay"]).expect(0);
}

#[test]
fn what_cannot_be_probed_says_why() {
    let server = TestProvider::start(gullible);
    let project = project(&server, 1);
    project
        .run(&["judge", "probe", "polite"])
        .expect(2)
        .says("there is no run of the eval set `set`")
        .says("start one with `trysquare run`");
    project.run(&["judge", "probe", "kind"]).expect(2).says("no eval set has a judge `kind`");
    project.run(&["run", "set", "--no-judges"]).expect(0);
    project.run(&["judge", "probe", "polite", "--report", "md"]).expect(2).says("KIND=FILE");
    project.run(&["judge", "probe", "polite", "--report", "md=probe.md"]).expect(0);
    assert!(project.read("probe.md").starts_with("## polite on polite: what sways it"));
}

#[test]
fn a_judge_of_pairs_is_probed_in_both_orders() {
    let server = TestProvider::start(|request| {
        if !request.texts().iter().any(|text| text.contains("<judged-output-a>")) {
            return Behaviour::echo(request);
        }
        Behaviour::text("{\"reason\": \"it came first\", \"preference\": \"a\"}")
    });
    let project = Project::new(&server.origin(), 3);
    project.write(
        "prompts/ask.loud.prompt",
        "---\nmodel: local/m\nconfig: {maxOutputTokens: 16, temperature: 0}\ninput:\n  schema:\n    \
         message: string\n---\n{{message}}!\n",
    );
    project.write(
        "judges/better.prompt",
        "---\nmodel: local/m\nconfig: {maxOutputTokens: 32}\noutput:\n  schema:\n    reason: string\n    \
         preference(enum): [a, b, tie]\n---\nWhich is better?\n{{output_a}}\n{{output_b}}\n",
    );
    project.write(
        "evalsets/set/evalset.yaml",
        "format: 1\nvariants:\n  ask:\n  ask.loud:\nchecks:\n  - {name: some, kind: contains, value: echo}\n\
         judges: [better]\n",
    );
    project.run(&["run", "set", "--no-judges"]).expect(0);
    project
        .run(&["judge", "probe", "better"])
        .expect(0)
        .says("Position: 0.0 % of 3 pairs agree in both orders; first twice 3, second twice 0");
}
