//! Looking at judges: what they see and answer, where they are used, and how far each can be trusted.

use std::path::Path;

use evalset::{CertifiedRate, JudgeSpec, JudgeState, TestLabels, TrustEntry};
use project::{EvalSetFolder, Project, PromptFile};
use prompt::{LinkedPrompt, VariableRoot};
use score::{JudgeAnswer, read_judge};
use serde::Serialize;
use store::Store;
use values::{ContentHash, Id, Timestamp};

use crate::calibrate::{JudgeToday, judge_today};
use crate::{App, AppError};

/// A judge as it is listed and shown.
#[derive(Debug, Clone, Serialize)]
pub struct JudgeView {
    /// Its name, which is that of its file.
    pub name: String,
    /// Its file.
    pub file: String,
    /// The version of its prompt; `None` if it has errors.
    pub version: Option<ContentHash>,
    /// The model that it names.
    pub model: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The variables that it sees (`input.mail`, `output`).
    pub sees: Vec<String>,
    /// What it answers, in words; `None` if it is no judge.
    pub answers: Option<String>,
    /// Its certificate's file, if there is one.
    pub certificate: Option<String>,
    /// Why its certificate cannot be used.
    pub certificate_error: Option<String>,
    /// The criteria that it decides, by eval set.
    pub uses: Vec<JudgeUse>,
}

/// A judge on a criterion of an eval set.
#[derive(Debug, Clone, Serialize)]
pub struct JudgeUse {
    /// The eval set.
    pub set: String,
    /// Its name in the set, by which commands call it.
    pub name: String,
    /// The criterion.
    pub criterion: String,
    /// The model that it runs on; `None` if neither the set nor its prompt names one.
    pub model: Option<String>,
    /// The version that its scores carry: prompt, model and config.
    pub version: Option<ContentHash>,
    /// How far it can be trusted today; `None` if it was never calibrated here.
    pub state: Option<JudgeState>,
    /// What has changed since it was calibrated.
    pub changed: Vec<&'static str>,
    /// What its last calibration found.
    pub calibration: Option<CalibrationView>,
    /// Outputs that it has judged as it is today, in the record of this machine.
    pub judged: u64,
    /// What to do next.
    pub next: JudgeNext,
}

/// What the last calibration of a judge found.
#[derive(Debug, Clone, Serialize)]
pub struct CalibrationView {
    /// When.
    pub calibrated: Timestamp,
    /// The labels that it rests on.
    pub test_labels: TestLabels,
    /// The share of human passes that it passes.
    pub true_passes: CertifiedRate,
    /// The share of human fails that it fails.
    pub true_fails: CertifiedRate,
    /// How many versions of it were tried on these labels, that one included.
    pub uses: usize,
}

/// What brings a judge nearer to being trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum JudgeNext {
    /// Its prompt has errors, or it names no model.
    Mend,
    /// As it is today it has judged nothing.
    Judge {
        /// The newest run of the set, if there is one.
        run: Option<Id>,
        /// Whether that is the newest run of all.
        is_latest: bool,
    },
    /// It has not been measured as it is today.
    Calibrate,
    /// There are too few labels.
    Label,
    /// It is not good enough.
    Improve,
    /// It is trusted.
    Nothing,
}

impl App {
    /// Lists the judges of a project. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no project, [`crate::ErrorKind::Record`] if the record
    /// cannot be read.
    pub fn judges(&self, folder: Option<&Path>) -> Result<Vec<JudgeView>, AppError> {
        let (project, _) = self.open(folder)?;
        let looking = self.looking(&project)?;
        project.judges.values().map(|file| looking.view(file)).collect()
    }

    /// Returns one judge, by the name of its file or the one that an eval set gives it. Blocking.
    ///
    /// # Errors
    /// As [`App::judges`]; [`crate::ErrorKind::Input`] too if there is no such judge.
    pub fn judge(&self, folder: Option<&Path>, name: &str) -> Result<JudgeView, AppError> {
        let (project, _) = self.open(folder)?;
        let looking = self.looking(&project)?;
        let file = project.judges.get(name).or_else(|| {
            let specs = looking.sets.iter().flat_map(specs);
            let mut named = specs.filter(|spec| spec.name == name).map(|spec| &spec.judge.name);
            named.find_map(|file| project.judges.get(file))
        });
        let file = file.ok_or_else(|| unknown_judge(&project, name))?;
        looking.view(file)
    }

    fn looking<'a>(&self, project: &'a Project) -> Result<Looking<'a>, AppError> {
        let read = |name: &String| {
            project.eval_set(name).map(|(set, _)| set).map_err(|error| crate::open_error(&error))
        };
        let sets = project.eval_sets.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Looking { project, sets, store: self.store(project)? })
    }
}

fn unknown_judge(project: &Project, name: &str) -> AppError {
    let known: Vec<_> = project.judges.keys().map(String::as_str).collect();
    let hint = match known.as_slice() {
        [] => "judges are files judges/NAME.prompt; this project has none".to_owned(),
        known => format!("this project has {}", known.join(", ")),
    };
    AppError::input(format!("there is no judge `{name}`")).with_hint(hint)
}

/// The judges that an eval set names; none if its settings have errors, which `validate` tells.
fn specs(set: &EvalSetFolder) -> &[JudgeSpec] {
    set.set.as_ref().map(|set| set.judges.as_slice()).unwrap_or_default()
}

