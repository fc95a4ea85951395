//! Comparing candidates with a baseline: what was run, what was shown before, what there is to say.

use std::num::NonZeroUsize;
use std::path::Path;

use analysis::{CandidateRow, Candidates, CompareOptions, Comparison, VariantResults, compare_all};
use evalset::{DEFAULT_CONFIDENCE, EvalSet, Outputs};
use project::Project;
use report::{Replayed, Report, Section};
use stats::Level;
use store::{NewLook, Store};
use values::Id;

use crate::calibrate::{judges_of, trusted};
use crate::corrected::corrected;
use crate::details::Details;
use crate::gate::Approved;
use crate::looks::{all_looks, history, seen};
use crate::orders::orders;
use crate::people::People;
use crate::recordings::{RecordedRange, used_recordings};
use crate::sides::{RunSide, find_sides};
use crate::{App, AppError};

/// Resamples for differences of quantiles: enough for a 95 % interval, and done in well under a second.
const RESAMPLES: NonZeroUsize = NonZeroUsize::new(2_000).expect("2,000 is not 0");

/// The name of the side that `baseline.json` is.
const APPROVED: &str = "baseline";

/// What a person wants to compare.
#[derive(Debug, Clone, Default)]
pub struct CompareRequest {
    /// The sides, the baseline first: `RUN`, `RUN/VARIANT`, or a variant of the latest run; the first
    /// may be `baseline`, what was approved.
    pub sides: Vec<String>,
    /// The eval set whose latest run is meant; any if `None`.
    pub set: Option<String>,
}

/// A comparison that is ready to be shown.
#[derive(Debug, Clone)]
pub struct Compared {
    /// All that there is to say.
    pub report: Report,
    looks: Vec<NewLook>,
}

/// One side with what was read of it.
pub(crate) struct Loaded {
    pub(crate) until_decided: bool,
    /// The settings by which it was scored; for approved results, those of the candidate.
    pub(crate) set: EvalSet,
    pub(crate) results: VariantResults,
    pub(crate) kept: Kept,
}

/// Where the texts of a side are kept.
pub(crate) enum Kept {
    /// In the record: the run, its column, and the places in its plan of the cells of each case.
    Run { id: Id, variant: u32, cells: Vec<Vec<u32>> },
    /// In `outputs.jsonl`.
    Outputs(Outputs),
}

impl Loaded {
    pub(crate) fn run(&self) -> Option<Id> {
        match &self.kept {
            Kept::Run { id, .. } => Some(*id),
            Kept::Outputs(_) => None,
        }
    }
}

impl App {
    /// Compares candidates with a baseline. Nothing is sent, and no look is recorded before
    /// [`App::note_looks`]. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a side is not one, or goes on; [`crate::ErrorKind::Record`].
    pub fn compare(
        &self,
        folder: Option<&Path>,
        request: &CompareRequest,
    ) -> Result<Compared, AppError> {
        if request.sides.len() < 2 {
            return Err(AppError::input("a comparison needs a baseline and a candidate")
                .with_hint("for example: trysquare compare OLD NEW"));
        }
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let is_approved = request.sides[0] == APPROVED;
        let names = &request.sides[usize::from(is_approved)..];
        let sides = find_sides(&project, &store, names, request.set.as_deref())?;
        let mut loaded = self.load(&project, &store, &sides)?;
        let mut baseline = if is_approved {
            let set = &loaded[0].results.eval_set;
            let approved = Approved::read(&project, set)?.ok_or_else(|| {
                AppError::input(format!("the eval set `{set}` has no baseline yet"))
                    .with_hint("`trysquare baseline accept RUN` makes one of a run")
            })?;
            approved.loaded(&loaded[0].set)
        } else {
            loaded.remove(0)
        };
        self.compare_loaded(&project, &store, &mut baseline, &mut loaded)
    }

    /// Records that the verdicts of a comparison are shown now. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`].
    pub fn note_looks(&self, folder: Option<&Path>, compared: &Compared) -> Result<(), AppError> {
        if compared.looks.is_empty() {
            return Ok(());
        }
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        self.record_looks(&store, compared.looks.clone())
    }

