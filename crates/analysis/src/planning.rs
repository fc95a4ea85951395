//! How many cases a question needs, and what a number of cases can show (STATS S4 and S9).
//!
//! Sizes are planned for the change that one wants to see, at the spread that was observed or is
//! assumed; never for the difference that was observed.

use std::num::NonZeroU32;

use serde::Serialize;
use stats::{
    InvalidInput, Level, PairedDesign, Undefined, clustered_paired_difference, sample_size_mcnemar,
    sample_size_noninferiority_binary, sample_size_paired_mean, smallest_detectable_difference,
    variance_components,
};

use crate::estimate::Estimate;
use crate::pairing::Pairing;
use crate::results::{Value, VariantResults};
use crate::units::{SAME, Units};

/// The chance of seeing a change, unless one asks for another.
pub const POWER: f64 = 0.8;

/// Above this share of the squared standard error, sampling noise is what to reduce.
const MOSTLY_NOISE: f64 = 0.5;

/// How much the differences of cases vary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Spread {
    /// Of one binary result a case: the share of cases whose results differ.
    Discordance {
        /// The share.
        share: f64,
    },
    /// Of case means.
    Variance {
        /// The variance of the difference of a case, as sampled, in squared shares.
        difference: f64,
    },
}

impl Spread {
    /// Returns the spread of case means from its parts, in squared shares: the variance of the true
    /// differences of cases, and that between samples of one case on either side.
    pub fn of_samples(
        difference: f64,
        [within_baseline, within_candidate]: [f64; 2],
        samples: NonZeroU32,
    ) -> Self {
        let within = within_baseline + within_candidate;
        Self::Variance { difference: difference + within / f64::from(samples.get()) }
    }
}

/// What a size is planned on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizePlan {
    /// How much the differences vary.
    pub spread: Spread,
    /// By how much clusters widen the variance; 1 without clusters.
    pub design_effect: f64,
    /// The chance of seeing the change, a share.
    pub power: f64,
    /// The level of the intervals.
    pub level: Level,
}

impl SizePlan {
    /// Plans on independent cases, with the usual power and level.
    pub fn new(spread: Spread) -> Self {
        Self { spread, design_effect: 1.0, power: POWER, level: Level::P95 }
    }

    /// Returns the number of cases at which a true change (a share) is seen with the power.
    ///
    /// A change larger than the discordance cannot be: then every discordant case is a change in its
    /// direction. Undefined where nothing varies.
    ///
    /// # Errors
    /// [`InvalidInput`] if a number is out of its range; the change must not be 0.
    pub fn cases_to_see(&self, change: f64) -> Result<Estimate<u64>, InvalidInput> {
        let units = match self.spread {
            Spread::Discordance { share } => {
                let share = share.max(change.abs());
                sample_size_mcnemar(share, change, self.power, self.level)?
            }
            Spread::Variance { difference } if difference <= 0.0 => Err(Undefined::ZeroVariance),
            Spread::Variance { difference } => {
                Ok(sample_size_paired_mean(design(difference), change, self.power, self.level)?)
            }
        };
        Ok(units.map(|units| whole(units * self.design_effect)).into())
    }

    /// Returns the number of cases at which "no worse than the margin" is shown with the power if
    /// nothing changed in truth, and at which a change of the margin is seen with it.
    ///
    /// A discordance of at least the margin could hold such a change, and the larger of both numbers is
    /// returned; a smaller one cannot, and the first number counts (STATS S4 and S9).
    ///
    /// # Errors
    /// [`InvalidInput`] if a number is out of its range; the margin must be in `0..1` and not 0.
    pub fn cases_for_no_worse(&self, margin: f64) -> Result<Estimate<u64>, InvalidInput> {
        let Spread::Discordance { share } = self.spread else { return self.cases_to_see(margin) };
        let units = sample_size_noninferiority_binary(share, margin, self.power, self.level)?;
        // The bound must lie above the margin, not on it.
        let shown = whole((units.floor() + 1.0) * self.design_effect);
        let seen = if share < margin { None } else { self.cases_to_see(margin)?.value() };
        Ok(Estimate::Value { value: shown.max(seen.unwrap_or(0)) })
    }

