//! Sending errors again, scoring again, and scoring what was made elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use score::Status;
use test_provider::{Behaviour, TestProvider};

use crate::project::Project;

#[test]
fn retry_sends_only_the_errors() {
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let server = TestProvider::start(move |request| {
        let case = request.last_text().trim();
        if ["set-002", "set-005"].contains(&case) && !is_mended.load(Ordering::SeqCst) {
            return Behaviour::refuse(400, "invalid_request_error", "not this one");
        }
        Behaviour::echo(request)
    });
    let project = Project::new(&server.origin(), 8);
    project.run(&["run", "set"]).expect(3).says("trysquare retry");
    let record = project.latest();
    assert_eq!((record.count(Status::Pass), record.count(Status::Error)), (6, 2));
    assert_eq!(server.counts().requests, 8, "a bad request was sent twice");

    project.run(&["resume", "latest"]).expect(3);
    assert_eq!(server.counts().requests, 8, "resume sent an error again");
    mended.store(true, Ordering::SeqCst);
    project.run(&["retry", "latest"]).expect(0);
    let record = project.latest();
    assert_eq!(record.count(Status::Pass), 8);
    assert_eq!(record.attempts.len(), 10, "the failed attempts stay recorded");
    let sent: Vec<_> =
        server.seen()[8..].iter().map(|one| one.last_text().trim().to_owned()).collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.contains(&"set-002".to_owned()) && sent.contains(&"set-005".to_owned()));
}

#[test]
fn a_changed_check_scores_old_outputs_without_sending() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 5);
    project.run(&["run", "set", "--fail-on-failures"]).expect(0);
    let set = project.read("evalsets/set/evalset.yaml");
    project.write("evalsets/set/evalset.yaml", &set.replace("{{expected}}", "{{expected}}!"));
    project.run(&["score", "latest"]).expect(0);
    let record = project.latest();
    assert_eq!(record.count(Status::Fail), 5);
    let generations: Vec<_> = record.scores.iter().map(|(_, score)| score.generation).collect();
    assert_eq!(generations.iter().filter(|one| **one == 1).count(), 5, "older scores stay");
    assert_eq!(generations.iter().filter(|one| **one == 2).count(), 5);
    assert_eq!(server.counts().requests, 5);

    project.run(&["run", "set", "--fail-on-failures"]).expect(1);
    project.run(&["run", "set"]).expect(0);
    assert_eq!(server.counts().requests, 5, "a check is no part of a request");
}

#[test]
fn outputs_made_elsewhere_are_scored() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 3);
    project.write(
        "made.jsonl",
        "{\"case\":\"set-000\",\"output\":\"echo: set-000\",\"variant\":\"ours\"}\n\
         {\"case\":\"set-001\",\"output\":\"nothing\",\"variant\":\"ours\"}\n",
    );
    project.run(&["score", "--set", "set", "--outputs", "made.jsonl"]).expect(0).says("ours");
    let record = project.latest();
    assert_eq!((record.count(Status::Pass), record.count(Status::Fail)), (1, 1));
    assert_eq!(server.counts().requests, 0);

    project.write(
        "bad.jsonl",
        "{\"case\":\"set-000\",\"output\":\"x\"}\n{\"case\":\"gone\",\"output\":\"x\"}\n",
    );
    project
        .run(&["score", "--set", "set", "--outputs", "bad.jsonl"])
        .expect(2)
        .says("bad.jsonl:2: there is no case `gone`");
    assert_eq!(project.latest().id(), record.id(), "a bad file was recorded");

    project.write("far.jsonl", "{\"case\":\"set-000\",\"output\":\"x\",\"sample\":4294967295}\n");
    project
        .run(&["score", "--set", "set", "--outputs", "far.jsonl"])
        .expect(2)
        .says("far.jsonl:1: `sample` must be below 4294967295");
}
