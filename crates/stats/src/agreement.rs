//! S11: agreement of raters beyond chance: Cohen, Fleiss, Gwet. Krippendorff is beside.
//!
//! Kappa alone misleads where one category dominates (90/5/5/0: 90 % agreement, kappa −0.05, AC1
//! 0.89): show agreement, kappa, AC1 and the table together.

use values::Interval;

use crate::error::{Defined, InvalidInput, Undefined, at_least, check_count, check_length};
use crate::level::{Level, cut, interval_around};
use crate::sums;

/// How much two different categories agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weights {
    /// Not at all.
    Identity,
    /// 1 − |i − j| as a share of the largest distance.
    Linear,
    /// 1 − (i − j)² as a share of the largest squared distance.
    Quadratic,
}

impl Weights {
    /// Returns the weight of a distance that is a share of the largest.
    fn of(self, share: f64) -> f64 {
        match self {
            Self::Identity => f64::from(u8::from(share.abs() <= 0.0)),
            Self::Linear => 1.0 - share.abs(),
            Self::Quadratic => 1.0 - share * share,
        }
    }

    /// Returns the table of weights of categories at these places.
    fn table(self, places: &[f64]) -> Vec<Vec<f64>> {
        let low = places.iter().copied().fold(f64::INFINITY, f64::min);
        let high = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let scale = if high > low { high - low } else { 1.0 };
        places.iter().map(|a| places.iter().map(|b| self.of((a - b) / scale)).collect()).collect()
    }
}

/// The largest number of categories.
const MOST_CATEGORIES: usize = 1_000;

/// Cohen's kappa of two raters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CohenKappa {
    /// The number of items.
    pub items: usize,
    /// The share of items on which both chose the same category, unweighted.
    pub percent_agreement: Defined<f64>,
    /// (p_o − p_e)/(1 − p_e).
    pub kappa: Defined<f64>,
    /// Its large-sample standard error.
    pub standard_error: Defined<f64>,
    /// The standard error if the raters were independent.
    pub null_standard_error: Defined<f64>,
    /// kappa ± z · standard error, not cut to `[-1, 1]`. Bootstrap it below 50 items.
    pub interval: Defined<Interval>,
}

/// Returns Cohen's kappa of two raters, weighted over the order of the categories.
///
/// `rater_a[i]` and `rater_b[i]` are category numbers below `categories` of item i. With the shares
/// p_ij: p_o = Σw p_ij, p_e = Σw p_i· p_·j, and the standard error of Fleiss, Cohen and Everitt.
/// Undefined where p_e = 1: agreement by chance is certain. n + q².
///
/// # Errors
/// [`InvalidInput`] if a category does not exist or the lengths differ.
///
/// # Source
/// Cohen (1960, 1968); Fleiss, Cohen and Everitt (1969), Psychol. Bull. 72, 323–327. Checked against
/// scikit-learn and statsmodels.
pub fn cohen_kappa(
    rater_a: &[usize],
    rater_b: &[usize],
    categories: usize,
    weights: Weights,
    level: Level,
) -> Result<CohenKappa, InvalidInput> {
    check_length("rater b", rater_b.len(), rater_a.len())?;
    check_categories("rater a", rater_a, categories)?;
    check_categories("rater b", rater_b, categories)?;
    let items = rater_a.len();
    if let Err(reason) = at_least(1, items) {
        let nothing = Err(reason);
        return Ok(CohenKappa {
            items,
            percent_agreement: nothing,
            kappa: nothing,
            standard_error: nothing,
            null_standard_error: nothing,
            interval: Err(reason),
        });
    }
    let n = items as f64;
    let mut shares = vec![vec![0.0; categories]; categories];
    for (&a, &b) in rater_a.iter().zip(rater_b) {
        shares[a][b] += 1.0;
    }
    shares.iter_mut().flatten().for_each(|share| *share /= n);
    let places: Vec<f64> = (0..categories).map(|i| i as f64).collect();
    let square = Square::new(shares, weights.table(&places));
    let same = rater_a.iter().zip(rater_b).filter(|(a, b)| a == b).count();
    let kappa = square.kappa();
    let standard_error = kappa.map(|kappa| square.standard_error(kappa, n));
    Ok(CohenKappa {
        items,
        percent_agreement: Ok(same as f64 / n),
        kappa,
        standard_error,
        null_standard_error: kappa.map(|_| square.null_standard_error(n)),
        interval: kappa
            .and_then(|kappa| Ok(interval_around(kappa, level.z_two_sided() * standard_error?))),
    })
}

