//! `trysquare validate`: everything that is wrong with a project, at once.
//!
//! What one file says about itself is found when it is read. Here is what only shows when files are
//! held against each other: names that refer to nothing, and cases that a prompt, its schema or a
//! check cannot be used with.

mod cases;
mod examples;
mod models;
mod references;
#[cfg(test)]
mod tests;

use std::path::Path;

use document::{Diagnostic, Diagnostics, Severity, refer};

use crate::prompts::unreadable;
use crate::{EvalSetFolder, OpenError, Project, TargetKind};

impl Project {
    /// Returns everything that is wrong beyond what [`Project::open`] has returned, in the order of
    /// the eval sets. Reads every eval set; runs and sends nothing.
    pub fn validate(&self) -> Vec<Diagnostic> {
        let mut found = self.check_config();
        found.extend(self.check_models());
        found.extend(self.check_judges());
        found.extend(self.stray_folders());
        for name in &self.eval_sets {
            match self.eval_set(name) {
                Ok((set, diagnostics)) => {
                    found.extend(diagnostics);
                    found.extend(self.check_eval_set(&set));
                    found.extend(examples::check(self, &set));
                    found.extend(self.check_approved(name));
                }
                Err(OpenError::File(error)) => {
                    let path = error.path.strip_prefix(&self.root).unwrap_or(&error.path);
                    found.push(unreadable(path, &error));
                }
                // The names come from the project itself.
                Err(OpenError::NoProject { .. } | OpenError::NoEvalSet { .. }) => {}
            }
        }
        found
    }

    /// Returns what is wrong between an eval set and the rest of the project.
    pub fn check_eval_set(&self, folder: &EvalSetFolder) -> Vec<Diagnostic> {
        let Some(set) = &folder.set else { return Vec::new() };
        let mut diagnostics = Diagnostics::new(folder.source.clone());
        references::check(self, set, &mut diagnostics);
        cases::check_set(set, &folder.cases, &mut diagnostics);
        let mut found = diagnostics.into_vec();
        found.extend(cases::check_attachments(&self.root, &folder.cases));
        for prompt in references::prompts_of(self, set) {
            found.extend(cases::check_prompt(prompt, &folder.name, &folder.cases));
        }
        found
    }

    /// Returns what is wrong with an eval set's baseline, outputs and labels.
    fn check_approved(&self, name: &str) -> Vec<Diagnostic> {
        let baseline = self.baseline(name).map(|(_, found)| found);
        let outputs = self.outputs(name).map(|(_, found)| found);
        let labels = self.labels(name).map(|(_, found)| found);
        let of_file = |read: Result<Vec<Diagnostic>, files::FileError>| {
            read.unwrap_or_else(|error| {
                let path = error.path.strip_prefix(&self.root).unwrap_or(&error.path);
                vec![unreadable(path, &error)]
            })
        };
        [of_file(baseline), of_file(outputs), of_file(labels)].concat()
    }

    fn check_config(&self) -> Vec<Diagnostic> {
        let mut diagnostics = Diagnostics::new(self.config.source.clone());
        for target in self.config.targets.values() {
            if let TargetKind::Program { program, span } = &target.kind {
                let known = self.config.programs.keys().map(String::as_str);
                refer("program", program, *span, known, &mut diagnostics);
            }
        }
        for pins in self.config.environments.values() {
            for (name, pin) in pins {
                if !self.prompts.contains_key(name) {
                    let message = format!("this pins the prompt `{name}`, which no file holds");
                    diagnostics.warning("unknown-prompt", pin.name_span, message);
                } else if self.pinned(name, &pin.version).is_none() {
                    let message = format!(
                        "neither the files nor git's history have the version {} of `{name}`",
                        pin.version.chars().take(12).collect::<String>()
                    );
                    let hint = "`trysquare prompt log` lists the versions";
                    diagnostics.warning_with_hint("unknown-version", pin.span, message, hint);
                }
            }
        }
        diagnostics.into_vec()
    }

    /// Returns what is wrong with the models that prompts and judges name.
    fn check_models(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for file in self.prompts.values().chain(self.judges.values()) {
            let Some(linked) = &file.linked else { continue };
            let front_matter = &linked.prompt().front_matter;
            let Some(model) = &front_matter.model else { continue };
            let mut diagnostics = Diagnostics::new(file.source.clone());
            let span = front_matter.model_span.unwrap_or_default();
            references::check_model(self, model, span, &mut diagnostics);
            found.extend(diagnostics.into_vec());
        }
        found
    }

    /// Returns why files in `judges/` are no judges.
    fn check_judges(&self) -> Vec<Diagnostic> {
        let linked = self.judges.values().filter_map(|file| file.linked.as_ref());
        linked.flat_map(|linked| score::read_judge(linked).1).collect()
    }

    fn stray_folders(&self) -> Vec<Diagnostic> {
        let folders = match files::list_folder(&self.root.join("evalsets")) {
            Ok(folders) => folders,
            Err(error) => return vec![unreadable(Path::new("evalsets"), &error)],
        };
        let stray =
            folders.iter().filter(|path| path.is_dir() && !path.join("evalset.yaml").is_file());
        stray
            .map(|path| Diagnostic {
                severity: Severity::Warning,
                code: "no-eval-set".to_owned(),
                message: "this folder has no evalset.yaml, so it is no eval set".to_owned(),
                hint: None,
                file: path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned(),
                span: None,
                position: None,
                excerpt: None,
            })
            .collect()
    }
}
