//! S17: what k attempts out of n would have done.

use crate::error::{Defined, InvalidInput, Undefined};
use crate::proportion::share;

/// The chances of k attempts, drawn without repetition from n of which c passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassAtK {
    /// pass@k, the chance that at least one passes: 1 − C(n − c, k)/C(n, k).
    pub any: Defined<f64>,
    /// pass^k, the chance that all pass: C(c, k)/C(n, k). The measure of reliability.
    pub all: Defined<f64>,
}

/// Returns pass@k and pass^k of one unit; average over units with [`crate::mean_interval`].
///
/// Products of ratios, so nothing overflows; k steps. [`Undefined::TooFew`] if k > n or k = 0.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if `passed > attempts`.
///
/// # Source
/// Chen et al. (2021), arXiv 2107.03374 (pass@k); Yao et al. (2024), arXiv 2406.12045 (pass^k).
///
/// # Example
/// ```
/// let chances = stats::pass_at_k(8, 5, 3)?;
/// assert!((chances.any.unwrap() - 0.982_142_857).abs() < 1e-9);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn pass_at_k(attempts: u64, passed: u64, k: u64) -> Result<PassAtK, InvalidInput> {
    // Its check is what matters; without attempts k > n below.
    let checked = share(passed, attempts)?;
    if k > attempts || k == 0 || checked.is_err() {
        let needed = usize::try_from(k.max(1)).unwrap_or(usize::MAX);
        let found = usize::try_from(attempts).unwrap_or(usize::MAX);
        let reason = Err(Undefined::TooFew { needed, found });
        return Ok(PassAtK { any: reason, all: reason });
    }
    Ok(PassAtK {
        any: Ok(1.0 - all_of(attempts, attempts - passed, k)),
        all: Ok(all_of(attempts, passed, k)),
    })
}

/// Returns C(c, k)/C(n, k) = Π (c − i)/(n − i).
fn all_of(n: u64, c: u64, k: u64) -> f64 {
    if k > c {
        return 0.0;
    }
    // C(c, k)/C(n, k) = C(n−k, c−k)/C(n, c), so the shorter of the two products does.
    let shorter = k.min(n - c);
    if shorter == k {
        (0..k).map(|i| (c - i) as f64 / (n - i) as f64).product()
    } else {
        (0..n - c).map(|i| (n - k - i) as f64 / (n - i) as f64).product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_is_the_rate() {
        let chances = pass_at_k(10, 7, 1).unwrap();
        assert!((chances.any.unwrap() - 0.7).abs() < 1e-15);
        assert!((chances.all.unwrap() - 0.7).abs() < 1e-15);
    }

    #[test]
    fn more_attempts_than_there_were_say_nothing() {
        assert!(pass_at_k(3, 2, 5).unwrap().any.is_err());
        assert!(pass_at_k(3, 4, 1).is_err());
    }
}