    /// Returns the smallest true change, a share, that so many cases show with the power.
    ///
    /// Undefined where even a change of every case would not be seen.
    ///
    /// # Errors
    /// [`InvalidInput`] if a number is out of its range.
    pub fn detectable(&self, cases: u64) -> Result<Estimate<f64>, InvalidInput> {
        let found = usize::try_from(cases).unwrap_or(usize::MAX);
        match self.spread {
            Spread::Variance { difference } if difference <= 0.0 => {
                Ok(Undefined::ZeroVariance.into())
            }
            Spread::Variance { .. } if cases == 0 => {
                Ok(Undefined::TooFew { needed: 1, found }.into())
            }
            Spread::Variance { difference } => {
                let design = design(difference * self.design_effect);
                let change = smallest_detectable_difference(design, cases, self.power, self.level)?;
                Ok(Estimate::Value { value: change })
            }
            Spread::Discordance { .. } => {
                let seen = |change: f64| -> Result<bool, InvalidInput> {
                    Ok(self.cases_to_see(change)?.value().is_some_and(|needed| needed <= cases))
                };
                if !seen(1.0)? {
                    let needed = self.cases_to_see(1.0)?.value().unwrap_or(u64::MAX);
                    let needed = usize::try_from(needed).unwrap_or(usize::MAX);
                    return Ok(Undefined::TooFew { needed, found }.into());
                }
                // The number of cases falls in the change.
                let (mut unseen, mut is_seen) = (0.0, 1.0);
                while is_seen - unseen > 1e-9 {
                    let middle = f64::midpoint(unseen, is_seen);
                    if seen(middle)? { is_seen = middle } else { unseen = middle }
                }
                Ok(Estimate::Value { value: is_seen })
            }
        }
    }
}

/// A design that knows the variance of a case's difference and nothing of its parts.
fn design(difference_variance: f64) -> PairedDesign {
    PairedDesign {
        difference_variance,
        within_variance_a: 0.0,
        within_variance_b: 0.0,
        samples_a: 1,
        samples_b: 1,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size is positive, and one beyond 2^64 is as good as 2^64"
)]
fn whole(units: f64) -> u64 {
    // A product that means a whole number must not miss it by its last digit.
    (units - 1e-9).ceil() as u64
}

/// What the cases of a comparison can show, and what its question needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sizes {
    /// How much the differences vary, as observed.
    pub spread: Spread,
    /// By how much clusters widen the variance, as observed; 1 without clusters.
    pub design_effect: Estimate<f64>,
    /// The chance of seeing the change, a share.
    pub power: f64,
    /// The smallest true change, a share, that these cases show with the power.
    pub detectable: Estimate<f64>,
    /// The share of the squared standard error that more samples of the same cases would remove;
    /// undefined with one sample a case.
    pub sampling_share: Estimate<f64>,
    /// What the question needs; `None` without a margin or a smallest effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<Needed>,
}

/// What a question needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Needed {
    /// The question.
    pub question: Question,
    /// How many cases it needs in all, sampled as often as now, if their number is declared.
    pub cases: Estimate<u64>,
    /// What helps most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

/// What is asked of the cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Question {
    /// To show that the loss is smaller than the margin.
    NoWorse {
        /// The margin, a share.
        margin: f64,
    },
    /// To see a change of this size.
    See {
        /// The change, a share.
        change: f64,
    },
}

/// What makes a question decidable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Advice {
    /// There are as many cases as the question needs.
    Enough,
    /// More cases.
    AddCases {
        /// How many more.
        more: u64,
    },
    /// More samples of the same cases: most of the uncertainty is noise between samples.
    AddSamples {
        /// How many samples of each case in all, on the side that has the fewest.
        samples: u32,
    },
}

