//! Probing a judge: what sways it that should not.
//!
//! A probe asks a judge about outputs that were made up, and about outputs of a run once more and changed. It is
//! a judging run of that run, so that cap, cache, ledger, record and replay are the engine's; its answers
//! are no verdicts on the run, and enter none of its scores. An unreadable reply is not asked again: that
//! it is unreadable is a finding.

mod answers;
mod asks;
mod subjects;

use std::path::Path;
use std::sync::Arc;

use engine::Selection;
use evalset::{Budget, Criterion, EvalSet, JudgeSpec};
use project::Project;
use provider::Replay;
use report::{PROBE_FORMAT, ProbeReport};
use run::{Caps, Judging, PlannedCell, RunHeader, Variant};
use score::Sees;
use score::probe::Wish;
use store::{JudgedCell, Store};
use values::Id;

use crate::calibrate::set_of_judge;
use crate::execute::Work;
use crate::judging::{Asking, Reader, Verdicts, judges_from_files};
use crate::material::{Material, ReadyVariant, keep_prompts, settings_version};
use crate::permission::Missing;
use crate::plan::{PlanSummary, Sending, refuse_unpriced, summarise};
use crate::recordings::recordings;
use crate::target::Targets;
use crate::{App, AppError, RunningRun};

use asks::Asked;
use subjects::{Subject, subjects};

/// A judge that is to be probed.
#[derive(Debug, Clone)]
pub struct ProbeRequest {
    /// The judge, by its name in the eval set.
    pub judge: String,
    /// The eval set; the only one that has the judge if `None`.
    pub set: Option<String>,
    /// The run whose outputs are used; the newest one if `None`.
    pub run: Option<Id>,
    /// The most cases.
    pub cases: usize,
    /// How often each output is judged as it is.
    pub times: u32,
    /// Whether recordings answer.
    pub replay: bool,
    /// Whether the replies become recordings.
    pub record: bool,
    /// What may be sent.
    pub sending: Sending,
}

/// A probe that is ready to start.
pub struct ProbePlan {
    /// What it will do; its one variant is the judge.
    pub summary: PlanSummary,
    /// What is asked, in words, and how many calls that is.
    pub parts: Vec<(&'static str, usize)>,
    /// The run whose outputs are used.
    pub of: Id,
    /// What the person has to allow first.
    pub missing: Vec<Missing>,
    header: RunHeader,
    material: Arc<Material>,
    probed: Arc<Probed>,
    project: Arc<Project>,
    replay: Option<Arc<Replay>>,
    sending: Sending,
    store: Store,
}

/// What a probe is about, and all that is needed to read its answers.
pub(crate) struct Probed {
    reader: Reader,
    spec: JudgeSpec,
    criterion: Criterion,
    variant: Variant,
    set_name: String,
    /// The caps of the set, which hold for a probe as for a run.
    budget: Budget,
    subjects: Vec<Subject>,
    asked: Vec<Asked>,
    run: Id,
    /// By variant of the judged run: whether the judge's own model makes its outputs; `None` if unknown.
    own: Vec<Option<bool>>,
}

/// A probe whose answers can be read once its session has ended.
pub struct StartedProbe {
    probed: Arc<Probed>,
    project: Arc<Project>,
    store: Store,
}

impl App {
    /// Plans a probe: what is asked, and what that may cost. Nothing is sent. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such judge, or no run with outputs that it can be shown;
    /// [`crate::ErrorKind::Record`] if the record cannot be read.
    pub fn plan_probe(
        &self,
        folder: Option<&Path>,
        request: &ProbeRequest,
    ) -> Result<ProbePlan, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let set_name = set_of_judge(&project, &request.judge, request.set.as_deref())?;
        let judged = run_of(&store, &set_name, request.run)?;
        let material = material(&project, &store, &judged, &request.judge)?;
        let probed = probed(&material, &judged, &store, request)?;
        let header = self.probe_header(&judged, &probed, request)?;
        let replay = request.replay.then(|| recordings(&project, &set_name)).transpose()?;
        let missing = match &replay {
            Some(_) => Vec::new(),
            None => {
                self.missing(&self.settings()?, &request.sending.grants, &project, &material)?
            }
        };
        let calls = self.preparing_calls(
            &project,
            &material,
            &Targets::default(),
            replay.clone(),
            Some(asking(&store, &probed, &material)?),
        )?;
        let cells = probed.cells().into_iter().map(|one| one.cell);
        let cases = probed.subjects.len();
        let summary =
            summarise(&header, cells, cases, &material, &calls, &store, &request.sending)?;
        refuse_unpriced(&summary, &header, &request.sending)?;
        Ok(ProbePlan {
            summary,
            parts: asks::parts(&probed.asked),
            of: judged.id,
            missing,
            header,
            material,
            probed: Arc::new(probed),
            project: Arc::new(project),
            replay,
            sending: request.sending.clone(),
            store,
        })
    }

