//! Two processes in one project.

use std::time::Duration;

use run::RunState;
use test_provider::{Behaviour, Gate, TestProvider};

use crate::process::Process;
use crate::project::{Project, billed_by};

/// Returns the id of the newest run of an eval set.
fn run_of(project: &Project, set: &str) -> String {
    let listed = project.run(&["runs", "--format", "jsonl"]).expect(0).stdout;
    let mut rows = listed.lines().map(serde_json::from_str::<serde_json::Value>);
    let row = rows.find_map(|row| row.ok().filter(|row| row["eval_set"] == set)).unwrap();
    row["run"].as_str().unwrap().to_owned()
}

#[test]
fn two_runs_at_once_lose_nothing() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = TestProvider::start(move |request| Behaviour::echo(request).after(&held));
    let project = Project::new(&server.origin(), 0);
    project.eval_set("left", 80);
    project.eval_set("right", 80);
    let mut left = Process::start(project.command(&["run", "left", "--cap", "1"]));
    let right = Process::start(project.command(&["run", "right", "--cap", "1"]));
    // Eight calls each: both are in the middle of their runs.
    left.works_until(&server, |counts| counts.requests >= 16);
    gate.open();
    left.finish().expect(0);
    right.finish().expect(0);
    let mut booked = 0;
    for set in ["left", "right"] {
        let record = project.record(&run_of(&project, set));
        record.assert_each_cell_is_answered_once();
        assert_eq!(record.cells.len(), 80);
        assert!(record.texts().iter().all(|((case, _), text)| *text == format!("echo: {case}")));
        booked += record.booked();
    }
    assert_eq!(booked, billed_by(&server));
    assert_eq!(server.counts().requests, 160);
    project.run(&["doctor"]).expect(0);
}

#[test]
fn a_run_that_is_running_is_not_resumed_by_another_process() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = TestProvider::start(move |request| Behaviour::echo(request).after(&held));
    let project = Project::new(&server.origin(), 20);
    let mut process = Process::start(project.command(&["run", "set"]));
    process.works_until(&server, |counts| counts.requests >= 8);
    let id = run_of(&project, "set");
    for command in ["resume", "retry", "score"] {
        let refused = project.run(&[command, &id]).expect(2);
        refused.says("is being worked on by process").says(&format!("trysquare cancel {id}"));
    }
    assert_eq!(server.counts().requests, 8);
    gate.open();
    process.finish().expect(0);
    project.latest().assert_each_cell_is_answered_once();
    assert_eq!(server.counts().requests, 20);
}

#[test]
fn another_process_can_cancel_a_run() {
    let server =
        TestProvider::start(|request| Behaviour::echo(request).delayed(Duration::from_millis(20)));
    // Far more than can be answered before the cancellation is seen.
    let project = Project::new(&server.origin(), 1500);
    let mut process = Process::start(project.command(&["run", "set", "--concurrency", "1"]));
    process.works_until(&server, |counts| counts.requests >= 3);
    project.run(&["cancel", "latest"]).expect(0).says("asked to stop");
    process.finish().expect(3).says("Go on with: trysquare resume");
    let record = project.latest();
    assert_eq!(record.state, RunState::Stopped);
    assert_eq!(record.answers().count() as u64, server.counts().requests);
    assert_eq!(record.booked(), billed_by(&server));
    project.run(&["cancel", "latest"]).expect(0).says("Nobody is working");
}
