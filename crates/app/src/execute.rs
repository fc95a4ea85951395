//! Executing a plan: new runs, resumed runs, retried errors, and scoring again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use engine::{
    CacheUse, Costing, LaneSettings, Ports, PreparedCell, RetryPolicy, Selection, Session,
    SessionError, Stopper,
};
use project::Project;
use run::{Caps, RunEvent, RunHeader, Summary};
use store::{Store, StoreError};
use tokio::sync::watch;
use values::Id;

use crate::clients::Purpose;
use crate::judging::{
    Asking, JudgeScorer, Needed, Verdicts, judges_from_files, members, variants_of, verdicts,
};
use crate::material::{Maker, Material, ReadyVariant, keep_prompts, settings_version};
use crate::plan::{Plan, Sending, connect_all, provider, providers_of};
use crate::port::{CheckScorer, RunCalls, StoreRecord, SystemClock};
use crate::recordings::recordings;
use crate::target::{Targets, refuse_changed, trusted_programs};
use crate::until_decided::{Watch, other_answers};
use crate::{App, AppError, ErrorKind, bridge};

/// A run that exists already, to be worked on again.
#[derive(Debug, Clone)]
pub struct ResumeRequest {
    /// The run.
    pub run: Id,
    /// Whether to send cells again that ended in an error, instead of those that are left.
    pub retry_errors: bool,
    /// What may be sent. Caps that are not set stay the run's own.
    pub sending: Sending,
}

/// A session of a run that is ready, or under way.
pub struct RunningRun {
    /// The run.
    pub run: Id,
    /// The names of its variants, in the order of the columns.
    pub variants: Vec<String>,
    session: Session,
    after: Option<AfterRun>,
    judged: Option<JudgedRun>,
}

/// The run whose outputs a session judged, which is given the verdicts.
struct JudgedRun {
    app: App,
    project: Arc<Project>,
    store: Store,
    run: Id,
}

/// What is left to do after a session of a run that is recorded.
pub(crate) struct AfterRun {
    app: App,
    project: Arc<Project>,
    store: Store,
    header: RunHeader,
    calls: Arc<RunCalls>,
    needed: Needed,
}

impl RunningRun {
    /// Returns the event stream.
    pub fn events(&self) -> watch::Receiver<RunEvent> {
        self.session.events()
    }

    /// Returns what stops the session.
    pub fn stopper(&self) -> Stopper {
        self.session.stopper()
    }

    /// Works until every cell has an outcome or the session is stopped, and writes recordings if
    /// they were asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Record`] if the record cannot be written.
    pub async fn finish(self) -> Result<Summary, AppError> {
        let Self { session, after, judged, run: _, variants: _ } = self;
        let summary = session.execute().await.map_err(session_error)?;
        if let Some(after) = after {
            bridge::blocking(move || {
                let AfterRun { app, project, store, header, calls, needed } = after;
                app.write_recordings(&project, &store, &header, &calls, &needed)
            })
            .await?;
        }
        if let Some(JudgedRun { app, project, store, run }) = judged {
            bridge::blocking(move || app.apply_verdicts(&project, &store, run)).await?;
        }
        Ok(summary)
    }
}

fn session_error(error: SessionError) -> AppError {
    if let Some(held) = held_by_another(&error) {
        return held.clone().into();
    }
    let made = AppError::new(ErrorKind::Record, error.to_string());
    let hint = match &error {
        SessionError::Record { source, .. } => source.hint.clone(),
        SessionError::Panicked { .. } => {
            Some("this is a bug; what is recorded is whole, and the run can be resumed".to_owned())
        }
    };
    match hint {
        Some(hint) => made.caused_by(error).with_hint(hint),
        None => made.caused_by(error),
    }
}

/// Tells that nothing failed: another process works on the run.
fn held_by_another(error: &SessionError) -> Option<&StoreError> {
    let SessionError::Record { source, .. } = error else { return None };
    let beneath = source.source.as_ref()?.downcast_ref::<StoreError>()?;
    matches!(beneath, StoreError::Held { .. }).then_some(beneath)
}

