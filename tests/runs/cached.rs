//! The cache, recordings, and replay.

use run::{AnswerSource, Outcome};
use score::Status;
use test_provider::TestProvider;

use crate::project::{Project, settings};

#[test]
fn what_was_answered_is_not_sent_again() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 10);
    let sent_by = |args: &[&str]| {
        let before = server.counts().requests;
        project.run(args).expect(0);
        project.latest().assert_each_cell_is_answered_once();
        server.counts().requests - before
    };
    assert_eq!(sent_by(&["run", "set", "--no-cache"]), 10);
    assert_eq!(sent_by(&["run", "set"]), 10, "--no-cache wrote the cache");
    assert_eq!(sent_by(&["run", "set"]), 0);
    let record = project.latest();
    assert_eq!(record.booked(), 0, "a hit costs nothing");
    for (_, attempt) in record.answers() {
        let Outcome::Answered(answer) = &attempt.outcome else { unreachable!("they are answers") };
        assert_eq!(answer.source, AnswerSource::Cache);
    }
    assert_eq!(sent_by(&["run", "set", "--samples", "3"]), 20, "samples have their own entries");
    assert_eq!(sent_by(&["run", "set", "--samples", "3"]), 0);
    assert_eq!(sent_by(&["run", "set", "--refresh"]), 10);
    assert_eq!(sent_by(&["run", "set", "--no-cache"]), 10);
    assert_eq!(sent_by(&["run", "set"]), 0);
}

#[test]
fn a_recorded_run_is_replayed_without_its_provider() {
    let server = TestProvider::echoing();
    let origin = server.origin();
    let project = Project::new(&origin, 10);
    project.run(&["run", "set", "--samples", "2", "--record"]).expect(0);
    let recorded = project.latest();
    assert_eq!(project.read("evalsets/set/recorded.jsonl").lines().count(), 20);
    drop(server);

    // Recordings have no rate: at this limit, twenty calls would take twenty minutes.
    project.write("trysquare.yaml", &settings(&origin, "    requests_per_minute: 1\n"));
    project.run(&["run", "set", "--samples", "2", "--replay"]).expect(0);
    let replayed = project.latest();
    replayed.assert_each_cell_is_answered_once();
    assert_eq!(replayed.texts(), recorded.texts());
    assert_eq!(replayed.count(Status::Pass), 20);
    assert_eq!(replayed.booked(), 0);
}

#[test]
fn a_recorded_run_that_stopped_records_the_rest_when_it_is_resumed() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 40);
    project.run(&["run", "set", "--record", "--cap", "0.0002"]).expect(3);
    let answered = project.latest().answers().count();
    assert!(answered < 40, "the cap was not met");
    assert_eq!(project.read("evalsets/set/recorded.jsonl").lines().count(), answered);
    project.run(&["resume", "latest", "--cap", "1"]).expect(0);
    assert_eq!(project.read("evalsets/set/recorded.jsonl").lines().count(), 40);
}

#[test]
fn recordings_that_cannot_be_written_are_found_before_anything_is_sent() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 3);
    project.write("evalsets/set/recorded.jsonl", "no recording\n");
    project.run(&["run", "set", "--record"]).expect(2).says("recorded.jsonl:1");
    assert_eq!(server.counts().requests, 0);
    assert_eq!(project.read("evalsets/set/recorded.jsonl"), "no recording\n");
}

#[test]
fn recording_fewer_repetitions_than_the_set_asks_for_drops_none_of_the_others() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 4);
    let set = project.read("evalsets/set/evalset.yaml");
    project.write("evalsets/set/evalset.yaml", &format!("{set}samples: 3\n"));
    project.run(&["run", "set", "--record"]).expect(0);
    let recorded = project.read("evalsets/set/recorded.jsonl");
    assert_eq!(recorded.lines().count(), 12);
    project.run(&["run", "set", "--record", "--samples", "1"]).expect(0);
    assert_eq!(project.read("evalsets/set/recorded.jsonl").lines().count(), 12);
}

#[test]
fn an_edited_prompt_is_not_in_the_recording() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 3);
    project.run(&["run", "set", "--record"]).expect(0);
    let prompt = project.read("prompts/ask.prompt");
    project.write("prompts/ask.prompt", &prompt.replace("{{message}}", "Well: {{message}}"));
    project.run(&["run", "set", "--replay"]).expect(3).says("trysquare run set --record");
    let record = project.latest();
    assert_eq!(record.count(Status::Error), 3);
    for attempt in &record.attempts {
        let Outcome::Failed(failure) = &attempt.outcome else { panic!("answered: {attempt:?}") };
        assert_eq!(failure.kind, run::FailureKind::NotRecorded);
    }
    // A run that recordings answer stays one: repeating its errors sends nothing either.
    project.run(&["retry", "latest"]).expect(3).says("trysquare run set --record");
    assert_eq!(server.counts().requests, 3);
}
