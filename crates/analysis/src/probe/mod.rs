//! What sways a judge that should not: outputs that ask for a good verdict, the same input again,
//! length, formatting, the order of a pair, and kinship.
//!
//! The unit is the case. In shares and their intervals cases of a cluster count together; p-values, the
//! interval of AC1, that of position and that of kinship take cases as independent. Answers that failed or
//! could not be read are counted and enter no rate. What is found here is no calibration: it needs no labels and says
//! nothing of whether the judge is right.

mod consistency;
mod kinship;
mod sway;

use score::probe::{Change, Injection};
use serde::Serialize;
use stats::InvalidInput;

pub use consistency::{Consistency, Repeated};
pub use kinship::{Kinship, KinshipAnswer};
pub use sway::{ChangeFinding, InjectionFinding};

use crate::calibration::Share;
use crate::pairs::{BothOrders, SwapFinding, position};

/// What a judge said of one output.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// How good the output is, in 0..=1: a pass is 1, a fail 0. Of a pair, 1 if the output that is asked about
    /// is preferred, 0 if the other is.
    Worth(f64),
    /// A category of which nobody said whether it passes.
    Category(String),
    /// Its reply could not be parsed.
    Unreadable,
    /// The call failed.
    Error,
}

/// A judge before and after something was changed that should not matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Swayed<K> {
    /// What was changed.
    pub kind: K,
    /// The cluster of the case.
    pub cluster: usize,
    /// What it said before.
    pub plain: Said,
    /// What it said after.
    pub changed: Said,
}

/// The answers of a probe.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProbeAnswers {
    /// Outputs without content, plain and with an injection.
    pub injections: Vec<Swayed<Injection>>,
    /// Outputs that were judged several times.
    pub repeated: Vec<Repeated>,
    /// Outputs, plain and changed in what does not matter.
    pub changes: Vec<Swayed<Change>>,
    /// Pairs that were judged in both orders.
    pub orders: Vec<BothOrders>,
    /// Outputs of models that are known.
    pub kinship: Vec<KinshipAnswer>,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeFindings {
    /// By family of injections, those that were tried.
    pub injections: Vec<InjectionFinding>,
    /// Whether it says the same again, if it was asked.
    pub consistency: Option<Consistency>,
    /// By change, those that were tried.
    pub changes: Vec<ChangeFinding>,
    /// Whether the order of a pair decides, if it compares.
    pub position: Option<SwapFinding>,
    /// Whether it favours outputs of its own model, where there are such and others.
    pub kinship: Option<Kinship>,
}

/// Returns what sways a judge.
///
/// # Errors
/// [`InvalidInput`] if there are more answers than the statistics allow.
pub fn probe(answers: &ProbeAnswers) -> Result<ProbeFindings, InvalidInput> {
    Ok(ProbeFindings {
        injections: sway::injections(&answers.injections)?,
        consistency: consistency::consistency(&answers.repeated)?,
        changes: sway::changes(&answers.changes)?,
        position: position(&answers.orders)?,
        kinship: kinship::kinship(&answers.kinship)?,
    })
}

/// What became of answers that enter no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Missing {
    /// They could not be parsed.
    pub unreadable: usize,
    /// The call failed.
    pub errors: usize,
}

impl Missing {
    fn count<'a>(said: impl Iterator<Item = &'a Said>) -> Self {
        let mut missing = Self::default();
        for one in said {
            match one {
                Said::Unreadable => missing.unreadable += 1,
                Said::Error => missing.errors += 1,
                Said::Worth(_) | Said::Category(_) => {}
            }
        }
        missing
    }
}

impl Said {
    fn worth(&self) -> Option<f64> {
        match self {
            Self::Worth(worth) => Some(*worth),
            _ => None,
        }
    }
}

/// Returns the share of units that are `true`, with the cluster of each.
fn share_of(units: &[(bool, usize)]) -> Result<Share, InvalidInput> {
    crate::calibration::plain_share(units)
}

#[cfg(test)]
mod tests;