/// What a session needs besides the ports.
pub(crate) struct Work {
    pub(crate) header: RunHeader,
    pub(crate) selection: Selection,
    pub(crate) caps: Caps,
    /// Whether nothing is sent, so that the cache has no part in it.
    pub(crate) replay: bool,
    /// What judges said before of the cells.
    pub(crate) verdicts: Verdicts,
}

impl App {
    /// Writes a planned run and makes its first session ready. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`] if something is not allowed yet; [`ErrorKind::Record`] if the run
    /// cannot be written.
    pub fn start(&self, plan: Plan) -> Result<RunningRun, AppError> {
        if let Some(missing) = plan.missing.first() {
            return Err(missing.error());
        }
        let Plan { header, order, material, judges, project, replay, request, store, .. } = plan;
        let calls = self.calls(&project, &material, &request.sending, replay.clone(), None)?;
        let after = self.after_run(&project, &store, &header, &calls)?;
        if replay.is_none() {
            self.note_contacts(&store, &project, &material)?;
        }
        let now = (self.host.now)();
        let cases = order.cases().iter().map(|case| (&*case.id, case.hash));
        material.keep(&store, header.eval_set_hash, cases, now)?;
        keep_prompts(&store, &judges, now)?;
        let planned = Box::new(order.into_cells());
        store::wait(|done| store.create_run(header.clone(), planned, now, done))?;
        let settings = settings_version(&material.set_source).hash;
        store::wait(|done| {
            store.note_settings(header.id, settings, variants_of(judges), now, done);
        })?;
        let work = Work {
            selection: Selection::Unfinished,
            caps: header.caps,
            replay: replay.is_some(),
            verdicts: Verdicts::default(),
            header,
        };
        self.session(store, &project, material, calls, work, &request.sending, after)
    }

    /// Makes a session ready that goes on with a run, or repeats its errors. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`] if something is not allowed yet; [`ErrorKind::Record`] if the run
    /// cannot be read.
    pub fn resume(
        &self,
        folder: Option<&Path>,
        request: &ResumeRequest,
    ) -> Result<RunningRun, AppError> {
        let project = Arc::new(self.open(folder)?.0);
        let store = self.store(&project)?;
        let header = store.run_header(request.run)?;
        refuse_judging(&header)?;
        let material = Arc::new(Material::from_store(&store, &header)?);
        refuse_changed(&project, &header.variants)?;
        let settings = self.settings()?;
        let grants = &request.sending.grants;
        let replay = header.replay.then(|| recordings(&project, &header.eval_set)).transpose()?;
        let replays = replay.is_some();
        if !replays {
            let missing = self.missing(&settings, grants, &project, &material)?;
            if let Some(missing) = missing.first() {
                return Err(missing.error());
            }
            self.note_contacts(&store, &project, &material)?;
        }
        let calls = self.calls(&project, &material, &request.sending, replay, None)?;
        let own = header.caps;
        let asked = request.sending.caps;
        let caps = Caps {
            request: asked.request.or(own.request),
            run: asked.run.or(own.run),
            day: asked.day.or(own.day),
            project: asked.project.or(own.project),
        };
        let selection =
            if request.retry_errors { Selection::Failed } else { Selection::Unfinished };
        let mut sending = request.sending.clone();
        sending.allow_unpriced |= header.allow_unpriced;
        if caps.any() && !sending.allow_unpriced {
            refuse_unbounded(&store, &calls, header.id, selection, sending.cache)?;
        }
        let after = self.after_run(&project, &store, &header, &calls)?;
        let verdicts = Verdicts::default();
        let work = Work { header, selection, caps, replay: replays, verdicts };
        self.session(store, &project, material, calls, work, &sending, after)
    }

