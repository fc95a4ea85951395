//! Simulates how often intervals hold the truth and verdicts are wrong, as the product gives them.
//!
//! Prints what is measured beside what is promised. `coverage [REPETITIONS]`, 2,000 by default;
//! seeded, so that the same number of repetitions gives the same table.

#![expect(clippy::print_stdout, reason = "the table is what the example is for")]

mod fixed;
mod many;
mod sequence;
mod world;

use std::num::NonZeroUsize;

use analysis::{CompareOptions, Decision, LookHistory, Verdict, compare};
use stats::InvalidInput;

use crate::world::World;

/// What a share is measured against.
#[derive(Clone, Copy)]
enum Promise {
    /// At least this, in percent.
    AtLeast(f64),
    /// At most this, in percent.
    AtMost(f64),
    /// What the simulations of the specification found, in percent.
    About(f64),
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repetitions = match std::env::args().nth(1) {
        Some(text) => {
            text.parse::<NonZeroUsize>().map_err(|error| format!("{text}: {error}"))?.get()
        }
        None => 2_000,
    };
    println!(
        "{repetitions} repetitions; in brackets the 95 % interval of a share, the simulation's error\n"
    );
    fixed::simulate(repetitions)?;
    sequence::simulate(repetitions)?;
    many::simulate(repetitions)?;
    Ok(())
}

fn heading(text: &str) {
    println!("\n{text}");
}

/// Prints the share of repetitions in which something happened.
fn row(what: &str, count: usize, of: usize, promise: Promise) {
    let share = 100.0 * count as f64 / of as f64;
    let promise = match promise {
        Promise::AtLeast(least) => format!("at least {least} %"),
        Promise::AtMost(most) => format!("at most {most} %"),
        Promise::About(about) => format!("about {about} %"),
    };
    let level = stats::Level::P95;
    let error =
        stats::wilson_interval(count as u64, of as u64, level).map_or(String::new(), |found| {
            let interval = found.interval;
            format!("({:.1}–{:.1})", 100.0 * interval.low(), 100.0 * interval.high())
        });
    println!("  {what:<64} {share:>6.1} % {error:<14} {promise}");
}

/// Options with a margin of five points.
fn options() -> CompareOptions {
    CompareOptions { margin: Some(0.05), seed: 1, ..CompareOptions::default() }
}

/// Compares a world as it is looked at for the first time.
fn decide(world: &World) -> Result<Decision, InvalidInput> {
    decide_after(world, &LookHistory::default())
}

fn decide_after(world: &World, history: &LookHistory) -> Result<Decision, InvalidInput> {
    let comparison = compare(&world.baseline, &world.candidate, &options(), history)?;
    let primary = comparison.primary().and_then(|primary| primary.decision);
    Ok(primary.expect("every case is decided on both sides"))
}

/// Tells whether a verdict claims a difference, in either direction.
fn claims_difference(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Better | Verdict::Worse | Verdict::WorseWithinMargin)
}

/// Tells whether the interval of a decision holds the true difference; one that is undefined claims
/// nothing.
fn holds(decision: &Decision, truth: f64) -> bool {
    decision
        .interval
        .value()
        .is_none_or(|interval| interval.low() - 1e-9 <= truth && truth <= interval.high() + 1e-9)
}
