//! The order of variants whose outputs were judged in pairs (STATS S16).

use std::num::NonZeroUsize;

use serde::Serialize;
use stats::{
    BradleyTerry, Defined, InvalidInput, Level, Resampling, Undefined, bradley_terry,
    cluster_bootstrap,
};
use values::Interval;

use crate::estimate::Estimate;

/// Resamples of the cluster bootstrap: enough for a 95 % interval.
const RESAMPLES: usize = 2_000;
/// Below so many clusters the interval of a bootstrap is too narrow (STATS S7).
const ENOUGH_CLUSTERS: usize = 20;

/// What became of one pair of outputs of the same case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedPair {
    /// The variants, as places in the list of names; never the same.
    pub variants: [usize; 2],
    /// Which output is preferred.
    pub preferred: Preferred,
    /// The cluster of the case; cases with the same number belong together.
    pub cluster: usize,
}

/// Which of two outputs is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preferred {
    /// The output of the first variant.
    First,
    /// The output of the second variant.
    Second,
    /// Neither; half a win for each.
    Neither,
}

/// Variants in the order of their Bradley–Terry strength.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairwiseOrder {
    /// The strongest first; variants that were in no pair are left out.
    pub rows: Vec<OrderRow>,
    /// The pairs that it rests on.
    pub pairs: usize,
    /// The clusters that the pairs are of.
    pub clusters: usize,
    /// Whether half a win each way was added between all variants, because some of them never lost to
    /// others, or never won, so that no finite strength fits.
    pub with_prior: bool,
    /// Whether there are so few clusters that the intervals are too narrow.
    pub few_clusters: bool,
    /// The two-sided level of the intervals, a share.
    pub confidence: f64,
    /// The seed of the bootstrap.
    pub seed: u64,
    /// Its resamples.
    pub resamples: usize,
}

/// One variant of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderRow {
    /// The variant's name.
    pub name: String,
    /// The log strength; those of all variants sum to 0. A difference of d is a chance of
    /// 1/(1 + e⁻ᵈ) to be preferred.
    pub strength: f64,
    /// Its percentile interval by the cluster bootstrap over cases.
    pub interval: Estimate<Interval>,
    /// Pairs in which its output was preferred.
    pub wins: usize,
    /// Pairs in which neither was.
    pub ties: usize,
    /// Pairs in which the other was.
    pub losses: usize,
}

/// Returns the order of variants by the pairs that were judged; `None` without a pair.
///
/// Cases that share a cluster are drawn together, because one case yields several pairs. A resample
/// that separates the variants has half a win each way added, as the whole has where it does.
///
/// # Errors
/// [`InvalidInput`] if there are more pairs or variants than the statistics allow, or a pair is of a
/// variant that has no name, or of one with itself.
///
/// # Source
/// Bradley and Terry (1952), Biometrika 39, 324–345; ties as half a win for each.
pub fn pairwise_order(
    names: &[String],
    pairs: &[JudgedPair],
    level: Level,
    seed: u64,
) -> Result<Option<PairwiseOrder>, InvalidInput> {
    check(names, pairs)?;
    let mut present: Vec<usize> = pairs.iter().flat_map(|pair| pair.variants).collect();
    present.sort_unstable();
    present.dedup();
    if present.is_empty() {
        return Ok(None);
    }
    let place = |variant: usize| present.partition_point(|other| *other < variant);
    let outcomes: Vec<([usize; 2], Preferred)> =
        pairs.iter().map(|pair| (pair.variants.map(place), pair.preferred)).collect();
    let count = present.len();
    let everything: Vec<usize> = (0..pairs.len()).collect();
    let plain = bradley_terry(&wins(&outcomes, &everything, count, 0.0), level)?;
    let with_prior = plain == Err(Undefined::Separated);
    let Ok(fitted) = (if with_prior {
        bradley_terry(&wins(&outcomes, &everything, count, 0.5), level)?
    } else {
        plain
    }) else {
        return Ok(None);
    };
    let clusters: Vec<usize> = pairs.iter().map(|pair| pair.cluster).collect();
    let resampling = Resampling { resamples: RESAMPLES, seed, threads: NonZeroUsize::MIN };
    let mut rows = Vec::with_capacity(count);
    for (at, variant) in present.iter().enumerate() {
        let strength = |drawn: &[usize]| {
            refitted(&outcomes, drawn, count, with_prior, level).map(|fit| fit.log_strength[at])
        };
        let found = cluster_bootstrap(&clusters, strength, resampling, level)?;
        let interval =
            if found.zero_variance { Err(Undefined::ZeroVariance) } else { found.percentile };
        let [wins, ties, losses] = tally(&outcomes, at);
        let (name, strength) = (names[*variant].clone(), fitted.log_strength[at]);
        rows.push(OrderRow { name, strength, interval: interval.into(), wins, ties, losses });
    }
    rows.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let clusters = distinct(&clusters);
    Ok(Some(PairwiseOrder {
        rows,
        pairs: pairs.len(),
        clusters,
        with_prior,
        few_clusters: clusters < ENOUGH_CLUSTERS,
        confidence: level.confidence(),
        seed,
        resamples: RESAMPLES,
    }))
}

