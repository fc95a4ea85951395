//! Runs that stop when they please, and looks that more cases follow.

use std::collections::{BTreeMap, HashSet};

use analysis::{Goal, LookHistory, Origin, UntilDecided, Verdict};
use stats::{InvalidInput, Level};

use crate::world::{Draws, World, binary, single};
use crate::{Promise, claims_difference, decide, decide_after, heading, row};

pub(crate) fn simulate(repetitions: usize) -> Result<(), InvalidInput> {
    heading("Runs that stop when decided, at most 600 cases");
    for (name, discordance) in
        [("10 % discordant", 0.1), ("30 % discordant", 0.3), ("all discordant", 1.0)]
    {
        let stops = until_decided(repetitions, discordance, 0.0)?;
        let claimed = stops.iter().filter(|(verdict, _)| claims_difference(*verdict)).count();
        let name = format!("no true difference, {name}: better or worse");
        row(&name, claimed, repetitions, Promise::AtMost(5.0));
    }
    let stops = until_decided(repetitions, 0.2, -0.05)?;
    let claimed = stops.iter().filter(|(verdict, _)| verdict.is_no_worse()).count();
    row("a true loss of the whole margin: no worse", claimed, repetitions, Promise::AtMost(5.0));
    for (name, discordance, gain, power, usual) in
        [("10", 0.2, 0.1, 99.0, 125), ("20", 0.3, 0.2, 100.0, 44)]
    {
        let stops = until_decided(repetitions, discordance, gain)?;
        let mut found: Vec<usize> = stops
            .iter()
            .filter(|(verdict, _)| *verdict == Verdict::Better)
            .map(|(_, cases)| *cases)
            .collect();
        found.sort_unstable();
        let median = found.get(found.len() / 2).copied().unwrap_or(0);
        let name = format!("+{name} points: better, at a median of {median} (about {usual})");
        row(&name, found.len(), repetitions, Promise::About(power));
    }
    heading("A run that is ended by hand at its most flattering moment, no true difference");
    let claimed = ended_by_hand(repetitions)?;
    row("better or worse", claimed, repetitions, Promise::AtMost(5.0));
    heading("A declared look at 100 cases, then more after each look, no true difference");
    for (name, sizes) in [
        ("100", &[100][..]),
        ("100, 200", &[100, 200]),
        ("100, 200, 300", &[100, 200, 300]),
        ("100, 200, … 600", &[100, 200, 300, 400, 500, 600]),
    ] {
        let claimed = extended(repetitions, sizes, 0.0, claims_difference)?;
        let name = format!("{name} cases: better or worse at any look");
        row(&name, claimed, repetitions, Promise::AtMost(5.0));
    }
    heading("The same versions answer the same cases anew after each look, no true difference");
    for (name, tries) in [("once more", 2), ("four times more", 5), ("nine times more", 10)] {
        let claimed = answered_again(repetitions, tries)?;
        let name = format!("100 cases, {name}: better or worse at any try");
        row(&name, claimed, repetitions, Promise::AtMost(10.0));
    }
    heading("More cases after a look, a loss of the whole margin");
    let sizes = [100, 200, 300];
    let claimed = extended(repetitions, &sizes, -0.05, Verdict::is_no_worse)?;
    let name = "100, 200, 300 cases, a loss of the margin: no worse at any look";
    row(name, claimed, repetitions, Promise::AtMost(5.0));
    Ok(())
}

/// Returns the verdict at which each run stopped, and after how many cases.
fn until_decided(
    repetitions: usize,
    discordance: f64,
    gain: f64,
) -> Result<Vec<(Verdict, usize)>, InvalidInput> {
    let mut stops = Vec::with_capacity(repetitions);
    for repetition in 0..repetitions {
        let mut draws = Draws::new(repetition as u64);
        let mut run = UntilDecided::new(Some(0.05), Level::P95, Goal::Better)?;
        while run.fed() < 600 {
            let (a, b) = binary(&mut draws, discordance, gain);
            if run.push(b - a)?.is_some() {
                break;
            }
        }
        stops.push((run.verdict(), run.fed()));
    }
    Ok(stops)
}

/// Counts the repetitions in which any try claims a difference; the answers of each are independent of
/// those before, which is the worst case.
fn answered_again(repetitions: usize, tries: u32) -> Result<usize, InvalidInput> {
    let mut world = World::new(100, 1);
    let mut found = 0;
    for repetition in 0..repetitions {
        let mut draws = Draws::new(repetition as u64);
        for earlier in 0..tries {
            world.score(0, &single(&mut draws, 100, 0.2, 0.0));
            let other_answers = BTreeMap::from([("criterion-0".to_owned(), earlier)]);
            let history = LookHistory { other_answers, ..LookHistory::default() };
            if claims_difference(decide_after(&world, &history)?.verdict) {
                found += 1;
                break;
            }
        }
    }
    Ok(found)
}

/// Counts false claims where somebody watches the difference and stops where it looks clearest.
fn ended_by_hand(repetitions: usize) -> Result<usize, InvalidInput> {
    let mut world = World::new(200, 1);
    let mut claimed = 0;
    for repetition in 0..repetitions {
        let scores = single(&mut Draws::new(repetition as u64), 200, 0.3, 0.0);
        let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
        let (mut best, mut at) = (0.0, 20);
        for (number, (a, b)) in scores.iter().enumerate() {
            let difference = b[0] - a[0];
            sum += difference;
            squares += difference * difference;
            let clear = sum.abs() / squares.max(1.0).sqrt();
            if number >= 20 && clear > best {
                (best, at) = (clear, number + 1);
            }
        }
        world.score(0, &scores);
        let mut ended = world.first(at);
        if let Origin::Run { complete, .. } = &mut ended.candidate.origin {
            *complete = false;
        }
        claimed += usize::from(claims_difference(decide(&ended)?.verdict));
    }
    Ok(claimed)
}

/// Counts the repetitions in which any look claims it; each look has more cases than the one before.
fn extended(
    repetitions: usize,
    sizes: &[usize],
    gain: f64,
    is_it: impl Fn(Verdict) -> bool,
) -> Result<usize, InvalidInput> {
    let most = sizes.iter().copied().max().unwrap_or(0);
    let mut world = World::new(most, 1);
    let mut found = 0;
    for repetition in 0..repetitions {
        world.score(0, &single(&mut Draws::new(repetition as u64), most, 0.2, gain));
        let mut history = LookHistory::default();
        for &size in sizes {
            let look = world.first(size);
            if is_it(decide_after(&look, &history)?.verdict) {
                found += 1;
                break;
            }
            let ids: HashSet<String> =
                look.candidate.cases.iter().map(|case| case.id.clone()).collect();
            history.earlier.entry("criterion-0".to_owned()).or_default().push(ids);
        }
    }
    Ok(found)
}
