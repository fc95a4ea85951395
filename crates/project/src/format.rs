//! `trysquare fmt`: making the files of rows canonical.

use std::path::PathBuf;

use document::{Diagnostic, Severity};
use evalset::{Baseline, Outputs, write_labels};
use files::Snapshot;

use crate::{OpenError, Project, SetFile};

/// A file that is not canonical, and what it should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reformatted {
    /// Its path inside the project.
    pub path: PathBuf,
    /// What it held when it was read.
    pub snapshot: Snapshot,
    /// Its canonical text.
    pub text: String,
}

impl Reformatted {
    /// Writes the canonical text, unless the file has changed since.
    ///
    /// # Errors
    /// [`files::FileError`]
    pub fn write(&self) -> Result<(), files::FileError> {
        files::write_unless_changed(&self.snapshot, self.text.as_bytes()).map(drop)
    }
}

impl Project {
    /// Returns every file of rows, and every baseline, that is not canonical, without writing
    /// anything. YAML and prompts are never touched, and the order of cases stays.
    ///
    /// Errors of the rows are the second value; lines that cannot be read stay as they are.
    ///
    /// # Errors
    /// [`OpenError`] if a file cannot be read.
    pub fn to_reformat(&self) -> Result<(Vec<Reformatted>, Vec<Diagnostic>), OpenError> {
        let (mut changed, mut found) = (Vec::new(), Vec::new());
        for name in &self.eval_sets {
            let (set, diagnostics) = self.eval_set(name)?;
            let cases = &set.cases;
            found.extend(diagnostics.into_iter().filter(|one| {
                one.severity == Severity::Error && one.file == cases.source().name()
            }));
            let text = cases.canonical();
            if text != cases.text() {
                let path = PathBuf::from(cases.source().name());
                let snapshot = Snapshot::of(&self.root.join(&path), cases.text().as_bytes());
                changed.push(Reformatted { path, snapshot, text });
            }
            let (baseline, diagnostics) = self.baseline(name)?;
            changed.extend(reformatted(baseline, &diagnostics, Baseline::to_text));
            found.extend(diagnostics);
            let (outputs, diagnostics) = self.outputs(name)?;
            changed.extend(reformatted(outputs, &diagnostics, Outputs::to_text));
            found.extend(diagnostics);
            let (labels, diagnostics) = self.labels(name)?;
            changed.extend(reformatted(labels, &diagnostics, |rows| write_labels(rows.clone())));
            found.extend(diagnostics);
        }
        Ok((changed, found))
    }
}

/// A file with an error stays as it is: what cannot be read would be lost.
fn reformatted<T>(
    file: SetFile<T>,
    found: &[Diagnostic],
    canonical: impl Fn(&T) -> String,
) -> Option<Reformatted> {
    if found.iter().any(|one| one.severity == Severity::Error) {
        return None;
    }
    let text = canonical(&file.content?);
    let SetFile { path, snapshot, .. } = file;
    (Some(&text) != file.text.as_ref()).then_some(Reformatted { path, snapshot, text })
}
