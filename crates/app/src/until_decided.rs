//! A run that ends as soon as its verdict is decided: complete clusters are fed to the confidence
//! sequence in the order of the plan, while the engine works.

use std::collections::HashMap;

use analysis::{Goal, UntilDecided, Value, VariantResults, Verdict, cluster_numbers, level_of_try};
use evalset::{Criterion, EvalSet, ScoreSource};
use run::{CellScore, RunHeader, StopCause, StopGoal};
use score::Status;
use store::Store;

use crate::compare::level;
use crate::evidence::{RunResults, primary, value_of};
use crate::looks::history;
use crate::material::Material;
use crate::{AppError, ErrorKind};

/// When a run is to end early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntilDecidedRequest {
    /// What is asked of the candidate.
    pub goal: StopGoal,
    /// What it is compared with; the first other variant if `None`.
    pub against: Option<String>,
}

/// Finds the two variants whose verdict ends a run.
///
/// # Errors
/// [`ErrorKind::Input`] if the eval set cannot decide, saying what it lacks.
pub(crate) fn until_decided(
    material: &Material,
    asked: &UntilDecidedRequest,
) -> Result<run::UntilDecided, AppError> {
    let set = &material.set;
    let names: Vec<&str> =
        material.variants.iter().map(|ready| ready.variant.name.as_str()).collect();
    let place = |name: &str| names.iter().position(|known| *known == name);
    let declared = set.candidate.as_ref().and_then(|candidate| place(&candidate.name));
    let against = match &asked.against {
        None => None,
        Some(name) => Some(place(name).ok_or_else(|| {
            AppError::input(format!("this run has no variant `{name}` to compare with"))
                .with_hint(format!("it has {}", names.join(", ")))
        })?),
    };
    let candidate = match (declared, names.len()) {
        (Some(declared), _) => declared,
        // Of two, the candidate is the one that is not compared with.
        (None, 2) => usize::from(against != Some(1)),
        (None, _) => {
            return Err(AppError::input("which variant is to be decided about is not declared")
                .with_hint("add `candidate: NAME` to the evalset.yaml, and run that variant"));
        }
    };
    let first_other = (0..names.len()).find(|place| *place != candidate);
    let baseline =
        against.or(first_other).filter(|place| *place != candidate).ok_or_else(|| {
            AppError::input(format!("nothing is left to compare `{}` with", names[candidate]))
                .with_hint("run it together with another variant, and name that with --against")
        })?;
    let criterion = deciding(set)?;
    if criterion.source != ScoreSource::Code {
        return Err(AppError::input(format!(
            "`{}` is not decided by checks, so that its verdict is not known while the run goes on",
            criterion.name
        )));
    }
    if asked.goal == StopGoal::NoWorse && set.margin.is_none() {
        return Err(AppError::input("\"no worse\" needs a margin")
            .with_hint("add `margin: 0.05` to the evalset.yaml or to the defaults"));
    }
    let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    Ok(run::UntilDecided {
        baseline: number(baseline),
        candidate: number(candidate),
        goal: asked.goal,
    })
}

fn deciding(set: &EvalSet) -> Result<&Criterion, AppError> {
    primary(set).map(|place| &set.criteria[place]).ok_or_else(|| {
        AppError::input("no criterion is declared to decide")
            .with_hint("add `primary: NAME` to the evalset.yaml")
    })
}

/// Counts how often the two versions that a run compares answered its cases before, and a verdict on
/// those answers was shown.
///
/// # Errors
/// If the record cannot be read.
pub(crate) fn other_answers(store: &Store, results: &RunResults) -> Result<u32, AppError> {
    let [baseline, candidate] = results.variants.as_slice() else { return Ok(0) };
    let name = &deciding(&results.set)?.name;
    let known = history(store, (baseline, candidate), true)?;
    Ok(known.other_answers.get(name).copied().unwrap_or(0))
}

/// Watches the outcomes of a run and says when it is decided.
pub(crate) struct Watch {
    set: EvalSet,
    criterion: Criterion,
    sequence: UntilDecided,
    /// Where the value of a cell of the two variants belongs.
    cells: HashMap<u32, Slot>,
    cases: Vec<CaseValues>,
    /// The clusters in the order of the plan, as places of their cases.
    clusters: Vec<Vec<usize>>,
    next: usize,
    fed_cases: u32,
    decided: bool,
}

#[derive(Clone, Copy)]
struct Slot {
    case: usize,
    side: usize,
    sample: usize,
}

/// The values of a case on both sides, baseline first.
struct CaseValues([Vec<Value>; 2]);

