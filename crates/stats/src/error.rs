//! What a statistic can answer besides a number: a reason why there is none, or a complaint about
//! what was handed in.

/// The largest absolute value that is accepted as data.
///
/// Its square times the largest count still is a finite number, so no sum here can overflow.
pub const LARGEST_VALUE: f64 = 1e100;

/// A number, or the reason why it is not defined for this data.
pub type Defined<T> = Result<T, Undefined>;

/// Why a statistic has no value for data that are well formed.
///
/// It is an answer, not a failure: a mean of nothing, a standard error of one value or a kappa
/// without variation do not exist, and neither 0 nor NaN stands in for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// There are fewer observations than the statistic needs.
    #[error("needs at least {needed} observations, there are {found}")]
    TooFew {
        /// The smallest number that is enough.
        needed: usize,
        /// The number there is.
        found: usize,
    },
    /// There are fewer resamples with a value than the interval needs.
    #[error("needs at least {needed} resamples, there are {found}")]
    TooFewResamples {
        /// The smallest number that is enough.
        needed: usize,
        /// The number there is.
        found: usize,
    },
    /// There are more observations than the exact method can enumerate.
    #[error("the exact method is limited to {limit} observations, there are {found}")]
    TooManyForExact {
        /// The largest number that is possible.
        limit: usize,
        /// The number there is.
        found: usize,
    },
    /// All observations are equal where the statistic divides by their spread.
    #[error("all observations are equal")]
    ZeroVariance,
    /// All observations belong to one cluster.
    #[error("all observations belong to one cluster")]
    OneCluster,
    /// Only one category occurs, so that agreement by chance is certain.
    #[error("only one category occurs")]
    OneCategory,
    /// No item was rated by two raters.
    #[error("no item has two ratings")]
    NothingToCompare,
    /// The quantity cannot be told from this data, however many of them there are.
    #[error("the data do not identify the quantity")]
    NotIdentifiable,
    /// The maximum of the likelihood lies at infinity.
    #[error("the groups are separated, the estimate would be infinite")]
    Separated,
    /// The share is of nothing: its denominator is zero.
    #[error("the denominator is zero")]
    ZeroDenominator,
    /// The exact distribution holds only without ties and without zeros.
    #[error("the exact distribution holds only without ties and zeros")]
    Ties,
    /// The method is for outcomes of two kinds and there are others.
    #[error("the method is for outcomes of two kinds only")]
    NotBinary,
    /// The iteration did not come to rest.
    #[error("the iteration did not converge")]
    NotConverged,
}

impl Undefined {
    /// Returns the stable word for the reason, for records and programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooFew { .. } => "too_few",
            Self::TooFewResamples { .. } => "too_few_resamples",
            Self::TooManyForExact { .. } => "too_many_for_exact",
            Self::ZeroVariance => "zero_variance",
            Self::OneCluster => "one_cluster",
            Self::OneCategory => "one_category",
            Self::NothingToCompare => "nothing_to_compare",
            Self::NotIdentifiable => "not_identifiable",
            Self::Separated => "separated",
            Self::ZeroDenominator => "zero_denominator",
            Self::Ties => "ties",
            Self::NotBinary => "not_binary",
            Self::NotConverged => "not_converged",
        }
    }
}

/// What was handed in is not data that the function is defined on.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidInput {
    /// A value is NaN or infinite.
    #[error("{what}: value {position} is not a finite number")]
    NotFinite {
        /// The argument.
        what: &'static str,
        /// The position in it, from 0.
        position: usize,
    },
    /// A value is finite, but beyond [`LARGEST_VALUE`].
    #[error("{what}: value {position} is larger than 1e100")]
    TooLarge {
        /// The argument.
        what: &'static str,
        /// The position in it, from 0.
        position: usize,
    },
    /// A number lies outside of its range.
    #[error("{what} is {value}; it must be {expected}")]
    OutOfRange {
        /// The argument.
        what: &'static str,
        /// The number.
        value: f64,
        /// The range in words.
        expected: &'static str,
    },
    /// Two arguments that belong together differ in length.
    #[error("{what} has {found} entries, {expected} belong to it")]
    Length {
        /// The argument.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that it must have.
        expected: usize,
    },
    /// An argument is longer than what is supported.
    #[error("{what} has {found} entries, at most {limit} are supported")]
    TooMany {
        /// The argument.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The largest length.
        limit: usize,
    },
    /// A rating is none of the categories that were declared.
    #[error("{what}: value {position} is none of the categories")]
    UnknownCategory {
        /// The argument.
        what: &'static str,
        /// The position in it, from 0.
        position: usize,
    },
}

/// The largest number of values in one argument.
pub const MOST_VALUES: usize = 1_000_000;

/// Checks that all values are finite, not huge, and not too many.
pub(crate) fn check_values(what: &'static str, values: &[f64]) -> Result<(), InvalidInput> {
    check_count(what, values.len(), MOST_VALUES)?;
    for (position, value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(InvalidInput::NotFinite { what, position });
        }
        if value.abs() > LARGEST_VALUE {
            return Err(InvalidInput::TooLarge { what, position });
        }
    }
    Ok(())
}

/// Checks that all values lie in `low..=high`.
pub(crate) fn check_between(
    what: &'static str,
    values: &[f64],
    (low, high): (f64, f64),
    expected: &'static str,
) -> Result<(), InvalidInput> {
    check_values(what, values)?;
    match values.iter().find(|value| **value < low || **value > high) {
        Some(&value) => Err(InvalidInput::OutOfRange { what, value, expected }),
        None => Ok(()),
    }
}

pub(crate) fn check_count(
    what: &'static str,
    found: usize,
    limit: usize,
) -> Result<(), InvalidInput> {
    if found > limit { Err(InvalidInput::TooMany { what, found, limit }) } else { Ok(()) }
}

pub(crate) fn check_length(
    what: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), InvalidInput> {
    if found == expected { Ok(()) } else { Err(InvalidInput::Length { what, found, expected }) }
}

/// Checks one parameter; `holds` is its condition, `expected` the same in words.
///
/// A NaN fails every comparison, so it never `holds`.
pub(crate) fn check_parameter(
    what: &'static str,
    value: f64,
    holds: bool,
    expected: &'static str,
) -> Result<(), InvalidInput> {
    if holds && value.abs() <= LARGEST_VALUE {
        Ok(())
    } else {
        Err(InvalidInput::OutOfRange { what, value, expected })
    }
}

/// Answers that there are too few observations, unless there are `needed`.
pub(crate) fn at_least(needed: usize, found: usize) -> Defined<()> {
    if found < needed { Err(Undefined::TooFew { needed, found }) } else { Ok(()) }
}
