//! Ranks with ties.

/// Returns the positions in ascending order of their values; ties keep the order of the data.
///
/// Adding 0 turns −0 into 0, so that both count as one value.
pub(crate) fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| (values[i] + 0.0).total_cmp(&(values[j] + 0.0)));
    order
}

/// Returns the ranks from 1; equal values share the mean of their ranks.
pub(crate) fn average_ranks(values: &[f64]) -> Vec<f64> {
    let order = ascending(values);
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for run in runs(values, &order) {
        // The ranks start+1 ..= start+run have this mean.
        let rank = f64::midpoint(start as f64 + 1.0, (start + run) as f64);
        for &position in &order[start..start + run] {
            ranks[position] = rank;
        }
        start += run;
    }
    ranks
}

/// Returns how often each distinct value occurs, in ascending order of the values.
pub(crate) fn tie_sizes(values: &[f64]) -> Vec<f64> {
    runs(values, &ascending(values)).into_iter().map(|run| run as f64).collect()
}

fn runs(values: &[f64], order: &[usize]) -> Vec<usize> {
    order
        .chunk_by(|&i, &j| (values[i] + 0.0).total_cmp(&(values[j] + 0.0)).is_eq())
        .map(<[usize]>::len)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(average_ranks(&[3.0, 1.0, 3.0, -0.0, 0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
    }
}
