//! A run that is killed at any moment goes on exactly.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use run::RunState;
use test_provider::{Behaviour, SeenRequest, TestProvider};

use crate::process::Process;
use crate::project::{Project, billed_by};
use crate::record::Record;

const CELLS: usize = 500;
const KILLS: usize = 50;
const SEED: u64 = 20_261_125;
/// What a cap is raised by when a run has met it, in nano-dollars.
const STEP: i64 = 40_000_000;

/// Answers as an echo, but fails the first request for some cases so that it is sent again.
fn unreliable() -> impl Fn(&SeenRequest) -> Behaviour + Send + Sync + 'static {
    let tries: Mutex<BTreeMap<String, u32>> = Mutex::default();
    move |request| {
        let case = request.last_text().trim().to_owned();
        let number: usize = case.rsplit('-').next().unwrap().parse().unwrap();
        let mut tries = tries.lock().unwrap();
        let tried = tries.entry(case).or_default();
        *tried += 1;
        match (number % 25, *tried) {
            (3, 1) => Behaviour::rate_limited(None),
            (7 | 11, 1) => Behaviour::server_error(500),
            (19, 1) => Behaviour::server_error(503),
            _ => Behaviour::echo(request),
        }
    }
}

/// Counts the requests that a server saw for each case.
fn requests_by_case(server: &TestProvider) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in server.seen() {
        *counts.entry(request.last_text().trim().to_owned()).or_default() += 1;
    }
    counts
}

/// What was recorded of a run after its kills.
#[derive(Default)]
struct Witness {
    /// By answered case: the requests that the server had seen when its answer was first found.
    answered: BTreeMap<String, usize>,
    /// By cell and number: the attempts, as they were first found.
    attempts: BTreeMap<(u32, u32), run::Attempt>,
    /// The server's bill before this run.
    billed_before: i64,
}

impl Witness {
    /// Compares what is recorded now with what was recorded before.
    fn look(&mut self, record: &Record, server: &TestProvider, cap: i64) {
        let seen = requests_by_case(server);
        for (case, _) in record.answers() {
            let before = *self.answered.entry(case.to_owned()).or_insert(seen[case]);
            assert_eq!(seen[case], before, "{case} was sent again after its answer was recorded");
        }
        let now: BTreeMap<_, _> =
            record.attempts.iter().map(|one| ((one.cell, one.number), one.clone())).collect();
        for (key, attempt) in &self.attempts {
            assert_eq!(now.get(key), Some(attempt), "a recorded attempt changed or is gone");
        }
        self.attempts = now;
        let billed = billed_by(server) - self.billed_before;
        assert!(billed <= record.booked(), "billed {billed}, booked {}", record.booked());
        assert!(record.booked() <= cap, "booked {}, cap {cap}", record.booked());
    }
}

/// A run under test: started, killed, resumed, until it is complete.
struct Killed<'a> {
    project: &'a Project,
    server: &'a TestProvider,
    random: ChaCha8Rng,
    kills: usize,
}

impl Killed<'_> {
    fn draw(&mut self, below: u64) -> u64 {
        self.random.next_u64() % below
    }

    /// Works through one run with kills on the way.
    fn work_through_a_run(&mut self) {
        let mut cap = STEP;
        let mut witness = Witness { billed_before: billed_by(self.server), ..Witness::default() };
        let mut first = true;
        loop {
            let dollars = format!("0.{cap:09}");
            let start = ["run", "set", "--no-cache", "--cap", &dollars];
            let resume = ["resume", "latest", "--no-cache", "--cap", &dollars];
            let args: &[&str] = if first { &start } else { &resume };
            let ended = self.killed_or_ended(args, first);
            first = false;
            if ended || self.draw(3) > 0 {
                let record = self.project.latest();
                witness.look(&record, self.server, cap);
                match record.state {
                    RunState::Complete => break,
                    RunState::StoppedAtCap => cap += STEP,
                    _ => {}
                }
            }
        }
        let record = self.project.latest();
        record.assert_each_cell_is_answered_once();
        assert_eq!(record.cells.len(), CELLS);
        for ((case, _), text) in record.texts() {
            assert_eq!(text, format!("echo: {case}"), "an answer stands at another cell");
        }
    }

    /// Starts the program and kills it when the server has seen a few requests more, or has
    /// answered a few more; tells whether it ended before.
    fn killed_or_ended(&mut self, args: &[&str], first: bool) -> bool {
        let mut process = Process::start(self.project.command(args));
        if self.kills == KILLS {
            process.finish();
            return true;
        }
        // The first session must have written its run; a later one may die at its start.
        let more = self.draw(30) + u64::from(first);
        let now = self.server.counts();
        let by_answers = self.draw(2) == 0;
        let ended = process.ends_before(self.server, |counts| {
            if by_answers {
                counts.completed >= now.completed + more
            } else {
                counts.requests >= now.requests + more
            }
        });
        if !ended {
            process.kill();
            self.kills += 1;
        }
        ended
    }
}

#[test]
fn killed_at_any_moment_a_run_resumes_exactly() {
    let server = TestProvider::start(unreliable());
    let project = Project::new(&server.origin(), CELLS);
    let random = ChaCha8Rng::seed_from_u64(SEED);
    let mut killed = Killed { project: &project, server: &server, random, kills: 0 };
    while killed.kills < KILLS {
        killed.work_through_a_run();
    }
    project.run(&["doctor"]).expect(0);
}

#[test]
fn without_kills_and_failures_the_ledger_is_the_bill() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 60);
    project.run(&["run", "set", "--cap", "1"]).expect(0);
    let record = project.latest();
    record.assert_each_cell_is_answered_once();
    assert_eq!(record.booked(), billed_by(&server));
    assert_eq!(record.presumed(), 0);
    assert_eq!(server.counts().requests, 60);
}
