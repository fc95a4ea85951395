//! Starting, checking and formatting a project.

use std::path::{Path, PathBuf};

use document::Diagnostic;

use crate::{App, AppError, recordings};

mod target_bodies;
#[cfg(test)]
mod tests;

/// The sample: the project that this repository itself is.
const SAMPLE: [(&str, &str); 18] = [
    ("trysquare.yaml", include_str!("../../../trysquare.yaml")),
    (
        "prompts/order-number.instruction.prompt",
        include_str!("../../../prompts/order-number.instruction.prompt"),
    ),
    (
        "prompts/order-number.examples.prompt",
        include_str!("../../../prompts/order-number.examples.prompt"),
    ),
    (
        "prompts/order-number.examples-schema.prompt",
        include_str!("../../../prompts/order-number.examples-schema.prompt"),
    ),
    (
        "evalsets/order-number/evalset.yaml",
        include_str!("../../../evalsets/order-number/evalset.yaml"),
    ),
    (
        "evalsets/order-number/cases.jsonl",
        include_str!("../../../evalsets/order-number/cases.jsonl"),
    ),
    (
        "evalsets/order-number/recorded.jsonl",
        include_str!("../../../evalsets/order-number/recorded.jsonl"),
    ),
    (
        "evalsets/order-number/baseline.json",
        include_str!("../../../evalsets/order-number/baseline.json"),
    ),
    (
        "evalsets/order-number/outputs.jsonl",
        include_str!("../../../evalsets/order-number/outputs.jsonl"),
    ),
    ("prompts/reply.examples.prompt", include_str!("../../../prompts/reply.examples.prompt")),
    ("prompts/reply.form.prompt", include_str!("../../../prompts/reply.form.prompt")),
    ("judges/helpful.prompt", include_str!("../../../judges/helpful.prompt")),
    ("judges/helpful.trust.json", include_str!("../../../judges/helpful.trust.json")),
    ("evalsets/replies/evalset.yaml", include_str!("../../../evalsets/replies/evalset.yaml")),
    ("evalsets/replies/cases.jsonl", include_str!("../../../evalsets/replies/cases.jsonl")),
    ("evalsets/replies/recorded.jsonl", include_str!("../../../evalsets/replies/recorded.jsonl")),
    ("evalsets/replies/labels.jsonl", include_str!("../../../evalsets/replies/labels.jsonl")),
    ("evalsets/replies/outputs.jsonl", include_str!("../../../evalsets/replies/outputs.jsonl")),
];

impl App {
    /// Starts a project in a folder; returns the files that were written. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is one already, or a file cannot be written.
    pub fn init(&self, folder: &Path, sample: bool) -> Result<Vec<PathBuf>, AppError> {
        let written =
            if sample { project::init_with(folder, &SAMPLE) } else { project::init(folder) };
        written.map_err(|error| AppError::input(error.to_string()))
    }

    /// Returns everything that is wrong in a project. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no project.
    pub fn validate(&self, folder: Option<&Path>) -> Result<Vec<Diagnostic>, AppError> {
        let (project, mut found) = self.open(folder)?;
        found.extend(project.validate());
        for set in &project.eval_sets {
            found.extend(recordings::to_reformat(&project, set)?.1);
        }
        found.extend(target_bodies::check(&project));
        Ok(found)
    }

    /// Makes the files of rows canonical, or only tells which are not. Blocking.
    ///
    /// Returns the files, and the lines that cannot be read, which stay as they are.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a file cannot be read or written.
    pub fn format(
        &self,
        folder: Option<&Path>,
        check_only: bool,
    ) -> Result<(Vec<PathBuf>, Vec<Diagnostic>), AppError> {
        let (project, _) = self.open(folder)?;
        let reformat = project.to_reformat().map_err(|error| crate::open_error(&error))?;
        let (mut changed, mut found) = reformat;
        for set in &project.eval_sets {
            let (recordings, bad) = recordings::to_reformat(&project, set)?;
            changed.extend(recordings);
            found.extend(bad);
        }
        if !check_only {
            for file in &changed {
                file.write()?;
            }
        }
        Ok((changed.into_iter().map(|file| file.path).collect(), found))
    }
}