    /// Makes a session ready that scores a run again by the checks of today's files, without
    /// generating anything. What judges said counts if they are today as they were; `judges` are those
    /// that are to judge it besides, which is planned by [`App::plan_judging`]. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if the eval set or a judge cannot be read; [`ErrorKind::Record`] if the run
    /// cannot.
    pub fn rescore(
        &self,
        folder: Option<&Path>,
        run: Id,
        judges: &[String],
        sending: &Sending,
    ) -> Result<RunningRun, AppError> {
        let project = Arc::new(self.open(folder)?.0);
        let store = self.store(&project)?;
        let header = store.run_header(run)?;
        refuse_judging(&header)?;
        let mut material = Material::from_store(&store, &header)?;
        let (today, found) =
            project.eval_set(&header.eval_set).map_err(|error| crate::open_error(&error))?;
        let Some(set) = today.set else {
            return Err(AppError::input(format!(
                "the eval set `{}` cannot be read",
                header.eval_set
            ))
            .with_diagnostics(found));
        };
        let settings = settings_version(&today.source);
        let (settings_hash, now) = (settings.hash, (self.host.now)());
        store::wait(|done| store.keep_contents(vec![settings], now, done))?;
        let judges = counting_judges(&project, &store, run, &set, judges)?;
        keep_prompts(&store, &judges, now)?;
        let judges = variants_of(judges);
        let mut verdicts = verdicts(&store, &header, &set, &judges)?;
        let rows = verdicts.take_rows();
        store::wait(|done| store.add_judgements(&header.eval_set, rows, done))?;
        material.set = set;
        let material = Arc::new(material);
        let calls = Arc::new(RunCalls::new(
            Arc::clone(&material),
            project.config.providers.clone(),
            BTreeMap::new(),
            Targets::default(),
            None,
            project.root.clone(),
            None,
        ));
        store::wait(|done| store.start_rescoring(run, settings_hash, judges, now, done))?;
        let caps = header.caps;
        let selection = Selection::Answered;
        let work = Work { header, selection, caps, replay: true, verdicts };
        self.session(store, &project, material, calls, work, sending, None)
    }

