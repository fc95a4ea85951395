//! Is everything as it should be?

use std::path::Path;

use serde::Serialize;
use settings::KeyringState;
use values::Timestamp;

use crate::{App, AppError};

/// What an examination found.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// The findings, in the order of the examination.
    pub findings: Vec<Finding>,
    /// Every host that was contacted for this project.
    pub contacted: Vec<HostContact>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it should be; `None` is neither.
    pub is_well: Option<bool>,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A host that was contacted.
#[derive(Debug, Clone, Serialize)]
pub struct HostContact {
    /// Its origin.
    pub origin: String,
    /// When it first was.
    pub first: Timestamp,
    /// When it last was.
    pub last: Timestamp,
}

impl Health {
    /// Tells whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.is_well != Some(false))
    }
}

fn finding(what: &str, is_well: Option<bool>, found: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), is_well, found: found.into(), hint: None }
}

/// Counts things in words: `1 error`, `2 errors`.
fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

impl App {
    /// Examines the installation and, if there is one, the project. Sends nothing. Blocking.
    ///
    /// # Errors
    /// None of its own: what is wrong is a finding.
    pub fn examine(&self, folder: Option<&Path>) -> Result<Health, AppError> {
        let mut findings = vec![self.examine_settings(), examine_keyring(), self.examine_model()];
        let mut contacted = Vec::new();
        match self.open(folder) {
            Err(error) => findings.push(finding("project", None, error.to_string())),
            Ok((project, mut found)) => {
                found.extend(project.validate());
                let errors =
                    found.iter().filter(|one| one.severity == document::Severity::Error).count();
                let mut one = finding(
                    "project",
                    Some(errors == 0),
                    format!(
                        "{}: {}, {}",
                        project.root.display(),
                        counted(errors, "error"),
                        counted(found.len() - errors, "warning")
                    ),
                );
                one.hint =
                    (!found.is_empty()).then(|| "`trysquare validate` lists them".to_owned());
                findings.push(one);
                findings.push(self.examine_store(&project, &mut contacted));
            }
        }
        Ok(Health { findings, contacted })
    }

    fn examine_settings(&self) -> Finding {
        let path = self.settings_file().path().display().to_string();
        match self.settings() {
            Ok(settings) => finding(
                "settings",
                Some(true),
                format!(
                    "{path}: {}, {}, {}",
                    counted(settings.keys.len(), "key"),
                    counted(settings.consents.len(), "permission"),
                    counted(settings.trusted.len(), "trusted project")
                ),
            ),
            Err(error) => Finding {
                hint: error.hint.clone(),
                ..finding("settings", Some(false), error.to_string())
            },
        }
    }

    fn examine_model(&self) -> Finding {
        let path = &self.host.smollm2_file;
        if !cfg!(feature = "embedded-model") {
            return finding("embedded model", None, "this program was built without it");
        }
        if path.is_file() {
            finding("embedded model", Some(true), path.display().to_string())
        } else {
            Finding {
                hint: Some("run scripts/setup, or name a file in the settings".to_owned()),
                ..finding("embedded model", None, format!("{} does not exist", path.display()))
            }
        }
    }

    fn examine_store(
        &self,
        project: &project::Project,
        contacted: &mut Vec<HostContact>,
    ) -> Finding {
        let examined = self.store(project).and_then(|store| {
            let faults = store.check()?;
            contacted.extend(store.contacts()?.into_iter().map(|contact| HostContact {
                origin: contact.origin,
                first: contact.first,
                last: contact.last,
            }));
            let warnings: Vec<_> = store.warnings().iter().map(ToString::to_string).collect();
            Ok((store.path().display().to_string(), faults, warnings))
        });
        match examined {
            Ok((path, faults, warnings)) if faults.is_empty() => {
                let hint = warnings.first().cloned();
                Finding { hint, ..finding("database", Some(true), path) }
            }
            Ok((path, faults, _)) => Finding {
                hint: Some("make a copy of the folder .trysquare before anything else".to_owned()),
                ..finding("database", Some(false), format!("{path}: {}", faults.join("; ")))
            },
            Err(error) => Finding {
                hint: error.hint.clone(),
                ..finding("database", Some(false), error.to_string())
            },
        }
    }
}

fn examine_keyring() -> Finding {
    match crate::keys::keyring_state() {
        KeyringState::Available => finding("keyring", Some(true), "it answers"),
        KeyringState::Absent { reason } => Finding {
            hint: Some(
                "keys can come from environment variables: `trysquare key set NAME --env VARIABLE`"
                    .to_owned(),
            ),
            ..finding("keyring", None, format!("there is none: {reason}"))
        },
    }
}
