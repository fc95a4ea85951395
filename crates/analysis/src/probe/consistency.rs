use serde::Serialize;
use stats::{InvalidInput, Level, Weights, gwet_coefficient};
use values::Interval;

use super::{Missing, Said, share_of};
use crate::calibration::Share;
use crate::estimate::Estimate;

/// What a judge said of the same output several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeated {
    /// The cluster of the case.
    pub cluster: usize,
    /// Its answers.
    pub said: Vec<Said>,
}

/// Whether a judge says the same again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Consistency {
    /// How often each output was judged.
    pub times: usize,
    /// Of the outputs with two readable answers or more, those on which all are the same.
    pub always: Share,
    /// The chance that two of its answers on an output are the same.
    pub agreement: Estimate<f64>,
    /// The same beyond chance, AC1; its numbers are taken as classes.
    pub ac1: Estimate<f64>,
    /// The interval of AC1.
    pub ac1_interval: Estimate<Interval>,
    /// The answers that enter no rate.
    pub missing: Missing,
}

pub(super) fn consistency(all: &[Repeated]) -> Result<Option<Consistency>, InvalidInput> {
    let Some(times) = all.iter().map(|one| one.said.len()).max().filter(|times| *times > 1) else {
        return Ok(None);
    };
    let mut classes: Vec<String> = all.iter().flat_map(|one| &one.said).filter_map(class).collect();
    classes.sort_unstable();
    classes.dedup();
    // A judge without a second class has all its classes in use, and AC1 needs two.
    let values: Vec<f64> = (0..classes.len().max(2)).map(|place| place as f64).collect();
    let place = |said: &Said| class(said).and_then(|class| classes.binary_search(&class).ok());
    let mut ratings = vec![Vec::with_capacity(all.len()); times];
    let mut units = Vec::new();
    for one in all {
        let given: Vec<usize> = one.said.iter().filter_map(place).collect();
        if given.len() > 1 {
            units.push((given.iter().all(|class| *class == given[0]), one.cluster));
        }
        for (time, row) in ratings.iter_mut().enumerate() {
            row.push(one.said.get(time).and_then(place));
        }
    }
    let gwet = gwet_coefficient(&ratings, &values, Weights::Identity, Level::P95)?;
    Ok(Some(Consistency {
        times,
        always: share_of(&units)?,
        agreement: gwet.percent_agreement.into(),
        ac1: gwet.coefficient.into(),
        ac1_interval: gwet.interval.into(),
        missing: Missing::count(all.iter().flat_map(|one| &one.said)),
    }))
}

/// What an answer is called; numbers are told apart by two decimals.
fn class(said: &Said) -> Option<String> {
    match said {
        Said::Worth(worth) => Some(format!("{worth:.2}")),
        Said::Category(name) => Some(format!("category {name}")),
        Said::Unreadable | Said::Error => None,
    }
}