    /// Asks the process that works on a run to stop; tells whether there is one. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`].
    pub fn cancel(&self, folder: Option<&Path>, run: Id) -> Result<bool, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let now = (self.host.now)();
        let mut works = store::wait(|done| store.ask_to_stop(run, now, done))?;
        for judging in store.judging_runs(run)? {
            works |= store::wait(|done| store.ask_to_stop(judging.id, now, done))?;
        }
        Ok(works)
    }

    pub(crate) fn calls(
        &self,
        project: &Project,
        material: &Arc<Material>,
        sending: &Sending,
        replay: Option<Arc<provider::Replay>>,
        asking: Option<Asking>,
    ) -> Result<Arc<RunCalls>, AppError> {
        let settings = self.settings()?;
        let purpose = if replay.is_some() { Purpose::Prepare } else { Purpose::Send };
        let grants = &sending.grants;
        let clients = connect_all(&self.host, &settings, sending, project, material, purpose)?;
        let targets = match purpose {
            Purpose::Send => Targets::connected(&self.host, project, material, &settings, grants)?,
            Purpose::Prepare => Targets::declared(&self.host, project, material, &settings)?,
        };
        Ok(Arc::new(RunCalls::new(
            Arc::clone(material),
            project.config.providers.clone(),
            clients,
            targets,
            replay,
            project.root.clone(),
            asking,
        )))
    }

    /// Notes the hosts that a session is about to send to.
    pub(crate) fn note_contacts(
        &self,
        store: &Store,
        project: &Project,
        material: &Material,
    ) -> Result<(), AppError> {
        let settings = self.settings()?;
        let mut origins = Vec::new();
        for name in providers_of(&material.variants) {
            let origin = provider(project, &name)?.origin().and_then(Result::ok);
            origins.extend(origin.map(|origin| origin.to_string()));
        }
        let targets = Targets::declared(&self.host, project, material, &settings)?;
        origins.extend(targets.origins().map(ToString::to_string));
        let now = (self.host.now)();
        Ok(store::wait(|done| store.note_contacts(origins, now, done))?)
    }

    /// Returns what is left to do after a session of a run that is to be recorded.
    pub(crate) fn after_run(
        &self,
        project: &Arc<Project>,
        store: &Store,
        header: &RunHeader,
        calls: &Arc<RunCalls>,
    ) -> Result<Option<AfterRun>, AppError> {
        if !header.record {
            return Ok(None);
        }
        // Whoever pays for answers that are to be kept should know now that they cannot be.
        recordings(project, &header.eval_set)?;
        Ok(Some(AfterRun {
            app: self.clone(),
            project: Arc::clone(project),
            store: store.clone(),
            header: header.clone(),
            calls: Arc::clone(calls),
            needed: self.needed(project, &header.eval_set, header.samples)?,
        }))
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of a session, used once")]
    pub(crate) fn session(
        &self,
        store: Store,
        project: &Arc<Project>,
        material: Arc<Material>,
        calls: Arc<RunCalls>,
        work: Work,
        sending: &Sending,
        after: Option<AfterRun>,
    ) -> Result<RunningRun, AppError> {
        let settings = self.settings()?;
        let programs = trusted_programs(&self.host, &settings, &sending.grants, project)?;
        let watch = match work.header.until_decided {
            // Only a session that sends the plan has a part of it to spare.
            Some(asked) if work.selection == Selection::Unfinished => {
                let sides = [asked.baseline, asked.candidate];
                let results = self.run_results(project, &store, work.header.id, &sides)?;
                let others = other_answers(&store, &results)?;
                Watch::new(&work.header, results, others)?
            }
            _ => None,
        };
        let judging = work.header.judging.filter(|judging| !judging.probe);
        let judged = judging.map(|judging| JudgedRun {
            app: self.clone(),
            project: Arc::clone(project),
            store: store.clone(),
            run: judging.run,
        });
        let record = Arc::new(StoreRecord::new(store, self.host.clone(), work.header.id, watch));
        let mut lanes = lanes(project, &material, sending)?;
        if work.replay {
            // Recordings answer; there is nobody whose limits could be kept.
            for lane in &mut lanes {
                lane.requests_per_minute = None;
            }
        }
        let scorer: Arc<dyn engine::Scorer> = match work.header.judging {
            Some(_) => Arc::new(JudgeScorer::new(material)?),
            None => Arc::new(CheckScorer::new(material, programs, work.verdicts)),
        };
        let ports = Ports {
            clock: Arc::new(SystemClock::starting((self.host.now)())),
            calls,
            cache: Arc::clone(&record) as Arc<dyn engine::Cache>,
            record: Arc::clone(&record) as Arc<dyn engine::Record>,
            scorer,
        };
        let cache = if work.replay { CacheUse::Off } else { sending.cache };
        let engine_settings = engine::Settings {
            run: work.header.id,
            planned: work.header.cells,
            lanes,
            selection: work.selection,
            caps: work.caps,
            allow_unpriced: sending.allow_unpriced,
            cache,
            retry: RetryPolicy::default(),
            seed: work.header.seed,
        };
        let session = Session::new(engine_settings, ports);
        record.stop_with(session.stopper());
        let variants = work.header.variants.into_iter().map(|variant| variant.name).collect();
        Ok(RunningRun { run: work.header.id, variants, session, after, judged })
    }
}

/// Refuses to treat a judging run as one that makes outputs.
fn refuse_judging(header: &RunHeader) -> Result<(), AppError> {
    match header.judging {
        None => Ok(()),
        Some(judging) if judging.probe => Err(AppError::input(format!(
            "run {} is a probe of a judge",
            header.id
        ))
        .with_hint(
            "`trysquare judge probe` starts another one; the cache has what was answered, all but \
                 repetitions",
        )),
        Some(judging) => Err(AppError::input(format!(
            "run {} judges the outputs of run {}",
            header.id, judging.run
        ))
        .with_hint(format!("name that: `trysquare resume {}` goes on with both", judging.run))),
    }
}

