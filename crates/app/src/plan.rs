//! Planning a run: everything is resolved, checked and rendered before anything is sent.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use document::{Diagnostic, Severity};
use engine::{CacheUse, Costing};
use evalset::{Case, CaseFile};
use project::Project;
use provider::Replay;
use run::{Caps, PlanOrder, PlannedCase, PlannedCell, RunHeader, plan_order};
use score::Sees;
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;
use values::{ContentHash, NanoDollars, Origin};

use crate::clients::{Clients, Purpose, client_key, connect};
use crate::judging::{Asking, judge_of, judges_from_files};
use crate::material::{Maker, Material, ReadyVariant};
use crate::parts::in_parts;
use crate::permission::{Missing, missing_origin};
use crate::port::RunCalls;
use crate::recordings::recordings;
use crate::target::{Targets, missing_trust};
use crate::until_decided::{UntilDecidedRequest, until_decided};
use crate::{App, AppError, Grants, Host};

/// What a person wants to run.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// The eval set.
    pub set: String,
    /// Only these variants; all if empty.
    pub variants: Vec<String>,
    /// Only these cases; all if empty.
    pub cases: Vec<String>,
    /// Only cases with one of these tags; all if empty.
    pub tags: Vec<String>,
    /// Repetitions in place of the eval set's.
    pub samples: Option<u32>,
    /// The seed in place of the eval set's.
    pub seed: Option<u64>,
    /// End as soon as the candidate's verdict is decided.
    pub until_decided: Option<UntilDecidedRequest>,
    /// Answer from recordings only.
    pub replay: bool,
    /// Write recordings afterwards.
    pub record: bool,
    /// Whether judges are left out.
    pub no_judges: bool,
    /// What may be sent.
    pub sending: Sending,
}

/// What may be sent, to whom, and for how much.
#[derive(Debug, Clone, Default)]
pub struct Sending {
    /// How the cache is used.
    pub cache: CacheUse,
    /// Calls at once to one provider, in place of its settings.
    pub concurrency: Option<std::num::NonZeroU32>,
    /// Caps in place of the eval set's, where set.
    pub caps: Caps,
    /// Whether models without a price may be called under a cap.
    pub allow_unpriced: bool,
    /// What this command allows.
    pub grants: Grants,
}

/// What a run will do, for showing before it starts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanSummary {
    /// The eval set.
    pub set: String,
    /// Cases.
    pub cases: usize,
    /// Repetitions of each.
    pub samples: u32,
    /// Cells in all.
    pub cells: usize,
    /// The variants.
    pub variants: Vec<VariantPlan>,
    /// The judges, each with how many outputs it will judge at most. What that costs is known once the
    /// outputs are there.
    pub judges: Vec<VariantPlan>,
    /// The caps.
    pub caps: Caps,
    /// The seed.
    pub seed: u64,
    /// Whether recordings answer.
    pub replay: bool,
}

/// What one variant will do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantPlan {
    /// Its name.
    pub name: String,
    /// What answers: `provider/model`, or the target's name.
    pub answers: String,
    /// The prompt's version, short.
    pub version: Option<String>,
    /// Cells.
    pub cells: usize,
    /// Cells that the cache or a recording answers.
    pub known: usize,
    /// The most that the others can cost; `None` if nobody can say.
    pub worst_case: Option<NanoDollars>,
    /// Why nobody can say.
    #[serde(skip)]
    pub unbounded: Option<catalog::Unbounded>,
    /// Whether it costs nothing, whatever happens.
    pub is_free: bool,
}

/// A run that is ready to start.
pub struct Plan {
    /// What it will do.
    pub summary: PlanSummary,
    /// What the person has to allow first.
    pub missing: Vec<Missing>,
    pub(crate) header: RunHeader,
    pub(crate) order: PlanOrder,
    pub(crate) material: Arc<Material>,
    pub(crate) judges: Vec<ReadyVariant>,
    pub(crate) project: Arc<Project>,
    pub(crate) replay: Option<Arc<Replay>>,
    pub(crate) request: RunRequest,
    pub(crate) store: Store,
}

