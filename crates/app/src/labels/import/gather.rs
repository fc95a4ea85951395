use std::collections::{BTreeMap, HashMap};

use document::Diagnostic;
use evalset::{Case, CaseFile, CaseRow, LabelEvent, LabelSubject};
use interchange::{BadRow, ImportedRow, ImportedVerdict, LabelMap, Shown, UnreadableFile};
use values::{ContentHash, Id, Timestamp};

use super::{ImportFile, ImportedExample};
use crate::AppError;
use crate::labels::KnownCase;

/// So many rows are shown as they were understood.
const EXAMPLES: usize = 5;

/// Everything that files say, by what it is about: the same said twice is there once, and a row that
/// says something else than an earlier one is bad.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) rows: u64,
    pub(super) bad: Vec<Diagnostic>,
    /// The cases that the eval set does not have, in the order of the rows, and how they are written.
    pub(super) cases: Vec<Case>,
    pub(super) case_rows: Vec<CaseRow>,
    pub(super) cases_known: usize,
    pub(super) texts: BTreeMap<ContentHash, String>,
    /// In the order of the rows.
    pub(super) labels: Vec<LabelEvent>,
    pub(super) verdicts: Vec<ImportedVerdict>,
    pub(super) examples: Vec<ImportedExample>,
    /// Where each case stood first; without a place among `cases`, the set has it.
    seen: HashMap<String, (Spot, Option<usize>)>,
    said: HashMap<(LabelSubject, String, Timestamp), (Spot, Id)>,
    judged: HashMap<(LabelSubject, String, Shown), (Spot, usize)>,
}

/// A line of one of the files.
#[derive(Clone, Copy)]
struct Spot {
    file: usize,
    line: u64,
}

impl Gathered {
    /// Reads all files. Problems of rows are gathered. `known` has the set's cases.
    ///
    /// # Errors
    /// If a file cannot be read to its end.
    pub(super) fn read(
        map: &LabelMap,
        data: &[ImportFile],
        known: &HashMap<String, KnownCase>,
    ) -> Result<Self, AppError> {
        let mut gathered = Self::default();
        for (index, file) in data.iter().enumerate() {
            gathered.file(map, file, index, data, known)?;
        }
        Ok(gathered)
    }

    fn file(
        &mut self,
        map: &LabelMap,
        file: &ImportFile,
        index: usize,
        data: &[ImportFile],
        known: &HashMap<String, KnownCase>,
    ) -> Result<(), AppError> {
        let format = file.format(map)?;
        let mut bad: Vec<BadRow> = Vec::new();
        let known_case = |id: &str| known.get(id).map(|case| case.content);
        let imported = interchange::import_labels(
            map,
            format,
            file.bytes.as_slice(),
            &known_case,
            &mut |row| {
                let spot = Spot { file: index, line: row.line };
                let is_known = known.contains_key(&row.case.id);
                match self.check(&row, is_known, spot, data) {
                    Err(problem) => bad.push(BadRow { line: row.line, column: 1, problem }),
                    Ok(new) => self.take(row, new, is_known, spot),
                }
            },
        );
        let imported = imported.map_err(|error| unreadable(&file.name, error))?;
        self.rows += imported.rows;
        bad.extend(imported.bad);
        bad.sort_by_key(|one| (one.line, one.column));
        self.bad.extend(bad.iter().map(|one| one.diagnostic(&file.name)));
        Ok(())
    }

    /// Returns how a case that is new is written, or why the row does not go with those before it.
    fn check(
        &self,
        row: &ImportedRow,
        is_known: bool,
        here: Spot,
        data: &[ImportFile],
    ) -> Result<Option<CaseRow>, String> {
        let place = |spot: Spot| {
            if spot.file == here.file {
                return format!("line {}", spot.line);
            }
            format!("{}:{}", data[spot.file].name, spot.line)
        };
        let id = &row.case.id;
        let new = match self.seen.get(id) {
            Some((spot, Some(at))) if self.cases[*at] != row.case => {
                return Err(format!("the case `{id}` is another one than on {}", place(*spot)));
            }
            None if !is_known => {
                Some(CaseFile::check(&row.case).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        for label in &row.labels {
            if let Some((spot, id)) = self.said.get(&said_key(label))
                && *id != label.id
            {
                let who = &label.labeller;
                return Err(format!("`{who}` said something else of the same on {}", place(*spot)));
            }
        }
        for verdict in &row.verdicts {
            if let Some((spot, at)) = self.judged.get(&judged_key(verdict))
                && !is_same(&self.verdicts[*at], verdict)
            {
                let judge = &verdict.judge;
                return Err(format!(
                    "the judge `{judge}` said something else of the same on {}",
                    place(*spot)
                ));
            }
        }
        Ok(new)
    }

    fn take(&mut self, row: ImportedRow, new: Option<CaseRow>, is_known: bool, here: Spot) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(example(&row));
        }
        for text in row.texts {
            self.texts.insert(ContentHash::of_bytes(text.as_bytes()), text);
        }
        for label in row.labels {
            let known = self.said.insert(said_key(&label), (here, label.id));
            if known.is_none() {
                self.labels.push(label);
            }
        }
        for verdict in row.verdicts {
            let at = self.verdicts.len();
            let place = self.judged.entry(judged_key(&verdict)).or_insert((here, at));
            if place.1 == at {
                self.verdicts.push(verdict);
            }
        }
        if !self.seen.contains_key(&row.case.id) {
            let at = (!is_known).then_some(self.cases.len());
            self.seen.insert(row.case.id.clone(), (here, at));
            if is_known {
                self.cases_known += 1;
            } else {
                self.cases.push(row.case);
                self.case_rows.extend(new);
            }
        }
    }
}

fn said_key(label: &LabelEvent) -> (LabelSubject, String, Timestamp) {
    (label.subject.clone(), label.labeller.clone(), label.time)
}

fn judged_key(verdict: &ImportedVerdict) -> (LabelSubject, String, Shown) {
    (verdict.subject.clone(), verdict.judge.clone(), verdict.shown)
}

fn is_same(a: &ImportedVerdict, b: &ImportedVerdict) -> bool {
    a.id == b.id && a.reason == b.reason
}

fn example(row: &ImportedRow) -> ImportedExample {
    let labels = row.labels.iter().filter_map(|label| match &label.act {
        evalset::Act::Label(value) => {
            Some(format!("{}, {}: {}", label.subject.criterion, label.labeller, value.word()))
        }
        _ => None,
    });
    let verdicts = row.verdicts.iter().map(|verdict| {
        let value = verdict.value.as_ref().map_or("unreadable".into(), evalset::LabelValue::word);
        let order = match verdict.shown {
            Shown::Once => "",
            Shown::AFirst => " (a first)",
            Shown::BFirst => " (b first)",
        };
        format!("{}, {}: {value}{order}", verdict.subject.criterion, verdict.judge)
    });
    ImportedExample {
        case: row.case.id.clone(),
        labels: labels.collect(),
        verdicts: verdicts.collect(),
    }
}

fn unreadable(name: &str, error: UnreadableFile) -> AppError {
    let made = AppError::input(format!("{name} cannot be read to its end; nothing was imported"));
    match error {
        UnreadableFile::Form(bad) => made
            .with_hint("`format` in the mapping says json (one list), jsonl or csv")
            .with_diagnostics(vec![bad.diagnostic(name)]),
        error @ UnreadableFile::Read(_) => made.caused_by(error),
    }
}
