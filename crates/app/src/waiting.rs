//! What a run owes to judges and people: what judging took, and what still waits for a decision.

use std::collections::BTreeMap;

use analysis::{CasePasses, SetCriterion};
use evalset::{EvalSet, ScoreSource};
use project::Project;
use run::RunHeader;
use serde::Serialize;
use store::Store;
use values::{ContentHash, Id, NanoDollars};

use crate::evidence::RunResults;
use crate::judging::judging_runs;
use crate::people::People;
use crate::results::VariantView;
use crate::{App, AppError, ErrorKind};

/// What one version of a judge took for the outputs of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct JudgesBill {
    /// The judge's name in the eval set.
    pub judge: String,
    /// Its model.
    pub answers: String,
    /// Its prompt's version, short.
    pub version: Option<String>,
    /// Replies that it gave, those that could not be read included.
    pub replies: u32,
    /// Of these: from the cache, or from recordings.
    pub not_live: u32,
    /// What the live ones cost, where it is known.
    pub cost: NanoDollars,
    /// Live replies whose cost nobody knows.
    pub cost_unknown: u32,
}

/// A criterion that nothing has decided for some cells of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The criterion.
    pub criterion: String,
    /// Whose scores decide it.
    pub by: ScoreSource,
    /// The judges that could, by their names in the eval set.
    pub judges: Vec<String>,
}

impl App {
    /// Counts what people decided as passes and fails of the variants, whose cells nothing else decides.
    /// Returns how many outputs still wait for them.
    pub(crate) fn add_people(
        &self,
        project: &Project,
        (store, header): (&Store, &RunHeader),
        by_people: &Waiting,
        variants: &mut [VariantView],
    ) -> Result<u32, AppError> {
        let places: Vec<u32> = (0..).take(variants.len()).collect();
        let RunResults { set, variants: mut results, .. } =
            self.run_results(project, store, header.id, &places)?;
        let Some(people) = People::of(project, store, &header.eval_set, &set)? else {
            return Ok(0);
        };
        let mut waiting = 0;
        for (view, results) in variants.iter_mut().zip(&mut results) {
            people.decide(&set, results);
            let is_meant = |one: &SetCriterion| one.name == by_people.criterion;
            let Some(place) = results.criteria.iter().position(is_meant) else { continue };
            let counts = &mut view.totals.tally.counts;
            let mut clusters: BTreeMap<&str, usize> = BTreeMap::new();
            let mut passes = Vec::with_capacity(results.cases.len());
            for case in &results.cases {
                let values = case.samples.iter().filter_map(|sample| sample.values.get(place));
                let decided: Vec<f64> = values.filter_map(|value| value.number()).collect();
                let passed = decided.iter().filter(|share| **share >= 1.0).count();
                let (passed, decided) = (number(passed), number(decided.len()));
                counts.pass += passed;
                counts.fail += decided - passed;
                counts.no_checks = counts.no_checks.saturating_sub(decided);
                let own = case.cluster.as_deref().unwrap_or(&case.id);
                let next = clusters.len();
                let cluster = *clusters.entry(own).or_insert(next);
                passes.push(CasePasses { passed, decided, cluster });
            }
            waiting += counts.no_checks;
            view.rate = analysis::pass_rate(&passes)
                .map_err(|error| AppError::new(ErrorKind::Record, error.to_string()))?;
        }
        Ok(waiting)
    }
}

/// Adds up what judging a run took, for each version of a judge, in the order in which they were asked.
pub(crate) fn judges_bill(store: &Store, run: Id) -> Result<Vec<JudgesBill>, AppError> {
    let mut bills: Vec<(ContentHash, JudgesBill)> = Vec::new();
    for judging in judging_runs(store, run)? {
        let mut totals = store.variant_totals(judging.id)?;
        for (index, judge) in (0u32..).zip(&judging.variants) {
            let totals = totals.remove(&index).unwrap_or_default();
            let place = bills.iter().position(|(hash, _)| *hash == judge.hash);
            let place = place.unwrap_or_else(|| {
                let (answers, version) = crate::plan::described(&judge.source);
                let judge_name = judge.name.clone();
                let bill =
                    JudgesBill { judge: judge_name, answers, version, ..JudgesBill::default() };
                bills.push((judge.hash, bill));
                bills.len() - 1
            });
            let bill = &mut bills[place].1;
            let not_live = totals.cache_hits + totals.replays;
            bill.replies += totals.live + not_live;
            bill.not_live += not_live;
            bill.cost = bill.cost + totals.cost;
            bill.cost_unknown += totals.cost_unknown;
        }
    }
    Ok(bills.into_iter().map(|(_, bill)| bill).collect())
}

/// Finds what the cells of a set wait for where nothing has decided them: the primary criterion, or the
/// only one, if judges or people decide it. A criterion that could decide nothing is waited for by nobody.
pub(crate) fn waiting(set: &EvalSet) -> Option<Waiting> {
    let criterion = match (&set.primary, set.criteria.as_slice()) {
        (Some(primary), _) => set.criterion(&primary.name)?,
        (None, [only]) => only,
        (None, _) => return None,
    };
    let waits = match criterion.source {
        ScoreSource::Code => false,
        ScoreSource::Judge => set.is_judged(criterion),
        ScoreSource::Human => criterion.decides(),
    };
    // Of a jury and its members, the jury's verdict counts.
    let alone = set.judges.iter().filter(|spec| set.jury_of(&spec.name).is_none());
    let alone = alone.map(|spec| (&spec.name, &spec.criterion.name));
    let juries = set.juries.iter().map(|jury| (&jury.name, &jury.criterion.name));
    let serving = alone.chain(juries).filter(|(_, serves)| **serves == criterion.name);
    waits.then(|| Waiting {
        criterion: criterion.name.clone(),
        by: criterion.source,
        judges: serving.map(|(name, _)| name.clone()).collect(),
    })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
