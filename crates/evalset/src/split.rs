use serde_json::json;
use values::ContentHash;

use crate::Case;

/// The part of a set that a case belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// May be shown to a judge as an example.
    Train,
    /// For trying prompts and judges.
    Dev,
    /// For the numbers that are reported.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Dev, Self::Test];

    /// Returns the word that files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }

    /// Returns the split of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }
}

/// How much of a set each split takes, in whole percent; the rest is test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitShares {
    train_percent: u8,
    dev_percent: u8,
}

impl SplitShares {
    /// Makes shares; `None` if they are more than the whole.
    pub const fn new(train_percent: u8, dev_percent: u8) -> Option<Self> {
        if train_percent as u16 + dev_percent as u16 > 100 {
            return None;
        }
        Some(Self { train_percent, dev_percent })
    }

    /// Returns the share of a split in percent.
    pub const fn percent(self, split: Split) -> u8 {
        match split {
            Split::Train => self.train_percent,
            Split::Dev => self.dev_percent,
            Split::Test => 100 - self.train_percent - self.dev_percent,
        }
    }
}

impl Default for SplitShares {
    /// Train 20, dev 30, test 50.
    fn default() -> Self {
        Self { train_percent: 20, dev_percent: 30 }
    }
}

/// Derives a case's split from the seed and the case's cluster, else its id.
///
/// All cases of a cluster share a split, and adding cases moves none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitPolicy {
    /// Another seed draws other splits.
    pub seed: u64,
    /// How much each split takes.
    pub shares: SplitShares,
}

impl SplitPolicy {
    /// Returns the split of a case: the one that it names, else the derived one.
    pub fn split_of(&self, case: &Case) -> Split {
        case.split.unwrap_or_else(|| self.derive(&case.id, case.cluster.as_deref()))
    }

    /// Returns the split that follows from the seed alone.
    ///
    /// The first eight bytes of the SHA-256 of `trysquare-split-v1`, a newline and the canonical JSON
    /// of `{"cluster": …, "seed": …}` or `{"case": …, "seed": …}`, as a big-endian number, are
    /// scaled to a percent; the seed is written as text.
    pub fn derive(&self, id: &str, cluster: Option<&str>) -> Split {
        let seed = self.seed.to_string();
        let key = match cluster {
            Some(cluster) => json!({ "cluster": cluster, "seed": seed }),
            None => json!({ "case": id, "seed": seed }),
        };
        let hash = ContentHash::of_document("trysquare-split-v1", &key);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        let percent = (u128::from(u64::from_be_bytes(first)) * 100) >> 64;
        let (train, dev) = (self.shares.train_percent, self.shares.dev_percent);
        if percent < u128::from(train) {
            Split::Train
        } else if percent < u128::from(train) + u128::from(dev) {
            Split::Dev
        } else {
            Split::Test
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_out_near_what_they_say() {
        let policy = SplitPolicy::default();
        let mut counts = [0_u32; 3];
        for index in 0..10_000 {
            counts[policy.derive(&format!("case-{index}"), None) as usize] += 1;
        }
        for (count, expected) in counts.into_iter().zip([2_000_u32, 3_000, 5_000]) {
            // Five standard deviations of a binomial of 10,000 are at most 250.
            assert!(count.abs_diff(expected) < 250, "{counts:?}");
        }
    }

    #[test]
    fn a_cluster_stays_together_and_a_named_split_wins() {
        let policy = SplitPolicy { seed: 7, shares: SplitShares::default() };
        let of = |id: &str| policy.derive(id, Some("incident 4"));
        assert!((0..100).all(|index| of(&index.to_string()) == of("other")));
        let mut case = Case::new("x", serde_json::Map::new());
        for split in Split::ALL {
            case.split = Some(split);
            assert_eq!(policy.split_of(&case), split);
        }
    }

    #[test]
    fn the_worked_example_of_the_documentation_holds() {
        let policy = SplitPolicy { seed: 1, shares: SplitShares::default() };
        let of = |id: &str, cluster| policy.derive(id, cluster).name();
        let found = [of("a", None), of("b", None), of("c", None), of("c", Some("a"))];
        assert_eq!(found, ["dev", "test", "dev", "test"]);
    }

    #[test]
    fn shares_above_the_whole_are_refused() {
        assert!(SplitShares::new(60, 41).is_none());
        assert_eq!(SplitShares::new(60, 40).unwrap().percent(Split::Test), 0);
    }
}
