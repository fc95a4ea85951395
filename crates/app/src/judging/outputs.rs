use std::collections::HashMap;

use run::RunHeader;
use store::{OutcomeEvidence, Store};
use values::ContentHash;

use crate::AppError;

/// The different outputs of a run, in the order of its plan.
pub(crate) struct Outputs {
    pub(crate) all: Vec<JudgedOutput>,
    /// The place in `all` of the output of a cell.
    place: HashMap<u32, usize>,
}

/// An output of a case, however many cells gave it.
pub(crate) struct JudgedOutput {
    pub(crate) case: String,
    pub(crate) case_hash: ContentHash,
    pub(crate) cluster: Option<String>,
    pub(crate) output: ContentHash,
    /// At least one, in the order of the plan.
    pub(crate) cells: Vec<u32>,
}

impl Outputs {
    /// Reads the outputs of a run. Cells whose generation failed have none. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if the run cannot be read.
    pub(crate) fn of(store: &Store, header: &RunHeader) -> Result<Self, AppError> {
        let variants: Vec<u32> = (0..).take(header.variants.len()).collect();
        let mut found = Self { all: Vec::new(), place: HashMap::new() };
        let mut known: HashMap<(String, ContentHash, ContentHash), usize> = HashMap::new();
        store.evidence(header.id, &variants, |cell| {
            let OutcomeEvidence::Answered(answer) = cell.outcome else { return };
            let key = (cell.case.id.clone(), cell.case.hash, answer.output);
            let place = *known.entry(key).or_insert(found.all.len());
            if place == found.all.len() {
                found.all.push(JudgedOutput {
                    case: cell.case.id.clone(),
                    case_hash: cell.case.hash,
                    cluster: cell.case.cluster.clone(),
                    output: answer.output,
                    cells: Vec::new(),
                });
            }
            found.all[place].cells.push(cell.cell);
            found.place.insert(cell.cell, place);
        })?;
        Ok(found)
    }

    /// Returns the place in `all` of the output of a cell.
    pub(crate) fn of_cell(&self, cell: u32) -> Option<usize> {
        self.place.get(&cell).copied()
    }
}