    /// Records the look that a run which ended when it was decided gives to its verdict. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`].
    pub fn note_decision(&self, folder: Option<&Path>, run: Id) -> Result<(), AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let header = store.run_header(run)?;
        let Some(decided) = header.until_decided else { return Ok(()) };
        let side = |variant| RunSide { header: header.clone(), variant };
        let sides = [side(decided.baseline), side(decided.candidate)];
        let mut loaded = self.load(&project, &store, &sides)?;
        let mut baseline = loaded.remove(0);
        ask_people(&project, &store, &mut baseline, &mut loaded)?;
        let (comparisons, _) = comparisons(&project, &store, &baseline, &loaded, None)?;
        self.record_looks(&store, all_looks(&comparisons, &baseline, &loaded).concat())
    }

    pub(crate) fn record_looks(&self, store: &Store, looks: Vec<NewLook>) -> Result<(), AppError> {
        let now = (self.host.now)();
        store::wait(|done| store.record_looks(looks, now, done))?;
        Ok(())
    }

    /// Reads every run once, however many of its columns are sides.
    pub(crate) fn load(
        &self,
        project: &Project,
        store: &Store,
        sides: &[RunSide],
    ) -> Result<Vec<Loaded>, AppError> {
        let mut found: Vec<Option<Loaded>> = sides.iter().map(|_| None).collect();
        for (place, side) in sides.iter().enumerate() {
            if found[place].is_some() {
                continue;
            }
            let run = side.header.id;
            let of_run: Vec<usize> =
                (place..sides.len()).filter(|at| sides[*at].header.id == run).collect();
            let columns: Vec<u32> = of_run.iter().map(|at| sides[*at].variant).collect();
            let read = self.run_results(project, store, run, &columns)?;
            for ((at, results), cells) in of_run.into_iter().zip(read.variants).zip(read.cells) {
                let set = read.set.clone();
                let until_decided = sides[at].header.until_decided.is_some();
                let kept = Kept::Run { id: run, variant: sides[at].variant, cells };
                found[at] = Some(Loaded { until_decided, set, results, kept });
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Compares what was read, by what people say today where they decide, and says what there is to
    /// say of it.
    pub(crate) fn compare_loaded(
        &self,
        project: &Project,
        store: &Store,
        baseline: &mut Loaded,
        candidates: &mut [Loaded],
    ) -> Result<Compared, AppError> {
        let people = ask_people(project, store, baseline, candidates)?;
        let (baseline, candidates) = (&*baseline, &*candidates);
        let (comparisons, rows) =
            comparisons(project, store, baseline, candidates, Some(RESAMPLES))?;
        let mut report = Report::new(title(&comparisons), (self.host.now)());
        if rows.len() > 1 {
            report.candidates = rows;
        }
        let each = all_looks(&comparisons, baseline, candidates);
        let looks: Vec<NewLook> = each.concat();
        for ((comparison, candidate), new) in comparisons.into_iter().zip(candidates).zip(&each) {
            let mut section = Section::new(comparison, &baseline.results, &candidate.results);
            section.history = Some(seen(store, baseline, candidate, new, &looks)?);
            let details = Details { project, store, people: people.as_ref() };
            section.corrected =
                corrected(project, store, &section.comparison, baseline, candidate)?;
            section.prompt_diff = details.prompt_diff(&baseline.results, &candidate.results)?;
            section.cases =
                details.cases(&section.comparison, baseline, candidate, report.limits)?;
            report.sections.push(section);
        }
        report.orders = orders(project, store, baseline, candidates)?;
        report.replayed = replayed(project, store, candidates)?;
        Ok(Compared { report, looks })
    }
}

/// Puts what people decided into both sides, and returns what they said; `None` if they decide nothing.
fn ask_people(
    project: &Project,
    store: &Store,
    baseline: &mut Loaded,
    candidates: &mut [Loaded],
) -> Result<Option<People>, AppError> {
    let name = candidates.first().map_or("", |one| one.results.eval_set.as_str());
    let all = || candidates.iter().chain(std::iter::once(&*baseline));
    let mut found = None;
    for side in all() {
        if found.is_none() {
            found = People::of(project, store, name, &side.set)?;
        }
    }
    let Some(people) = found else { return Ok(None) };
    for side in candidates.iter_mut().chain(std::iter::once(baseline)) {
        people.decide(&side.set, &mut side.results);
    }
    Ok(Some(people))
}

/// Compares without saying anything yet.
fn comparisons(
    project: &Project,
    store: &Store,
    baseline: &Loaded,
    candidates: &[Loaded],
    resamples: Option<NonZeroUsize>,
) -> Result<(Vec<Comparison>, Vec<CandidateRow>), AppError> {
    let results: Vec<&VariantResults> = candidates.iter().map(|one| &one.results).collect();
    let mut histories = Vec::new();
    for candidate in candidates {
        let until_decided = baseline.until_decided || candidate.until_decided;
        let sides = (&baseline.results, &candidate.results);
        histories.push(history(store, sides, until_decided)?);
    }
    let options = CompareOptions { resamples, ..options(project, &candidates[0].set, &results)? };
    let Candidates { rows, comparisons } =
        compare_all(&baseline.results, &results, &options, &histories)
            .map_err(|error| AppError::input(error.to_string()))?;
    Ok((comparisons, rows))
}

/// What the settings of the candidate ask of a comparison, without resampling.
pub(crate) fn options(
    project: &Project,
    set: &EvalSet,
    results: &[&VariantResults],
) -> Result<CompareOptions, AppError> {
    let trusted = trusted(&judges_of(project, set, results)?);
    Ok(CompareOptions {
        margin: set.margin,
        level: level(set)?,
        seed: set.seed,
        trusted,
        ..CompareOptions::default()
    })
}

/// Returns the two-sided level of intervals that a set asks for.
pub(crate) fn level(set: &EvalSet) -> Result<Level, AppError> {
    let confidence = set.gate.confidence.unwrap_or(DEFAULT_CONFIDENCE);
    Level::of_confidence(confidence).map_err(|error| AppError::input(error.to_string()))
}

fn title(comparisons: &[Comparison]) -> String {
    let names: Vec<_> = comparisons.iter().map(|one| one.candidate.variant.name.as_str()).collect();
    let first = comparisons.first();
    let baseline = first.map_or("", |one| one.baseline.variant.name.as_str());
    let set = first.map_or("", |one| one.eval_set.as_str());
    format!("{set}: {} against {baseline}", names.join(", "))
}

/// Returns from when the recordings are that answered the candidates; `None` if none did.
fn replayed(
    project: &Project,
    store: &Store,
    candidates: &[Loaded],
) -> Result<Option<Replayed>, AppError> {
    let mut all: Option<RecordedRange> = None;
    let replayed = candidates.iter().filter(|one| one.results.replayed);
    let mut any = false;
    for candidate in replayed {
        any = true;
        let Kept::Run { id, variant, .. } = &candidate.kept else { continue };
        let header = store.run_header(*id)?;
        let found = used_recordings(project, store, &header, *variant)?;
        all = all.map_or(found, |all| Some(found.map_or(all, |found| all.with(found))));
    }
    let (from, to) = (all.map(|range| range.from), all.map(|range| range.to));
    Ok(any.then_some(Replayed { from, to }))
}
