//! Statistics on slices of numbers: estimates with intervals, tests, and plans.
//!
//! Pure: slices in, structs out; every random procedure takes a seed. Nothing here knows where the numbers come from. The same input gives
//! the same bytes.
//!
//! Two answers are kept apart everywhere. [`InvalidInput`]: what was handed in is not data (a NaN,
//! lengths that differ). [`Undefined`]: the data are fine and the quantity does not exist for them;
//! no function returns NaN, an infinity, or 0 in its place.
//!
//! Differences are always b − a. Intervals are two-sided at the [`Level`] that is given, bounds
//! one-sided. `docs/statistics.md` says in words what each number means.

mod clusters;
mod correlation;
mod error;
mod level;
mod mean;
mod multiplicity;
mod noninferiority;
mod paired;
mod paired_binary;
mod planning;
mod proportion;
mod ranks;
mod root;
mod special;
mod sums;
mod variance_components;

pub use correlation::{Correlation, rank_correlation};
pub use error::{Defined, InvalidInput, LARGEST_VALUE, MOST_VALUES, Undefined};
pub use level::Level;
pub use mean::{ClusteredMean, MeanInterval, clustered_mean_interval, mean_interval};
pub use multiplicity::{
    AdjustedTests, benjamini_hochberg, benjamini_yekutieli, false_coverage_level, holm,
};
pub use noninferiority::{
    BinaryNoninferiority, MeanNoninferiority, clustered_noninferiority_mean, noninferiority_binary,
    noninferiority_mean,
};
pub use paired::{
    ClusteredPairedDifference, PairedDifference, clustered_paired_difference, paired_difference,
};
pub use paired_binary::{
    McNemar, PairedCounts, ProportionDifference, mcnemar, newcombe_paired_interval, tango_interval,
};
pub use planning::{
    PairedDesign, power_paired_mean, sample_size_mcnemar, sample_size_paired_mean,
    smallest_detectable_difference,
};
pub use proportion::{
    Proportion, clopper_pearson_interval, clopper_pearson_lower, clopper_pearson_upper,
    wilson_interval,
};
pub use variance_components::{VarianceComponents, variance_components};
