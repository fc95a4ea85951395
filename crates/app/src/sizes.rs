//! How many cases a question needs, before they are written and paid for.

use std::num::NonZeroU32;
use std::path::Path;

use analysis::{Estimate, MostHelps, POWER, SizePlan, Spread};
use serde::Serialize;
use stats::{InvalidInput, Level};

use crate::compare::CompareRequest;
use crate::{App, AppError};

/// What a person wants to know of a size.
#[derive(Debug, Clone)]
pub struct SizeRequest {
    /// The change that is to be seen, a share above 0.
    pub change: f64,
    /// The chance of seeing it, a share; 0.8 if `None`.
    pub power: Option<f64>,
    /// How much the results differ: assumed, or as observed.
    pub spread: SizeSpread,
    /// A number of cases, to say what change it can show.
    pub cases: Option<u64>,
    /// The samples of each case to plan with; as many as were observed if `None`.
    pub samples: Option<NonZeroU32>,
}

/// Where a size takes its spread from.
#[derive(Debug, Clone)]
pub enum SizeSpread {
    /// An assumed share of cases whose results differ.
    Assumed(f64),
    /// Two sides of a comparison, as [`CompareRequest`] names them.
    Observed(CompareRequest),
}

/// An answer about sizes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SizeAnswer {
    /// The change that is to be seen, a share.
    pub change: f64,
    /// The chance of seeing it, a share.
    pub power: f64,
    /// The two-sided level of intervals, a share.
    pub confidence: f64,
    /// How much the results differ.
    pub spread: Spread,
    /// By how much clusters widen the variance.
    pub design_effect: f64,
    /// The cases that are needed.
    pub cases: Estimate<u64>,
    /// What the number of cases that was asked about, or is there, can show.
    pub detectable: Option<Detectable>,
    /// The samples of each case that this is planned with; `None` if the spread is assumed.
    pub samples: Option<u32>,
    /// The share of the uncertainty that is noise between samples, as observed; `None` if nobody knows.
    pub sampling_share: Option<f64>,
    /// Whether more samples or more cases help most; `None` if nobody knows.
    pub most_helps: Option<MostHelps>,
}

/// A plan and what two sides show besides.
struct Observed {
    plan: SizePlan,
    cases: Option<u64>,
    samples: Option<u32>,
    sampling_share: Option<f64>,
    most_helps: Option<MostHelps>,
}

impl Observed {
    /// Returns what nobody observed.
    fn assumed(share: f64) -> Self {
        Self {
            plan: SizePlan::new(Spread::Discordance { share }),
            cases: None,
            samples: None,
            sampling_share: None,
            most_helps: None,
        }
    }
}

/// What a number of cases can show.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Detectable {
    /// The cases.
    pub cases: u64,
    /// The smallest change, a share.
    pub change: Estimate<f64>,
}

impl App {
    /// Says how many cases a change needs to be seen, at an assumed discordance or at what two runs
    /// show. No verdict is given, so that nothing is a look. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a number is out of its range or a side is not one.
    pub fn plan_size(
        &self,
        folder: Option<&Path>,
        request: &SizeRequest,
    ) -> Result<SizeAnswer, AppError> {
        let observed = match &request.spread {
            SizeSpread::Assumed(_) if request.samples.is_some() => {
                return Err(AppError::input(
                    "what samples save cannot be planned on an assumed discordance",
                )
                .with_hint("name two sides that have several samples a case"));
            }
            SizeSpread::Assumed(share) => Observed::assumed(*share),
            SizeSpread::Observed(sides) => self.observed(folder, sides, request.samples)?,
        };
        let mut plan = observed.plan;
        plan.power = request.power.unwrap_or(POWER);
        let invalid = |error: InvalidInput| AppError::input(error.to_string());
        let cases = plan.cases_to_see(request.change).map_err(invalid)?;
        let asked = request.cases.or(observed.cases);
        let detectable = asked
            .map(|cases| Ok(Detectable { cases, change: plan.detectable(cases)? }))
            .transpose()
            .map_err(invalid)?;
        Ok(SizeAnswer {
            change: request.change,
            power: plan.power,
            confidence: plan.level.confidence(),
            spread: plan.spread,
            design_effect: plan.design_effect,
            cases,
            detectable,
            samples: observed.samples,
            sampling_share: observed.sampling_share,
            most_helps: observed.most_helps,
        })
    }

    /// Returns the plan at the spread that two sides show, with as many samples of each case as asked.
    fn observed(
        &self,
        folder: Option<&Path>,
        sides: &CompareRequest,
        samples: Option<NonZeroU32>,
    ) -> Result<Observed, AppError> {
        let compared = self.compare(folder, sides)?;
        let comparison = compared.report.sections.first().map(|section| &section.comparison);
        let primary = comparison.and_then(|comparison| comparison.primary());
        let sizes = primary.and_then(|primary| Some((primary, primary.sizes?)));
        let (primary, sizes) = sizes.ok_or_else(|| {
            AppError::input("these sides share no case that is decided on a primary criterion")
                .with_hint("assume a discordance instead: --discordant 0.2")
        })?;
        let confidence = comparison.map_or(Level::P95.confidence(), |one| one.confidence);
        let level =
            Level::of_confidence(confidence).map_err(|error| AppError::input(error.to_string()))?;
        let now = comparison.map_or(1, |one| one.baseline.samples.min(one.candidate.samples));
        let now = NonZeroU32::new(now).unwrap_or(NonZeroU32::MIN);
        let plan = match samples {
            Some(samples) if samples != now => {
                sizes.plan_with_samples(level, now, samples).ok_or_else(|| {
                    AppError::input("these sides do not say how much samples of a case differ")
                        .with_hint(
                            "run both with several samples a case: `trysquare run --samples 3`",
                        )
                })?
            }
            _ => SizePlan {
                design_effect: sizes.design_effect.value().unwrap_or(1.0),
                level,
                ..SizePlan::new(sizes.spread)
            },
        };
        Ok(Observed {
            plan,
            cases: Some(primary.square.total() as u64),
            samples: Some(samples.unwrap_or(now).get()),
            sampling_share: sizes.sampling_share.value(),
            most_helps: sizes.most_helps(),
        })
    }
}
