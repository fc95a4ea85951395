//! A cap stops a run, an overrun stops it and is shown, and a price must be known.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use run::{LedgerState, RunState};
use rustix::process::Signal;
use test_provider::{Answer, Behaviour, Gate, TestProvider};

use crate::process::Process;
use crate::project::{Project, billed_by, settings};

#[test]
fn a_run_that_meets_its_cap_stops_and_goes_on_with_a_higher_one() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 100);
    project.run(&["run", "set", "--cap", "0.0005"]).expect(3).says("Stopped at the cap");
    let record = project.latest();
    assert_eq!(record.state, RunState::StoppedAtCap);
    assert!(record.answers().count() > 0, "nothing was sent");
    assert!(record.answers().count() < 100, "the cap was not met");
    assert!(record.booked() <= 500_000, "booked {}", record.booked());
    assert_eq!(record.booked(), billed_by(&server));

    project.run(&["resume", "latest"]).expect(3).says("Stopped at the cap");
    project.run(&["resume", "latest", "--cap", "0.1"]).expect(0);
    let record = project.latest();
    record.assert_each_cell_is_answered_once();
    assert_eq!(server.counts().requests, 100);
    assert_eq!(record.booked(), billed_by(&server));
}

#[test]
fn a_provider_that_bills_more_than_it_was_allowed_stops_the_run() {
    let server = TestProvider::start(|request| {
        if request.last_text().trim() != "set-007" {
            return Behaviour::echo(request);
        }
        let mut answer = Answer::text("word ".repeat(2000));
        answer.ignores_max = true;
        Behaviour::answer(answer)
    });
    let project = Project::new(&server.origin(), 60);
    project
        .run(&["run", "set", "--cap", "0.1", "--concurrency", "2"])
        .expect(3)
        .says("a provider billed more than was reserved");
    let record = project.latest();
    assert_eq!(record.state, RunState::StoppedAtOverrun);
    assert_eq!(record.booked(), billed_by(&server), "the overrun is booked in full");
    let over = record.ledger.iter().filter(|entry| match entry.state {
        LedgerState::Settled { billed } => billed > entry.reserved,
        _ => false,
    });
    assert_eq!(over.count(), 1);
    project.run(&["show", "latest"]).expect(0).says("stopped at overrun");

    project.run(&["resume", "latest"]).expect(0);
    project.latest().assert_each_cell_is_answered_once();
    assert_eq!(server.counts().requests, 60);
}

#[test]
fn a_model_without_a_price_is_refused_under_a_cap_unless_it_is_allowed() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 5);
    let text = settings(&server.origin(), "");
    let unpriced = text.replace("prices: {input: 1, output: 2}", "context_tokens: 4096");
    assert_ne!(text, unpriced);
    project.write("trysquare.yaml", &unpriced);
    project.run(&["run", "set", "--cap", "1"]).expect(2).says("--allow-unpriced");
    assert_eq!(server.counts().requests, 0);
    project
        .run(&["run", "set", "--cap", "1", "--allow-unpriced"])
        .expect(0)
        .says("without a known price");
    assert_eq!(server.counts().requests, 5);
}

#[test]
fn under_a_cap_a_parameter_that_changes_the_price_is_refused_by_name() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 3);
    let prompt = project.read("prompts/ask.prompt");
    let tier = prompt.replace("temperature: 0", "temperature: 0, service_tier: priority");
    project.write("prompts/ask.prompt", &tier);
    project.run(&["run", "set", "--cap", "1"]).expect(2).says("`service_tier`");
    assert_eq!(server.counts().requests, 0);
    project.run(&["run", "set", "--cap", "1", "--allow-unpriced"]).expect(0);
    assert_eq!(server.counts().requests, 3);
}

#[test]
fn a_resume_may_send_without_a_price_what_the_run_was_allowed_to() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = TestProvider::start(move |request| Behaviour::echo(request).after(&held));
    let project = Project::new(&server.origin(), 20);
    let text = settings(&server.origin(), "");
    project.write(
        "trysquare.yaml",
        &text.replace("prices: {input: 1, output: 2}", "context_tokens: 4096"),
    );
    let run = ["run", "set", "--cap", "1", "--allow-unpriced"];
    let mut process = Process::start(project.command(&run));
    process.works_until(&server, |counts| counts.requests >= 8);
    process.signal(Signal::INT);
    process.waits_for_words("Stopping");
    gate.open();
    process.finish().expect(3);
    project.run(&["resume", "latest"]).expect(0);
    project.latest().assert_each_cell_is_answered_once();
}

#[test]
fn a_resume_under_a_new_cap_closes_no_cell_that_it_may_not_send() {
    let refused = Arc::new(AtomicBool::new(true));
    let is_refused = Arc::clone(&refused);
    let server = TestProvider::start(move |request| {
        if is_refused.load(Ordering::SeqCst) {
            return Behaviour::rate_limited(Some("600"));
        }
        Behaviour::echo(request)
    });
    let project = Project::new(&server.origin(), 5);
    let text = settings(&server.origin(), "");
    project.write(
        "trysquare.yaml",
        &text.replace("prices: {input: 1, output: 2}", "context_tokens: 4096"),
    );
    project.run(&["run", "set"]).expect(3);
    refused.store(false, Ordering::SeqCst);
    project.run(&["resume", "latest", "--cap", "1"]).expect(2).says("--allow-unpriced");
    assert_eq!(project.latest().count(score::Status::Error), 0);
    project.run(&["resume", "latest"]).expect(0);
    project.latest().assert_each_cell_is_answered_once();
}
