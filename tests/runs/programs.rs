//! Programs run where they are trusted, as they were when they were trusted.

use run::Outcome;
use score::Status;
use test_provider::TestProvider;

use crate::project::Project;

const TARGET: &str = r#"
import json, sys
asked = json.load(sys.stdin)
open("started", "a").write("target\n")
print(json.dumps({"answer": "echo: " + asked["inputs"]["message"]}))
"#;

const CHECK: &str = r#"
import json, sys
asked = json.load(sys.stdin)
open("started", "a").write("check\n")
right = asked["output"] == asked["expected"]
print(json.dumps({"pass": right, "reason": "compared by a program"}))
"#;

/// Makes a project whose target and whose check are programs.
fn project_of_programs() -> Project {
    let nobody = TestProvider::echoing();
    let project = Project::new(&nobody.origin(), 4);
    project.write(
        "trysquare.yaml",
        "format: 1\nprograms:\n  answer: {command: [python3, tools/answer.py]}\n  \
         compare: {command: [python3, tools/compare.py]}\ntargets:\n  tool: {program: answer}\n",
    );
    project.write("tools/answer.py", TARGET);
    project.write("tools/compare.py", CHECK);
    project.write(
        "evalsets/set/evalset.yaml",
        "format: 1\nvariants:\n  ours: {target: tool}\nchecks:\n  \
         - {name: same, kind: program, program: compare}\n",
    );
    project
}

/// Returns the hash that trust is given to.
fn hash(project: &Project) -> String {
    let shown = project.run(&["trust", "--show", "--format", "json"]).expect(0).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    shown["hash"].as_str().unwrap().to_owned()
}

/// Counts how often a program was started.
fn starts(project: &Project) -> usize {
    let path = project.root().join("started");
    if path.exists() { project.read("started").lines().count() } else { 0 }
}

#[test]
fn programs_run_only_where_they_are_trusted() {
    let project = project_of_programs();
    project.run(&["run", "set"]).expect(2).says("trysquare trust");
    let other = "0".repeat(64);
    project.run(&["run", "set", "--trust", &other]).expect(2).says("trysquare trust");
    assert_eq!(starts(&project), 0, "a program ran without trust");

    project.run(&["run", "set", "--trust", &hash(&project)]).expect(0).says("ours");
    let record = project.latest();
    record.assert_each_cell_is_answered_once();
    assert_eq!(record.count(Status::Pass), 4);
    for (_, one) in &record.scores {
        assert_eq!(one.score.score.reason, "program `compare`: compared by a program");
    }
    assert_eq!(starts(&project), 8);
    project.run(&["run", "set"]).expect(2).says("trysquare trust");
}

#[test]
fn a_changed_program_needs_trust_again() {
    let project = project_of_programs();
    let old = hash(&project);
    project.run(&["trust", "--hash", &old]).expect(0);
    project.run(&["run", "set"]).expect(0);
    let starts_before = starts(&project);

    project.write("tools/answer.py", &TARGET.replace("echo: ", "other: "));
    project.run(&["run", "set"]).expect(2).says("trysquare trust");
    let new = hash(&project);
    let stale = project.run(&["run", "set", "--trust", &old]).expect(2);
    stale.says(&format!("--trust {} is outdated", &old[..12])).says(&format!("--trust {new}"));
    project.run(&["trust", "--hash", &old]).expect(2).says(&format!("--hash {new}"));
    assert_eq!(starts(&project), starts_before);

    assert_ne!(old, new);
    project.run(&["trust", "--hash", &new]).expect(0);
    project.run(&["run", "set"]).expect(0);
    let record = project.latest();
    assert_eq!(record.count(Status::Fail), 4, "the changed program answered");
    project.run(&["trust", "--revoke"]).expect(0);
    project.run(&["run", "set"]).expect(2);
}

#[test]
fn a_crash_of_a_program_is_an_error_and_never_a_fail() {
    let project = project_of_programs();
    project.write("tools/compare.py", "import sys\nsys.exit('no idea')\n");
    project.run(&["run", "set", "--trust", &hash(&project)]).expect(3);
    assert_eq!(project.latest().count(Status::Error), 4);

    project.write("tools/answer.py", "import sys\nsys.exit('no answer')\n");
    project.run(&["run", "set", "--trust", &hash(&project)]).expect(3).says("no answer");
    let record = project.latest();
    assert_eq!(record.count(Status::Error), 4);
    for attempt in &record.attempts {
        let Outcome::Failed(failure) = &attempt.outcome else { panic!("answered: {attempt:?}") };
        assert_eq!(failure.kind, run::FailureKind::ProgramFailed);
    }
}

#[test]
fn a_run_does_not_go_on_with_another_program_than_it_began_with() {
    let project = project_of_programs();
    project.write("tools/answer.py", "import sys\nsys.exit('no answer')\n");
    project.run(&["run", "set", "--trust", &hash(&project)]).expect(3);
    let first = project.latest();
    project.write("tools/answer.py", TARGET);
    let trust = hash(&project);
    project
        .run(&["retry", "latest", "--trust", &trust])
        .expect(2)
        .says("the target `tool` is declared otherwise");
    assert_eq!(project.latest().attempts, first.attempts);
    project.run(&["run", "set", "--trust", &trust]).expect(0);
    let second = project.latest();
    assert_ne!(first.header.variants[0].hash, second.header.variants[0].hash);
}

/// Makes a project whose model is a file that it names itself.
#[cfg(feature = "embedded-model")]
fn project_of_model(file: &str) -> Project {
    let nobody = TestProvider::echoing();
    let project = Project::new(&nobody.origin(), 2);
    project.write(
        "trysquare.yaml",
        &format!("format: 1\nproviders:\n  embedded:\n    models:\n      mine: {{file: {file}}}\n"),
    );
    let prompt = project.read("prompts/ask.prompt");
    project.write("prompts/ask.prompt", &prompt.replace("local/m", "embedded/mine"));
    project.write("mine.gguf", "no weights at all");
    project
}

#[cfg(feature = "embedded-model")]
#[test]
fn a_model_file_of_the_project_is_loaded_only_where_it_is_trusted() {
    let project = project_of_model("mine.gguf");
    project.run(&["run", "set"]).expect(2).says("trysquare trust");
    let given = hash(&project);
    project.run(&["run", "set", "--trust", &given]).expect(3);
    assert_eq!(project.latest().count(Status::Error), 2, "it was loaded, and is no model");
    project.write("mine.gguf", "other weights");
    project.run(&["run", "set", "--trust", &given]).expect(2).says("trysquare trust");
}

#[cfg(feature = "embedded-model")]
#[test]
fn a_model_file_outside_the_project_or_without_an_end_is_refused() {
    for file in ["/dev/zero", "../elsewhere.gguf"] {
        let project = project_of_model(file);
        project.run(&["run", "set"]).expect(2).says("model_files");
    }
}
