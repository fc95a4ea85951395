use serde::Serialize;

/// Something that stands above the verdict, because it changes what the verdict is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// The eval set changed between the two; only shared, unchanged cases are compared.
    SetsDiffer {
        /// Cases that are compared.
        shared: usize,
        /// Cases that only the baseline has.
        only_baseline: usize,
        /// Cases that only the candidate has.
        only_candidate: usize,
        /// Cases whose content changed.
        changed: usize,
    },
    /// No case is shared, so nothing can be compared.
    NothingShared,
    /// More than 5 % of the shared cases are not decided on both sides.
    ManyLeftOut {
        /// The criterion.
        criterion: String,
        /// The cases that are left out.
        left_out: usize,
        /// The shared cases.
        of: usize,
    },
    /// One side lacks more results than the other, so that what is left may not be comparable.
    UnequallyLeftOut {
        /// The criterion.
        criterion: String,
        /// Cases that the baseline lacks.
        baseline: usize,
        /// Cases that the candidate lacks.
        candidate: usize,
        /// Fisher's exact p-value that both lack equally many.
        p_value: f64,
    },
    /// Some samples of decided cases are not counted.
    SamplesLeftOut {
        /// The criterion.
        criterion: String,
        /// Samples of the baseline.
        baseline: usize,
        /// Samples of the candidate.
        candidate: usize,
    },
    /// Fewer than ten clusters: the interval leans on an assumption.
    FewClusters {
        /// The criterion.
        criterion: String,
        /// The clusters.
        clusters: usize,
    },
    /// People have decided only some of the outputs. Nothing is wrong with that if chance chose them.
    OpenLabels {
        /// The criterion.
        criterion: String,
        /// Cases that are decided on both sides.
        decided: usize,
        /// The shared cases.
        of: usize,
        /// Outputs without a label, of the baseline and of the candidate.
        unlabelled: [usize; 2],
        /// Outputs on which people disagree.
        disputed: [usize; 2],
        /// Outputs that were chosen for labelling and not drawn by chance, which count only once
        /// everything has a label.
        not_drawn: [usize; 2],
        /// Outputs that chance drew, but some more readily than others, which count likewise.
        unequally_drawn: [usize; 2],
    },
    /// A verdict was shown before of the same versions on the same cases, with other answers or with the
    /// same answers judged otherwise.
    AnswersAgain {
        /// The criterion.
        criterion: String,
        /// How many other sets of answers were shown before these.
        earlier: u32,
        /// The level of the interval that follows, a share, before any other correction.
        confidence: f64,
    },
    /// The two were sampled unequally often; case means are compared.
    SamplesDiffer {
        /// Samples of a case in the baseline.
        baseline: u32,
        /// In the candidate.
        candidate: u32,
    },
    /// Both sides are the same variant: prompt version, model and config.
    SameVariant,
    /// The set declares no primary criterion, so that no verdict is the one that counts.
    NoPrimary,
    /// The set declares no margin, so that "no worse" cannot be shown.
    NoMargin,
}

/// Above this share of cases that are left out, a warning stands above the verdict.
pub(crate) const MANY_LEFT_OUT: f64 = 0.05;
/// Below so many clusters an interval leans on an assumption (STATS 1.2).
pub(crate) const FEW_CLUSTERS: usize = 10;
