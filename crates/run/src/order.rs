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

/// A case of a plan, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCase {
    /// The case.
    pub id: Box<str>,
    /// Its content.
    pub hash: ContentHash,
    /// Its cluster; a case without one is its own.
    pub cluster: Option<Box<str>>,
}

/// The cases of a plan in the order in which they are worked on.
///
/// Its cells are made when they are asked for: a plan of many samples and variants takes no more
/// memory than its cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOrder {
    cases: Vec<PlannedCase>,
    variants: u32,
    samples: u32,
    count: u32,
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

/// Puts the cases of a plan into the order in which they are worked on.
///
/// The seed shuffles whole clusters. Within a cluster the cases keep the order in which they were
/// given. The same input gives the same order, on every machine and in every version that names the
/// same [`ORDER_ALGORITHM`].
///
/// # Errors
/// [`TooManyCells`] if the number of cells does not fit `u32`.
pub fn plan_order(
    cases: Vec<PlannedCase>,
    variants: u32,
    samples: u32,
    seed: u64,
) -> Result<PlanOrder, TooManyCells> {
    let too_many = TooManyCells { cases: cases.len(), variants, samples };
    let count = u32::try_from(cases.len())
        .ok()
        .and_then(|cases| cases.checked_mul(variants)?.checked_mul(samples))
        .ok_or(too_many)?;
    let (cluster_of, clusters) = clusters_of(&cases);
    let mut shuffled: Vec<usize> = (0..clusters).collect();
    shuffle(&mut shuffled, seed);
    let mut place_of = vec![0; clusters];
    for (place, cluster) in shuffled.into_iter().enumerate() {
        place_of[cluster] = place;
    }
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|case| place_of[cluster_of[*case]]);
    let mut given: Vec<_> = cases.into_iter().map(Some).collect();
    let cases = order.into_iter().filter_map(|case| given[case].take()).collect();
    Ok(PlanOrder { cases, variants, samples, count })
}

impl PlanOrder {
    /// Returns the number of cells.
    pub fn cell_count(&self) -> u32 {
        self.count
    }

    /// Returns the cases.
    pub fn cases(&self) -> &[PlannedCase] {
        &self.cases
    }

    /// Makes the cells in their order: all samples of all variants of a case stand next to each
    /// other, so that pairs complete together.
    pub fn cells(&self) -> impl Iterator<Item = PlannedCell> {
        let cells = |case| cells_of(case, self.variants, self.samples);
        self.cases.iter().flat_map(cells).zip(0..).map(numbered)
    }

    /// Makes the cells in their order, as [`PlanOrder::cells`] does.
    pub fn into_cells(self) -> impl Iterator<Item = PlannedCell> + Send {
        let Self { cases, variants, samples, .. } = self;
        let cells = cases
            .into_iter()
            .flat_map(move |case| cells_of(&case, variants, samples).collect::<Vec<_>>());
        cells.zip(0..).map(numbered)
    }
}

fn cells_of(case: &PlannedCase, variants: u32, samples: u32) -> impl Iterator<Item = PlannedCell> {
    (0..samples).flat_map(move |sample| {
        (0..variants).map(move |variant| PlannedCell {
            index: 0,
            case_id: case.id.to_string(),
            case_hash: case.hash,
            cluster: case.cluster.as_deref().map(str::to_owned),
            variant,
            sample,
        })
    })
}

fn numbered((cell, index): (PlannedCell, u32)) -> PlannedCell {
    PlannedCell { index, ..cell }
}

/// Returns for each case the number of its cluster, and how many there are. They are numbered in the
/// order in which they first appear.
fn clusters_of(cases: &[PlannedCase]) -> (Vec<usize>, usize) {
    let mut count = 0;
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut next = || {
        count += 1;
        count - 1
    };
    let of_each = cases.iter().map(|case| match case.cluster.as_deref() {
        Some(name) => *known.entry(name).or_insert_with(&mut next),
        None => next(),
    });
    let of_each = of_each.collect();
    (of_each, count)
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

    fn case(id: &str, cluster: Option<&str>) -> PlannedCase {
        let hash = ContentHash::of_bytes(id.as_bytes());
        PlannedCase { id: id.into(), hash, cluster: cluster.map(Into::into) }
    }

    fn cells(cases: &[PlannedCase], variants: u32, samples: u32, seed: u64) -> Vec<PlannedCell> {
        let order = plan_order(cases.to_vec(), variants, samples, seed).unwrap();
        let cells: Vec<_> = order.cells().collect();
        assert_eq!(order.cell_count() as usize, cells.len());
        assert_eq!(order.into_cells().collect::<Vec<_>>(), cells);
        cells
    }

    fn ids(cells: &[PlannedCell]) -> Vec<&str> {
        cells.iter().map(|cell| cell.case_id.as_str()).collect()
    }

    // The expected orders were computed by a separate program from the documented procedure.
    #[test]
    fn a_seed_gives_this_order_for_ever() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let cases: Vec<_> = names.iter().map(|name| case(name, None)).collect();
        let order = |seed| ids(&cells(&cases, 1, 1, seed)).concat();
        insta::assert_snapshot!(order(0), @"cbdhaefg");
        insta::assert_snapshot!(order(1), @"bdcgeafh");
        insta::assert_snapshot!(order(u64::MAX), @"ebdfcgah");
    }

    #[test]
    fn variants_and_samples_of_a_case_stand_together() {
        let cases = [case("a", None), case("b", None)];
        let cells = cells(&cases, 2, 2, 7);
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
            let cells = cells(&cases, 1, 1, seed);
            let joined = ids(&cells).concat();
            assert!(joined == "xyzk" || joined == "kxyz", "{joined}");
        }
    }

    #[test]
    fn a_plan_that_cannot_be_numbered_is_refused() {
        let cases = [case("a", None), case("b", None)];
        assert!(plan_order(cases.to_vec(), u32::MAX, 1, 0).is_err());
        assert_eq!(cells(&cases, 0, 1, 0), []);
    }

    #[test]
    fn every_place_is_equally_likely() {
        let cases = ["a", "b", "c"].map(|name| case(name, None));
        let mut firsts = HashMap::new();
        for seed in 0..3_000 {
            let cells = cells(&cases, 1, 1, seed);
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
            let cells = cells(&cases, variants, samples, seed);

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
