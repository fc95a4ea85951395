//! What was shown of two versions before, and what is shown now: more cases after a look, or the same
//! cases answered anew, are another try at the same question.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use analysis::{
    CaseResults, Comparison, LookHistory, Method, Origin, Pairing, Value, VariantResults, Verdict,
    pair,
};
use evalset::ScoreSource;
use report::History;
use run::RunState;
use store::{Look, LookMethod, NewLook, Store};
use values::{ContentHash, Id};

use crate::AppError;
use crate::compare::Loaded;

/// What was seen of cases, by id.
type Answers = BTreeMap<String, ContentHash>;

/// Returns what was shown of two versions before.
///
/// # Errors
/// If the record cannot be read.
pub(crate) fn history(
    store: &Store,
    (against, of): (&VariantResults, &VariantResults),
    until_decided: bool,
) -> Result<LookHistory, AppError> {
    let mut looks_of: BTreeMap<String, Vec<Look>> = BTreeMap::new();
    for look in looks_at(store, (against, of))? {
        looks_of.entry(look.criterion.clone()).or_default().push(look);
    }
    let pairing = pair(against, of);
    let mut known: HashMap<ContentHash, HashSet<String>> = HashMap::new();
    let (mut earlier, mut other_answers) = (BTreeMap::new(), BTreeMap::new());
    for (criterion, looks) in looks_of {
        let sets: BTreeSet<ContentHash> = looks.iter().map(|look| look.cases).collect();
        for cases in sets {
            if let Entry::Vacant(place) = known.entry(cases) {
                place.insert(still_there(of, &store.look_cases(cases)?));
            }
        }
        let mut seen = HashSet::new();
        let of_looks = looks.iter().filter(|look| seen.insert(look.cases));
        earlier
            .insert(criterion.clone(), of_looks.map(|look| known[&look.cases].clone()).collect());
        let others = other_answers_than((against, of), &pairing, &criterion, tries(store, &looks)?);
        other_answers.insert(criterion, others);
    }
    let mut at_cap = false;
    for side in [against, of] {
        if let Origin::Run { id, complete: false, .. } = side.origin {
            let state = store.run_state(id)?;
            at_cap |= matches!(state, RunState::StoppedAtCap | RunState::StoppedAtOverrun);
        }
    }
    Ok(LookHistory { earlier, other_answers, until_decided, at_cap })
}

/// Returns the ids of cases that still have the content that was looked at: one whose content is
/// another now is new.
fn still_there(of: &VariantResults, seen: &BTreeMap<String, ContentHash>) -> HashSet<String> {
    let is_same = |case: &&CaseResults| seen.get(&case.id) == Some(&case.hash);
    of.cases.iter().filter(is_same).map(|case| case.id.clone()).collect()
}

/// Returns the looks at two versions, oldest first, whichever of them was called the baseline: who
/// turns a comparison round looks at the same.
///
/// # Errors
/// If the record cannot be read.
pub(crate) fn looks_at(
    store: &Store,
    (against, of): (&VariantResults, &VariantResults),
) -> Result<Vec<Look>, AppError> {
    let (a, b) = (against.variant.hash, of.variant.hash);
    let mut looks = store.looks(b, a, &of.eval_set)?;
    if a != b {
        looks.extend(store.looks(a, b, &of.eval_set)?);
        looks.sort_by_key(|look| look.first);
    }
    Ok(looks)
}

/// Sorts what was seen in looks, oldest first, into sets of answers that contradict each other. A look
/// at more cases, or at retried errors, goes on with the answers of an earlier one.
fn tries(store: &Store, looks: &[Look]) -> Result<Vec<Answers>, AppError> {
    let mut tries: Vec<Answers> = Vec::new();
    let mut read = HashSet::new();
    for hash in looks.iter().filter_map(|look| look.answers).filter(|hash| read.insert(*hash)) {
        let answers = store.look_answers(hash)?;
        match tries.iter_mut().find(|one| !contradict(one, &answers)) {
            Some(same) => same.extend(answers),
            None => tries.push(answers),
        }
    }
    Ok(tries)
}

fn contradict(a: &Answers, b: &Answers) -> bool {
    a.iter().any(|(case, answer)| b.get(case).is_some_and(|other| other != answer))
}

/// Counts the sets of answers that were shown before these, and that answer the same cases otherwise.
/// Of a run without an answer yet, these are all that answer its cases.
fn other_answers_than(
    (against, of): (&VariantResults, &VariantResults),
    pairing: &Pairing,
    criterion: &str,
    tries: Vec<Answers>,
) -> u32 {
    let now = answers((against, of), pairing, criterion);
    let mut others = 0;
    for answers in tries {
        if now.is_empty() {
            let planned = |(_, at): &(usize, usize)| answers.contains_key(&of.cases[*at].id);
            others += u32::from(pairing.pairs.iter().any(planned));
        } else if contradict(&answers, &now) {
            others += 1;
        } else if now.keys().any(|case| answers.contains_key(case)) {
            break;
        }
    }
    others
}