impl Sizes {
    /// Plans by what a comparison observed on one criterion.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more cases than the statistics allow.
    pub(crate) fn of(
        units: &Units,
        noise: Option<Noise>,
        question: Option<Question>,
        level: Level,
    ) -> Result<Self, InvalidInput> {
        let (spread, design_effect) = observed(units, level)?;
        let cases = units.len() as u64;
        let (detectable, needed) = match design_effect {
            Estimate::Undefined { reason } => {
                let cases = Estimate::Undefined { reason };
                let needed = question.map(|question| Needed { question, cases, advice: None });
                (Estimate::Undefined { reason }, needed)
            }
            Estimate::Value { value: design_effect } => {
                let plan = SizePlan { spread, design_effect, power: POWER, level };
                let needed = question
                    .map(|question| Needed::of(&plan, question, cases, noise))
                    .transpose()?;
                (plan.detectable(cases)?, needed)
            }
        };
        let sampling_share = noise.map_or(Undefined::NotIdentifiable.into(), |noise| {
            noise.share_of(spread, design_effect.value().unwrap_or(1.0))
        });
        Ok(Self { spread, design_effect, power: POWER, detectable, sampling_share, needed })
    }
}

impl Sizes {
    /// Returns what was observed as a plan, to ask it other questions; `None` where nothing varies.
    pub fn plan(&self, level: Level) -> Option<SizePlan> {
        let design_effect = self.design_effect.value()?;
        Some(SizePlan { spread: self.spread, design_effect, power: self.power, level })
    }

    /// Returns the same with another number of samples of each case than the `now` that were
    /// compared; `None` where the noise between samples is not known.
    pub fn plan_with_samples(
        &self,
        level: Level,
        now: NonZeroU32,
        samples: NonZeroU32,
    ) -> Option<SizePlan> {
        let plan = self.plan(level)?;
        let Spread::Variance { difference } = self.spread else {
            return self.is_without_noise().then_some(plan);
        };
        let noise =
            (self.sampling_share.value()? * difference * plan.design_effect).min(difference);
        let scale = f64::from(now.get()) / f64::from(samples.get());
        let spread = Spread::Variance { difference: difference - noise + noise * scale };
        Some(SizePlan { spread, ..plan })
    }

    /// Tells what lessens the uncertainty most: more samples of the same cases if most of it is noise
    /// between samples, else more cases (STATS S4); `None` where that noise is not known.
    pub fn most_helps(&self) -> Option<MostHelps> {
        let share = match self.spread {
            Spread::Variance { .. } => self.sampling_share.value()?,
            Spread::Discordance { .. } if self.is_without_noise() => 0.0,
            Spread::Discordance { .. } => return None,
        };
        Some(if share > MOSTLY_NOISE { MostHelps::Samples } else { MostHelps::Cases })
    }

    /// Tells whether there are several samples a case and all agree; a single one says nothing.
    fn is_without_noise(&self) -> bool {
        self.sampling_share == Undefined::ZeroVariance.into()
    }
}

/// What lessens the uncertainty of a difference most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MostHelps {
    /// More samples of the same cases.
    Samples,
    /// More cases.
    Cases,
}

impl Needed {
    fn of(
        plan: &SizePlan,
        question: Question,
        now: u64,
        noise: Option<Noise>,
    ) -> Result<Self, InvalidInput> {
        let cases = match question {
            Question::NoWorse { margin } => plan.cases_for_no_worse(margin)?,
            Question::See { change } => plan.cases_to_see(change)?,
        };
        let advice = cases.value().map(|needed| {
            if needed <= now {
                return Advice::Enough;
            }
            let samples = noise.and_then(|noise| noise.samples_instead(plan, now, needed));
            samples.map_or(Advice::AddCases { more: needed - now }, |samples| Advice::AddSamples {
                samples,
            })
        });
        Ok(Self { question, cases, advice })
    }
}

