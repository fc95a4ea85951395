//! S11: Krippendorff's alpha, for any number of raters and missing ratings.

use crate::error::{Defined, InvalidInput, Undefined, check_length, check_values};
use crate::ranks::ascending;
use crate::sums;

/// What the difference of two ratings means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measurement {
    /// Categories: different or not.
    Nominal,
    /// Ranks: how many ratings lie between.
    Ordinal,
    /// Numbers: the squared difference.
    Interval,
}

/// The largest number of distinct values.
const MOST_DISTINCT: usize = 5_000;

/// Returns Krippendorff's alpha, 1 for perfect agreement, 0 for chance.
///
/// `ratings[r][i]` is what rater r gave item i, `None` if nothing. From the coincidences
/// o_ck = Σ_u pairs(c, k)/(m_u − 1) over items with two ratings or more:
/// α = 1 − (N − 1)·Σo_ck δ²/Σn_c n_k δ². Undefined without such an item, and where all ratings are
/// equal. For its interval use [`crate::bootstrap_statistic`] over items. Linear in the ratings, plus
/// the squared number of distinct values.
///
/// # Errors
/// [`InvalidInput`] if a rating is not finite, rows differ in length, or there are more than 5,000
/// distinct values.
///
/// # Source
/// Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability". Checked against the Python
/// package krippendorff.
pub fn krippendorff_alpha(
    ratings: &[Vec<Option<f64>>],
    measurement: Measurement,
) -> Result<Defined<f64>, InvalidInput> {
    let length = ratings.first().map_or(0, Vec::len);
    for row in ratings {
        check_length("ratings of a rater", row.len(), length)?;
        let given: Vec<f64> = row.iter().flatten().copied().collect();
        check_values("ratings", &given)?;
    }
    let items: Vec<Vec<f64>> = (0..length)
        .map(|item| ratings.iter().filter_map(|row| row[item]).collect::<Vec<f64>>())
        .filter(|given| given.len() >= 2)
        .collect();
    if items.is_empty() {
        return Ok(Err(Undefined::NothingToCompare));
    }
    let values = distinct(&items.concat());
    crate::error::check_count("distinct ratings", values.len(), MOST_DISTINCT)?;
    if values.len() < 2 {
        return Ok(Err(Undefined::OneCategory));
    }
    let counts: Vec<Vec<(usize, f64)>> = items.iter().map(|item| tally(item, &values)).collect();
    let mut totals = vec![0.0; values.len()];
    for (value, count) in counts.iter().flatten() {
        totals[*value] += count;
    }
    let distance = Distance::new(measurement, &values, &totals);
    let observed = sums::sum(counts.iter().zip(&items).map(|(counts, item)| {
        let pairs = sums::sum(counts.iter().flat_map(|&(c, n_c)| {
            let distance = &distance;
            counts.iter().map(move |&(k, n_k)| n_c * n_k * distance.squared(c, k))
        }));
        pairs / (item.len() as f64 - 1.0)
    }));
    let expected = sums::sum((0..values.len()).flat_map(|c| {
        let (distance, totals) = (&distance, &totals);
        (0..values.len()).map(move |k| totals[c] * totals[k] * distance.squared(c, k))
    }));
    let all = sums::sum(totals.iter().copied());
    if expected > 0.0 {
        Ok(Ok(1.0 - (all - 1.0) * observed / expected))
    } else {
        Ok(Err(Undefined::ZeroVariance))
    }
}

/// Returns the distinct values, ascending.
fn distinct(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = ascending(values).into_iter().map(|i| values[i] + 0.0).collect();
    sorted.dedup_by(|a, b| a.total_cmp(b).is_eq());
    sorted
}

/// Returns how often each value occurs in an item, by the number of the value.
fn tally(item: &[f64], values: &[f64]) -> Vec<(usize, f64)> {
    let mut counts: Vec<(usize, f64)> = Vec::new();
    for rating in item {
        let value = values.partition_point(|v| v.total_cmp(&(rating + 0.0)).is_lt());
        match counts.iter_mut().find(|(seen, _)| *seen == value) {
            Some((_, count)) => *count += 1.0,
            None => counts.push((value, 1.0)),
        }
    }
    counts
}

/// The squared difference of values by their numbers.
enum Distance {
    Different,
    /// Differences of these places: the values, or mid-ranks.
    Places(Vec<f64>),
}

impl Distance {
    fn new(measurement: Measurement, values: &[f64], totals: &[f64]) -> Self {
        match measurement {
            Measurement::Nominal => Self::Different,
            Measurement::Interval => Self::Places(values.to_vec()),
            // Σ_{g=c}^{k} n_g − (n_c + n_k)/2 is the difference of the mid-ranks of c and k.
            Measurement::Ordinal => {
                let mut before = 0.0;
                let middle = totals.iter().map(|total| {
                    before += total;
                    before - total / 2.0
                });
                Self::Places(middle.collect())
            }
        }
    }

    fn squared(&self, c: usize, k: usize) -> f64 {
        match self {
            Self::Different => f64::from(u8::from(c != k)),
            Self::Places(places) => (places[c] - places[k]) * (places[c] - places[k]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_with_one_rating_compares_nothing() {
        let ratings = [vec![Some(1.0), None], vec![None, Some(2.0)]];
        assert_eq!(
            krippendorff_alpha(&ratings, Measurement::Nominal),
            Ok(Err(Undefined::NothingToCompare))
        );
    }

    #[test]
    fn full_agreement_is_one() {
        let ratings = [vec![Some(1.0), Some(2.0)], vec![Some(1.0), Some(2.0)]];
        for level in [Measurement::Nominal, Measurement::Ordinal, Measurement::Interval] {
            assert!((krippendorff_alpha(&ratings, level).unwrap().unwrap() - 1.0).abs() < 1e-12);
        }
    }
}
