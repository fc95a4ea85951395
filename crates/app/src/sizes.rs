//! How many cases a question needs, before they are written and paid for.

use std::path::Path;

use analysis::{Estimate, POWER, SizePlan, Spread};
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
        let (mut plan, present) = match &request.spread {
            SizeSpread::Assumed(share) => {
                (SizePlan::new(Spread::Discordance { share: *share }), None)
            }
            SizeSpread::Observed(sides) => self.observed(folder, sides)?,
        };
        plan.power = request.power.unwrap_or(POWER);
        let invalid = |error: InvalidInput| AppError::input(error.to_string());
        let cases = plan.cases_to_see(request.change).map_err(invalid)?;
        let asked = request.cases.or(present);
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
        })
    }

    /// Returns the plan at the spread that two sides show, and the number of their shared cases.
    fn observed(
        &self,
        folder: Option<&Path>,
        sides: &CompareRequest,
    ) -> Result<(SizePlan, Option<u64>), AppError> {
        let compared = self.compare(folder, sides)?;
        let comparison = compared.report.sections.first().map(|section| &section.comparison);
        let primary = comparison.and_then(|comparison| comparison.primary());
        let sizes = primary.and_then(|primary| Some((primary, primary.sizes?)));
        let (primary, sizes) = sizes.ok_or_else(|| {
            AppError::input("these sides share no case that is decided on a primary criterion")
                .with_hint("assume a discordance instead: --discordant 0.2")
        })?;
        let mut plan = SizePlan::new(sizes.spread);
        plan.design_effect = sizes.design_effect.value().unwrap_or(1.0);
        let confidence = comparison.map_or(Level::P95.confidence(), |one| one.confidence);
        plan.level =
            Level::of_confidence(confidence).map_err(|error| AppError::input(error.to_string()))?;
        Ok((plan, Some(primary.square.total() as u64)))
    }
}
