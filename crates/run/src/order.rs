use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use values::ContentHash;

use crate::PlannedCell;

/// The name of the procedure that orders a plan, stored with what it ordered.
///
/// ChaCha with 8 rounds, keyed by the seed in little-endian order and 24 zero bytes, shuffles the
/// clusters (Fisher–Yates from the end, each index drawn by rejection from 64-bit words).
pub const ORDER_ALGORITHM: &str = "chacha8-fisher-yates-v1";

/// What the order of a plan needs to know of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseRef<'a> {
    /// The case.
    pub id: &'a str,
    /// Its content.
    pub hash: ContentHash,
    /// Its cluster; a case without one is its own.
    pub cluster: Option<&'a str>,
}

/// A plan has more cells than can be numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{cases} cases × {variants} variants × {samples} samples are more than {} cells", u32::MAX)]
pub struct TooManyCells {
    /// The number of cases.
    pub cases: usize,
    /// The number of variants.
    pub variants: u32,
    /// The number of samples.
    pub samples: u32,
}

/// Returns the cells of a plan in the order in which they are worked on.
///
/// The seed shuffles whole clusters. Within a cluster the cases keep the order in which they were
/// given, and all samples of all variants of a case stand next to each other, so that pairs
/// complete together. The same input gives the same order, on every machine and in every version
/// that names the same [`ORDER_ALGORITHM`]. Linear in the number of cells.
///
/// # Errors
/// [`TooManyCells`] if the number of cells does not fit `u32`.
pub fn plan_order(
    cases: &[CaseRef<'_>],
    variants: u32,
    samples: u32,
    seed: u64,
) -> Result<Vec<PlannedCell>, TooManyCells> {
    let too_many = TooManyCells { cases: cases.len(), variants, samples };
    let count = u32::try_from(cases.len())
        .ok()
        .and_then(|cases| cases.checked_mul(variants)?.checked_mul(samples))
        .ok_or(too_many)?;
    let mut clusters = clusters_of(cases);
    shuffle(&mut clusters, seed);

    let mut cells = Vec::with_capacity(usize::try_from(count).map_err(|_| too_many)?);
    let mut indices = 0..count;
    for case in clusters.iter().flatten() {
        for sample in 0..samples {
            for (variant, index) in (0..variants).zip(&mut indices) {
                cells.push(PlannedCell {
                    index,
                    case_id: case.id.to_owned(),
                    case_hash: case.hash,
                    cluster: case.cluster.map(str::to_owned),
                    variant,
                    sample,
                });
            }
        }
    }
    Ok(cells)
}

/// Groups cases by cluster, in the order in which the clusters first appear.
fn clusters_of<'a>(cases: &'a [CaseRef<'a>]) -> Vec<Vec<&'a CaseRef<'a>>> {
    let mut clusters: Vec<Vec<&CaseRef<'_>>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for case in cases {
        let place = match case.cluster {
            Some(name) => *places.entry(name).or_insert(clusters.len()),
            None => clusters.len(),
        };
        match clusters.get_mut(place) {
            Some(cluster) => cluster.push(case),
            None => clusters.push(vec![case]),
        }
    }
    clusters
}

fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut words = ChaCha8Rng::from_seed(key);
    for last in (1..items.len()).rev() {
        items.swap(last, index_up_to(last, &mut words));
    }
}