/// A table of shares with its margins and weights.
struct Square {
    shares: Vec<Vec<f64>>,
    weights: Vec<Vec<f64>>,
    rows: Vec<f64>,
    columns: Vec<f64>,
    observed: f64,
    expected: f64,
}

impl Square {
    fn new(shares: Vec<Vec<f64>>, weights: Vec<Vec<f64>>) -> Self {
        let q = shares.len();
        let rows: Vec<f64> = shares.iter().map(|row| sums::sum(row.iter().copied())).collect();
        let columns: Vec<f64> =
            (0..q).map(|j| sums::sum(shares.iter().map(|row| row[j]))).collect();
        let cells = || (0..q).flat_map(move |i| (0..q).map(move |j| (i, j)));
        let observed = sums::sum(cells().map(|(i, j)| weights[i][j] * shares[i][j]));
        let expected = sums::sum(cells().map(|(i, j)| weights[i][j] * rows[i] * columns[j]));
        Self { shares, weights, rows, columns, observed, expected }
    }

    fn kappa(&self) -> Defined<f64> {
        // Rounding leaves at most a few units in the last place below 1.
        if 1.0 - self.expected <= 1e-12 {
            return Err(Undefined::OneCategory);
        }
        Ok((self.observed - self.expected) / (1.0 - self.expected))
    }

    /// Returns Σ_j p_·j w_ij and Σ_i p_i· w_ij.
    fn mean_weights(&self) -> (Vec<f64>, Vec<f64>) {
        let q = self.rows.len();
        let of_rows = (0..q)
            .map(|i| sums::sum((0..q).map(|j| self.columns[j] * self.weights[i][j])))
            .collect();
        let of_columns =
            (0..q).map(|j| sums::sum((0..q).map(|i| self.rows[i] * self.weights[i][j]))).collect();
        (of_rows, of_columns)
    }

    fn standard_error(&self, kappa: f64, n: f64) -> f64 {
        let (of_rows, of_columns) = self.mean_weights();
        let rest = 1.0 - kappa;
        let mut terms = Vec::new();
        for (i, row) in self.shares.iter().enumerate() {
            for (j, share) in row.iter().enumerate() {
                let gap = self.weights[i][j] - (of_rows[i] + of_columns[j]) * rest;
                terms.push(share * gap * gap);
            }
        }
        let centre = kappa - self.expected * rest;
        let variance = (sums::sum(terms) - centre * centre).max(0.0);
        variance.sqrt() / ((1.0 - self.expected) * n.sqrt())
    }

    fn null_standard_error(&self, n: f64) -> f64 {
        let (of_rows, of_columns) = self.mean_weights();
        let mut terms = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            for (j, column) in self.columns.iter().enumerate() {
                let gap = self.weights[i][j] - (of_rows[i] + of_columns[j]);
                terms.push(row * column * gap * gap);
            }
        }
        let variance = (sums::sum(terms) - self.expected * self.expected).max(0.0);
        variance.sqrt() / ((1.0 - self.expected) * n.sqrt())
    }
}

pub(crate) fn check_categories(
    what: &'static str,
    ratings: &[usize],
    categories: usize,
) -> Result<(), InvalidInput> {
    check_count("categories", categories, MOST_CATEGORIES)?;
    check_count(what, ratings.len(), crate::error::MOST_VALUES)?;
    match ratings.iter().position(|rating| *rating >= categories) {
        Some(position) => Err(InvalidInput::UnknownCategory { what, position }),
        None => Ok(()),
    }
}

