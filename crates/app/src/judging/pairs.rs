//! What judges that compare said of pairs of outputs of a run.

use std::collections::{HashMap, HashSet};

use analysis::{BothOrders, ComparedPair};
use evalset::{EvalSet, JudgeSpec, Preference, ScoreSource};
use run::RunHeader;
use score::{Judged, Outcome, Sees, in_own_order};
use store::Store;
use values::{ContentHash, Id};

use crate::AppError;
use crate::judging::outputs::{Outputs, Shown};
use crate::judging::ready::readers;
use crate::judging::verdicts::{Saids, saids};

/// What a judge or a jury said of the pairs of a run.
pub(crate) struct PairVerdicts {
    /// Its name in the set.
    pub(crate) judge: String,
    /// The criterion that it serves.
    pub(crate) criterion: String,
    /// Its version; `None` if it has said nothing yet.
    pub(crate) version: Option<ContentHash>,
    /// Every meeting of two of the variants, these as places in the run's list.
    pub(crate) pairs: Vec<ComparedPair>,
}

/// Reads what judges that compare said of the outputs of a run. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(crate) fn pair_verdicts(
    store: &Store,
    header: &RunHeader,
    set: &EvalSet,
    judges: &[run::Variant],
) -> Result<Vec<PairVerdicts>, AppError> {
    let comparing = comparing(store, set, judges)?;
    if comparing.is_empty() {
        return Ok(Vec::new());
    }
    let outputs = Outputs::of(store, header)?;
    let said = saids(store, header, set, judges, &outputs)?;
    let of = |(judge, criterion): (String, String)| {
        let pairs = pairs(&said, &outputs, &judge);
        let mut own = said.iter().filter(|((_, name), _)| *name == judge);
        let version = own.next().map(|(_, said)| said.version);
        PairVerdicts { judge, criterion, version, pairs }
    };
    Ok(comparing.into_iter().map(of).collect())
}

/// Leaves the criteria out that judges decide of which all compare: they say nothing of one output. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(crate) fn leave_out_comparing(
    store: &Store,
    run: Id,
    set: &mut EvalSet,
) -> Result<(), AppError> {
    let readers = readers(store, set, &store.counting(run)?.judges)?.into_values();
    let comparing = readers.filter(|reader| reader.judge.sees == Sees::Pair);
    let comparing: HashSet<String> =
        comparing.flat_map(|reader| reader.specs).map(|spec| spec.name).collect();
    let judges = &set.judges;
    set.criteria.retain(|criterion| {
        let mut serving = judges.iter().filter(|spec| spec.criterion.name == criterion.name);
        let compares = |spec: &JudgeSpec| comparing.contains(&spec.name);
        let is_for_pairs = serving.next().is_some_and(compares) && serving.all(compares);
        criterion.source != ScoreSource::Judge || !is_for_pairs
    });
    Ok(())
}

/// Returns the judges that compare, each with its criterion; of a jury and its members, the jury.
fn comparing(
    store: &Store,
    set: &EvalSet,
    judges: &[run::Variant],
) -> Result<Vec<(String, String)>, AppError> {
    let mut found: Vec<(String, String)> = Vec::new();
    for reader in readers(store, set, judges)?.into_values() {
        if reader.judge.sees != Sees::Pair {
            continue;
        }
        for spec in reader.specs {
            let (name, criterion) = match set.jury_of(&spec.name) {
                Some(jury) => (&jury.name, &jury.criterion.name),
                None => (&spec.name, &spec.criterion.name),
            };
            found.push((name.clone(), criterion.clone()));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn pairs(said: &Saids, outputs: &Outputs, judge: &str) -> Vec<ComparedPair> {
    let mut clusters: HashMap<(bool, &str), usize> = HashMap::new();
    let mut all = Vec::with_capacity(outputs.meetings.len());
    for meeting in &outputs.meetings {
        let [a, b] = meeting.outputs;
        let output = &outputs.all[a];
        let key = match &output.cluster {
            Some(cluster) => (true, cluster.as_str()),
            None => (false, output.case.as_str()),
        };
        let next = clusters.len();
        let cluster = *clusters.entry(key).or_insert(next);
        let of = |first, second, swapped| {
            let found = said.get(&(Shown::Pair(first, second), judge.to_owned()))?;
            preference(&found.judged, swapped)
        };
        let both = || BothOrders { a_first: of(a, b, false), b_first: of(b, a, true) };
        let said = (a != b).then(both);
        all.push(ComparedPair { variants: meeting.variants, said, cluster });
    }
    all
}

/// Returns which output of a pair is preferred, by the pair's own order; `None` if nobody said so.
fn preference(judged: &Judged, swapped: bool) -> Option<Preference> {
    let Outcome::Category { name } = in_own_order(judged.outcome.clone(), swapped) else {
        return None;
    };
    Preference::ALL.into_iter().find(|one| one.name() == name)
}