/// Counts the pairs in which a variant was preferred, neither was, and the other was.
fn tally(outcomes: &[([usize; 2], Preferred)], variant: usize) -> [usize; 3] {
    let mut counts = [0; 3];
    for ([first, second], preferred) in outcomes {
        let is_first = *first == variant;
        if is_first || *second == variant {
            let place = match preferred {
                Preferred::Neither => 1,
                Preferred::First => {
                    if is_first {
                        0
                    } else {
                        2
                    }
                }
                Preferred::Second => {
                    if is_first {
                        2
                    } else {
                        0
                    }
                }
            };
            counts[place] += 1;
        }
    }
    counts
}

fn check(names: &[String], pairs: &[JudgedPair]) -> Result<(), InvalidInput> {
    let is_bad = |pair: &&JudgedPair| {
        let [a, b] = pair.variants;
        a == b || a >= names.len() || b >= names.len()
    };
    match pairs.iter().find(is_bad) {
        Some(pair) => Err(InvalidInput::OutOfRange {
            what: "variant of a pair",
            value: pair.variants[1] as f64,
            expected: "another than the first, among those that have a name",
        }),
        None => Ok(()),
    }
}

/// Fits the pairs that were drawn.
fn refitted(
    outcomes: &[([usize; 2], Preferred)],
    drawn: &[usize],
    count: usize,
    with_prior: bool,
    level: Level,
) -> Defined<BradleyTerry> {
    let fit = |prior: f64| {
        let found = bradley_terry(&wins(outcomes, drawn, count, prior), level);
        found.unwrap_or(Err(Undefined::NotConverged))
    };
    if with_prior {
        return fit(0.5);
    }
    match fit(0.0) {
        Err(Undefined::Separated) => fit(0.5),
        found => found,
    }
}

/// Counts wins, a tie as half a win for each, on top of so many that nobody had.
fn wins(
    outcomes: &[([usize; 2], Preferred)],
    drawn: &[usize],
    count: usize,
    prior: f64,
) -> Vec<Vec<f64>> {
    let mut wins = vec![vec![prior; count]; count];
    for ([a, b], preferred) in drawn.iter().map(|place| outcomes[*place]) {
        match preferred {
            Preferred::First => wins[a][b] += 1.0,
            Preferred::Second => wins[b][a] += 1.0,
            Preferred::Neither => {
                wins[a][b] += 0.5;
                wins[b][a] += 0.5;
            }
        }
    }
    for (place, row) in wins.iter_mut().enumerate() {
        row[place] = 0.0;
    }
    wins
}

fn distinct(numbers: &[usize]) -> usize {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        ["a", "b", "c", "d"].iter().take(count).map(|name| (*name).to_owned()).collect()
    }

    /// So many pairs in which the first is preferred, the second is, and neither is, a case for each.
    fn pairs(variants: [usize; 2], counts: [usize; 3]) -> Vec<JudgedPair> {
        let all = [Preferred::First, Preferred::Second, Preferred::Neither];
        let outcomes = all.into_iter().zip(counts).flat_map(|(one, count)| vec![one; count]);
        let pair = |(cluster, preferred)| JudgedPair { variants, preferred, cluster };
        outcomes.enumerate().map(pair).collect()
    }

    fn order(names: &[String], pairs: &[JudgedPair]) -> PairwiseOrder {
        pairwise_order(names, pairs, Level::P95, 1).unwrap().expect("there are pairs")
    }

    #[test]
    fn two_variants_differ_by_the_log_of_their_odds() {
        // 30 wins to 10: ln 3.
        let found = order(&names(2), &pairs([0, 1], [28, 8, 4]));
        let strengths: Vec<f64> = found.rows.iter().map(|row| row.strength).collect();
        assert!((strengths[0] - strengths[1] - 3f64.ln()).abs() < 1e-9, "{found:?}");
        assert_eq!((found.rows[0].wins, found.rows[0].ties, found.rows[0].losses), (28, 4, 8));
        let interval = found.rows[0].interval.value().unwrap();
        assert!(interval.low() > 0.0 && interval.high() > strengths[0], "{found:?}");
        assert!(!found.with_prior && !found.few_clusters && found.clusters == 40);
    }

    #[test]
    fn who_never_lost_is_ordered_with_a_prior_that_is_marked() {
        let all = [pairs([0, 1], [0, 20, 0]), pairs([1, 2], [12, 8, 0])].concat();
        let found = order(&names(4), &all);
        let shown: Vec<&str> = found.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(shown, ["b", "c", "a"], "the one without a pair is left out");
        assert!(found.with_prior);
    }

    #[test]
    fn pairs_of_one_case_are_drawn_together() {
        let mut one_case = pairs([0, 1], [20, 10, 0]);
        let apart = order(&names(2), &one_case);
        for (place, pair) in one_case.iter_mut().enumerate() {
            pair.cluster = place % 3;
        }
        let together = order(&names(2), &one_case);
        assert!(together.few_clusters && together.clusters == 3);
        assert!((together.rows[0].strength - apart.rows[0].strength).abs() < 1e-12);
        for pair in &mut one_case {
            pair.cluster = 7;
        }
        let one = order(&names(2), &one_case);
        assert_eq!(one.rows[0].interval, Undefined::OneCluster.into());
    }

    #[test]
    fn no_pair_is_no_order_and_a_pair_with_itself_is_refused() {
        assert_eq!(pairwise_order(&names(2), &[], Level::P95, 1), Ok(None));
        for variants in [[0, 0], [0, 2]] {
            assert!(pairwise_order(&names(2), &pairs(variants, [1, 1, 0]), Level::P95, 1).is_err());
        }
    }
}