/// Returns the judges whose verdicts count when a run is scored again: those that are named, and those
/// that counted before and are today as they were.
fn counting_judges(
    project: &Project,
    store: &Store,
    run: Id,
    set: &evalset::EvalSet,
    named: &[String],
) -> Result<Vec<ReadyVariant>, AppError> {
    judges_from_files(project, set, Some(named))?;
    let named = members(set, named);
    let before = store.counting(run)?.judges;
    let mut judges = judges_from_files(project, set, None)?;
    judges.retain(|judge| {
        let is_same = before
            .iter()
            .any(|one| one.name == judge.variant.name && one.hash == judge.variant.hash);
        is_same || named.contains(&judge.variant.name)
    });
    Ok(judges)
}

/// Refuses to go on under a cap with cells whose worst case nobody knows: sent to the engine they
/// would be closed as errors, one by one. What the cache answers costs nothing.
fn refuse_unbounded(
    store: &Store,
    calls: &RunCalls,
    run: Id,
    selection: Selection,
    cache: CacheUse,
) -> Result<(), AppError> {
    let selection = match selection {
        Selection::Unfinished => store::Selection::Unfinished,
        Selection::Failed => store::Selection::Failed,
        Selection::Answered => return Ok(()),
    };
    let mut query =
        store::PendingQuery { run, selection, variants: None, after: None, limit: 1_000 };
    loop {
        let page = store.pending_cells(&query)?;
        let Some(last) = page.last() else { return Ok(()) };
        query.after = Some(last.cell.index);
        let to_send = page.iter().filter(|pending| pending.answered.is_none());
        // A cell that cannot be prepared is no call; the engine records why.
        let unbounded: Vec<_> = to_send
            .filter_map(|pending| match calls.prepare_now(&pending.cell).ok()? {
                PreparedCell { call, costing: Costing::Unknown { why }, .. } => {
                    Some((&pending.cell, call.cache_key(pending.cell.sample), why))
                }
                _ => None,
            })
            .collect();
        let keys: Vec<_> = unbounded.iter().map(|(_, key, _)| *key).collect();
        let cached = match cache {
            CacheUse::On => store.are_cached(&keys)?,
            CacheUse::Refresh | CacheUse::Off => vec![false; keys.len()],
        };
        let left = unbounded.iter().zip(cached).find(|(_, cached)| !cached);
        if let Some(((cell, _, why), _)) = left {
            let message = format!("no cap can bound what the case `{}` costs: {why}", cell.case_id);
            return Err(AppError::input(message).with_hint(why.hint()));
        }
    }
}

/// Returns a lane for each provider and target, with its variants.
fn lanes(
    project: &Project,
    material: &Material,
    sending: &Sending,
) -> Result<Vec<LaneSettings>, AppError> {
    let mut variants: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (index, ready) in (0u32..).zip(&material.variants) {
        let name = match &ready.maker {
            Maker::Prompt(prompt) => prompt.model.provider.clone(),
            Maker::Target(target) => target.name.clone(),
            Maker::Nothing => "outputs".to_owned(),
        };
        variants.entry(name).or_default().push(index);
    }
    variants
        .into_iter()
        .map(|(name, variants)| {
            let (own, requests_per_minute) = match project.config.providers.get(&name) {
                Some(_) => {
                    let provider = provider(project, &name)?;
                    (provider.concurrency, provider.requests_per_minute)
                }
                None => (catalog::default_concurrency(), None),
            };
            let concurrency = sending.concurrency.unwrap_or(own);
            let variants = variants.into();
            Ok(LaneSettings { provider: name, variants, concurrency, requests_per_minute })
        })
        .collect()
}