/// Returns the spread of the differences and the design effect of their clusters.
fn observed(units: &Units, level: Level) -> Result<(Spread, Estimate<f64>), InvalidInput> {
    let clusters = units.cluster_count();
    let is_constant = units.is_constant();
    if units.is_binary && (is_constant || (units.is_settled && clusters == units.len())) {
        let differences = units.differences();
        let discordant = differences.iter().filter(|difference| difference.abs() > SAME).count();
        let share = discordant as f64 / units.len() as f64;
        // Where all differences are equal a cluster tells as much as one case (STATS S9).
        let effect = if is_constant { units.len() as f64 / clusters as f64 } else { 1.0 };
        return Ok((Spread::Discordance { share }, Estimate::Value { value: effect }));
    }
    let (a, b) = (&units.baseline, &units.candidate);
    let mean = clustered_paired_difference(a, b, &units.clusters, level)?.difference;
    let variance = mean.naive_standard_error.map(|error| error * error * units.len() as f64);
    let spread = Spread::Variance { difference: variance.unwrap_or(0.0) };
    let effect = mean
        .design_effect
        .and_then(|effect| if effect > SAME { Ok(effect) } else { Err(Undefined::ZeroVariance) });
    Ok((spread, effect.into()))
}

/// The noise between samples of one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Noise {
    /// What it adds to the variance of a case's difference, as sampled.
    variance: f64,
    /// The samples of a case on the side that has fewer.
    samples: u32,
}

impl Noise {
    /// Estimates the noise of both sides; `None` where a side has one sample a case.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more samples than the statistics allow.
    pub(crate) fn of(
        (baseline, in_baseline): (&VariantResults, usize),
        (candidate, in_candidate): (&VariantResults, usize),
        pairing: &Pairing,
        units: &Units,
    ) -> Result<Option<Self>, InvalidInput> {
        let samples = baseline.samples.min(candidate.samples);
        if samples < 2 {
            return Ok(None);
        }
        let places = units.places.iter().map(|place| pairing.pairs[*place]);
        let (a, b): (Vec<usize>, Vec<usize>) = places.unzip();
        let of_a = side_noise(baseline, in_baseline, &a)?;
        let of_b = side_noise(candidate, in_candidate, &b)?;
        Ok(of_a.zip(of_b).map(|(a, b)| Self { variance: a + b, samples }))
    }

    /// Returns the share of the squared standard error that is noise.
    fn share_of(self, spread: Spread, design_effect: f64) -> Estimate<f64> {
        match spread {
            Spread::Variance { difference } if difference > 0.0 => {
                let share = self.variance / (difference * design_effect);
                Estimate::Value { value: share.min(1.0) }
            }
            // Samples that all agree are without noise.
            _ => Undefined::ZeroVariance.into(),
        }
    }

    /// Returns the samples of each case that do what `needed` cases do, if noise is most of the
    /// uncertainty and samples alone can do it.
    fn samples_instead(self, plan: &SizePlan, now: u64, needed: u64) -> Option<u32> {
        let Spread::Variance { difference } = plan.spread else { return None };
        let share = self.share_of(plan.spread, plan.design_effect).value()?;
        let without = difference - self.variance;
        let room = difference * now as f64 / needed as f64 - without;
        if share <= MOSTLY_NOISE || room <= 0.0 {
            return None;
        }
        let samples = whole(f64::from(self.samples) * self.variance / room);
        u32::try_from(samples).ok()
    }
}

/// Returns what the samples of one side add to the variance of a case mean.
fn side_noise(
    results: &VariantResults,
    criterion: usize,
    cases: &[usize],
) -> Result<Option<f64>, InvalidInput> {
    let (mut scores, mut ends) = (Vec::new(), Vec::with_capacity(cases.len()));
    for &case in cases {
        scores.extend(results.cases[case].values(criterion).filter_map(Value::number));
        ends.push(scores.len());
    }
    let mut start = 0;
    let of_cases: Vec<&[f64]> = ends
        .into_iter()
        .map(|end| {
            let samples = &scores[start..end];
            start = end;
            samples
        })
        .collect();
    let inverse: f64 = of_cases.iter().map(|samples| 1.0 / samples.len() as f64).sum();
    let within = variance_components(&of_cases)?.within;
    Ok(within.ok().map(|within| within * inverse / of_cases.len() as f64))
}