/// Returns Fleiss' kappa of items that were rated equally often.
///
/// `counts[i][k]`: how many raters put item i into category k, a row per item. Undefined with fewer
/// than two ratings per item, and where only one category was used. Where items were rated unequally
/// often, use Gwet's AC1 or Krippendorff's alpha.
///
/// # Errors
/// [`InvalidInput::Length`] if rows differ in length or in their sum.
///
/// # Source
/// Fleiss (1971), Psychol. Bull. 76, 378–382. Checked against statsmodels `fleiss_kappa`.
pub fn fleiss_kappa(counts: &[Vec<u64>]) -> Result<Defined<f64>, InvalidInput> {
    check_count("items", counts.len(), crate::error::MOST_VALUES)?;
    let Some(first) = counts.first() else {
        return Ok(Err(Undefined::TooFew { needed: 1, found: 0 }));
    };
    let raters: u64 = first.iter().sum();
    for row in counts {
        check_length("categories of an item", row.len(), first.len())?;
        let found = row.iter().sum::<u64>();
        if found != raters {
            return Err(InvalidInput::OutOfRange {
                what: "ratings of an item",
                value: found as f64,
                expected: "the same for every item",
            });
        }
    }
    if raters < 2 {
        return Ok(Err(Undefined::NothingToCompare));
    }
    let (n, m) = (counts.len() as f64, raters as f64);
    let agreeing = counts.iter().flatten().map(|&count| count as f64 * (count as f64 - 1.0));
    let observed = sums::sum(agreeing) / (n * m * (m - 1.0));
    let expected = sums::sum((0..first.len()).map(|k| {
        let share = sums::sum(counts.iter().map(|row| row[k] as f64)) / (n * m);
        share * share
    }));
    if 1.0 - expected <= 1e-12 {
        return Ok(Err(Undefined::OneCategory));
    }
    Ok(Ok((observed - expected) / (1.0 - expected)))
}

/// Gwet's agreement coefficient: AC1 without weights, AC2 with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GwetCoefficient {
    /// The items with at least one rating.
    pub items: usize,
    /// (p_a − p_e)/(1 − p_e).
    pub coefficient: Defined<f64>,
    /// p_a, weighted agreement over items with two ratings or more.
    pub percent_agreement: Defined<f64>,
    /// p_e, agreement by chance.
    pub expected_agreement: Defined<f64>,
    /// The standard error over items; needs two.
    pub standard_error: Defined<f64>,
    /// coefficient ± t(n − 1) · standard error, cut to `[-1, 1]`.
    pub interval: Defined<Interval>,
}

/// Returns Gwet's AC1 ([`Weights::Identity`]) or AC2.
///
/// `ratings[r][i]` is the category number that rater r gave item i, `None` if none; `values` are the
/// categories' values, over which weights are taken, and all of them count, used or not. π_k is the
/// mean over items of the share of category k, p_e = T_w/(q(q − 1))·Σπ_k(1 − π_k) with T_w the sum
/// of the weights. Linear in the ratings, times q.
///
/// # Errors
/// [`InvalidInput`] if a category does not exist, rows differ in length, or a value is not finite.
///
/// # Source
/// Gwet (2008), Br. J. Math. Stat. Psychol. 61, 29–48; Gwet (2014), Handbook of Inter-Rater
/// Reliability, ch. 5. Checked against irrCAC.
pub fn gwet_coefficient(
    ratings: &[Vec<Option<usize>>],
    values: &[f64],
    weights: Weights,
    level: Level,
) -> Result<GwetCoefficient, InvalidInput> {
    crate::error::check_values("categories", values)?;
    let length = ratings.first().map_or(0, Vec::len);
    for row in ratings {
        check_length("ratings of a rater", row.len(), length)?;
        let given: Vec<usize> = row.iter().flatten().copied().collect();
        check_categories("ratings", &given, values.len())?;
    }
    let counts: Vec<Vec<f64>> = (0..length)
        .map(|item| {
            let mut counts = vec![0.0; values.len()];
            for category in ratings.iter().filter_map(|row| row[item]) {
                counts[category] += 1.0;
            }
            counts
        })
        .filter(|counts| sums::sum(counts.iter().copied()) > 0.0)
        .collect();
    Ok(gwet_of_counts(&counts, &weights.table(values), level))
}

