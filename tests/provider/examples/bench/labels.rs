//! How long 100,000 labels take: to come in, to come in again, to be counted and to calibrate on.

use std::fmt::Write;

use anyhow::{Result, ensure};

use crate::process::{Measured, measure, median};
use crate::project::Project;
use crate::table::{Table, mb, megabytes, seconds};

const LABELS: usize = 100_000;
/// Every fourth output is labelled by two people, so that there is agreement to compute.
const ROWS: usize = LABELS / 5 * 4;
/// So many people label, each a part.
const PEOPLE: usize = 25;

const MAP: &str = "source: desk
format: jsonl
case: id
split: test
cluster: author
inputs: {mail: mail}
output: answer
labels:
  - {criterion: polite, value: said, labeller_from: who, drawn: {probability: 1}}
judges:
  - {name: elsewhere, criterion: polite, value: judge}
";

const IMPORT: [&str; 5] = ["label", "import", "--map", "map.yaml", "rows.jsonl"];
const CALIBRATE: [&str; 6] = ["calibrate", "elsewhere", "--set", "set", "--criterion", "polite"];

/// Measures the program in a project whose labels, cases, outputs and verdicts come from one file.
pub(crate) fn section() -> Result<()> {
    let rows = rows()?;
    let (mut first, mut again) = (Vec::new(), Vec::new());
    let (mut stats, mut calibrated) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let project = Project::of(&[
            ("trysquare.yaml", "format: 1\n"),
            ("evalsets/set/evalset.yaml", "format: 1\ncriteria:\n  polite:\n    source: judge\n"),
            ("evalsets/set/cases.jsonl", ""),
            ("map.yaml", MAP),
            ("rows.jsonl", &rows),
        ])?;
        first.push(saying(&project, &IMPORT, "labels: 100,000 new")?);
        again.push(saying(&project, &IMPORT, "labels: 0 new, 100,000 here already")?);
        stats.push(saying(&project, &["label", "stats", "--json"], "\"decided\"")?);
        calibrated.push(saying(&project, &CALIBRATE, "80,000")?);
    }
    let mut table = Table::new("labels (median of 3)");
    table.note("size of the rows", megabytes(mb(rows.len() as u64)));
    table.row("import 100,000 labels", taken(&first), 5.0, seconds);
    table.note("peak memory", peak(&first));
    table.row("import them again", taken(&again), 5.0, seconds);
    table.note("peak memory", peak(&again));
    table.row("trysquare label stats", taken(&stats), 1.0, seconds);
    table.row("trysquare calibrate", taken(&calibrated), 1.0, seconds);
    table.note("peak memory", peak(&calibrated));
    table.print();
    Ok(())
}

/// Runs the program, which must say this.
fn saying(project: &Project, arguments: &[&str], expected: &str) -> Result<Measured> {
    let ran = measure(project.command(arguments))?;
    ensure!(ran.stdout.contains(expected), "{arguments:?} printed no `{expected}`\n{}", ran.stdout);
    Ok(ran)
}

fn taken(runs: &[Measured]) -> f64 {
    median(runs.iter().map(|run| run.wall)).as_secs_f64()
}

fn peak(runs: &[Measured]) -> String {
    megabytes(mb(median(runs.iter().map(|run| run.peak_bytes))))
}

fn rows() -> Result<String> {
    let mut rows = String::new();
    for index in 0..ROWS {
        // Residues of different primes, so that people and the judge differ without a pattern.
        let verdict = |of: usize| if index % of == 0 { "fail" } else { "pass" };
        let person = |of: usize| format!("person-{}", index % of);
        let (said, who) = if index % 4 == 0 {
            let both = format!("[\"{}\",\"{}\"]", verdict(7), verdict(5));
            (both, format!("[\"{}\",\"second-{}\"]", person(PEOPLE), person(PEOPLE)))
        } else {
            (format!("\"{}\"", verdict(7)), format!("\"{}\"", person(PEOPLE)))
        };
        writeln!(
            rows,
            "{{\"id\":\"case-{index:06}\",\"author\":\"author-{}\",\
             \"mail\":\"Where is order {index}? It should have been here on Tuesday.\",\
             \"answer\":\"Order {index} left our house and will be with you by Friday.\",\
             \"said\":{said},\"who\":{who},\"judge\":\"{}\"}}",
            index / 2,
            verdict(6)
        )?;
    }
    Ok(rows)
}
