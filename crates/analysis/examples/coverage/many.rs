//! Many claims at once: candidates, criteria, slices; and what answers take.

use std::num::NonZeroUsize;

use analysis::{
    CompareOptions, CriterionComparison, LookHistory, VariantResults, Verdict, compare, compare_all,
};
use stats::InvalidInput;

use crate::world::{Draws, World, single, time};
use crate::{Promise, claims_difference, heading, options, row};

const CASES: usize = 100;

pub(crate) fn simulate(repetitions: usize) -> Result<(), InvalidInput> {
    let few = repetitions.div_ceil(4);
    heading("Many claims at once, none of them true");
    let (uncorrected, corrected) = candidates(few)?;
    row("ten candidates: any better, each by itself", uncorrected, few, Promise::About(24.0));
    row("ten candidates: any better, by Holm's steps", corrected, few, Promise::AtMost(5.0));
    row("six other criteria: any better or worse", criteria(few)?, few, Promise::AtMost(5.0));
    row("twenty-four slices: any flagged", slices(few)?, few, Promise::AtMost(5.0));
    heading("Latency: the interval holds the true difference of p95");
    for (cases, samples) in [(200, 1), (200, 3)] {
        let held = latencies(few, cases, samples)?;
        let name = format!("n = {cases}, {samples} samples a case, 400 resamples");
        row(&name, held, few, Promise::About(95.0));
    }
    Ok(())
}

/// Counts tables of ten null candidates with a false "better", without and with correction.
fn candidates(repetitions: usize) -> Result<(usize, usize), InvalidInput> {
    let mut worlds: Vec<World> = (0..10).map(|_| World::new(CASES, 1)).collect();
    let (mut uncorrected, mut corrected) = (0, 0);
    for repetition in 0..repetitions {
        let mut draws = Draws::new(repetition as u64);
        let base: Vec<f64> = (0..CASES).map(|_| f64::from(u8::from(draws.chance(0.7)))).collect();
        for world in &mut worlds {
            // A candidate turns passes and fails with the same total chance, so the rate stays.
            let turned = |draws: &mut Draws, a: f64| {
                let chance = if a > 0.5 { 0.1 / 0.7 } else { 0.1 / 0.3 };
                if draws.chance(chance) { 1.0 - a } else { a }
            };
            let scores: Vec<_> =
                base.iter().map(|&a| (vec![a], vec![turned(&mut draws, a)])).collect();
            world.score(0, &scores);
        }
        let candidates: Vec<&VariantResults> =
            worlds.iter().map(|world| &world.candidate).collect();
        let baseline = &worlds[0].baseline;
        let found = compare_all(baseline, &candidates, &options(), &[])?;
        let is_better = |verdict: Option<Verdict>| verdict == Some(Verdict::Better);
        corrected += usize::from(found.rows.iter().any(|row| is_better(row.verdict)));
        let mut any = false;
        for candidate in candidates {
            let alone = compare(baseline, candidate, &options(), &LookHistory::default())?;
            any |= is_better(alone.verdict());
        }
        uncorrected += usize::from(any);
    }
    Ok((uncorrected, corrected))
}

/// Counts comparisons of six null criteria beside the primary one with a false claim.
fn criteria(repetitions: usize) -> Result<usize, InvalidInput> {
    let mut world = World::new(CASES, 7);
    let mut claimed = 0;
    for repetition in 0..repetitions {
        let mut draws = Draws::new(repetition as u64);
        for criterion in 0..7 {
            world.score(criterion, &single(&mut draws, CASES, 0.2, 0.0));
        }
        let found =
            compare(&world.baseline, &world.candidate, &options(), &LookHistory::default())?;
        let others = found.criteria.iter().skip(1).filter_map(CriterionComparison::verdict);
        claimed += usize::from(others.into_iter().any(claims_difference));
    }
    Ok(claimed)
}

/// Counts comparisons without a true difference in which a slice is flagged.
fn slices(repetitions: usize) -> Result<usize, InvalidInput> {
    let cases = 24 * 30;
    let mut world = World::new(cases, 1);
    for (number, case) in world.candidate.cases.iter_mut().enumerate() {
        case.tags = vec![format!("t{}", number % 24)];
    }
    let mut flagged = 0;
    for repetition in 0..repetitions {
        world.score(0, &single(&mut Draws::new(repetition as u64), cases, 0.3, 0.0));
        let found =
            compare(&world.baseline, &world.candidate, &options(), &LookHistory::default())?;
        let slices = found.slices.map(|slices| slices.slices).unwrap_or_default();
        flagged += usize::from(slices.iter().any(|slice| slice.differs));
    }
    Ok(flagged)
}

/// Counts bootstrap intervals of p95 that hold the true difference of 40 ms.
fn latencies(repetitions: usize, cases: usize, samples: usize) -> Result<usize, InvalidInput> {
    let options = CompareOptions { resamples: NonZeroUsize::new(400), ..options() };
    let mut world = World::new(cases, 1);
    let mut held = 0;
    for repetition in 0..repetitions {
        let mut draws = Draws::new(repetition as u64);
        let scores: Vec<_> = (0..cases).map(|_| (vec![1.0; samples], vec![1.0; samples])).collect();
        world.score(0, &scores);
        for place in 0..cases {
            // A case has its own share of the latency, a long tail; the rest is of each answer.
            let own = -300.0 * (1.0 - draws.unit()).ln();
            for (side, shift) in [(&mut world.baseline, 0.0), (&mut world.candidate, 40.0)] {
                time(&mut side.cases[place], || {
                    milliseconds(200.0 + own - 100.0 * (1.0 - draws.unit()).ln() + shift)
                });
            }
        }
        let found = compare(&world.baseline, &world.candidate, &options, &LookHistory::default())?;
        let interval = found.measures.first().and_then(|latency| latency.p95.interval?.value());
        held += usize::from(interval.is_some_and(|interval| interval.contains(40.0)));
    }
    Ok(held)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a latency is positive and small"
)]
fn milliseconds(latency: f64) -> u64 {
    latency.round() as u64
}
