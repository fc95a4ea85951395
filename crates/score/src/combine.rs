//! Conjunction and disjunction over results of which some are numbers and some unknown.

use evalset::check::Combination;

use crate::finding::{Finding, Found};

/// The most members of a group whose reasons are shown.
const REASONS_SHOWN: usize = 3;

/// Combines the findings of a group, of which there is at least one.
///
/// All: the least of them, a pass counting as 1 and a fail as 0. Any: the largest. A result that no
/// unknown could change stands; else the worst unknown is the result.
pub(crate) fn combine(combination: Combination, mut findings: Vec<Finding>) -> Finding {
    if findings.len() == 1
        && let Some(only) = findings.pop()
    {
        return only;
    }
    let found = match combination {
        Combination::All => all(findings.iter().map(|finding| finding.found)),
        Combination::Any => any(findings.iter().map(|finding| finding.found)),
    };
    let reason = explain(found, combination, &findings);
    Finding { found, reason }
}

pub(crate) fn all(findings: impl Iterator<Item = Found>) -> Found {
    least(findings, |found| match found {
        Found::Fail => (0, 0.0),
        Found::Unknown(why) => (1, -f64::from(why as u8)),
        Found::Number(value) => (2, value),
        Found::Pass => (3, 0.0),
    })
    .unwrap_or(Found::Pass)
}

pub(crate) fn any(findings: impl Iterator<Item = Found>) -> Found {
    least(findings, |found| match found {
        Found::Pass => (0, 0.0),
        Found::Unknown(why) => (1, -f64::from(why as u8)),
        Found::Number(value) => (2, -value),
        Found::Fail => (3, 0.0),
    })
    .unwrap_or(Found::Fail)
}

/// Returns the finding that decides: the first of those with the least rank.
fn least(
    findings: impl Iterator<Item = Found>,
    rank: impl Fn(Found) -> (u8, f64),
) -> Option<Found> {
    findings.reduce(|sofar, next| if rank(next) < rank(sofar) { next } else { sofar })
}

fn explain(found: Found, combination: Combination, findings: &[Finding]) -> String {
    let total = findings.len();
    let alike: Vec<_> = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| is_alike(finding.found, found))
        .map(|(at, finding)| format!("({}) {}", at + 1, finding.reason))
        .collect();
    let count = alike.len();
    let mut shown = alike;
    shown.truncate(REASONS_SHOWN);
    let reasons = shown.join("; ");
    match (combination, found) {
        (Combination::All, Found::Pass) => format!("all {total} checks pass: {reasons}"),
        (Combination::Any, Found::Fail) => format!("none of {total} checks passes: {reasons}"),
        (_, Found::Pass) => format!("{count} of {total} checks pass: {reasons}"),
        (_, Found::Fail) => format!("{count} of {total} checks fail: {reasons}"),
        (_, Found::Number(_)) => format!("of {total} checks this one decides: {reasons}"),
        (_, Found::Unknown(_)) => {
            format!("{count} of {total} checks could not be decided: {reasons}")
        }
    }
}

fn is_alike(one: Found, other: Found) -> bool {
    match (one, other) {
        (Found::Number(one), Found::Number(other)) => (one - other).abs() < 1e-12,
        (one, other) => one == other,
    }
}