impl CaseValues {
    fn is_complete(&self) -> bool {
        self.0.iter().flatten().all(|value| *value != Value::Pending)
    }

    fn difference(&self) -> Option<f64> {
        let mean = |values: &[Value]| {
            let numbers: Vec<f64> = values.iter().filter_map(|value| value.number()).collect();
            (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
        };
        Some(mean(&self.0[1])? - mean(&self.0[0])?)
    }
}

impl Watch {
    /// Begins with what the run has already; `results` are those of its baseline and its candidate, and
    /// `other_answers` says how often the same versions answered the same cases before and were shown.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if the settings cannot decide.
    pub(crate) fn new(
        header: &RunHeader,
        results: RunResults,
        other_answers: u32,
    ) -> Result<Option<Self>, AppError> {
        let Some(asked) = header.until_decided else { return Ok(None) };
        let RunResults { set, variants, cells } = results;
        let criterion = deciding(&set)?.clone();
        let invalid =
            |error: stats::InvalidInput| AppError::new(ErrorKind::Input, error.to_string());
        let level = level_of_try(level(&set)?, other_answers).map_err(invalid)?;
        let goal = match asked.goal {
            StopGoal::Better => Goal::Better,
            StopGoal::NoWorse => Goal::NoWorse,
        };
        let sequence = UntilDecided::new(set.margin, level, goal).map_err(invalid)?;
        let mut watch = Self {
            set,
            criterion,
            sequence,
            cells: HashMap::new(),
            cases: Vec::new(),
            clusters: Vec::new(),
            next: 0,
            fed_cases: 0,
            decided: false,
        };
        watch.take(&variants, &cells);
        Ok(Some(watch))
    }

    fn take(&mut self, variants: &[VariantResults], cells: &[Vec<Vec<u32>>]) {
        let [baseline, candidate] = variants else { return };
        let sides = [baseline, candidate];
        // Both sides come from one plan, in which every case has cells of every variant.
        for place in 0..candidate.cases.len() {
            let values = sides.map(|side| {
                let at = side.criterion(&self.criterion.name).unwrap_or(usize::MAX);
                side.cases.get(place).map(|case| case.values(at).collect()).unwrap_or_default()
            });
            self.cases.push(CaseValues(values));
            for (side, cells) in cells.iter().enumerate() {
                for (sample, cell) in cells.get(place).into_iter().flatten().enumerate() {
                    self.cells.insert(*cell, Slot { case: place, side, sample });
                }
            }
        }
        for (place, cluster) in cluster_numbers(&candidate.cases).into_iter().enumerate() {
            if cluster == self.clusters.len() {
                self.clusters.push(Vec::new());
            }
            self.clusters[cluster].push(place);
        }
    }

    /// Tells what a cell was scored; returns why the run ends, once it is decided.
    pub(crate) fn scored(&mut self, cell: u32, scores: &[CellScore]) -> Option<StopCause> {
        let value = value_of(&self.set, &self.criterion, scores);
        self.put(cell, value)
    }

    /// Tells that a cell ended without an answer.
    pub(crate) fn failed(&mut self, cell: u32) -> Option<StopCause> {
        self.put(cell, Value::Not(Status::Error))
    }

    fn put(&mut self, cell: u32, value: Value) -> Option<StopCause> {
        let slot = *self.cells.get(&cell)?;
        let values = &mut self.cases[slot.case].0[slot.side];
        *values.get_mut(slot.sample)? = value;
        self.advance()
    }

    /// Feeds every cluster that is complete, in the order of the plan.
    pub(crate) fn advance(&mut self) -> Option<StopCause> {
        while !self.decided
            && let Some(cluster) = self.clusters.get(self.next)
            && cluster.iter().all(|case| self.cases[*case].is_complete())
        {
            self.next += 1;
            let differences: Vec<f64> =
                cluster.iter().filter_map(|case| self.cases[*case].difference()).collect();
            self.fed_cases += u32::try_from(differences.len()).unwrap_or(u32::MAX);
            if differences.is_empty() {
                continue;
            }
            let mean = differences.iter().sum::<f64>() / differences.len() as f64;
            // Differences of shares lie in −1..=1, the bounds of the sequence.
            if let Ok(Some(verdict)) = self.sequence.push(mean) {
                self.decided = true;
                return Some(self.cause(verdict));
            }
        }
        None
    }

    fn cause(&self, verdict: Verdict) -> StopCause {
        let of = u32::try_from(self.cases.len()).unwrap_or(u32::MAX);
        StopCause::Decided { verdict: verdict.words().to_owned(), cases: self.fed_cases, of }
    }
}