fn gwet_of_counts(counts: &[Vec<f64>], weights: &[Vec<f64>], level: Level) -> GwetCoefficient {
    let items = counts.len();
    let n = items as f64;
    let q = weights.len() as f64;
    let total_of = |row: &Vec<f64>| sums::sum(row.iter().copied());
    let agreements: Vec<Option<f64>> = counts
        .iter()
        .map(|row| {
            Some(total_of(row)).filter(|r| *r >= 2.0).map(|r| item_agreement(row, r, weights))
        })
        .collect();
    let paired = agreements.iter().flatten().count();
    let observed = if paired == 0 {
        Err(Undefined::NothingToCompare)
    } else {
        Ok(sums::sum(agreements.iter().flatten().copied()) / paired as f64)
    };
    let prevalence: Vec<f64> = (0..weights.len())
        .map(|k| sums::sum(counts.iter().map(|row| row[k] / total_of(row))) / n)
        .collect();
    let factor = sums::sum(weights.iter().flatten().copied()) / (q * (q - 1.0));
    let expected = if weights.len() < 2 {
        Err(Undefined::OneCategory)
    } else {
        at_least(1, items).map(|()| factor * sums::sum(prevalence.iter().map(|p| p * (1.0 - p))))
    };
    let coefficient = observed.and_then(|observed| {
        let expected = expected?;
        if 1.0 - expected <= 1e-12 {
            return Err(Undefined::OneCategory);
        }
        Ok((observed - expected) / (1.0 - expected))
    });
    let standard_error = coefficient.and_then(|coefficient| {
        at_least(2, items)?;
        let expected = expected?;
        let rest = 1.0 - expected;
        let squares = counts.iter().zip(&agreements).map(|(row, agreement)| {
            let gamma = agreement.map_or(0.0, |p| n / paired as f64 * (p - expected) / rest);
            let total = total_of(row);
            let chance =
                factor * sums::sum(row.iter().zip(&prevalence).map(|(r, p)| r / total * (1.0 - p)));
            let value = gamma - 2.0 * (1.0 - coefficient) * (chance - expected) / rest;
            (value - coefficient) * (value - coefficient)
        });
        Ok((sums::sum(squares) / (n * (n - 1.0))).sqrt())
    });
    GwetCoefficient {
        items,
        coefficient,
        percent_agreement: observed,
        expected_agreement: expected,
        standard_error,
        interval: standard_error.and_then(|error| {
            let around = interval_around(coefficient?, level.t_two_sided(n - 1.0) * error);
            Ok(cut(around, -1.0, 1.0))
        }),
    }
}

/// Returns Σ_k r_k(Σ_l w_kl r_l − 1)/(r(r − 1)).
fn item_agreement(row: &[f64], total: f64, weights: &[Vec<f64>]) -> f64 {
    let terms = row.iter().zip(weights).map(|(count, weights)| {
        let weighted = sums::sum(weights.iter().zip(row).map(|(w, r)| w * r));
        count * (weighted - 1.0)
    });
    sums::sum(terms) / (total * (total - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skewed_categories_lower_kappa_but_not_ac1() {
        let a: Vec<usize> = [vec![1; 90], vec![1; 5], vec![0; 5]].concat();
        let b: Vec<usize> = [vec![1; 90], vec![0; 5], vec![1; 5]].concat();
        let kappa = cohen_kappa(&a, &b, 2, Weights::Identity, Level::P95).unwrap();
        assert!((kappa.kappa.unwrap() + 0.0526).abs() < 1e-3);
        let rows = [a, b].map(|row| row.into_iter().map(Some).collect());
        let ac1 = gwet_coefficient(&rows, &[0.0, 1.0], Weights::Identity, Level::P95).unwrap();
        assert!((ac1.coefficient.unwrap() - 0.8895).abs() < 1e-3);
    }

    #[test]
    fn one_category_only_has_no_kappa() {
        let kappa = cohen_kappa(&[1; 9], &[1; 9], 2, Weights::Identity, Level::P95).unwrap();
        assert_eq!(kappa.kappa, Err(Undefined::OneCategory));
        assert_eq!(kappa.percent_agreement, Ok(1.0));
    }
}
