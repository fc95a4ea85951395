//! Time-outs, cut streams and cancelled runs: what may have been billed stays in the ledger.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use run::RunState;
use rustix::process::Signal;
use test_provider::{Behaviour, Ending, Gate, TestProvider};

use crate::process::Process;
use crate::project::{Project, billed_by, settings};
use crate::record::Record;

const CAP: &str = "0.1";
const CAP_NANO_DOLLARS: i64 = 100_000_000;

/// Fails unless billed ≤ ledger ≤ cap.
#[track_caller]
fn assert_bounded(record: &Record, server: &TestProvider) {
    let (billed, booked) = (billed_by(server), record.booked());
    assert!(billed <= booked, "billed {billed}, booked {booked}");
    assert!(booked <= CAP_NANO_DOLLARS, "booked {booked}");
}

#[test]
fn time_outs_and_cut_streams_are_presumed_spent_and_sent_again() {
    let never = Gate::closed();
    let tried: Mutex<BTreeSet<String>> = Mutex::default();
    let server = TestProvider::start(move |request| {
        let case = request.last_text().trim().to_owned();
        let number: usize = case.rsplit('-').next().unwrap().parse().unwrap();
        let echo = Behaviour::echo(request);
        if !tried.lock().unwrap().insert(case) {
            return echo;
        }
        match number % 10 {
            1 => echo.after(&never),
            2 => echo.stalling_at(40, &never),
            4 => echo.cut_at(60, Ending::Closed),
            6 => echo.cut_at(60, Ending::Reset),
            8 => echo.without_terminal_event(),
            _ => echo,
        }
    });
    let project = Project::new(&server.origin(), 40);
    let patience = "    stream: true\n    timeouts: {first_token_s: 1, total_s: 1}\n";
    project.write("trysquare.yaml", &settings(&server.origin(), patience));
    project.run(&["run", "set", "--cap", CAP]).expect(0).says("presumed spent");
    let record = project.latest();
    record.assert_each_cell_is_answered_once();
    assert_bounded(&record, &server);
    let presumed =
        record.ledger.iter().filter(|entry| entry.state == run::LedgerState::PresumedSpent);
    // The streams without an end had said their usage, so their bill is known.
    assert_eq!(presumed.count(), 16, "each call that broke off, once");
    assert_eq!(server.counts().requests, 60);
}

/// Starts a run of 40 cells whose first eight calls wait for the gate.
fn held(gate: &Gate) -> (TestProvider, Project, Process) {
    let held = gate.clone();
    let server = TestProvider::start(move |request| Behaviour::echo(request).after(&held));
    let project = Project::new(&server.origin(), 40);
    let mut process = Process::start(project.command(&["run", "set", "--cap", CAP]));
    process.works_until(&server, |counts| counts.requests >= 8);
    (server, project, process)
}

#[test]
fn interrupted_once_a_run_finishes_what_it_sent_and_resumes() {
    let gate = Gate::closed();
    let (server, project, mut process) = held(&gate);
    process.signal(Signal::INT);
    process.waits_for_words("Stopping");
    gate.open();
    process.finish().expect(3).says("Go on with: trysquare resume");
    let record = project.latest();
    assert_eq!(record.state, RunState::Stopped);
    assert_eq!(record.answers().count(), 8);
    assert_eq!(server.counts().requests, 8);
    assert_eq!(record.booked(), billed_by(&server));

    project.run(&["resume", "latest"]).expect(0);
    let record = project.latest();
    record.assert_each_cell_is_answered_once();
    assert_eq!(server.counts().requests, 40, "an answered cell was sent again");
    assert_eq!(record.booked(), billed_by(&server));
}

#[test]
fn interrupted_twice_a_run_stops_now_and_presumes_what_it_sent_spent() {
    let gate = Gate::closed();
    let (server, project, mut process) = held(&gate);
    process.signal(Signal::INT);
    process.waits_for_words("Stopping");
    process.signal(Signal::INT);
    process.finish().expect(3).says("presumed spent");
    let record = project.latest();
    assert_eq!(record.state, RunState::Stopped);
    assert_eq!(record.answers().count(), 0);
    assert!(record.presumed() > 0);
    assert_bounded(&record, &server);

    gate.open();
    project.run(&["resume", "latest"]).expect(0);
    let record = project.latest();
    record.assert_each_cell_is_answered_once();
    assert_eq!(server.counts().requests, 48);
    assert_bounded(&record, &server);
}

#[test]
fn a_provider_that_wants_a_long_rest_gets_nothing_more_and_its_cells_stay_open() {
    let rested = Arc::new(AtomicBool::new(false));
    let is_rested = Arc::clone(&rested);
    let server = TestProvider::start(move |request| {
        if is_rested.load(Ordering::SeqCst) {
            return Behaviour::echo(request);
        }
        Behaviour::rate_limited(Some("600"))
    });
    let project = Project::new(&server.origin(), 40);
    project.run(&["run", "set", "--cap", CAP]).expect(3).says("resume the run in 600 s");
    let record = project.latest();
    assert_eq!(record.state, RunState::Stopped);
    assert_eq!(record.count(score::Status::Error), 0, "a cell was closed by a rate limit");
    assert!(server.counts().requests <= 8, "only what was under way when it answered");

    rested.store(true, Ordering::SeqCst);
    project.run(&["resume", "latest"]).expect(0);
    project.latest().assert_each_cell_is_answered_once();
}