impl App {
    /// Plans a run. Nothing is sent and no run is written. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] with diagnostics if anything that the run uses is wrong.
    pub fn plan(
        &self,
        folder: Option<&std::path::Path>,
        request: RunRequest,
    ) -> Result<Plan, AppError> {
        let (project, found) = self.open(folder)?;
        let (set, mut diagnostics) =
            project.eval_set(&request.set).map_err(|error| crate::open_error(&error))?;
        diagnostics.extend(found);
        diagnostics.extend(project.check_eval_set(&set));
        let material = Material::from_files(&project, set, &request.variants);
        fail_on_used(&project, &request.set, material.as_ref().ok(), diagnostics)?;
        let material = Arc::new(material?);
        let judges = if request.no_judges {
            Vec::new()
        } else {
            judges_from_files(&project, &material.set, None)?
        };
        let all = hashed_cases(&material.cases);
        let set_hash = material.set.content_hash_of(all.iter().map(|one| (&*one.id, one.hash)));
        let cases = choose_cases(&material, &request, all)?;
        let store = self.store(&project)?;
        let replay = request.replay.then(|| recordings(&project, &request.set)).transpose()?;
        let header = self.header(&material, set_hash, cases.len(), &request)?;
        let order = order_of(&header, cases)?;
        let settings = self.settings()?;
        let calls = self.planning_calls(&project, &material, replay.clone(), &settings)?;
        let (cells, count) = (order.cells(), order.cases().len());
        let sending = &request.sending;
        let mut summary = summarise(&header, cells, count, &material, &calls, &store, sending)?;
        summary.judges = judge_plans(&project, &judges, &header)?;
        refuse_unpriced(&summary, &header, sending)?;
        let missing = match &replay {
            Some(_) => Vec::new(),
            None => self.missing_of(&settings, &sending.grants, &project, &material, &judges)?,
        };
        let project = Arc::new(project);
        Ok(Plan {
            summary,
            missing,
            header,
            order,
            material,
            judges,
            project,
            replay,
            request,
            store,
        })
    }

    /// Makes the port that renders the calls of a plan. Blocking.
    pub(crate) fn calls_of_plan(&self, plan: &Plan) -> Result<RunCalls, AppError> {
        let settings = self.settings()?;
        self.planning_calls(&plan.project, &plan.material, plan.replay.clone(), &settings)
    }

    fn planning_calls(
        &self,
        project: &Project,
        material: &Arc<Material>,
        replay: Option<Arc<Replay>>,
        settings: &settings::Settings,
    ) -> Result<RunCalls, AppError> {
        let targets = Targets::declared(&self.host, project, material, settings)?;
        self.preparing_calls(project, material, &targets, replay, None)
    }

    fn header(
        &self,
        material: &Material,
        eval_set_hash: ContentHash,
        cases: usize,
        request: &RunRequest,
    ) -> Result<RunHeader, AppError> {
        let samples = request.samples.unwrap_or(material.set.samples_or_one().get());
        if samples == 0 {
            return Err(AppError::input("`--samples` must be at least 1"));
        }
        let count =
            cases * material.variants.len() * usize::try_from(samples).unwrap_or(usize::MAX);
        let cells = u32::try_from(count)
            .map_err(|_| AppError::input(format!("a run of {count} cells is too large")))?;
        let budget = &material.set.budget;
        let caps = &request.sending.caps;
        let asked = request.until_decided.as_ref();
        let until_decided = asked.map(|asked| until_decided(material, asked)).transpose()?;
        Ok(RunHeader {
            format: 1,
            id: self.host.new_id(),
            created: (self.host.now)(),
            eval_set: material.set_name.clone(),
            eval_set_hash,
            variants: material.variants.iter().map(|ready| ready.variant.clone()).collect(),
            samples,
            seed: request.seed.unwrap_or(material.set.seed),
            cells,
            caps: Caps {
                request: caps.request.or(budget.request),
                run: caps.run.or(budget.run),
                day: caps.day.or(budget.day),
                project: caps.project.or(budget.project),
            },
            replay: request.replay,
            until_decided,
            record: request.record,
            allow_unpriced: request.sending.allow_unpriced,
            judging: None,
            criteria: criteria(material),
        })
    }

    /// Tells what the person has to allow before this material may be sent. Blocking.
    pub(crate) fn missing(
        &self,
        settings: &settings::Settings,
        grants: &Grants,
        project: &Project,
        material: &Material,
    ) -> Result<Vec<Missing>, AppError> {
        let mut missing = Vec::new();
        for name in providers_of(&material.variants) {
            let provider = provider(project, &name)?;
            missing.extend(missing_origin(settings, grants, &project.root, provider)?);
        }
        let targets = Targets::declared(&self.host, project, material, settings)?;
        missing.extend(targets.missing(settings, grants, &project.root));
        let needs_trust = missing.iter().any(|one| matches!(one, Missing::Trust { .. }));
        if !needs_trust && uses_model_of_project(settings, project, material)? {
            let block = project.trust_block()?;
            missing.extend(missing_trust(settings, grants, &project.root, &block));
        }
        let mut origins: BTreeSet<Origin> = BTreeSet::new();
        missing.retain(|one| match one {
            Missing::Origin { origin, .. } => origins.insert(origin.clone()),
            Missing::Trust { .. } => true,
        });
        Ok(missing)
    }

