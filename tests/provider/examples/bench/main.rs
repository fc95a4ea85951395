//! Measures the optimised `trysquare` program, against the targets that the project has set itself.
//!
//! `scripts/bench` builds what this needs and starts it with the names of sections. Every program that
//! is measured, the minimal client among them, is a process of its own, so that its time, CPU and
//! memory are its own. The targets are printed as ratios, and nothing fails because it is slow; this
//! fails where a program does not do what it is measured for.

#![expect(clippy::print_stdout, reason = "what is measured is printed")]
#![expect(clippy::print_stderr, reason = "what is under way is told apart from the results")]
#![expect(
    clippy::disallowed_methods,
    reason = "a measurement starts programs, and writes the files that they read"
)]

mod calls;
mod labels;
mod load;
mod minimal;
mod process;
mod project;
mod server;
mod start;
mod table;

use anyhow::{Context, Result, bail};

/// A section's name and what measures it.
type Section = (&'static str, fn() -> Result<()>);

const SECTIONS: [Section; 5] = [
    ("start", start::section),
    ("load", load::section),
    ("calls", calls::ten_thousand),
    ("many", calls::hundred_thousand),
    ("labels", labels::section),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The two parts that this program plays for itself, in a process of their own.
        ["minimal-client", origin, calls, concurrency] => {
            minimal::client(origin, calls.parse()?, concurrency.parse()?)
        }
        ["load-cases", path] => load::cases(path),
        [] => run(&SECTIONS.map(|(name, _)| name)),
        names => run(names),
    }
}

fn run(names: &[&str]) -> Result<()> {
    for name in names {
        let found = SECTIONS.iter().find(|(known, _)| known == name);
        let Some((_, section)) = found else {
            let known = SECTIONS.map(|(known, _)| known).join(", ");
            bail!("there is no section `{name}`; there are {known}");
        };
        section().with_context(|| format!("section `{name}`"))?;
    }
    Ok(())
}