/// What looking at judges reads.
struct Looking<'a> {
    project: &'a Project,
    sets: Vec<EvalSetFolder>,
    store: Store,
}

impl Looking<'_> {
    fn view(&self, file: &PromptFile) -> Result<JudgeView, AppError> {
        let linked = file.linked.as_ref();
        let (certificate, error) = self.project.certificate(&file.name)?;
        let mut uses = Vec::new();
        for set in &self.sets {
            for spec in specs(set).iter().filter(|spec| spec.judge.name == file.name) {
                let content = certificate.content.as_ref();
                let entry = content.and_then(|one| one.entry(&set.name, &spec.criterion.name));
                uses.push(self.used(set, spec, entry)?);
            }
        }
        let front_matter = linked.map(|linked| &linked.prompt().front_matter);
        Ok(JudgeView {
            name: file.name.clone(),
            file: file.path.to_string_lossy().into_owned(),
            version: linked.map(LinkedPrompt::version),
            model: front_matter.and_then(|matter| matter.model.clone()),
            description: front_matter.and_then(|matter| matter.description.clone()),
            sees: linked.map(seen).unwrap_or_default(),
            answers: linked.and_then(|linked| read_judge(linked).0).map(|it| form(&it.answer)),
            certificate: certificate
                .text
                .is_some()
                .then(|| certificate.path.to_string_lossy().into_owned()),
            certificate_error: error.map(|error| error.to_string()),
            uses,
        })
    }

    fn used(
        &self,
        set: &EvalSetFolder,
        spec: &JudgeSpec,
        entry: Option<&TrustEntry>,
    ) -> Result<JudgeUse, AppError> {
        let declared = set.set.as_ref().and_then(|set| set.criterion(&spec.criterion.name));
        // Without a model nobody is judged; the view says so, and `validate` where it is missing.
        let today = declared
            .and_then(|criterion| judge_today(self.project, spec, criterion).ok())
            .flatten();
        let state = match (entry, &today) {
            (None, _) => None,
            (Some(entry), Some(today)) => Some(entry.state_of(&today.hashes)),
            (Some(_), None) => Some(JudgeState::Stale),
        };
        let (name, criterion) = (spec.name.clone(), spec.criterion.name.clone());
        let judged = match &today {
            Some(today) => {
                self.store.judged_outputs(&set.name, &criterion, &name, today.version)?
            }
            None => 0,
        };
        let changed = entry.zip(today.as_ref());
        Ok(JudgeUse {
            next: self.next(&set.name, today.as_ref(), judged, state)?,
            set: set.name.clone(),
            name,
            criterion,
            model: today.as_ref().map(|today| today.hashes.model.clone()),
            version: today.as_ref().map(|today| today.version),
            state,
            changed: changed
                .map(|(entry, today)| entry.hashes.changes(&today.hashes))
                .unwrap_or_default(),
            calibration: entry.map(|entry| CalibrationView {
                calibrated: entry.calibrated,
                test_labels: entry.test_labels,
                true_passes: entry.true_passes,
                true_fails: entry.true_fails,
                uses: entry.uses(),
            }),
            judged,
        })
    }

    fn next(
        &self,
        set: &str,
        today: Option<&JudgeToday>,
        judged: u64,
        state: Option<JudgeState>,
    ) -> Result<JudgeNext, AppError> {
        Ok(match (today, judged, state) {
            (None, ..) => JudgeNext::Mend,
            (_, _, Some(JudgeState::Trusted)) => JudgeNext::Nothing,
            // A certificate that came with the project needs no verdicts on this machine.
            (_, _, Some(JudgeState::TooFew)) => JudgeNext::Label,
            (_, _, Some(JudgeState::NotYet)) => JudgeNext::Improve,
            (_, 0, None | Some(JudgeState::Stale)) => {
                let newest = |set| Ok::<_, AppError>(self.store.run_headers(set, None, 1)?.pop());
                let run = newest(Some(set))?.map(|header| header.id);
                let latest = newest(None)?.map(|header| header.id);
                let is_latest = run.is_some() && run == latest;
                JudgeNext::Judge { run, is_latest }
            }
            (_, _, None | Some(JudgeState::Stale)) => JudgeNext::Calibrate,
        })
    }
}

/// Returns the variables that a judge sees, each once, in the order of their first use.
fn seen(linked: &LinkedPrompt) -> Vec<String> {
    let variables = linked.variables();
    let distinct = variables.distinct().into_iter();
    let inputs = distinct.filter(|used| used.path.root == VariableRoot::Input);
    inputs.map(|used| used.path.to_string()).collect()
}

/// Says what a judge answers.
fn form(answer: &JudgeAnswer) -> String {
    match answer {
        JudgeAnswer::Verdict => "pass or fail".to_owned(),
        JudgeAnswer::Score { low, high } => format!("a score from {low} to {high}"),
        JudgeAnswer::Category { categories } => format!("one of {}", categories.join(", ")),
        JudgeAnswer::Probability => "the probability of pass".to_owned(),
        JudgeAnswer::Preference { ties: true } => "which of two is better, or a tie".to_owned(),
        JudgeAnswer::Preference { ties: false } => "which of two is better".to_owned(),
        JudgeAnswer::Criteria { criteria } => {
            let named = criteria.iter().map(|(name, answer)| format!("{name}: {}", form(answer)));
            named.collect::<Vec<_>>().join("; ")
        }
    }
}
