//! Looking at runs: the list, one run's results, one cell in full, the record as rows.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use analysis::{CasePasses, PassRate};
use evalset::ScoreSource;
use run::{ExportRow, RunHeader};
use score::{Outcome, Status};
use serde::Serialize;
use store::{CaseCounts, CellRecord, CellRow, RunSummary, Store, StoreError, VariantTotals, Which};
use values::Id;

use crate::judging::leave_out_comparing;
use crate::material::counting_settings;
use crate::waiting::{JudgesBill, Waiting, judges_bill};
use crate::{App, AppError, ErrorKind};

/// A run with what its variants add up to.
#[derive(Debug, Clone)]
pub struct RunView {
    /// What was planned.
    pub header: RunHeader,
    /// Where it stands.
    pub summary: RunSummary,
    /// The variants, in the order of the columns.
    pub variants: Vec<VariantView>,
    /// What judging its outputs took, judge by judge; apart from what its variants cost.
    pub judges: Vec<JudgesBill>,
    /// What decides its cells and has not been asked yet, if there are cells that nothing decided.
    pub waiting: Option<Waiting>,
    /// Whether it is the newest run.
    pub is_latest: bool,
}

/// What the cells of a variant add up to.
#[derive(Debug, Clone)]
pub struct VariantView {
    /// Its name.
    pub name: String,
    /// What answered: `provider/model`, or the target's name.
    pub answers: String,
    /// The prompt's version, short.
    pub version: Option<String>,
    /// The sums.
    pub totals: VariantTotals,
    /// The share of cases that passed, with its interval.
    pub rate: PassRate,
}

/// One cell in full, with the name of its variant.
#[derive(Debug, Clone)]
pub struct CellView {
    /// The variant's name.
    pub variant: String,
    /// The record.
    pub record: CellRecord,
}

/// Which cells of a run to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CellFilter {
    /// Only of this variant.
    pub variant: Option<String>,
    /// Only with one of these statuses; all if empty.
    pub statuses: Vec<Status>,
}

/// Cells are read from the store in pages of this size.
const PAGE: u32 = 500;
/// The most characters of an answer that a list shows.
const EXCERPT: u32 = 400;

