//! Looking at judges: what they see and answer, where they are used, and how far each can be trusted.

use std::path::Path;

use evalset::{Certificate, CertifiedRate, JudgeSpec, JudgeState, JurySpec, TestLabels};
use project::{EvalSetFolder, Project, PromptFile, SetFile};
use prompt::{LinkedPrompt, VariableRoot};
use score::{JudgeAnswer, read_judge};
use serde::Serialize;
use store::Store;
use values::{ContentHash, Id, Timestamp};

use crate::calibrate::{JudgeToday, named_today, standing};
use crate::{App, AppError};

/// A judge or a jury as it is listed and shown.
#[derive(Debug, Clone, Serialize)]
pub struct JudgeView {
    /// Its name, which is that of its file; a jury's is that in its eval set.
    pub name: String,
    /// Its file; `None` of a jury.
    pub file: Option<String>,
    /// The judges of a jury; none of a judge.
    pub members: Vec<String>,
    /// The version of its prompt, or of the jury; `None` if it has errors.
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
    /// The jury that it is a member of, whose verdict counts and not its own.
    pub jury: Option<String>,
    /// Why it cannot be asked.
    pub problem: Option<String>,
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
    /// It is trusted, or a jury decides in its place.
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
        let judges = project.judges.values().map(|file| looking.view(file));
        let juries = looking.juries().map(|(set, jury)| looking.jury_view(set, jury));
        judges.chain(juries).collect()
    }

    /// Returns one judge or jury, by the name of its file or the one that an eval set gives it. Blocking.
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
        if let Some(file) = file {
            return looking.view(file);
        }
        let mut juries = looking.juries();
        let (set, jury) = juries
            .find(|(_, jury)| jury.name == name)
            .ok_or_else(|| unknown_judge(&project, name))?;
        looking.jury_view(set, jury)
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
    fn juries(&self) -> impl Iterator<Item = (&EvalSetFolder, &JurySpec)> {
        self.sets.iter().flat_map(|set| {
            let juries = set.set.as_ref().map(|set| set.juries.as_slice()).unwrap_or_default();
            juries.iter().map(move |jury| (set, jury))
        })
    }

    fn view(&self, file: &PromptFile) -> Result<JudgeView, AppError> {
        let linked = file.linked.as_ref();
        let (certificate, error) = self.project.certificate(&file.name)?;
        let mut uses = Vec::new();
        for set in &self.sets {
            for spec in specs(set).iter().filter(|spec| spec.judge.name == file.name) {
                let certified = certificate.content.as_ref();
                uses.push(self.used(set, &spec.name, &spec.criterion.name, certified)?);
            }
        }
        let front_matter = linked.map(|linked| &linked.prompt().front_matter);
        Ok(JudgeView {
            name: file.name.clone(),
            file: Some(file.path.to_string_lossy().into_owned()),
            members: Vec::new(),
            version: linked.map(LinkedPrompt::version),
            model: front_matter.and_then(|matter| matter.model.clone()),
            description: front_matter.and_then(|matter| matter.description.clone()),
            sees: linked.map(seen).unwrap_or_default(),
            answers: linked.and_then(|linked| read_judge(linked).0).map(|it| form(&it.answer)),
            certificate: certified_in(&certificate),
            certificate_error: error.map(|error| error.to_string()),
            uses,
        })
    }

    fn jury_view(&self, set: &EvalSetFolder, jury: &JurySpec) -> Result<JudgeView, AppError> {
        let (certificate, error) = self.project.certificate(&jury.name)?;
        let certified = certificate.content.as_ref();
        let used = self.used(set, &jury.name, &jury.criterion.name, certified)?;
        let members: Vec<_> = jury.members.iter().map(|member| member.name.clone()).collect();
        Ok(JudgeView {
            name: jury.name.clone(),
            file: None,
            version: used.version,
            model: used.model.clone(),
            description: None,
            sees: Vec::new(),
            answers: Some(format!("the {} of {}", jury.rule.name(), members.join(", "))),
            members,
            certificate: certified_in(&certificate),
            certificate_error: error.map(|error| error.to_string()),
            uses: vec![used],
        })
    }

    fn used(
        &self,
        folder: &EvalSetFolder,
        name: &str,
        criterion: &str,
        certificate: Option<&Certificate>,
    ) -> Result<JudgeUse, AppError> {
        let set = folder.set.as_ref();
        let found = set.and_then(|set| Some((set, set.criterion(criterion)?)));
        let today = match found {
            Some((set, declared)) => named_today(self.project, set, name, declared),
            None => Ok(None),
        };
        let (today, problem) = match today {
            Ok(today) => (today, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let entry = certificate.and_then(|one| one.entry(&folder.name, criterion));
        let state = standing(entry, today.as_ref());
        let judged = match &today {
            Some(today) => {
                self.store.judged_outputs(&folder.name, criterion, name, today.version)?
            }
            None => 0,
        };
        let jury = set.and_then(|set| set.jury_of(name)).map(|jury| jury.name.clone());
        let changed = entry.zip(today.as_ref());
        let next = match &jury {
            Some(_) if today.is_some() => JudgeNext::Nothing,
            _ => self.next(&folder.name, today.as_ref(), judged, state)?,
        };
        Ok(JudgeUse {
            set: folder.name.clone(),
            name: name.to_owned(),
            criterion: criterion.to_owned(),
            jury,
            problem,
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
            next,
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

fn certified_in(file: &SetFile<Certificate>) -> Option<String> {
    file.text.is_some().then(|| file.path.to_string_lossy().into_owned())
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