    /// Tells what has to be allowed for a run and its judges. Blocking.
    fn missing_of(
        &self,
        settings: &settings::Settings,
        grants: &Grants,
        project: &Project,
        material: &Material,
        judges: &[ReadyVariant],
    ) -> Result<Vec<Missing>, AppError> {
        let mut missing = self.missing(settings, grants, project, material)?;
        for name in providers_of(judges) {
            let provider = provider(project, &name)?;
            missing.extend(missing_origin(settings, grants, &project.root, provider)?);
        }
        let mut origins: BTreeSet<Origin> = BTreeSet::new();
        missing.retain(|one| match one {
            Missing::Origin { origin, .. } => origins.insert(origin.clone()),
            Missing::Trust { .. } => true,
        });
        Ok(missing)
    }

    /// Makes the port that renders calls without being able to send them. Blocking.
    pub(crate) fn preparing_calls(
        &self,
        project: &Project,
        material: &Arc<Material>,
        targets: &Targets,
        replay: Option<Arc<Replay>>,
        asking: Option<Asking>,
    ) -> Result<RunCalls, AppError> {
        let settings = self.settings()?;
        let nothing = Sending::default();
        let clients =
            connect_all(&self.host, &settings, &nothing, project, material, Purpose::Prepare)?;
        let providers = project.config.providers.clone();
        let targets = targets.clone();
        let root = project.root.clone();
        Ok(RunCalls::new(Arc::clone(material), providers, clients, targets, replay, root, asking))
    }
}

/// Makes the clients of every model that the variants use. Blocking.
pub(crate) fn connect_all(
    host: &Host,
    settings: &settings::Settings,
    sending: &Sending,
    project: &Project,
    material: &Material,
    purpose: Purpose,
) -> Result<Clients, AppError> {
    let mut clients = Clients::new();
    for ready in &material.variants {
        let Maker::Prompt(prompt) = &ready.maker else { continue };
        let provider = provider(project, &prompt.model.provider)?;
        let key = client_key(provider, &prompt.model);
        if let Entry::Vacant(place) = clients.entry(key) {
            let model = &prompt.model;
            place.insert(connect(host, settings, sending, project, provider, model, purpose)?);
        }
    }
    Ok(clients)
}

/// Returns a provider of the project.
pub(crate) fn provider<'p>(
    project: &'p Project,
    name: &str,
) -> Result<&'p catalog::ProviderSettings, AppError> {
    project.config.providers.get(name).ok_or_else(|| {
        let known: Vec<_> = project.config.providers.keys().map(String::as_str).collect();
        AppError::input(format!("there is no provider `{name}`"))
            .with_hint(format!("declare it in trysquare.yaml; known are {}", known.join(", ")))
    })
}

