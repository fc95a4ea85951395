//! A run of many calls, all recorded, beside a client that keeps nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::{Measured, measure, median, median_wall, this_as};
use crate::project::Project;
use crate::server::Server;
use crate::table::{Table, mb, megabytes, milliseconds, milliseconds_each, ms, seconds, times};

/// Calls at once.
pub(crate) const CONCURRENCY: u32 = 256;
/// How long the provider takes for an answer.
const LATENCY_MS: u16 = 50;

/// What a run and its rival needed.
struct Race {
    calls: u32,
    minimal: Vec<Measured>,
    run: Vec<Measured>,
    project: Project,
    _server: Server,
}

/// Measures 10,000 calls, and `show` of the run that they make.
pub(crate) fn ten_thousand() -> Result<()> {
    let race = race(10_000, 1, 5)?;
    let mut table = race.table("10,000 calls (median of 5)");
    let show = || race.project.command(&["show", "latest"]);
    let shown = measure(show())?;
    ensure!(shown.stdout.contains("10000"), "it printed {:?}", shown.stdout);
    table.row("trysquare show latest", ms(median_wall(21, show)?), 150.0, milliseconds);
    table.print();
    Ok(())
}

/// Measures 100,000 calls, and the plan of them once all are in the cache.
pub(crate) fn hundred_thousand() -> Result<()> {
    let race = race(100_000, 1, 1)?;
    let mut table = race.table("100,000 calls");
    let plan = || race.project.command(&["run", "set", "--dry-run", "--format", "json"]);
    let planned = measure(plan())?;
    let answer: Value = serde_json::from_str(&planned.stdout).context("the plan")?;
    let known = answer.pointer("/variants/0/known");
    ensure!(known == Some(&Value::from(race.calls)), "the cache knows {known:?}");
    let taken = median_wall(5, plan)?;
    table.row("plan of 100,000 cached cells", taken.as_secs_f64(), 3.0, seconds);
    table.note("its peak memory", megabytes(mb(planned.peak_bytes)));
    table.print();
    Ok(())
}

/// Lets both work several times, in turns; the last project stays.
fn race(cases: u32, samples: u32, rounds: usize) -> Result<Race> {
    let calls = cases * samples;
    let (mut minimal, mut run) = (Vec::new(), Vec::new());
    loop {
        eprintln!("{calls} calls: round {}", run.len() + 1);
        let server = Server::start(LATENCY_MS)?;
        let mut client = this_as("minimal-client")?;
        client.args([&server.origin, &calls.to_string(), &CONCURRENCY.to_string()]);
        minimal.push(measure(client)?);
        server.end_after(calls)?;

        let server = Server::start(LATENCY_MS)?;
        let project = Project::new(&server.origin, cases, samples)?;
        let ran = measure(project.command(&["run", "set", "--format", "json"]))?;
        let result: Value = serde_json::from_str(&ran.stdout).context("the run's result")?;
        ensure!(passed(&result) == Some(calls.into()), "not every cell passed: {result}");
        run.push(ran);
        if run.len() == rounds {
            return Ok(Race { calls, minimal, run, project, _server: server });
        }
        server.end_after(calls)?;
    }
}

fn passed(result: &Value) -> Option<u64> {
    result.pointer("/counts/pass")?.as_u64()
}

impl Race {
    fn table(&self, title: &str) -> Table {
        let wall = |of: &[Measured]| median(of.iter().map(|one| one.wall)).as_secs_f64();
        let each =
            |of: &[Measured]| ms(median(of.iter().map(|one| one.cpu))) / f64::from(self.calls);
        let peak = |of: &[Measured]| mb(median(of.iter().map(|one| one.peak_bytes)));
        let rounds = f64::from(self.calls) / f64::from(CONCURRENCY);
        let ideal = Duration::from_millis(LATENCY_MS.into()).mul_f64(rounds).as_secs_f64();
        let mut table = Table::new(title);
        table.note("ideal schedule", seconds(ideal));
        table.note("minimal client: wall", seconds(wall(&self.minimal)));
        table.note("minimal client: CPU a call", milliseconds_each(each(&self.minimal)));
        table.note("minimal client: peak memory", megabytes(peak(&self.minimal)));
        table.note("run: wall", seconds(wall(&self.run)));
        table.note("run: wall / ideal", times(wall(&self.run) / ideal));
        table.row("run: wall / minimal", wall(&self.run) / wall(&self.minimal), 1.05, times);
        table.row("run: CPU a call", each(&self.run), 0.2, milliseconds_each);
        table.row("run: peak memory", peak(&self.run), 60.0, megabytes);
        table
    }
}