/// Draws an index in `0..=last`, each equally likely.
fn index_up_to(last: usize, words: &mut ChaCha8Rng) -> usize {
    let count = last as u64 + 1;
    // The largest multiple of `count` in 64 bits; words from there on would favour small indices.
    let limit = u64::MAX - u64::MAX % count;
    loop {
        let word = words.next_u64();
        if word < limit {
            return usize::try_from(word % count).expect("at most `last`, which is a usize");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn case<'a>(id: &'a str, cluster: Option<&'a str>) -> CaseRef<'a> {
        CaseRef { id, hash: ContentHash::of_bytes(id.as_bytes()), cluster }
    }

    fn ids(cells: &[PlannedCell]) -> Vec<&str> {
        cells.iter().map(|cell| cell.case_id.as_str()).collect()
    }

    // The expected orders were computed by a separate program from the documented procedure.
    #[test]
    fn a_seed_gives_this_order_for_ever() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let cases: Vec<_> = names.iter().map(|name| case(name, None)).collect();
        let order = |seed| ids(&plan_order(&cases, 1, 1, seed).unwrap()).concat();
        insta::assert_snapshot!(order(0), @"cbdhaefg");
        insta::assert_snapshot!(order(1), @"bdcgeafh");
        insta::assert_snapshot!(order(u64::MAX), @"ebdfcgah");
    }

    #[test]
    fn variants_and_samples_of_a_case_stand_together() {
        let cases = [case("a", None), case("b", None)];
        let cells = plan_order(&cases, 2, 2, 7).unwrap();
        let first = &cells[0].case_id;
        assert!(cells[..4].iter().all(|cell| &cell.case_id == first));
        let pairs: Vec<_> = cells[..4].iter().map(|cell| (cell.sample, cell.variant)).collect();
        assert_eq!(pairs, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    }

    #[test]
    fn a_cluster_is_moved_as_a_whole_and_a_case_named_like_it_is_not_in_it() {
        let cases =
            [case("x", Some("k")), case("k", None), case("y", Some("k")), case("z", Some("k"))];
        for seed in 0..20 {
            let cells = plan_order(&cases, 1, 1, seed).unwrap();
            let joined = ids(&cells).concat();
            assert!(joined == "xyzk" || joined == "kxyz", "{joined}");
        }
    }

    #[test]
    fn a_plan_that_cannot_be_numbered_is_refused() {
        let cases = [case("a", None), case("b", None)];
        assert!(plan_order(&cases, u32::MAX, 1, 0).is_err());
        assert_eq!(plan_order(&cases, 0, 1, 0).unwrap(), []);
    }

    #[test]
    fn every_place_is_equally_likely() {
        let cases = ["a", "b", "c"].map(|name| case(name, None));
        let mut firsts = HashMap::new();
        for seed in 0..3_000 {
            let cells = plan_order(&cases, 1, 1, seed).unwrap();
            *firsts.entry(ids(&cells).concat()).or_insert(0u32) += 1;
        }
        // Six orders, 500 expected of each with a standard deviation of 20.
        assert_eq!(firsts.len(), 6);
        assert!(firsts.values().all(|&count| (400..600).contains(&count)), "{firsts:?}");
    }

    proptest! {
        #[test]
        fn every_cell_is_planned_once_and_clusters_are_never_torn(
            clusters in prop::collection::vec(prop::option::of(0u8..5), 0..40),
            variants in 1u32..4,
            samples in 1u32..3,
            seed: u64,
        ) {
            let names: Vec<_> = (0..clusters.len()).map(|n| format!("case-{n}")).collect();
            let groups: Vec<_> =
                clusters.iter().map(|group| group.map(|group| format!("g{group}"))).collect();
            let cases: Vec<_> = names
                .iter()
                .zip(&groups)
                .map(|(name, group)| case(name, group.as_deref()))
                .collect();
            let cells = plan_order(&cases, variants, samples, seed).unwrap();

            let distinct: HashSet<_> =
                cells.iter().map(|cell| (&cell.case_id, cell.variant, cell.sample)).collect();
            prop_assert_eq!(distinct.len(), cells.len());
            prop_assert_eq!(cells.len(), names.len() * (variants * samples) as usize);
            prop_assert!(cells.iter().zip(0..).all(|(cell, index)| cell.index == index));

            let mut blocks: Vec<_> = cells
                .iter()
                .map(|cell| cell.cluster.clone().unwrap_or_else(|| format!("own {}", cell.case_id)))
                .collect();
            blocks.dedup();
            let distinct: HashSet<_> = blocks.iter().collect();
            prop_assert_eq!(distinct.len(), blocks.len());
        }
    }
}
