//! Which observations belong together.

use crate::error::{InvalidInput, check_count, check_length};
use crate::sums;

/// The largest number of clusters.
const MOST_CLUSTERS: usize = 1_000_000;

/// Observations grouped by cluster, the clusters in the order of their names.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// The positions of the observations, cluster by cluster, each ascending.
    order: Vec<usize>,
    /// Where each cluster starts in `order`, and the end of the last.
    starts: Vec<usize>,
}

impl Clusters {
    /// Groups the observations `0..count` by the names of their clusters.
    pub(crate) fn new(names: &[usize], count: usize) -> Result<Self, InvalidInput> {
        check_length("clusters", names.len(), count)?;
        let mut order: Vec<usize> = (0..names.len()).collect();
        // Stable, so the members of a cluster stay in the order of the data.
        order.sort_by_key(|&position| names[position]);
        let mut starts: Vec<usize> = (0..order.len())
            .filter(|&i| i == 0 || names[order[i]] != names[order[i - 1]])
            .collect();
        check_count("clusters", starts.len(), MOST_CLUSTERS)?;
        starts.push(order.len());
        Ok(Self { order, starts })
    }

    /// Returns the number of clusters.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Returns the positions of the members of the cluster with this rank.
    pub(crate) fn members(&self, cluster: usize) -> &[usize] {
        &self.order[self.starts[cluster]..self.starts[cluster + 1]]
    }

    /// Returns the sum of the values of each cluster.
    pub(crate) fn sums(&self, values: &[f64]) -> Vec<f64> {
        (0..self.len())
            .map(|cluster| sums::sum(self.members(cluster).iter().map(|&i| values[i])))
            .collect()
    }
}