/// Tells whether a variant's model comes from a file that the project names.
fn uses_model_of_project(
    settings: &settings::Settings,
    project: &Project,
    material: &Material,
) -> Result<bool, AppError> {
    for ready in &material.variants {
        if let Maker::Prompt(prompt) = &ready.maker {
            let provider = provider(project, &prompt.model.provider)?;
            if crate::embedded::is_from_project(settings, provider, &prompt.model.model) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns the names of the providers that the variants use.
pub(crate) fn providers_of(variants: &[ReadyVariant]) -> BTreeSet<String> {
    let prompts = variants.iter().filter_map(|ready| match &ready.maker {
        Maker::Prompt(prompt) => Some(prompt.model.provider.clone()),
        Maker::Target(_) | Maker::Nothing => None,
    });
    prompts.collect()
}

pub(crate) fn criteria(material: &Material) -> Value {
    let checks: Vec<_> =
        material.set.checks.iter().map(evalset::check::CheckSpec::document).collect();
    let criteria: Vec<_> = material
        .set
        .criteria
        .iter()
        .map(|one| json!({"name": one.name, "rubric": one.rubric}))
        .collect();
    let primary = material.set.primary.as_ref().map(|primary| &primary.name);
    json!({"criteria": criteria, "checks": checks, "primary": primary})
}

/// Refuses to run on files with errors; errors in files that this run does not use are no reason.
fn fail_on_used(
    project: &Project,
    set: &str,
    material: Option<&Material>,
    mut found: Vec<Diagnostic>,
) -> Result<(), AppError> {
    let mut used = BTreeSet::from(["trysquare.yaml".to_owned()]);
    used.insert(format!("evalsets/{set}/evalset.yaml"));
    used.insert(format!("evalsets/{set}/cases.jsonl"));
    for ready in material.map(|material| material.variants.as_slice()).unwrap_or_default() {
        if let Maker::Prompt(prompt) = &ready.maker {
            used.insert(prompt.linked.prompt().source().name().to_owned());
        }
    }
    if material.is_none() {
        used.extend(project.prompts.values().map(|file| file.source.name().to_owned()));
    }
    found.retain(|one| one.severity == Severity::Error && used.contains(&one.file));
    if found.is_empty() {
        return Ok(());
    }
    Err(AppError::input("the files that this run uses have errors").with_diagnostics(found))
}

/// Returns all cases of a set with the hash of their content, in the order of the file.
fn hashed_cases(cases: &CaseFile) -> Vec<PlannedCase> {
    let hashed = |case: Case| PlannedCase {
        hash: case.content_hash(),
        id: case.id.into(),
        cluster: case.cluster.map(Into::into),
    };
    let part = |places: Range<usize>| -> Vec<_> {
        places.filter_map(|place| cases.nth(place)).map(hashed).collect()
    };
    in_parts(cases.len(), part).into_iter().flatten().collect()
}

fn choose_cases(
    material: &Material,
    request: &RunRequest,
    mut cases: Vec<PlannedCase>,
) -> Result<Vec<PlannedCase>, AppError> {
    for id in &request.cases {
        if material.cases.get(id).is_none() {
            return Err(AppError::input(format!(
                "there is no case `{id}` in the eval set `{}`",
                material.set_name
            )));
        }
    }
    if !request.cases.is_empty() {
        cases.retain(|case| request.cases.iter().any(|id| **id == *case.id));
    }
    if !request.tags.is_empty() {
        let is_tagged = |case: Case| case.tags.iter().any(|tag| request.tags.contains(tag));
        cases.retain(|case| material.cases.get(&case.id).is_some_and(is_tagged));
    }
    if cases.is_empty() {
        return Err(AppError::input("no case is left to run")
            .with_hint("check --case and --tag, or add cases to cases.jsonl"));
    }
    Ok(cases)
}

fn order_of(header: &RunHeader, cases: Vec<PlannedCase>) -> Result<PlanOrder, AppError> {
    let variants = u32::try_from(header.variants.len()).unwrap_or(u32::MAX);
    plan_order(cases, variants, header.samples, header.seed)
        .map_err(|error| AppError::input(error.to_string()))
}

/// How many cells are rendered and looked up in the cache at once.
pub(crate) const PAGE: usize = 8_000;

/// What a look at a cell found.
pub(crate) struct Looked {
    variant: u32,
    costing: Costing,
    /// Whether the cache or a recording answers it.
    pub(crate) is_known: bool,
}

/// Renders every cell and looks it up.
pub(crate) fn summarise(
    header: &RunHeader,
    mut cells: impl Iterator<Item = PlannedCell>,
    cases: usize,
    material: &Material,
    calls: &RunCalls,
    store: &Store,
    sending: &Sending,
) -> Result<PlanSummary, AppError> {
    let mut variants: Vec<_> = material.variants.iter().map(variant_plan).collect();
    let look = !header.replay && sending.cache == CacheUse::On;
    let cache = look.then_some(store);
    loop {
        let page: Vec<_> = cells.by_ref().take(PAGE).collect();
        if page.is_empty() {
            break;
        }
        let parts = in_parts(page.len(), |places| look_up(&page[places], calls, cache));
        for part in parts {
            for Looked { variant, costing, is_known } in part? {
                let index = usize::try_from(variant).unwrap_or(usize::MAX);
                if let Some(plan) = variants.get_mut(index) {
                    add(plan, costing, is_known);
                }
            }
        }
    }
    let samples = header.samples;
    Ok(PlanSummary {
        set: header.eval_set.clone(),
        cases,
        samples,
        cells: usize::try_from(header.cells).unwrap_or(usize::MAX),
        variants,
        judges: Vec::new(),
        caps: header.caps,
        seed: header.seed,
        replay: header.replay,
    })
}

/// Renders cells, and looks for their answers in the recordings and, where it is used, in the cache.
pub(crate) fn look_up(
    cells: &[PlannedCell],
    calls: &RunCalls,
    cache: Option<&Store>,
) -> Result<Vec<Looked>, AppError> {
    let mut keys = Vec::with_capacity(cells.len());
    let mut found = Vec::with_capacity(cells.len());
    for cell in cells {
        let prepared = calls.prepare_now(cell).map_err(|failure| {
            let error = AppError::input(format!("the case `{}`: {failure}", cell.case_id));
            match failure.hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })?;
        keys.push(prepared.call.cache_key(cell.sample));
        let is_known = calls.is_recorded(&prepared, cell);
        found.push(Looked { variant: cell.variant, costing: prepared.costing, is_known });
    }
    if let Some(cache) = cache {
        for (known, is_cached) in found.iter_mut().zip(cache.are_cached(&keys)?) {
            known.is_known |= is_cached;
        }
    }
    Ok(found)
}

/// Returns what answers for a variant, and the short version of its prompt.
pub(crate) fn described(source: &run::VariantSource) -> (String, Option<String>) {
    match source {
        run::VariantSource::Prompt { model, version, .. } => {
            (model.to_string(), Some(version.short()))
        }
        run::VariantSource::Target { target, .. } => (format!("target {target}"), None),
        run::VariantSource::Outputs { name } => (name.clone(), None),
    }
}

fn variant_plan(ready: &crate::material::ReadyVariant) -> VariantPlan {
    let (answers, version) = described(&ready.variant.source);
    VariantPlan {
        name: ready.variant.name.clone(),
        answers,
        version,
        cells: 0,
        known: 0,
        worst_case: Some(NanoDollars::ZERO),
        unbounded: None,
        is_free: true,
    }
}

/// Says how many calls each judge will make at most. Judges that share their calls are one.
fn judge_plans(
    project: &Project,
    judges: &[ReadyVariant],
    header: &RunHeader,
) -> Result<Vec<VariantPlan>, AppError> {
    let others = header.variants.len().saturating_sub(1);
    let plan = |ready: &ReadyVariant| {
        let mut plan = variant_plan(ready);
        let same = judges.iter().filter(|other| other.variant.hash == ready.variant.hash);
        let names: Vec<&str> = same.map(|other| other.variant.name.as_str()).collect();
        plan.name = names.join(", ");
        plan.cells = usize::try_from(header.cells).unwrap_or(usize::MAX);
        if judge_of(ready)?.sees == Sees::Pair {
            // Each output meets those of the other variants, in both orders.
            plan.cells = plan.cells.saturating_mul(others);
        }
        if let Maker::Prompt(prompt) = &ready.maker {
            let provider = provider(project, &prompt.model.provider)?;
            plan.is_free = header.replay || provider.protocol == chat::Protocol::Embedded;
            if !plan.is_free {
                plan.worst_case = None;
                let is_priced = provider.tariff(&prompt.model.model).is_some();
                plan.unbounded = (!is_priced).then_some(catalog::Unbounded::Price);
            }
        }
        Ok(plan)
    };
    let is_first = |(place, ready): &(usize, &ReadyVariant)| {
        judges[..*place].iter().all(|other| other.variant.hash != ready.variant.hash)
    };
    judges.iter().enumerate().filter(is_first).map(|(_, ready)| plan(ready)).collect()
}

fn add(plan: &mut VariantPlan, costing: Costing, known: bool) {
    plan.cells += 1;
    if known {
        plan.known += 1;
        return;
    }
    match costing {
        Costing::Free { .. } => {}
        Costing::Priced { worst_case, .. } => {
            plan.is_free = false;
            plan.worst_case = plan.worst_case.map(|sum| sum + worst_case);
        }
        Costing::Unknown { why } => {
            plan.is_free = false;
            plan.worst_case = None;
            plan.unbounded.get_or_insert(why);
        }
    }
}

/// A cap in dollars cannot hold a call whose worst case nobody knows.
pub(crate) fn refuse_unpriced(
    summary: &PlanSummary,
    header: &RunHeader,
    sending: &Sending,
) -> Result<(), AppError> {
    if !header.caps.any() || sending.allow_unpriced {
        return Ok(());
    }
    for variant in summary.variants.iter().chain(&summary.judges) {
        if let Some(why) = &variant.unbounded {
            return Err(AppError::input(format!(
                "no cap can bound what {} costs (variant `{}`): {why}",
                variant.answers, variant.name
            ))
            .with_hint(why.hint()));
        }
    }
    Ok(())
}

/// Where recordings of an eval set are.
pub(crate) fn recordings_path(project: &Project, set: &str) -> PathBuf {
    project.eval_set_folder(set).join("recorded.jsonl")
}