    fn probe_header(
        &self,
        judged: &RunHeader,
        probed: &Probed,
        request: &ProbeRequest,
    ) -> Result<RunHeader, AppError> {
        let cells = u32::try_from(probed.asked.len())
            .map_err(|_| AppError::input("there are too many outputs to probe with"))?;
        let (budget, asked) = (&probed.budget, request.sending.caps);
        Ok(RunHeader {
            id: self.host.new_id(),
            created: (self.host.now)(),
            variants: vec![probed.variant.clone()],
            samples: request.times,
            cells,
            replay: request.replay,
            until_decided: None,
            record: request.record,
            allow_unpriced: request.sending.allow_unpriced,
            judging: Some(Judging { run: judged.id, again: None, probe: true }),
            caps: Caps {
                request: asked.request.or(budget.request),
                run: asked.run.or(budget.run),
                day: asked.day.or(budget.day),
                project: asked.project.or(budget.project),
            },
            ..judged.clone()
        })
    }

    /// Writes a planned probe and makes its session ready. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Permission`] if something is not allowed yet; [`crate::ErrorKind::Record`]
    /// if the probe cannot be written.
    pub fn start_probe(&self, plan: ProbePlan) -> Result<(RunningRun, StartedProbe), AppError> {
        if let Some(missing) = plan.missing.first() {
            return Err(missing.error());
        }
        let ProbePlan { header, material, probed, project, replay, sending, store, .. } = plan;
        let asking = asking(&store, &probed, &material)?;
        let replays = replay.is_some();
        let calls = self.calls(&project, &material, &sending, replay, Some(asking))?;
        let after = self.after_run(&project, &store, &header, &calls)?;
        if !replays {
            self.note_contacts(&store, &project, &material)?;
        }
        let now = (self.host.now)();
        keep_prompts(&store, &material.variants, now)?;
        let settings = settings_version(&material.set_source);
        let settings_hash = settings.hash;
        store::wait(|done| store.keep_contents(vec![settings], now, done))?;
        let cells = probed.cells();
        loop {
            // Whoever judges the run meanwhile asks for something else.
            let known = store.judging_run_ids(probed.run)?;
            let (new, cells) = (header.clone(), cells.clone());
            if store::wait(|done| store.create_judging_run(new, cells, known, now, done))? {
                break;
            }
        }
        store::wait(|done| {
            store.note_settings(header.id, settings_hash, Vec::new(), now, done);
        })?;
        let started = StartedProbe { probed, project: Arc::clone(&project), store: store.clone() };
        let work = Work {
            selection: Selection::Unfinished,
            caps: header.caps,
            replay: replays,
            verdicts: Verdicts::default(),
            header,
        };
        let running = self.session(store, &project, material, calls, work, &sending, after)?;
        Ok((running, started))
    }

    /// Says what the answers of a probe show. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if the record cannot be read.
    pub fn probe_report(&self, probe: Id, started: &StartedProbe) -> Result<ProbeReport, AppError> {
        let StartedProbe { probed, project, store } = started;
        let (answers, calls) = answers::read(project, store, probe, probed)?;
        let findings =
            analysis::probe::probe(&answers).map_err(|error| AppError::input(error.to_string()))?;
        Ok(ProbeReport {
            format: PROBE_FORMAT,
            judge: probed.spec.name.clone(),
            set: probed.set_name.clone(),
            criterion: probed.criterion.name.clone(),
            version: probed.variant.hash,
            model: crate::plan::described(&probed.variant.source).0,
            cases: probed.subjects.len(),
            outputs: probed.subjects.iter().map(|subject| subject.of.len()).sum(),
            run: probe,
            calls,
            findings,
        })
    }
}

impl Probed {
    /// Returns the cells of the probe with the cells of the run that they belong to.
    fn cells(&self) -> Vec<JudgedCell> {
        let cell = |(index, asked): (u32, &Asked)| {
            let subject = &self.subjects[asked.subject];
            let cell = PlannedCell {
                index,
                case_id: subject.case.clone(),
                case_hash: subject.case_hash,
                cluster: subject.cluster.clone(),
                variant: 0,
                sample: asked.sample(),
            };
            JudgedCell { cell, of: subject.of.clone() }
        };
        (0u32..).zip(&self.asked).map(cell).collect()
    }
}

