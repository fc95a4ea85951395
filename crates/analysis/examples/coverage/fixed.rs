//! A declared number of cases, looked at once.

use analysis::Verdict;
use stats::InvalidInput;

use crate::world::{Draws, Scores, World, binary, single};
use crate::{Promise, claims_difference, decide, heading, holds, row};

pub(crate) fn simulate(repetitions: usize) -> Result<(), InvalidInput> {
    heading("Declared number of cases: the interval holds the truth");
    for cases in [20, 50, 100, 200] {
        let name = format!("one binary result a case, 20 % discordant, n = {cases}");
        interval(&name, repetitions, cases, None, |draws| single(draws, cases, 0.2, 0.04), 0.04)?;
    }
    for cases in [20, 50, 200] {
        let name = format!("three samples a case, n = {cases}");
        interval(&name, repetitions, cases, None, |draws| sampled(draws, cases), 0.03)?;
    }
    for cases in [10, 20, 50] {
        let name = format!("graded and skewed, n = {cases}");
        interval(&name, repetitions, cases, None, |draws| graded(draws, cases), 0.0)?;
    }
    for groups in [5, 10, 30, 100] {
        let clusters = uneven(groups);
        let cases = clusters.len();
        let name = format!("clusters of 1 to 9 that differ in effect, G = {groups}");
        let scores = |draws: &mut Draws| clustered(draws, &clusters, 0.0);
        interval(&name, repetitions, cases, Some(&clusters), scores, 0.0)?;
    }
    heading("No true difference: better or worse is claimed");
    for cases in [20, 50, 100, 200] {
        let claimed =
            count(repetitions, cases, None, |d| single(d, cases, 0.2, 0.0), claims_difference)?;
        let name = format!("one binary result a case, n = {cases}");
        row(&name, claimed, repetitions, Promise::AtMost(5.0));
    }
    heading("A true loss of the whole margin: no worse is claimed");
    for (cases, discordance) in [(100, 0.1), (300, 0.1), (300, 0.3)] {
        let scores = |draws: &mut Draws| single(draws, cases, discordance, -0.05);
        let claimed = count(repetitions, cases, None, scores, Verdict::is_no_worse)?;
        let percent = 100.0 * discordance;
        let name = format!("one binary result a case, {percent:.0} % discordant, n = {cases}");
        row(&name, claimed, repetitions, Promise::AtMost(5.0));
    }
    for groups in [10, 30, 100] {
        let clusters = uneven(groups);
        let scores = |draws: &mut Draws| clustered(draws, &clusters, -0.05);
        let claimed =
            count(repetitions, clusters.len(), Some(&clusters), scores, Verdict::is_no_worse)?;
        row(&format!("clusters, G = {groups}"), claimed, repetitions, Promise::AtMost(5.0));
    }
    Ok(())
}

/// Prints how often the interval holds the true difference.
fn interval(
    name: &str,
    repetitions: usize,
    cases: usize,
    clusters: Option<&[usize]>,
    scores: impl Fn(&mut Draws) -> Vec<Scores>,
    truth: f64,
) -> Result<(), InvalidInput> {
    let mut world = World::new(cases, 1);
    if let Some(clusters) = clusters {
        world.cluster(clusters);
    }
    let mut held = 0;
    for repetition in 0..repetitions {
        world.score(0, &scores(&mut Draws::new(repetition as u64)));
        held += usize::from(holds(&decide(&world)?, truth));
    }
    row(name, held, repetitions, Promise::AtLeast(95.0));
    Ok(())
}

/// Counts the repetitions with a verdict.
fn count(
    repetitions: usize,
    cases: usize,
    clusters: Option<&[usize]>,
    scores: impl Fn(&mut Draws) -> Vec<Scores>,
    is_it: impl Fn(Verdict) -> bool,
) -> Result<usize, InvalidInput> {
    let mut world = World::new(cases, 1);
    if let Some(clusters) = clusters {
        world.cluster(clusters);
    }
    let mut found = 0;
    for repetition in 0..repetitions {
        world.score(0, &scores(&mut Draws::new(repetition as u64)));
        found += usize::from(is_it(decide(&world)?.verdict));
    }
    Ok(found)
}

/// Three samples of cases that differ in how often they pass; the candidate passes 3 points more.
fn sampled(draws: &mut Draws, cases: usize) -> Vec<Scores> {
    (0..cases)
        .map(|_| {
            let rate = if draws.chance(0.5) { 0.8 } else { 0.1 + 0.4 * draws.unit() };
            let mut samples = |rate: f64| -> Vec<f64> {
                (0..3).map(|_| f64::from(u8::from(draws.chance(rate)))).collect()
            };
            (samples(rate), samples(rate + 0.03))
        })
        .collect()
}

/// Graded scores whose differences are skewed and have the mean 0.
fn graded(draws: &mut Draws, cases: usize) -> Vec<Scores> {
    (0..cases)
        .map(|_| {
            // Mostly a little worse, sometimes much better: 0.8·(−0.1) + 0.2·0.4 = 0.
            let base = 0.3 + 0.2 * draws.unit();
            let noise = 0.05 * (draws.unit() - 0.5);
            let gain = if draws.chance(0.2) { 0.4 } else { -0.1 };
            (vec![base], vec![base + gain + noise])
        })
        .collect()
}

/// Clusters of one to nine cases each.
fn uneven(groups: usize) -> Vec<usize> {
    (0..groups).flat_map(|group| std::iter::repeat_n(group, 1 + group * 5 % 9)).collect()
}

/// Cases whose clusters gain or lose together.
fn clustered(draws: &mut Draws, clusters: &[usize], difference: f64) -> Vec<Scores> {
    let groups = clusters.last().map_or(0, |last| last + 1);
    let effects: Vec<f64> =
        (0..groups).map(|_| if draws.chance(0.5) { 0.2 } else { -0.2 }).collect();
    clusters
        .iter()
        .map(|&cluster| {
            let (a, b) = binary(draws, 0.4, difference + effects[cluster]);
            (vec![a], vec![b])
        })
        .collect()
}
