//! How long a large `cases.jsonl` takes to load, and what it holds in memory.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::process::{measure, median, this_as};
use crate::table::{Table, mb, megabytes, seconds};

const CASES: usize = 100_000;
/// Bytes of a case's message.
const MESSAGE: usize = 600;

/// Measures loading in a process that does nothing else.
pub(crate) fn section() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cases.jsonl");
    let text = rows()?;
    let size = text.len() as u64;
    std::fs::write(&path, text)?;
    let mut seconds_taken = Vec::new();
    let mut peaks = Vec::new();
    for _ in 0..5 {
        let mut command = this_as("load-cases")?;
        command.arg(&path);
        let loaded = measure(command)?;
        let micros: u64 = loaded.stdout.trim().parse().context("microseconds")?;
        seconds_taken.push(micros);
        peaks.push(loaded.peak_bytes);
    }
    let mut table = Table::new("load (median of 5)");
    table.note("size of cases.jsonl", megabytes(mb(size)));
    let taken = median(seconds_taken.into_iter()) as f64 / 1e6;
    table.row("load 100,000 cases", taken, 1.0, seconds);
    table.row("peak memory", mb(median(peaks.into_iter())), 300.0, megabytes);
    table.print();
    Ok(())
}

/// Loads a file as the program does, and prints how many microseconds that took.
pub(crate) fn cases(path: &str) -> Result<()> {
    let start = Instant::now();
    let text = std::fs::read_to_string(path)?;
    let (file, found) = evalset::CaseFile::read("cases.jsonl", text);
    let taken = start.elapsed();
    ensure!(found.is_empty() && file.len() == CASES, "{} cases, {found:?}", file.len());
    println!("{}", taken.as_micros());
    Ok(())
}

fn rows() -> Result<String> {
    let filler = "Where is my order? It should have been here on Tuesday. ";
    let message = filler.repeat(MESSAGE / filler.len() + 1);
    let mut rows = String::new();
    for index in 0..CASES {
        writeln!(
            rows,
            "{{\"id\":\"case-{index}\",\"inputs\":{{\"message\":\"{message}\",\"order\":{index},\
             \"lines\":[1,2.5,{{\"sku\":\"a\"}}]}},\"expected\":\"{index}\",\
             \"tags\":[\"long\",\"english\"],\"cluster\":\"incident-{}\"}}",
            index / 3
        )?;
    }
    Ok(rows)
}
