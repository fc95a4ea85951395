//! Measures how long a large `cases.jsonl` takes to load, and how much memory it holds.
//!
//! `cargo run --release -p evalset --example load_cases -- [CASES] [BYTES_PER_CASE]`

#![expect(clippy::print_stdout, reason = "the measurement is what this program is for")]

use std::time::Instant;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let mut next = |default| numbers.next().and_then(Result::ok).unwrap_or(default);
    let (cases, bytes) = (next(100_000), next(600));
    let filler = "Where is my order? It should have been here on Tuesday. ";
    let message = filler.repeat(bytes / filler.len() + 1);
    let mut text = String::new();
    for index in 0..cases {
        text.push_str(&format!(
            "{{\"id\":\"case-{index}\",\"inputs\":{{\"message\":\"{message}\",\"order\":{index},\
             \"lines\":[1,2.5,{{\"sku\":\"a\"}}]}},\"expected\":\"{index}\",\
             \"tags\":[\"long\",\"english\"],\"cluster\":\"incident-{}\"}}\n",
            index / 3
        ));
    }
    let size = text.len();
    let start = Instant::now();
    let (file, found) = evalset::CaseFile::read("cases.jsonl", text);
    let read = start.elapsed();
    let start = Instant::now();
    let splits = file.iter().filter(|case| case.expected.is_some()).count();
    let parsed = start.elapsed();
    println!(
        "{} cases, {size} bytes, {} findings: read in {read:?}, all parsed again ({splits}) in \
         {parsed:?}, resident {} (peak {})",
        file.len(),
        found.len(),
        status("VmRSS"),
        status("VmHWM"),
    );
}

/// Returns a line of the process's status where the system has it.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the system's own account")]
fn status(key: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap_or("unknown");
    line.trim_start_matches(key).trim_start_matches(':').trim().to_owned()
}