impl App {
    /// Finds a run by its id, the beginning of one, or `latest`. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is none, or more than one.
    pub fn find_run(&self, folder: Option<&Path>, name: &str) -> Result<Id, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        if name == "latest" {
            let runs = store.list_runs(None, 1)?;
            return runs.first().map(|run| run.id).ok_or_else(|| {
                AppError::input("this project has no runs yet")
                    .with_hint("start one with `trysquare run EVALSET`")
            });
        }
        match store.find_runs(name, 2)?.as_slice() {
            [only] => Ok(*only),
            [] => Err(AppError::input(format!("there is no run `{name}`"))
                .with_hint("`trysquare runs` lists them; `latest` is the newest")),
            _ => Err(AppError::input(format!("more than one run begins with `{name}`"))
                .with_hint("give more digits of the id")),
        }
    }

    /// Lists runs, newest first. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`].
    pub fn runs(&self, folder: Option<&Path>, limit: u32) -> Result<Vec<RunSummary>, AppError> {
        let (project, _) = self.open(folder)?;
        Ok(self.store(&project)?.list_runs(None, limit)?)
    }

    /// Returns a run with what its variants add up to. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`].
    pub fn run_view(&self, folder: Option<&Path>, run: Id) -> Result<RunView, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let header = store.run_header(run)?;
        let summary = store.run_summary(run)?;
        let mut totals = store.variant_totals(run)?;
        let mut passes: BTreeMap<u32, Vec<CasePasses>> = BTreeMap::new();
        for CaseCounts { variant, passed, decided, cluster } in store.case_counts(run)? {
            passes.entry(variant).or_default().push(CasePasses { passed, decided, cluster });
        }
        let mut variants = (0u32..)
            .zip(&header.variants)
            .map(|(index, variant)| {
                let (answers, version) = crate::plan::described(&variant.source);
                let totals = totals.remove(&index).unwrap_or_default();
                let rate = analysis::pass_rate(&passes.remove(&index).unwrap_or_default())
                    .map_err(|error| AppError::new(ErrorKind::Record, error.to_string()))?;
                Ok(VariantView { name: variant.name.clone(), answers, version, totals, rate })
            })
            .collect::<Result<Vec<_>, AppError>>()?;
        let judges = judges_bill(&store, run)?;
        let mut waiting = None;
        if summary.tally.counts.no_checks > 0 {
            let mut set = counting_settings(&store, &header, &project.config.defaults)?;
            leave_out_comparing(&store, run, &mut set)?;
            waiting = crate::waiting::waiting(&set);
            if let Some(by_people) = waiting.take_if(|one| one.by == ScoreSource::Human) {
                let open =
                    self.add_people(&project, (&store, &header), &by_people, &mut variants)?;
                waiting = (open > 0).then_some(by_people);
            }
        }
        let newest = store.run_headers(None, None, 1)?.pop();
        let is_latest = newest.is_some_and(|newest| newest.id == run);
        Ok(RunView { header, summary, variants, judges, waiting, is_latest })
    }

    /// Lists cells of a run in plan order, at most `limit`. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for an unknown variant; [`ErrorKind::Record`].
    pub fn cells(
        &self,
        folder: Option<&Path>,
        run: Id,
        filter: &CellFilter,
        limit: usize,
    ) -> Result<Vec<CellRow>, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let variant = variant_index(&store.run_header(run)?, filter.variant.as_deref())?;
        let only_failures = !filter.statuses.is_empty()
            && filter
                .statuses
                .iter()
                .all(|status| matches!(status, Status::Fail | Status::Error | Status::Unreadable));
        let which = if only_failures { Which::Failures } else { Which::All };
        let wanted = |row: &CellRow| {
            variant.is_none_or(|variant| row.cell.variant == variant)
                && (filter.statuses.is_empty()
                    || row.status.is_some_and(|status| filter.statuses.contains(&status)))
        };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.results(run, which, after, PAGE, EXCERPT)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.cell.index);
            found.extend(page.into_iter().filter(wanted));
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// Returns every cell of a case in full. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if the run has no such case; [`ErrorKind::Record`].
    pub fn case_cells(
        &self,
        folder: Option<&Path>,
        run: Id,
        case: &str,
        variant: Option<&str>,
    ) -> Result<Vec<CellView>, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let header = store.run_header(run)?;
        let variant = variant_index(&header, variant)?;
        let cells = store.case_cells(run, case)?;
        if cells.is_empty() {
            return Err(AppError::input(format!("this run has no case `{case}`")));
        }
        let mut found = Vec::new();
        for cell in cells {
            let record = store.cell(run, cell)?;
            if variant.is_some_and(|variant| record.cell.variant != variant) {
                continue;
            }
            let index = usize::try_from(record.cell.variant).unwrap_or(usize::MAX);
            let name = header.variants.get(index).map(|one| one.name.clone()).unwrap_or_default();
            found.push(CellView { variant: name, record });
        }
        Ok(found)
    }

    /// Returns the reasons of the checks that did not pass for a cell. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`].
    pub fn reasons(
        &self,
        folder: Option<&Path>,
        run: Id,
        cells: &[u32],
    ) -> Result<Vec<Vec<String>>, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        cells.iter().map(|cell| reasons_of(&store, run, *cell)).collect()
    }

    /// Writes the whole record of a run into a file, which is there whole or not at all. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`]; [`ErrorKind::Input`] if the file cannot be written.
    pub fn export_run_to(
        &self,
        folder: Option<&Path>,
        run: Id,
        file: &Path,
    ) -> Result<(), AppError> {
        files::write_streamed(file, |output| self.export_run(folder, run, output))?
    }

    /// Writes the whole record of a run as JSON rows. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`]; [`ErrorKind::Input`] if the output cannot be written.
    pub fn export_run(
        &self,
        folder: Option<&Path>,
        run: Id,
        output: &mut dyn Write,
    ) -> Result<(), AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        store.export(run, |row: ExportRow| {
            let line = serde_json::to_string(&row).map_err(ExportError::Row)?;
            writeln!(output, "{line}").map_err(ExportError::Output)
        })?;
        Ok(())
    }
}

fn reasons_of(store: &Store, run: Id, cell: u32) -> Result<Vec<String>, AppError> {
    let scores = store.scores(run, cell)?;
    let newest = scores.first().map(|recorded| recorded.generation);
    let told = scores
        .into_iter()
        .filter(|recorded| Some(recorded.generation) == newest)
        .filter(|recorded| recorded.score.score.outcome != Outcome::Pass)
        .map(|recorded| format!("{}: {}", recorded.score.name, recorded.score.score.reason));
    Ok(told.collect())
}

fn variant_index(header: &RunHeader, name: Option<&str>) -> Result<Option<u32>, AppError> {
    let Some(name) = name else { return Ok(None) };
    let found = (0u32..).zip(&header.variants).find(|(_, variant)| variant.name == name);
    if let Some((index, _)) = found {
        return Ok(Some(index));
    }
    let known: Vec<_> = header.variants.iter().map(|one| one.name.as_str()).collect();
    Err(AppError::input(format!("this run has no variant `{name}`"))
        .with_hint(format!("it has {}", known.join(", "))))
}

enum ExportError {
    Store(StoreError),
    Row(serde_json::Error),
    Output(std::io::Error),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ExportError> for AppError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Row(error) => {
                AppError::new(ErrorKind::Record, format!("a row cannot be written: {error}"))
            }
            ExportError::Output(error) => {
                AppError::input(format!("the export cannot be written: {error}"))
            }
        }
    }
}
