use std::path::Path;
use std::sync::Arc;

use engine::Selection;
use project::Project;
use provider::Replay;
use run::{Caps, Judging, PlannedCell, RunHeader, Variant, VariantSource};
use store::{Counting, JudgedCell, Store};
use values::{ContentHash, Id, NanoDollars};

use crate::execute::Work;
use crate::judging::next::{Next, Wish, next};
use crate::judging::verdicts::judging_runs;
use crate::judging::{Asking, Verdicts};
use crate::material::{Material, counting_settings, ready_from_store};
use crate::permission::Missing;
use crate::plan::{PlanSummary, Sending, refuse_unpriced, summarise};
use crate::recordings::recordings;
use crate::target::Targets;
use crate::{App, AppError, RunningRun};

/// Outputs of a run that are to be judged.
#[derive(Debug, Clone)]
pub struct JudgingRequest {
    /// The run.
    pub run: Id,
    /// Whether recordings answer; as for the run itself if `None`.
    pub replay: Option<bool>,
    /// Whether the replies become recordings; as of the run itself if `None`.
    pub record: Option<bool>,
    /// Whether judges that gave no answer are asked once more.
    pub retry_errors: bool,
    /// Judging runs whose errors were sent again already.
    pub retried: Vec<Id>,
    /// What may be sent. A cap of the run holds for it and all that judges it together.
    pub sending: Sending,
}

/// Why judges are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgingRound {
    /// Outputs have not been judged by these versions.
    First,
    /// Replies could not be read.
    Again,
    /// An earlier session was stopped.
    Resumed,
    /// Judges gave no answer in an earlier session.
    Retried,
}

/// A judging run that is ready to start or to go on.
pub struct JudgingPlan {
    /// Why.
    pub round: JudgingRound,
    /// The judging run.
    pub run: Id,
    /// What it will do; its variants are the judges.
    pub summary: PlanSummary,
    /// How many of its cells show a pair of outputs.
    pub pairs: usize,
    /// What the person has to allow first.
    pub missing: Vec<Missing>,
    header: RunHeader,
    selection: Selection,
    cells: Vec<JudgedCell>,
    /// Whether the run has to be written first.
    is_new: bool,
    /// The runs by which the judged run was judged when this was planned.
    known: Vec<Id>,
    material: Arc<Material>,
    project: Arc<Project>,
    replay: Option<Arc<Replay>>,
    caps: Caps,
    sending: Sending,
    store: Store,
}

/// A judging run, before it is known what it costs.
struct Step {
    round: JudgingRound,
    header: RunHeader,
    selection: Selection,
    cells: Vec<JudgedCell>,
    is_new: bool,
}