/// Returns the run whose outputs a probe uses.
fn run_of(store: &Store, set: &str, asked: Option<Id>) -> Result<RunHeader, AppError> {
    let hint = "a probe uses outputs of a run: start one with `trysquare run`";
    let header = match asked {
        Some(id) => store.run_header(id)?,
        None => store.run_headers(Some(set), None, 1)?.into_iter().next().ok_or_else(|| {
            AppError::input(format!("there is no run of the eval set `{set}`")).with_hint(hint)
        })?,
    };
    if header.judging.is_some() || header.eval_set != set {
        let message = format!("the run {} has no outputs of the eval set `{set}`", header.id);
        return Err(AppError::input(message).with_hint(hint));
    }
    Ok(header)
}

/// Returns what a probe is made of: the run's cases, today's settings, today's judge.
fn material(
    project: &Project,
    store: &Store,
    judged: &RunHeader,
    name: &str,
) -> Result<Arc<Material>, AppError> {
    let (folder, found) =
        project.eval_set(&judged.eval_set).map_err(|error| crate::open_error(&error))?;
    let Some(set) = folder.set else {
        let message = format!("the eval set `{}` cannot be read", judged.eval_set);
        return Err(AppError::input(message).with_diagnostics(found));
    };
    if set.juries.iter().any(|jury| jury.name == name) {
        return Err(AppError::input(format!("`{name}` is a jury"))
            .with_hint("probe its members: what sways them sways it"));
    }
    let judges: Vec<ReadyVariant> = judges_from_files(project, &set, Some(&[name.to_owned()]))?;
    let mut material = Material::from_store(store, judged)?;
    material.variants = judges;
    material.set = set;
    material.set_source = folder.source;
    Ok(Arc::new(material))
}

fn probed(
    material: &Material,
    judged: &RunHeader,
    store: &Store,
    request: &ProbeRequest,
) -> Result<Probed, AppError> {
    let missing = || AppError::input(format!("there is no judge `{}`", request.judge));
    let spec = spec_of(&material.set, &request.judge).ok_or_else(missing)?.clone();
    let criterion = material.set.criterion(&spec.criterion.name).ok_or_else(missing)?.clone();
    let ready = material.variants.first().ok_or_else(missing)?;
    let (variant, reader) = (ready.variant.clone(), Reader::of(ready, &material.set)?);
    let sees = reader.judge.sees;
    let subjects = subjects(store, judged, sees, request.cases)?;
    if subjects.is_empty() {
        let what = match sees {
            Sees::One => "no output",
            Sees::Pair => "no case with two different outputs",
        };
        let message = format!("the run {} has {what} to show to the judge", judged.id);
        return Err(AppError::input(message));
    }
    let passing = match &criterion.kind {
        evalset::CriterionKind::Categorical { passing, .. } => passing.as_slice(),
        _ => &[],
    };
    let wish = Wish::best(&reader.judge, passing);
    let asked = asks::asked(&subjects, wish.as_ref(), request.times);
    let own = judged.variants.iter().map(|made| is_own(made, &variant)).collect();
    let (set_name, run) = (judged.eval_set.clone(), judged.id);
    let budget = material.set.budget;
    Ok(Probed { reader, spec, criterion, variant, set_name, budget, subjects, asked, run, own })
}

fn spec_of<'a>(set: &'a EvalSet, name: &str) -> Option<&'a JudgeSpec> {
    set.judges.iter().find(|spec| spec.name == name)
}

/// Tells whether a variant's outputs are of the model that the judge asks.
fn is_own(made: &Variant, judge: &Variant) -> Option<bool> {
    match (&made.source, &judge.source) {
        (
            run::VariantSource::Prompt { model: made, .. },
            run::VariantSource::Prompt { model: judge, .. },
        ) => Some(made == judge),
        _ => None,
    }
}

fn asking(store: &Store, probed: &Probed, material: &Material) -> Result<Asking, AppError> {
    let judging = Judging { run: probed.run, again: None, probe: true };
    let shown = (0u32..).zip(&probed.asked).map(|(cell, asked)| (cell, asked.shown.clone()));
    let anew = (0u32..).zip(&probed.asked).filter(|(_, asked)| asked.is_drawn_anew());
    let anew = anew.map(|(cell, _)| cell).collect();
    Asking::of_given(store, judging, shown.collect(), anew, material)
}
