//! Statistics on slices of numbers: estimates with intervals, tests, and plans.
//!
//! Pure: slices in, structs out; every random procedure takes a seed and names its
//! generator ([`RANDOM_ALGORITHM`]). Nothing here knows where the numbers come from. The same input gives
//! the same bytes.
//!
//! Two answers are kept apart everywhere. [`InvalidInput`]: what was handed in is not data (a NaN,
//! lengths that differ). [`Undefined`]: the data are fine and the quantity does not exist for them;
//! no function returns NaN, an infinity, or 0 in its place.
//!
//! Differences are always b − a. Intervals are two-sided at the [`Level`] that is given, bounds
//! one-sided. `docs/statistics.md` says in words what each number means.

mod active;
mod agreement;
mod alternative;
mod bias;
mod bootstrap;
mod calibration;
mod classification;
mod clustered_quantile;
mod clusters;
mod confidence_sequence;
mod corrected;
mod correlation;
mod drift;
mod eprocess;
mod error;
mod kolmogorov;
mod krippendorff;
mod level;
mod linear;
mod mean;
mod multiplicity;
mod noninferiority;
mod paired;
mod paired_binary;
mod pairwise;
mod planning;
mod prediction;
mod proportion;
mod quantile;
mod random;
mod ranks;
mod repeated;
mod root;
mod signflip;
mod special;
mod sums;
mod two_sample;
mod variance_components;
mod wilcoxon;

pub use active::{
    LabellingPlan, Stratum, WeightedMean, active_mean, draw_labelled, labelling_probabilities,
    neyman_allocation, stratified_mean,
};
pub use agreement::{
    CohenKappa, GwetCoefficient, Weights, cohen_kappa, fleiss_kappa, gwet_coefficient,
};
pub use alternative::{AltTest, AltTestRules, AnnotationScore, AnnotatorResult, alt_test};
pub use bias::{
    LengthBias, Position, PositionSwap, SelfPreference, length_bias, position_swap, self_preference,
};
pub use bootstrap::{
    Bootstrap, Resampling, bootstrap_given_indices, bootstrap_mean, bootstrap_statistic,
    cluster_bootstrap, cluster_bootstrap_given_indices,
};
pub use calibration::{
    Binning, Calibration, CalibrationBin, calibration, calibration_error_by_chance,
};
pub use classification::{
    BinaryConfusion, BinaryCounts, MulticlassConfusion, binary_confusion, multiclass_confusion,
};
pub use clustered_quantile::{
    QuantileDifference, clustered_quantile_differences, clustered_quantile_interval,
};
pub use confidence_sequence::{
    HedgedExclusion, HedgedSequence, empirical_bernstein_confidence_sequence,
    hedged_confidence_sequence,
};
pub use corrected::{
    CalibratedCounts, Power, PredictionPoweredMean, PredictionPoweredRate, RoganGladen,
    prediction_powered_mean, prediction_powered_rate, rogan_gladen,
};
pub use correlation::{Correlation, rank_correlation};
pub use drift::{Cusum, Drift, EwmaChart, PageHinkley, cusum, ewma_chart, page_hinkley};
pub use eprocess::{Bounds, Direction, EProcess, betting_eprocess, e_benjamini_hochberg};
pub use error::{Defined, InvalidInput, LARGEST_VALUE, MOST_VALUES, Undefined};
pub use kolmogorov::{KolmogorovSmirnov, kolmogorov_smirnov};
pub use krippendorff::{Measurement, krippendorff_alpha};
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
pub use pairwise::{
    BradleyTerry, LengthControlledWinRate, WinRate, bradley_terry, length_controlled_win_rate,
    win_rate,
};
pub use planning::{
    PairedDesign, power_paired_mean, sample_size_mcnemar, sample_size_noninferiority_binary,
    sample_size_paired_mean, smallest_detectable_difference,
};
pub use prediction::sum_prediction;
pub use proportion::{
    Proportion, clopper_pearson_interval, clopper_pearson_lower, clopper_pearson_upper,
    wilson_interval,
};
pub use quantile::{QuantileInterval, Quantiles, quantile_interval, quantiles};
pub use random::RANDOM_ALGORITHM;
pub use repeated::{PassAtK, pass_at_k};
pub use signflip::{SignFlip, clustered_signflip, signflip_exact, signflip_monte_carlo};
pub use two_sample::{
    MannWhitney, TwoProportions, WelchTest, mann_whitney, two_proportions, welch_t,
};
pub use variance_components::{VarianceComponents, variance_components};
pub use wilcoxon::{Alternative, SignedRank, WilcoxonMethod, Zeros, wilcoxon_signed_rank};