impl App {
    /// Plans what judges are to be asked next about a run's outputs; `None` if every output has been
    /// judged as far as can be. To be called again after each session, until then. Nothing is sent.
    /// Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a judge cannot be asked, [`crate::ErrorKind::Record`] if the
    /// record cannot be read.
    pub fn plan_judging(
        &self,
        folder: Option<&Path>,
        request: &JudgingRequest,
    ) -> Result<Option<JudgingPlan>, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let judged = store.run_header(request.run)?;
        let counting = store.counting(request.run)?;
        let replay = request.replay.or(judged.replay.then_some(true));
        let wordless: Vec<ContentHash> = counting
            .judges
            .iter()
            .filter(|judge| decides_without_words(&project, judge))
            .map(|judge| judge.hash)
            .collect();
        let wish = Wish {
            judges: &counting.judges,
            wordless: &wordless,
            replay,
            retry_errors: request.retry_errors,
            retried: &request.retried,
        };
        // Before anything is read that they decide.
        let known = store.judging_run_ids(request.run)?;
        let Some(next) = next(&store, &judged, &wish)? else { return Ok(None) };
        let Step { round, header, selection, cells, is_new } =
            self.step(&store, &judged, next, request)?;
        let caps = caps(&store, &judged, header.id, &request.sending.caps)?;
        let header = RunHeader { caps, ..header };
        let material = material(&project, &store, &judged, &header)?;
        let replay = header.replay.then(|| recordings(&project, &header.eval_set)).transpose()?;
        let settings = self.settings()?;
        let missing = match &replay {
            Some(_) => Vec::new(),
            None => self.missing(&settings, &request.sending.grants, &project, &material)?,
        };
        let parts = (&header, cells.as_slice());
        let summary = self.summary(&project, &store, parts, &material, replay.clone(), request)?;
        let plan = JudgingPlan {
            round,
            run: header.id,
            summary,
            pairs: cells.iter().filter(|one| one.of.len() > 1).count(),
            missing,
            selection,
            cells,
            is_new,
            known,
            material,
            project: Arc::new(project),
            replay,
            caps,
            sending: Sending { allow_unpriced: header.allow_unpriced, ..request.sending.clone() },
            header,
            store,
        };
        refuse_unpriced(&plan.summary, &plan.header, &plan.sending)?;
        Ok(Some(plan))
    }

    /// Makes the header of the run that is next.
    fn step(
        &self,
        store: &Store,
        judged: &RunHeader,
        next: Next,
        request: &JudgingRequest,
    ) -> Result<Step, AppError> {
        let (again, judges, cells) = match next {
            Next::Ask { again, judges, cells } => (again, judges, cells),
            Next::GoOn(header, selection) => {
                let round = match selection {
                    Selection::Failed => JudgingRound::Retried,
                    Selection::Unfinished | Selection::Answered => JudgingRound::Resumed,
                };
                let cells = store.judged_cells(header.id)?;
                return Ok(Step { round, header: *header, selection, cells, is_new: false });
            }
        };
        let count = u32::try_from(cells.len())
            .map_err(|_| AppError::input("there are too many outputs to judge"))?;
        let header = RunHeader {
            id: self.host.new_id(),
            created: (self.host.now)(),
            variants: judges,
            samples: 1,
            cells: count,
            replay: request.replay.unwrap_or(judged.replay),
            until_decided: None,
            record: request.record.unwrap_or(judged.record),
            allow_unpriced: judged.allow_unpriced || request.sending.allow_unpriced,
            judging: Some(Judging { run: judged.id, again, probe: false }),
            ..judged.clone()
        };
        let round = if again.is_some() { JudgingRound::Again } else { JudgingRound::First };
        Ok(Step { round, header, selection: Selection::Unfinished, cells, is_new: true })
    }

    fn summary(
        &self,
        project: &Project,
        store: &Store,
        (header, cells): (&RunHeader, &[JudgedCell]),
        material: &Arc<Material>,
        replay: Option<Arc<Replay>>,
        request: &JudgingRequest,
    ) -> Result<PlanSummary, AppError> {
        let asking = asking(store, header, cells, material)?;
        let targets = Targets::default();
        let calls = self.preparing_calls(project, material, &targets, replay, asking)?;
        let planned: Vec<PlannedCell> = cells.iter().map(|one| one.cell.clone()).collect();
        let mut cases: Vec<&str> = planned.iter().map(|cell| cell.case_id.as_str()).collect();
        cases.sort_unstable();
        cases.dedup();
        let cases = cases.len();
        summarise(header, planned.into_iter(), cases, material, &calls, store, &request.sending)
    }

    /// Writes a planned judging run, if it is new, and makes its session ready. Blocking.
    ///
    /// Returns `None`, and asks nobody, if another process has begun to judge the run since this was
    /// planned: plan again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Permission`] if something is not allowed yet; [`crate::ErrorKind::Record`]
    /// if the run cannot be written.
    pub fn start_judging(&self, plan: JudgingPlan) -> Result<Option<RunningRun>, AppError> {
        if let Some(missing) = plan.missing.first() {
            return Err(missing.error());
        }
        let JudgingPlan { header, selection, cells, is_new, known, material, project, .. } = plan;
        let (store, sending, replay, caps) = (plan.store, plan.sending, plan.replay, plan.caps);
        let asking = asking(&store, &header, &cells, &material)?;
        let replays = replay.is_some();
        let calls = self.calls(&project, &material, &sending, replay, asking)?;
        let after = self.after_run(&project, &store, &header, &calls)?;
        if !replays {
            self.note_contacts(&store, &project, &material)?;
        }
        if is_new {
            let now = (self.host.now)();
            let Counting { settings, .. } = store.counting(plan_of(&header))?;
            let new = header.clone();
            let create = |done| store.create_judging_run(new, cells, known, now, done);
            if !store::wait(create)? {
                return Ok(None);
            }
            if let Some(settings) = settings {
                store::wait(|done| {
                    store.note_settings(header.id, settings, Vec::new(), now, done);
                })?;
            }
        }
        let verdicts = Verdicts::default();
        let work = Work { selection, caps, replay: replays, verdicts, header };
        self.session(store, &project, material, calls, work, &sending, after).map(Some)
    }
}

/// Tells whether a judge is a decision model.
fn decides_without_words(project: &Project, judge: &Variant) -> bool {
    let VariantSource::Prompt { model, .. } = &judge.source else { return false };
    let provider = project.config.providers.get(&model.provider);
    provider.is_some_and(|provider| provider.protocol.is_decision())
}

/// Returns the run whose outputs a judging run judges.
fn plan_of(header: &RunHeader) -> Id {
    header.judging.map_or(header.id, |judging| judging.run)
}

fn asking(
    store: &Store,
    header: &RunHeader,
    cells: &[JudgedCell],
    material: &Material,
) -> Result<Option<Asking>, AppError> {
    let made = |judging| Asking::new(store, judging, cells, material);
    header.judging.map(made).transpose()
}

/// Returns what a judging run is made of: the judged run's cases, the settings that count, the judges.
fn material(
    project: &Project,
    store: &Store,
    judged: &RunHeader,
    header: &RunHeader,
) -> Result<Arc<Material>, AppError> {
    let variants = header.variants.iter().map(|judge| ready_from_store(store, judge));
    let mut material = Material::from_store(store, judged)?;
    material.variants = variants.collect::<Result<_, _>>()?;
    material.set = counting_settings(store, judged, &project.config.defaults)?;
    Ok(Arc::new(material))
}

/// Returns the caps of a judging run. A cap of the run holds for all that it costs, judges included.
fn caps(store: &Store, judged: &RunHeader, judging: Id, asked: &Caps) -> Result<Caps, AppError> {
    let own = &judged.caps;
    let mut run = asked.run.or(own.run);
    if let Some(left) = &mut run {
        let others = judging_runs(store, judged.id)?.into_iter().map(|one| one.id);
        for other in others.filter(|other| *other != judging).chain([judged.id]) {
            let spend = store.run_summary(other)?.spend;
            *left = *left - spend.billed - spend.reserved - spend.presumed;
        }
        *left = (*left).max(NanoDollars::ZERO);
    }
    Ok(Caps {
        request: asked.request.or(own.request),
        run,
        day: asked.day.or(own.day),
        project: asked.project.or(own.project),
    })
}