/// Returns what is seen of the shared cases on a criterion: the outputs of both sides, and what judges
/// say of them. Labels of people are no new answers, and checks say the same of the same output.
fn answers(
    (baseline, candidate): (&VariantResults, &VariantResults),
    pairing: &Pairing,
    criterion: &str,
) -> Answers {
    let seen = |results: &VariantResults, case: usize| {
        let place = results.criterion(criterion)?;
        let is_judged = results.criteria[place].source == ScoreSource::Judge;
        let mut bytes = Vec::new();
        for sample in &results.cases[case].samples {
            bytes.extend(sample.output?.as_bytes());
            if is_judged {
                bytes.extend(sample.values.get(place)?.number()?.to_bits().to_be_bytes());
            }
        }
        (!bytes.is_empty()).then(|| ContentHash::of_bytes(&bytes))
    };
    let mut found = Answers::new();
    for &(a, b) in &pairing.pairs {
        if let (Some(of_a), Some(of_b)) = (seen(baseline, a), seen(candidate, b)) {
            let both = [of_a.min(of_b), of_a.max(of_b)].map(|hash| *hash.as_bytes()).concat();
            found.insert(candidate.cases[b].id.clone(), ContentHash::of_bytes(&both));
        }
    }
    found
}

/// Counts looks and candidates, these included: `new` are those at this candidate, `all` those of
/// the whole comparison.
///
/// # Errors
/// If the record cannot be read.
pub(crate) fn seen(
    store: &Store,
    baseline: &Loaded,
    candidate: &Loaded,
    new: &[NewLook],
    all: &[NewLook],
) -> Result<History, AppError> {
    let (of, against) = (&candidate.results, &baseline.results);
    let mut tried: HashSet<ContentHash> =
        store.candidates_tried(against.variant.hash, &of.eval_set)?.into_iter().collect();
    tried.extend(all.iter().map(|look| look.candidate));
    let primary = of.primary.map(|place| of.criteria[place].name.as_str());
    let criterion = new.first().map(|look| look.criterion.as_str()).or(primary);
    let now = new.first().map(|look| (NewLook::cases_hash(&look.cases), look.answers_hash()));
    let mut looks: HashSet<(ContentHash, ContentHash)> = now.into_iter().collect();
    for look in looks_at(store, (against, of))? {
        if criterion.is_none_or(|criterion| look.criterion == criterion) {
            // What nobody kept is taken for what is there now.
            let then = look.answers.or(now.map(|(_, answers)| answers));
            looks.insert((look.cases, then.unwrap_or(look.cases)));
        }
    }
    let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
    Ok(History { looks: count(looks.len()), candidates: count(tried.len()) })
}

/// Returns the verdicts of comparisons with one baseline, candidate by candidate.
pub(crate) fn all_looks(
    comparisons: &[Comparison],
    baseline: &Loaded,
    candidates: &[Loaded],
) -> Vec<Vec<NewLook>> {
    let each = comparisons.iter().zip(candidates);
    each.map(|(comparison, candidate)| {
        let sides = [&baseline.results, &candidate.results];
        new_looks(comparison, sides, [baseline.run(), candidate.run()])
    })
    .collect()
}

/// Returns the verdicts of a comparison, as they are recorded once it is shown.
pub(crate) fn new_looks(
    comparison: &Comparison,
    [baseline, candidate]: [&VariantResults; 2],
    [baseline_run, candidate_run]: [Option<Id>; 2],
) -> Vec<NewLook> {
    let decided = comparison.criteria.iter().filter_map(|one| Some((one, one.decision?)));
    let look = |(criterion, decision): (&analysis::CriterionComparison, analysis::Decision)| {
        let name = criterion.criterion.as_str();
        let places = (baseline.criterion(name)?, candidate.criterion(name)?);
        // What is not finished, or waits for people, has not been looked at: it is new when it comes.
        let is_seen = |case: &CaseResults, place| {
            let mut values = case.values(place);
            !values.any(|value| value == Value::Pending) && !waits(case, place)
        };
        let seen = comparison.pairing.pairs.iter().filter(|(a, b)| {
            is_seen(&baseline.cases[*a], places.0) && is_seen(&candidate.cases[*b], places.1)
        });
        let cases = seen.map(|(_, place)| &candidate.cases[*place]);
        Some(NewLook {
            candidate: candidate.variant.hash,
            baseline: baseline.variant.hash,
            eval_set: comparison.eval_set.clone(),
            criterion: criterion.criterion.clone(),
            cases: cases.map(|case| (case.id.clone(), case.hash)).collect(),
            answers: answers((baseline, candidate), &comparison.pairing, name),
            candidate_run,
            baseline_run,
            method: match decision.method {
                Method::Sequence { .. } => LookMethod::Sequence,
                _ => LookMethod::Fixed,
            },
            verdict: verdict_name(decision.verdict).to_owned(),
        })
    };
    decided.filter_map(look).collect()
}

/// Tells whether people have not decided a case at all.
fn waits(case: &CaseResults, place: usize) -> bool {
    let mut values = case.values(place);
    case.mean(place).is_none() && values.any(|value| matches!(value, Value::Open(_)))
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::NoWorse => "no_worse",
        Verdict::WorseWithinMargin => "worse_within_margin",
        Verdict::Worse => "worse",
        Verdict::NotEnough => "not_enough",
    }
}
